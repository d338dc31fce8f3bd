"""A small transformer that predicts the next character of a text."""

import math

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from descent.arguments import came, check_count
from descent.tensor_arguments import check_placement, check_torch_generator

__all__ = ["CHARACTERS", "CharacterTransformer", "batch_of", "encoded"]

CHARACTERS = "\n" + "".join(map(chr, range(32, 127)))
"""What a text may hold: the line's end and ASCII's printable characters."""


def encoded(text: str) -> Tensor:
    """Return a text as the places of its characters in `CHARACTERS`, shape (len(text),).

    A ValueError names a character that is not among them.

    Examples
    --------
    >>> encoded("a b").tolist()
    [66, 1, 67]
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be a string; got {came(text)}")
    if strange := sorted(set(text) - set(CHARACTERS)):
        raise ValueError(f"text must hold printable ASCII and line ends; got {strange[0]!r}")
    place = {character: i for i, character in enumerate(CHARACTERS)}
    return torch.tensor([place[character] for character in text], dtype=torch.long)


def batch_of(text: Tensor, size: int, context: int, generator: Generator) -> Tensor:
    """Return stretches of an encoded text from random places, shape (size, context + 1).

    Parameters
    ----------
    text : Tensor, shape (n,)
        What `encoded` returns, longer than the context.
    size, context : int
        How many, and how many characters of each are told, at least 1.
    generator : torch.Generator
        Source of the places, on the CPU.

    Examples
    --------
    >>> text = encoded("to and fro, to and fro")
    >>> tuple(batch_of(text, 3, 8, torch.Generator().manual_seed(0)).shape)
    (3, 9)
    """
    _check_characters("text", text, 1)
    check_count("size", size, 1)
    check_count("context", context, 1)
    check_torch_generator("generator", generator)
    if len(text) <= context:
        raise ValueError(f"text must hold more than {context} characters; got {len(text)}")
    starts = torch.randint(len(text) - context, (size, 1), generator=generator)
    return text[(starts + torch.arange(context + 1)).to(text.device)]


def _check_characters(name: str, value: Tensor, dimensions: int) -> None:
    """Raise an error unless the value is a vector or a matrix of places of characters."""
    if not isinstance(value, Tensor) or value.dtype != torch.long:
        raise TypeError(f"{name} must be a tensor of int64, as of `encoded`; got {came(value)}")
    if value.dim() != dimensions or not value.numel():
        what = "a vector" if dimensions == 1 else "a matrix"
        raise ValueError(f"{name} must be {what} that is not empty; got {tuple(value.shape)}")
    if not 0 <= (least := int(value.min())) <= (most := int(value.max())) < len(CHARACTERS):
        strange = least if least < 0 else most
        raise ValueError(f"{name} must hold numbers from 0 to {len(CHARACTERS) - 1}; got {strange}")


class Block(nn.Module):
    """Attention to what came before, then a layer of neurons; each adds to what passes by."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_neurons = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asked = nn.Linear(width, 3 * width, bias=False)
        self.told = nn.Linear(width, width, bias=False)
        self.neurons, self.out = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return what passes on, shape (batch, time, width)."""
        batch, time, width = x.shape
        asked = self.asked(self.before_attention(x)).view(batch, time, 3, self.heads, -1)
        query, key, value = asked.permute(2, 0, 3, 1, 4)
        match = query @ key.transpose(-2, -1) / math.sqrt(width // self.heads)
        later = torch.ones(time, time, dtype=torch.bool, device=x.device).triu(1)
        share = match.masked_fill(later, -math.inf).softmax(-1)
        x = x + self.told((share @ value).transpose(1, 2).reshape(batch, time, width))
        added: Tensor = self.out(functional.gelu(self.neurons(self.before_neurons(x))))
        return x + added


class CharacterTransformer(nn.Module):
    r"""Scores of the next character, after each character of a text.

    .. math::
        x \leftarrow x + \operatorname{attention}(\operatorname{norm} x), \qquad
        x \leftarrow x + W_2\, \operatorname{gelu}(W_1 \operatorname{norm} x + b_1) + b_2

    in each layer, from the sum of an embedding of the character and one of its place; the
    scores are the products with the same embeddings. It has about 12 layers · width² parameters.

    Parameters
    ----------
    width : int
        A multiple of heads.
    layers, heads, context : int
        At least 1; the context is the longest text it is told.
    generator : torch.Generator
        Source of the first weights, on the CPU, so that they are the same on every device.
    device, dtype
        Of the parameters, as torch takes them.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range, or the width is no multiple of the heads; when it is
        called, if a text is longer than the context.

    Examples
    --------
    >>> network = CharacterTransformer(
    ...     width=8, layers=1, heads=2, context=16, generator=torch.Generator().manual_seed(0)
    ... )
    >>> tuple(network(encoded("and so on")[None]).shape)
    (1, 9, 96)

    Notes
    -----
    The decoder of Vaswani et al. (2017), with the norms before the layers. Not `nn.Transformer`,
    which has an encoder as well.
    """

    def __init__(
        self,
        *,
        width: int = 144,
        layers: int = 4,
        heads: int = 4,
        context: int = 64,
        generator: Generator,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        for name, value in (("width", width), ("layers", layers), ("heads", heads)):
            check_count(name, value, 1)
        self.context = check_count("context", context, 1)
        check_torch_generator("generator", generator)
        where, precision = check_placement(device, dtype)
        if width % heads:
            raise ValueError(f"width must be a multiple of heads, {heads}; got {width}")
        self.characters = nn.Embedding(len(CHARACTERS), width)
        self.places = nn.Parameter(torch.empty(context, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self._draw(generator, layers)
        self.to(device=where, dtype=precision)

    @torch.no_grad()
    def _draw(self, generator: Generator, layers: int) -> None:
        """Draw the matrices; what adds to what passes by is smaller, the deeper the network."""
        for name, tensor in self.named_parameters():
            if tensor.dim() == 2:
                embeds = name in ("characters.weight", "places")
                spread = 0.02 if embeds else tensor.shape[1] ** -0.5
                if name.endswith(("told.weight", "out.weight")):
                    spread /= math.sqrt(2 * layers)
                tensor.normal_(generator=generator).mul_(spread)
            elif name.endswith("bias"):
                tensor.zero_()

    def forward(self, text: Tensor) -> Tensor:
        """Return the scores of what comes after each character, shape (batch, time, 96)."""
        _check_characters("text", text, 2)
        if text.shape[1] > self.context:
            raise ValueError(f"text must have at most {self.context} columns; got {text.shape[1]}")
        x = self.characters(text) + self.places[: text.shape[1]]
        for block in self.blocks:
            x = block(x)
        scores: Tensor = self.norm(x) @ self.characters.weight.T
        return scores

    def loss(self, batch: Tensor) -> Tensor:
        """Return the mean of -log p of the next characters, in nats, of what `batch_of` returns."""
        _check_characters("batch", batch, 2)
        if not 2 <= batch.shape[1] <= self.context + 1:
            raise ValueError(
                f"batch must have 2 to {self.context + 1} columns; got {batch.shape[1]}"
            )
        scores = self(batch[:, :-1]).flatten(0, 1)
        return functional.cross_entropy(scores, batch[:, 1:].flatten())
