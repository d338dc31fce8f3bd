"""One epoch of dealt samples: its hands, the places that it reaches, its law on a grid."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

from descent.arguments import Array, came, check_count
from descent.landscapes import FiniteSum, check_model
from descent.markov.intervals import absorbing_sides, reachable_interval
from descent.markov.refined_clouds import ToleranceError
from descent.markov.transfer_operator import TransferOperator, covering_operator

Hand = tuple[int, ...]
MOST_HANDS = 20_000
ATOMS = 4096  # point masses that are followed exactly before they are put on a grid
GRIDS = (2000, 4000, 8000, 16_000, 32_000)
MOST_EPOCHS = 100_000


class Deck(NamedTuple):
    """The hands of an epoch, fullest first, and the samples as objectives of their own."""

    full: Hand
    hands: tuple[Hand, ...]
    samples: tuple[FiniteSum, ...]

    def played(self, hand: Hand) -> Iterator[tuple[int, float, Hand]]:
        """Yield each sample that may come next, its chance, and the hand that it leaves."""
        left = sum(hand)
        for j, count in enumerate(hand):
            if count:
                yield j, count / left, (*hand[:j], count - 1, *hand[j + 1 :])


def deck(model: FiniteSum, copies: int) -> Deck:
    """Return the deck of an epoch; an error where it has too many hands or unequal chances."""
    check_model(model)
    copies, n = check_count("copies", copies, 1), model.n_samples
    if not np.allclose(model.chances, 1 / n, rtol=1e-12):
        raise ValueError(
            "model must have samples of equal weights: an epoch uses each as often as the "
            f"others; got weights {came(model.chances)}"
        )
    if (copies + 1) ** n > MOST_HANDS:
        raise ValueError(
            f"copies must leave at most {MOST_HANDS} hands; got {copies} of each of {n} samples, "
            f"which make {(copies + 1) ** n}"
        )
    hands = sorted(product(range(copies + 1), repeat=n), key=lambda hand: -sum(hand))
    return Deck((copies,) * n, tuple(hands), tuple(_alone(model, j) for j in range(n)))


def _alone(model: FiniteSum, j: int) -> FiniteSum:
    """Return one sample as an objective."""
    row = slice(j, j + 1)
    return FiniteSum(
        losses=lambda w: model.losses(w)[row],
        gradients=lambda w: model.gradients(w)[row],
        curvatures=lambda w: model.curvatures(w)[row],
    )


def furthest(
    model: FiniteSum, cards: Deck, step_size: float, start: float, ends: tuple[float, float]
) -> float | None:
    """Return the place next to the threshold that some order comes to; None if one passes it.

    Places are held in cells, and the image of a cell is every cell that its image meets, so
    that the answer "none" is a proof but for rounding.
    """
    way = 1.0 if np.isinf(ends[0]) else -1.0
    span = reachable_interval(model, step_size=step_size, start=start, threshold=ends)
    margin = 0.05 * (span[1] - span[0])
    low, high = (span[0] - margin, ends[1]) if way > 0 else (ends[0], span[1] + margin)
    edges = np.linspace(low, high, 8001)
    size = len(edges) - 1
    images = edges - step_size * model.gradients(edges)
    bend = np.abs(np.diff(images, 2, axis=1)).max(axis=1, keepdims=True)
    least = np.minimum(images[:, 1:], images[:, :-1]) - bend
    most = np.maximum(images[:, 1:], images[:, :-1]) + bend
    escapes = most > high if way > 0 else least < low
    first = np.clip(np.searchsorted(edges, least, "right") - 1, 0, size - 1)
    last = np.clip(np.searchsorted(edges, most, "left"), 1, size)
    met = {hand: np.zeros(size, bool) for hand in cards.hands}
    met[cards.full][np.clip(np.searchsorted(edges, start, "right") - 1, 0, size - 1)] = True
    while True:
        before = met[cards.full].sum()
        for hand in cards.hands:
            cells = np.flatnonzero(met[hand])
            for j, _, rest in cards.played(hand):
                if escapes[j, cells].any():
                    return None
                rising = np.bincount(first[j, cells], minlength=size + 1)
                rising -= np.bincount(last[j, cells], minlength=size + 1)
                met[rest] |= np.cumsum(rising)[:size] > 0
        met[cards.full] |= met[cards.hands[-1]]
        if met[cards.full].sum() == before:
            every = np.flatnonzero(np.any(list(met.values()), axis=0))
            return float(edges[every.max() + 1] if way > 0 else edges[every.min()])


class Atoms(NamedTuple):
    """The first steps, exact: the masses of each hand, and the survival before each step."""

    masses: dict[Hand, tuple[Array, Array]]
    survival: list[float]


def first_steps(
    cards: Deck, step_size: float, start: float, ends: tuple[float, float], n_steps: int
) -> Atoms:
    """Follow the point mass at the start while it has at most ATOMS images, at ends of epochs."""
    kept = masses = {cards.full: (np.array([start]), np.ones(1))}
    survival, known = [1.0], 0
    while len(survival) <= n_steps:
        after: dict[Hand, list[tuple[Array, Array]]] = {}
        for hand, (w, q) in masses.items():
            for j, chance, rest in cards.played(hand):
                image = w - step_size * cards.samples[j].gradients(w)[0]
                inside = (image >= ends[0]) & (image <= ends[1])
                after.setdefault(rest, []).append((image[inside], chance * q[inside]))
        masses = {}
        for hand, parts in after.items():
            w, q = (np.concatenate(part) for part in zip(*parts, strict=True))
            w, same = np.unique(w, return_inverse=True)
            masses[hand] = w, np.bincount(same, q, len(w)).astype(float)
        survival.append(float(sum(q.sum() for _, q in masses.values())))
        if sum(len(w) for w, _ in masses.values()) > ATOMS:
            break
        if set(masses) == {cards.hands[-1]}:
            masses = {cards.full: masses[cards.hands[-1]]}
            kept, known = masses, len(survival) - 1
    if len(survival) > n_steps:
        return Atoms(masses, survival)
    return Atoms(kept, survival[: known + 1])


class Epoch:
    """One epoch on a grid: the masses of all hands, dealt out step by step."""

    def __init__(
        self, model: FiniteSum, cards: Deck, step_size: float, ends: tuple[float, float],
        span: tuple[float, float], nodes: int,
    ) -> None:  # fmt: skip
        side = absorbing_sides(ends)
        cover = covering_operator(
            model, step_size=step_size, ends=span, nodes=nodes, absorbing=side
        )
        self.cards, self.cover = cards, cover
        self.operators = [
            TransferOperator(one, step_size=step_size, grid=cover.grid, absorbing=side)
            for one in cards.samples
        ]

    def __call__(self, mass: Array) -> tuple[Array, Array]:
        """Return the mass after an epoch, and what escapes at each of its steps."""
        n = sum(self.cards.full)
        escaped, masses = np.zeros(n), {self.cards.full: mass}
        for hand in self.cards.hands[:-1]:
            if (here := masses.pop(hand, None)) is None:
                continue
            for j, chance, rest in self.cards.played(hand):
                part = chance * here
                escaped[n - sum(hand)] += self.operators[j].escaping(part)
                moved = self.operators[j].step(part)
                masses[rest] = masses[rest] + moved if rest in masses else moved
        return masses[self.cards.hands[-1]], escaped


def settled(epoch: Epoch, mass: Array) -> Iterator[tuple[float, Array, bool]]:
    """Yield the mass before each epoch, what escapes in it, and whether its share lasts."""
    shape = np.full(sum(epoch.cards.full), np.inf)
    for _ in range(MOST_EPOCHS):
        before, law = float(mass.sum()), mass
        mass, escaped = epoch(mass)
        share = escaped / before
        lasts = bool(np.abs(share - shape).max() <= 1e-9 * share.max())
        # Where nothing escapes the law itself has to come to rest.
        rests = share.max() > 0 or bool(np.abs(mass - law).sum() <= 1e-12)
        yield before, escaped, lasts and rests
        if not mass.sum() > 0:
            return
        shape = share
    raise ToleranceError(
        f"the law of the walkers still changes after {MOST_EPOCHS} epochs at "
        f"step_size={epoch.cover.step_size!r}"
    )


def refined(
    make: Callable[[int], Epoch],
    masses: tuple[Array, Array],
    value: Callable[[Epoch, Array], Array],
    tolerance: float,
) -> tuple[Array, float]:
    """Return a value on grids that are refined until two extrapolations agree."""
    found: list[Array] = []
    better: list[Array] = []
    error = np.inf
    for nodes in GRIDS:
        epoch = make(nodes)
        found.append(value(epoch, epoch.cover.deposit(*masses)))
        if len(found) > 1:
            better.append(found[-1] + (found[-1] - found[-2]) / 3)
        if len(better) > 1:
            change = np.abs(better[-1] - better[-2])
            error = float(np.where(better[-1] == better[-2], 0.0, change).max())
            if error <= tolerance:
                return better[-1], error
    raise ToleranceError(f"tolerance={tolerance!r} cannot be met: the best is {error:.2g}")


def epochs_on(
    model: FiniteSum, cards: Deck, step_size: float, start: float, ends: tuple[float, float]
) -> Callable[[int], Epoch]:
    """Return what makes an epoch on a grid of so many nodes."""
    span = reachable_interval(model, step_size=step_size, start=start, threshold=ends)
    return lambda nodes: Epoch(model, cards, step_size, ends, span, nodes)
