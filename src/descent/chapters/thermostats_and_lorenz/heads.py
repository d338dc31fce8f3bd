r"""Chapter 6: heads of a small transformer that learns to copy, each replayed in its turn.

Two layers of attention without anything else, :math:`x \mapsto x + \sum_h a_h(x)\, x V_h O_h`,
learn to predict blocks of random tokens that repeat. In world Y the output of one head at all
places is that of the undisturbed run. n is the embedding of one token, m the logit of the right
token minus that of another, and

.. math:: \operatorname{Op} = \log \lvert \nabla_n m\,[\mathcal Y] \rvert
          - \log \lvert \nabla_n m\,[\mathcal X] \rvert .

C. Olsson and others, In-context Learning and Induction Heads, arXiv:2209.11895 (2022).
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

TOKENS, LENGTH, WIDTH, HEADS, KEYS = 14, 22, 32, 2, 16
LAYERS = 2
PERIODS = (5, 12)
"""Tokens in a block, at least and fewer than."""
BATCH, STEP = 32, 4e-3
MARKS = (0, 100, 200, 400)
"""Steps of training after which the network is measured."""
MEASURED, PERIOD = 128, 10
EACH = tuple((layer, head) for layer in range(LAYERS) for head in range(HEADS))
NAMES = tuple(f"{kind}{layer}" for layer in range(LAYERS) for kind in "QKVO")

Weights = dict[str, Tensor]


def sequences(n: int, rng: torch.Generator, period: int | None = None) -> tuple[Tensor, Tensor]:
    """Return tokens (n, LENGTH) of blocks that repeat, each token once a block; and periods."""
    block = torch.rand(n, TOKENS, generator=rng).argsort(1)
    periods = torch.randint(*PERIODS, (n,), generator=rng)
    if period is not None:
        periods = torch.full((n,), period)
    return block.gather(1, torch.arange(LENGTH)[None] % periods[:, None]), periods


def network(rng: torch.Generator) -> Weights:
    """Return random weights: embeddings E, places P, unembedding U, and four matrices a head."""
    shapes: dict[str, tuple[int, ...]] = {
        "E": (TOKENS, WIDTH),
        "P": (LENGTH, WIDTH),
        "U": (WIDTH, TOKENS),
    }
    for layer in range(LAYERS):
        shapes |= {f"{kind}{layer}": (HEADS, WIDTH, KEYS) for kind in "QKV"}
        shapes |= {f"O{layer}": (HEADS, KEYS, WIDTH)}
    return {
        name: torch.randn(shape, generator=rng, dtype=torch.float64) / math.sqrt(WIDTH)
        for name, shape in shapes.items()
    }


class Run(NamedTuple):
    """Logits (n, LENGTH, TOKENS), and of each layer the attention and the outputs of its heads."""

    logits: Tensor
    attention: list[Tensor]  # (n, HEADS, LENGTH, LENGTH) each
    outputs: list[Tensor]  # (n, HEADS, LENGTH, WIDTH) each


def forward(w: Weights, x: Tensor, held: tuple[int, int, Tensor] | None = None) -> Run:
    """Return a run from embeddings x; the head (layer, head) gives a recorded output if held."""
    future = torch.full((LENGTH, LENGTH), -1e9, dtype=x.dtype).triu(1)
    attention, outputs = [], []
    for layer in range(LAYERS):
        q, k, v = (torch.einsum("ntd,hdk->nhtk", x, w[f"{kind}{layer}"]) for kind in "QKV")
        a = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(KEYS) + future, dim=-1)
        out = torch.einsum("nhtk,hkd->nhtd", a @ v, w[f"O{layer}"])
        if held is not None and held[0] == layer:
            parts = list(out.unbind(1))
            parts[held[1]] = held[2]
            out = torch.stack(parts, 1)
        attention.append(a)
        outputs.append(out)
        x = x + out.sum(1)
    return Run(x @ w["U"], attention, outputs)


class Question(NamedTuple):
    """Sequences with a place in the second block, what follows it, and another token."""

    tokens: Tensor
    place: Tensor
    right: Tensor
    other: Tensor

    def disturbed(self, name: str) -> Tensor:
        """Return the places of the answer, or of the token before it, in the first block."""
        return self.place - PERIOD + (name == "answer")


DISTURBED = ("answer", "cue")


def question(rng: torch.Generator, n: int = MEASURED) -> Question:
    """Return places in the second block of random sequences."""
    tokens, _ = sequences(n, rng, PERIOD)
    rows, first = torch.arange(n), torch.randint(0, PERIOD - 1, (n,), generator=rng)
    further = torch.randint(1, PERIOD, (n,), generator=rng)
    other = tokens[rows, (first + 1 + further) % PERIOD]
    return Question(tokens, first + PERIOD, tokens[rows, first + 1], other)


def measured(run: Run, asked: Question) -> Tensor:
    """Return the logit of the right token minus that of the other one (n,)."""
    rows = torch.arange(len(asked.tokens))
    at = run.logits[rows, asked.place]
    return at[rows, asked.right] - at[rows, asked.other]


def embedded(w: Weights, tokens: Tensor) -> Tensor:
    """Return the embeddings with those of the places (n, LENGTH, WIDTH)."""
    return w["E"][tokens] + w["P"]


def slopes(w: Weights, asked: Question, head: tuple[int, int] | None) -> Tensor:
    """Return the gradient of m by all embeddings (n, LENGTH, WIDTH), one head replayed."""
    x = embedded(w, asked.tokens).detach().requires_grad_()
    held = None
    if head is not None:
        with torch.no_grad():
            held = (*head, forward(w, x).outputs[head[0]][:, head[1]])
    m = measured(forward(w, x, held), asked).sum()
    return torch.autograd.grad(m, x)[0]


def lengths(w: Weights, asked: Question, head: tuple[int, int] | None) -> dict[str, Tensor]:
    """Return the length of the gradient by each of DISTURBED (n,)."""
    by_all, rows = slopes(w, asked, head), torch.arange(len(asked.tokens))
    return {name: by_all[rows, asked.disturbed(name)].norm(dim=1) for name in DISTURBED}


def op(w: Weights, asked: Question, head: tuple[int, int]) -> dict[str, Tensor]:
    """Return Op of a head against a disturbance of each of DISTURBED (n,), nats."""
    x, y = lengths(w, asked, None), lengths(w, asked, head)
    return {name: torch.log(y[name] / x[name]) for name in DISTURBED}


def random_head(w: Weights, head: tuple[int, int], rng: torch.Generator) -> Weights:
    """Return the network with the entries of a head's matrices shuffled: its sizes, no sense."""
    made = dict(w)
    for kind in "QKVO":
        matrix = w[f"{kind}{head[0]}"].clone()
        flat = matrix[head[1]].flatten()
        matrix[head[1]] = flat[torch.randperm(len(flat), generator=rng)].view_as(matrix[head[1]])
        made[f"{kind}{head[0]}"] = matrix
    return made


def opposed(w: Weights, head: tuple[int, int]) -> tuple[Weights, tuple[int, int]]:
    """Return the network whose other head of the layer undoes half of a head, and that head."""
    layer, other, made = head[0], (head[0], 1 - head[1]), dict(w)
    for kind in "QKVO":
        matrix = w[f"{kind}{layer}"].clone()
        matrix[other[1]] = matrix[head[1]] * (-0.5 if kind == "O" else 1.0)
        made[f"{kind}{layer}"] = matrix
    return made, other


def loss(w: Weights, tokens: Tensor, periods: Tensor) -> Tensor:
    """Return the mean cross-entropy, in nats, where the next token has been seen before."""
    logits = forward(w, embedded(w, tokens)).logits[:, :-1].flatten(0, 1)
    seen = (torch.arange(LENGTH - 1)[None] >= periods[:, None] - 1).flatten()
    each = torch.nn.functional.cross_entropy(logits, tokens[:, 1:].flatten(), reduction="none")
    return each[seen].mean()


def _medians(values: list[dict[str, Tensor]]) -> dict[str, list[float]]:
    """Return the median over sequences for each head, by what is disturbed."""
    return {f"op of {n}": [float(v[n].median()) for v in values] for n in DISTURBED}


def measure(w: Weights, seed: int) -> dict[str, Any]:
    """Return what the heads of a network do: accuracy, attention, Op, and its controls."""
    rng = torch.Generator().manual_seed(10_000 + seed)
    asked, rows = question(rng), torch.arange(MEASURED)
    with torch.no_grad():
        run = forward(w, embedded(w, asked.tokens))
    right = run.logits[rows, asked.place].argmax(1) == asked.right
    to_last = [a.diagonal(-1, 2, 3).mean((0, 2)) for a in run.attention]
    to_answer = [a[rows, :, asked.place, asked.disturbed("answer")].mean(0) for a in run.attention]
    shuffled = [op(random_head(w, head, rng), asked, head) for head in EACH]
    finds = (1, int(to_answer[1].argmax()))
    made, other = opposed(w, finds)
    undone = op(made, asked, other)
    size = lengths(w, asked, None)
    return {
        "right": float(right.double().mean()),
        "to the last": torch.cat(to_last).tolist(),
        "to the answer": torch.cat(to_answer).tolist(),
        "size": [float(size[name].median()) for name in DISTURBED],
        **_medians([op(w, asked, head) for head in EACH]),
        **{f"random, {k}": v for k, v in _medians(shuffled).items()},
        "opposed": [float(undone[name].median()) for name in DISTURBED],
    }


def train(seed: int, steps: int) -> list[Weights]:
    """Return the networks at those of MARKS that are no later than ``steps``; Adam."""
    rng = torch.Generator().manual_seed(seed)
    w = {name: value.requires_grad_() for name, value in network(rng).items()}
    adam, found = torch.optim.Adam(w.values(), lr=STEP, betas=(0.9, 0.98)), []
    for step in range(steps + 1):
        if step in MARKS:
            found.append({name: value.detach().clone() for name, value in w.items()})
        adam.zero_grad()
        loss(w, *sequences(BATCH, rng)).backward()  # type: ignore[no-untyped-call]
        adam.step()
    return found


def once(seed: int) -> dict[str, Any]:
    """Train a network, and return what its heads do at each of MARKS."""
    torch.set_num_threads(1)
    found = [measure(w, seed) for w in train(seed, MARKS[-1])]
    return {key: [one[key] for one in found] for key in found[0]}
