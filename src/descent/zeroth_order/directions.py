"""Random directions that are made again where they are needed, block by block, and not kept."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor

from descent.arguments import check_count, check_real

BLOCK = 2**16
"""Coordinates of a block: all that is ever held of a direction."""

Sum = Mapping[int, Sequence[float]]
"""A sum of directions: of each its factor, one for each group of parameters."""
Fill = Callable[[Tensor, Generator], Tensor]


def apart(tensors: Sequence[Tensor]) -> bool:
    """Whether tensors can be changed in place, block by block: no entry is stored twice.

    Examples
    --------
    >>> x = torch.zeros(6)
    >>> apart([x[:3], x[3:]]), apart([x[:4], x[3:]]), apart([x[:1].expand(6)])
    (True, False, False)
    """
    if not all(tensor.is_contiguous() for tensor in tensors):
        return False
    ends = sorted((t.data_ptr(), t.data_ptr() + t.nbytes) for t in tensors if t.numel())
    return all(end <= begin for (_, end), (begin, _) in pairwise(ends))


def sparse(share: float) -> Fill:
    r"""Return what draws directions of few coordinates, of mean zero and with unit covariance.

    .. math:: z = \sqrt{m/k}\, \sum_{j=1}^k \xi_j e_{i_j}, \qquad k = \lceil p\, m \rceil

    with ξ standard normal and each i uniform among the m coordinates of a block, so that one
    may come twice. The share p lies in (0, 1].

    Examples
    --------
    >>> drawn = sparse(0.1)(torch.empty(50), torch.Generator().manual_seed(0))
    >>> int(drawn.count_nonzero())
    5
    """
    share = check_real("share", share, above=0, most=1)

    def fill(empty: Tensor, generator: Generator) -> Tensor:
        z = empty.zero_().view(-1)
        m = len(z)
        if m:
            k = math.ceil(share * m)
            chosen = torch.randint(m, (k,), generator=generator, device=z.device)
            values = z.new_empty(k).normal_(generator=generator)
            z.index_add_(0, chosen, values, alpha=math.sqrt(m / k))
        return empty

    return fill


def low_rank(rank: int) -> Fill:
    r"""Return what draws matrices of low rank, of mean zero and with unit covariance.

    .. math:: Z = U V^\top / \sqrt r

    with r columns of standard normal numbers in U and V. A tensor of more than two dimensions
    is a matrix whose rows are its first; a vector is standard normal, and so is a matrix with
    no side longer than r.

    Examples
    --------
    >>> drawn = low_rank(2)(torch.empty(9, 7), torch.Generator().manual_seed(0))
    >>> int(torch.linalg.matrix_rank(drawn))
    2
    """
    rank = check_count("rank", rank, 1)

    def fill(empty: Tensor, generator: Generator) -> Tensor:
        if empty.dim() < 2 or not empty.numel() or min(len(empty), empty[0].numel()) <= rank:
            return empty.normal_(generator=generator)
        rows = empty.flatten(1)
        u = rows.new_empty(len(rows), rank).normal_(generator=generator)
        v = rows.new_empty(rank, rows.shape[1]).normal_(generator=generator)
        empty.copy_((u @ v / math.sqrt(rank)).view(empty.shape))
        return empty

    return fill


class Walk:
    """Moves parameters along random directions, in place, and can always go back.

    A direction is made anew from the state that the generator had when it was first drawn; so
    no more is kept of it than that state. Every move goes from where the parameters are, so
    they come back to where they began up to rounding: an error of the size of the last digit
    of a coordinate or of the direction's share in it, whichever is larger.

    Parameters
    ----------
    tensors : sequence of Tensor
        Real tensors, contiguous.
    groups : sequence of int
        The group of each.
    generator : torch.Generator
        What the directions are drawn from, in the order of their numbers 0, 1, 2, ….
    fill : callable
        Draws a block: ``fill(empty, generator)``.
    whole : bool
        Whether a block is a whole tensor, in its shape, for directions that depend on it.

    Examples
    --------
    >>> x = torch.ones(3, dtype=torch.float64)
    >>> draw = lambda empty, generator: empty.normal_(generator=generator)
    >>> walk = Walk([x], [0], torch.Generator().manual_seed(0), draw)
    >>> walk.move({0: [0.5]})
    >>> walk.move({0: [0.5], 1: [2.0]})
    >>> walk.move({})
    >>> torch.testing.assert_close(x, torch.ones(3, dtype=torch.float64))
    """

    def __init__(
        self,
        tensors: Sequence[Tensor],
        groups: Sequence[int],
        generator: Generator,
        fill: Fill,
        whole: bool = False,
    ) -> None:
        self._blocks = [
            (block, group)
            for tensor, group in zip(tensors, groups, strict=True)
            for block in _blocks(tensor.detach(), whole)
        ]
        # Of each block: one that is interrupted on the way still knows which blocks have moved.
        self._at: list[Sum] = [{}] * len(self._blocks)
        self._generator, self._fill = generator, fill
        self._states: list[Tensor] = []

    def move(self, to: Sum) -> None:
        """Go to where the walk began, plus a sum of directions."""
        directions = {*to, *(i for at in self._at for i in at)}
        streams = self._streams(sorted(directions))
        for k, (block, group) in enumerate(self._blocks):
            at = self._at[k]
            if at is not to:
                change = {i: _factor(to, i, group) - _factor(at, i, group) for i in streams}
                if (total := self._sum(block, streams, change)) is not None:
                    block.add_(total)
            self._at[k] = to

    def sums(self, of: Sum) -> Iterator[Tensor]:
        """Yield a sum of directions that were drawn, block by block."""
        streams = self._streams(sorted(of))
        for block, group in self._blocks:
            total = self._sum(block, streams, {i: _factor(of, i, group) for i in streams})
            yield torch.zeros_like(block) if total is None else total

    def _streams(self, directions: list[int]) -> dict[int, Generator]:
        """Return generators that draw the directions: the walk's own for the next new one."""
        streams = {}
        for i in directions:
            if i == len(self._states):
                self._states.append(self._generator.get_state())
                streams[i] = self._generator
            else:
                streams[i] = Generator(self._generator.device)
                streams[i].set_state(self._states[i])
        return streams

    def _sum(
        self, block: Tensor, streams: dict[int, Generator], factors: dict[int, float]
    ) -> Tensor | None:
        """Return a block's share of a sum of directions; None if all factors are zero."""
        total = None
        for i, stream in streams.items():
            drawn = self._fill(torch.empty_like(block, device=stream.device), stream)
            if factors[i] == 0.0:
                continue
            drawn = drawn.to(block.device)
            if total is None:
                total = drawn.mul_(factors[i])
            else:
                total.add_(drawn, alpha=factors[i])
        return total


def _blocks(tensor: Tensor, whole: bool) -> Sequence[Tensor]:
    return [tensor] if whole else torch.split(tensor.view(-1), BLOCK)


def _factor(of: Sum, i: int, group: int) -> float:
    return of[i][group] if i in of else 0.0
