"""Chapter 10: a million parameters tuned without a step back, and why that goes at all.

A small transformer is trained on a text by backpropagation, and then tuned to another text by
methods that only pass forwards. Both texts are frozen beside the stored tables: the first is
prose of this book as it stood on one day, the second the code of `descent.markov`.

Forecasts, written before the tables were computed, after a pilot with another network (one
seed, 250 steps of training) whose Hessian had a trace of 18 times its largest eigenvalue:

1. MeZO and the forward gradient end within 0.03 nats of each other.
2. Sparse directions end within 0.05 nats of normal ones; those of low rank end higher.
3. Descent along the true gradient ends lower than all of these by half a nat or more.
4. Beside what an evaluation takes, MeZO takes less than a third of a copy of the parameters,
   the forward gradient more than one, Adam more than three.
5. The best step of MeZO comes down by 1/(r + 2) of what the best step along the gradient does,
   within a third, with r the trace over the curvature along the gradient: by far more than 1/d.
6. r is far below d before training as well, so that training does not make it low; what is
   tuned from there falls, too.
7. From a width of 48 to one of 144, where d grows by eight and a half, r grows by less than
   three.

These were judged by runs of 640 evaluations, whose steps had been chosen at 160 and were too
long. Before the runs of 2,000, with steps chosen at 2,000, these were added. What predicts the
next character by how often it comes in the code has a loss of 3.14 on what is held out.

8. MeZO's best step is 0.0005 or 0.001, and it ends between 2.8 and 3.0 nats in the mean.
9. It ends below what the frequencies of the characters give; from the untrained network it does
   not, though it takes more nats there.
10. Sparse directions end within 0.05 nats of normal ones, those of low rank above them by less
    than 0.1.
11. Descent along the gradient still ends lower by 0.4 nats or more.
12. It is below MeZO's end after 32 steps at the latest.
"""

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import Generator, Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.optim.lr_scheduler import LambdaLR
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from descent.networks.character_transformer import (
    CHARACTERS,
    CharacterTransformer,
    batch_of,
    encoded,
)
from descent.sweeps.table import folder
from descent.zeroth_order import ForwardGradient, MeZO

CONTEXT = 64
BATCH = 4
"""Stretches of text an evaluation while a network is tuned."""
HELD_OUT = 0.1
"""The end of each text, which nothing is trained on."""
PROBE = 1e-3
"""MeZO's h."""
COSTS = {"gradient": 3, "Adam": 3, "forward gradient": 2}
"""Evaluations that a step counts as, where it is no plain ones: a pass back takes two passes
forwards, and so does a pass that carries a tangent."""
METHODS = ("MeZO", "sparse", "low rank", "forward gradient", "gradient", "Adam")


def _source(seed: int, use: int) -> Generator:
    return Generator().manual_seed(10 * seed + use)


def read(name: str) -> str:
    """Return one of the two texts."""
    return (folder() / f"10-scale-{name}.txt").read_text(encoding="ascii")


def fingerprint() -> str:
    """Return what tells these two texts from others."""
    return hashlib.sha256((read("prose") + read("code")).encode()).hexdigest()[:12]


@lru_cache(maxsize=2)
def halves(name: str) -> tuple[Tensor, Tensor]:
    """Return a text to train on and its end, encoded."""
    text = encoded(read(name))
    end = int(len(text) * (1 - HELD_OUT))
    return text[:end], text[end:]


@lru_cache(maxsize=8)
def trained(
    width: int, steps: int, seed: int, device: str = "cpu"
) -> tuple[CharacterTransformer, dict[str, Tensor]]:
    """Return a network after some steps of Adam on the prose, and a copy of its parameters."""
    network = CharacterTransformer(
        width=width, context=CONTEXT, generator=_source(seed, 0), device=device
    )
    adam = torch.optim.Adam(network.parameters(), lr=2e-3, betas=(0.9, 0.99))
    rising = LambdaLR(adam, lambda n: min((n + 1) / 50, 1 - n / max(steps, 1)))
    draws, text = _source(seed, 1), halves("prose")[0].to(device)
    for _ in range(steps):
        adam.zero_grad()
        network.loss(batch_of(text, 2 * BATCH, CONTEXT, draws)).backward()  # type: ignore[no-untyped-call]
        adam.step()
        rising.step()
    return network, {name: value.clone() for name, value in network.state_dict().items()}


def started(width: int, steps: int, seed: int, device: str = "cpu") -> CharacterTransformer:
    """Return the trained network with the parameters that it had after training."""
    network, parameters = trained(width, steps, seed, device)
    network.load_state_dict(parameters)
    network.zero_grad()
    return network


def optimizer_of(
    method: str, network: CharacterTransformer, lr: float, seed: int
) -> torch.optim.Optimizer:
    """Return what tunes a network."""
    params = list(network.parameters())
    if method in ("gradient", "Adam"):
        kind = torch.optim.SGD if method == "gradient" else torch.optim.Adam
        return kind(params, lr=lr)
    draws = torch.Generator(params[0].device).manual_seed(10 * seed + 2)
    if method == "forward gradient":
        return ForwardGradient(params, lr=lr, keep_best=False, generator=draws)
    law = {"MeZO": "normal", "sparse": "sparse", "low rank": "low-rank"}[method]
    return MeZO(params, lr=lr, h=PROBE, directions=law, generator=draws)


def step_of(
    method: str, network: CharacterTransformer, optimizer: torch.optim.Optimizer, batch: Tensor
) -> None:
    """Make one step, with one batch."""
    if method in ("gradient", "Adam"):
        optimizer.zero_grad()
        network.loss(batch).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    else:
        optimizer.step(lambda: network.loss(batch))  # type: ignore[arg-type, return-value]


def tune(
    method: str,
    width: int,
    pretraining: int,
    lr: float,
    seed: int,
    evaluations: int,
    device: str = "cpu",
) -> dict[str, Any]:
    """Tune a network to the code; return the loss on the text held out along the way.

    The step size falls to zero along the budget.
    """
    torch.set_num_threads(1)
    network = started(width, pretraining, seed, device)
    text, held = (half.to(device) for half in halves("code"))
    judged = batch_of(held, 32, CONTEXT, _source(0, 3))
    optimizer, draws = optimizer_of(method, network, lr, seed), _source(seed, 4)
    cost = COSTS.get(method, 2)
    steps = evaluations // cost
    falling = LambdaLR(optimizer, lambda n: 1 - n / steps)
    losses, seconds = [], 0.0
    for n in range(steps + 1):
        if n * 10 // steps > (n - 1) * 10 // steps:
            with torch.no_grad():
                losses.append(float(network.loss(judged)))
            if not math.isfinite(losses[-1]):
                break
        if n < steps:
            batch = batch_of(text, BATCH, CONTEXT, draws)
            begin = time.process_time()
            try:
                step_of(method, network, optimizer, batch)
            except FloatingPointError:  # too long a step
                break
            falling.step()
            seconds += time.process_time() - begin
    knows_nothing = math.log(len(CHARACTERS))
    losses += [knows_nothing] * (11 - len(losses))
    return {
        "held": [round(loss, 4) if math.isfinite(loss) else knows_nothing for loss in losses],
        "copies": round(copies(method, width, device), 3),
        "milliseconds": round(1000 * seconds / (cost * steps), 2),
        "texts": fingerprint(),
    }


def frequencies(text: str = "code") -> float:
    r"""Return the loss, on the code held out, of the frequencies of characters in a text.

    .. math:: -\frac{1}{n} \sum_i \log \frac{1 + m_{c_i}}{96 + m}

    with m characters in the text, each kind once more than it comes. What tunes a network to
    no more than this has told it which characters code has, and nothing of their order.
    """
    counts = 1 + torch.bincount(halves(text)[0], minlength=len(CHARACTERS)).double()
    judged = batch_of(halves("code")[1], 32, CONTEXT, _source(0, 3))[:, 1:]
    return float(-(counts / counts.sum()).log()[judged].mean())


def first_steps(
    width: int, pretraining: int, lr: float, seed: int, steps: int, device: str = "cpu"
) -> dict[str, Any]:
    """Descend along the gradient with one step size; return the losses after 0, 1, 2, 4, ….

    The batches and the text that is held out are those of `tune`.
    """
    torch.set_num_threads(1)
    network = started(width, pretraining, seed, device)
    text, held = (half.to(device) for half in halves("code"))
    judged, draws = batch_of(held, 32, CONTEXT, _source(0, 3)), _source(seed, 4)
    optimizer = optimizer_of("gradient", network, lr, seed)
    losses = []
    for n in range(steps + 1):
        if not n & (n - 1):
            with torch.no_grad():
                losses.append(round(float(network.loss(judged)), 4))
        step_of("gradient", network, optimizer, batch_of(text, BATCH, CONTEXT, draws))
    return {"held": losses, "texts": fingerprint()}


class Held(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of all tensors that are made and not yet let go."""

    def __init__(self, but: list[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._known = {tensor.untyped_storage()._cdata for tensor in but}
        self._live: dict[int, tuple[Any, int]] = {}
        self.most: int = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run an operation and count what it made."""
        out = func(*args, **(kwargs or {}))
        self._live = {at: held for at, held in self._live.items() if not held[0].expired()}
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                if storage._cdata not in self._known:
                    made: Any = StorageWeakRef
                    self._live[storage._cdata] = (made(storage), storage.nbytes())
        self.most = max(self.most, sum(size for _, size in self._live.values()))
        return out


@lru_cache
def copies(method: str, width: int, device: str = "cpu") -> float:
    """Return the most that three steps hold beside the parameters, in copies of these.

    Activations are part of it. ``"evaluation"`` is no method, but the loss alone.
    """
    network = CharacterTransformer(
        width=width, context=CONTEXT, generator=_source(0, 0), device=device
    )
    params = list(network.parameters())
    batch = torch.zeros(BATCH, CONTEXT + 1, dtype=torch.long, device=device)
    act: Callable[[], Any]
    if method == "evaluation":
        act = torch.no_grad()(lambda: network.loss(batch))
    else:
        optimizer = optimizer_of(method, network, 1e-9, 0)
        act = lambda: step_of(method, network, optimizer, batch)  # noqa: E731
    with Held([*params, batch]) as held:
        for _ in range(3):
            act()
    return float(held.most / sum(param.nbytes for param in params))
