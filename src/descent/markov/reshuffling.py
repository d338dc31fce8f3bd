r"""Stochastic gradient descent that deals its samples out: an epoch uses each of them once.

An *epoch* is a random order of a hand of n cards, ``copies`` of each sample, and a step on
each card in turn; then all are shuffled again. Within an epoch the draws depend on each
other, so the law has to know, beside W, which cards are left:

.. math:: p_{m+1}(h - e_j) \mathrel{+}= \frac{h_j}{|h|}\, Q_j\, p_m(h)

with :math:`Q_j` the step on sample j. An epoch moves W by

.. math:: -n T G(W) + T^2 \sum_{i \text{ before } k} g_k' g_i + O(T^3)

whose first term does not know the order: what is random is of the order of T².

Source: 003, post 1, draws with replacement; how data are in fact read is here.
"""

from typing import Literal, overload

import numpy as np
import numpy.typing as npt

from descent.arguments import (
    Array,
    check_count,
    check_flag,
    check_generator,
    check_real,
    check_step_size,
)
from descent.landscapes import FiniteSum
from descent.markov.epochs import (
    ATOMS,
    Epoch,
    deck,
    epochs_on,
    first_steps,
    furthest,
    refined,
    settled,
)
from descent.markov.intervals import check_exits


def reshuffled_reach(
    model: FiniteSum, *, step_size: float, start: float, threshold: float, copies: int = 1
) -> float:
    """Furthest place towards a threshold that any order of the samples leads to.

    Parameters
    ----------
    model : FiniteSum
        The objective; its samples must have equal weights.
    step_size : float
        T > 0, in units of w² per loss.
    start : float
        Where the first epoch starts.
    threshold : float
        Beyond it a walker has escaped: on the right if start <= threshold, else on the left.
    copies : int
        How often an epoch uses each sample.

    Returns
    -------
    float
        The place, rounded outwards to a cell; the threshold itself if some order may pass it.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or the epoch has too many hands.

    Notes
    -----
    A place short of the threshold means that the walker stays for ever, whatever the orders.
    Cells are 1/8000 of the interval wide: within about as much of the true limit the answer
    is "may pass". Not `reachable_interval`, whose draws are independent.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> model = two_datapoint()
    >>> for T in (0.02, 0.025):
    ...     print(round(reshuffled_reach(model, step_size=T, start=1.0, threshold=1.196), 2))
    1.15
    1.2
    """
    cards, step_size = deck(model, copies), check_step_size(step_size)
    start, ends = check_exits(start, check_real("threshold", threshold))
    place = furthest(model, cards, step_size, start, ends)
    return float(threshold) if place is None else place


@overload
def reshuffled_escape_curve(
    model: FiniteSum, *, step_size: float, n_steps: int, start: float, threshold: float,
    copies: int = ..., tolerance: float = ..., return_error: Literal[False] = ...,
) -> Array: ...  # fmt: skip


@overload
def reshuffled_escape_curve(
    model: FiniteSum, *, step_size: float, n_steps: int, start: float, threshold: float,
    copies: int = ..., tolerance: float = ..., return_error: Literal[True],
) -> tuple[Array, float]: ...  # fmt: skip


def reshuffled_escape_curve(
    model: FiniteSum,
    *,
    step_size: float,
    n_steps: int,
    start: float,
    threshold: float,
    copies: int = 1,
    tolerance: float = 1e-3,
    return_error: bool = False,
) -> Array | tuple[Array, float]:
    r"""Probability of having escaped by each step where each epoch deals all samples out.

    The first epochs, while the start has at most ATOMS images, are exact. If no order leads
    beyond the threshold (`reshuffled_reach`), the curve is zero. Else the masses of all
    hands are moved on a grid, by `TransferOperator` for each sample, and grids are refined
    until two extrapolations in the square of the spacing agree.

    Parameters
    ----------
    model, step_size, start, threshold, copies
        As in `reshuffled_reach`.
    n_steps : int
        Number of steps, zero or more; the last epoch may be cut.
    tolerance : float
        Largest error of a probability.
    return_error : bool
        Return an estimate of the error, too.

    Returns
    -------
    curve : array (n_steps + 1,)
        P(min {k : W_k beyond the threshold} <= n) at the steps n = 0 … ``n_steps``, within
        epochs, too.
    error : float
        Largest difference of the last two estimates. Only with ``return_error``.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.
    ArithmeticError
        If the tolerance cannot be met.

    Notes
    -----
    Not `escape_curve` of ``model.batches(n, replacement=False)``, which is full-batch
    descent, nor that of independent draws.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> pit = dict(start=1.0, threshold=1.19596, n_steps=1000)
    >>> for T in (0.02, 0.022):
    ...     curve = reshuffled_escape_curve(two_datapoint(), step_size=T, **pit)
    ...     print(round(curve[-1], 2))
    0.0
    0.32
    """
    cards, step_size = deck(model, copies), check_step_size(step_size)
    n_steps = check_count("n_steps", n_steps)
    start, ends = check_exits(start, check_real("threshold", threshold))
    tolerance = check_real("tolerance", tolerance, above=0)
    check_flag("return_error", return_error)
    atoms = first_steps(cards, step_size, start, ends, n_steps)
    head = 1 - np.array(atoms.survival)
    error = 0.0
    if len(head) > n_steps:
        curve = head
    elif furthest(model, cards, step_size, start, ends) is not None:
        curve = np.zeros(n_steps + 1)
    else:

        def on_grid(epoch: Epoch, mass: Array) -> Array:
            tail: list[float] = []
            for before, escaped, lasts in settled(epoch, mass):
                tail.extend(escaped)
                over = len(head) + len(tail) > n_steps or before < 1e-14
                if over or (lasts and not escaped.any()):
                    break
                if lasts:  # an unchanging share of the survivors escapes in each epoch
                    rate = escaped.sum() / before
                    left, n = before - escaped.sum(), len(escaped)
                    more = -(-(n_steps + 1 - len(head) - len(tail)) // n)
                    decay = left * np.exp(np.arange(more) * np.log1p(-rate))
                    tail.extend((decay[:, None] * (escaped / before)).ravel())
                    break
            rest = np.zeros(n_steps + 1 - len(head))
            rest[: len(tail)] = tail[: len(rest)]
            whole: Array = np.concatenate([head, head[-1] + np.cumsum(rest)])
            return np.minimum(whole, 1.0)

        curve, error = refined(
            epochs_on(model, cards, step_size, start, ends),
            atoms.masses[cards.full],
            on_grid,
            tolerance,
        )
        curve = np.clip(np.maximum.accumulate(curve), 0.0, 1.0)
    return (curve, error) if return_error else curve


def log_mean_reshuffled_time(
    model: FiniteSum,
    *,
    step_size: float,
    start: float,
    threshold: float,
    copies: int = 1,
    tolerance: float = 1e-2,
) -> float:
    """Natural log of the mean step of escape where each epoch deals all samples out.

    Parameters
    ----------
    model, step_size, start, threshold, copies
        As in `reshuffled_reach`.
    tolerance : float
        Largest error of the logarithm.

    Returns
    -------
    float
        ln E min {n : W_n beyond the threshold}; inf where no order leads beyond it.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.
    ArithmeticError
        If the tolerance cannot be met.

    Notes
    -----
    The survival is summed, and once a lasting share escapes in each epoch, its geometric
    tail is added. `log_mean_first_passage_time` has independent draws.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> pit = dict(start=1.0, threshold=1.19596)
    >>> for T in (0.02, 0.022):
    ...     print(round(log_mean_reshuffled_time(two_datapoint(), step_size=T, **pit), 1))
    inf
    7.8
    """
    cards, step_size = deck(model, copies), check_step_size(step_size)
    start, ends = check_exits(start, check_real("threshold", threshold))
    tolerance = check_real("tolerance", tolerance, above=0)
    if furthest(model, cards, step_size, start, ends) is not None:
        return np.inf
    atoms = first_steps(cards, step_size, start, ends, ATOMS)
    if not atoms.survival[-1] > 0:
        return float(np.log(np.sum(atoms.survival)))
    head = float(np.sum(atoms.survival[:-1]))

    def on_grid(epoch: Epoch, mass: Array) -> Array:
        total, n = head, sum(cards.full)
        for before, escaped, lasts in settled(epoch, mass):
            inside = before - np.concatenate([[0.0], np.cumsum(escaped)[:-1]])
            gone = escaped.sum()
            if lasts:  # the same share of the survivors in every epoch
                if gone == 0:
                    return np.array([np.inf])
                total += inside.sum() * before / gone
                break
            total += inside.sum()
            if before * n < 1e-9 * total:
                break
        return np.array([np.log(total)])

    make = epochs_on(model, cards, step_size, start, ends)
    with np.errstate(invalid="ignore"):
        log_time, _ = refined(make, atoms.masses[cards.full], on_grid, tolerance)
    return float(log_time[0])


def reshuffled_passage_times(
    model: FiniteSum,
    *,
    step_size: float,
    n_steps: int,
    start: float,
    threshold: float,
    n_particles: int,
    rng: np.random.Generator,
    copies: int = 1,
) -> npt.NDArray[np.int64]:
    """Sample the step of escape where each epoch deals all samples out, for many walkers.

    Parameters
    ----------
    model, step_size, start, threshold, copies
        As in `reshuffled_reach`.
    n_steps : int
        Number of steps, zero or more.
    n_particles : int
        Number of walkers, each with its own orders.
    rng : numpy.random.Generator
        Source of the orders.

    Returns
    -------
    integer array (n_particles,)
        The step of escape, from 1 to ``n_steps``; ``n_steps + 1`` stands for walkers that
        have not escaped by then.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.

    Notes
    -----
    `first_passage_times` has independent draws.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> times = reshuffled_passage_times(
    ...     two_datapoint(), step_size=0.023, n_steps=1000, start=1.0, threshold=1.196,
    ...     n_particles=500, rng=np.random.default_rng(0),
    ... )
    >>> bool((times <= 1000).mean() > 0.9)
    True
    """
    cards, step_size = deck(model, copies), check_step_size(step_size)
    check_generator("rng", rng)
    start, ends = check_exits(start, check_real("threshold", threshold))
    n_steps, n_particles = check_count("n_steps", n_steps), check_count("n_particles", n_particles)
    times = np.full(n_particles, n_steps + 1)
    w, alive = np.full(n_particles, start), np.arange(n_particles)
    cards_in_order = np.repeat(np.arange(model.n_samples), copies)
    order = np.zeros((0, 0), np.int64)
    for step in range(n_steps):
        if step % sum(cards.full) == 0:
            order = rng.permuted(np.tile(cards_in_order, (len(alive), 1)), axis=1)
        j = order[:, step % sum(cards.full)]
        w = w - step_size * model.sample_gradient(w, j)
        out = (w < ends[0]) | (w > ends[1])
        if out.any():
            times[alive[out]] = step + 1
            w, alive, order = w[~out], alive[~out], order[~out]
            if len(alive) == 0:
                break
    return times
