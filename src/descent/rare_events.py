r"""Chances of rare events by adaptive multilevel splitting, and mean times from them.

A walk that nearly always turns back is helped on by selection alone: of n walks those that got
least far are given up, and each is replaced by a copy of another one, which is left to its own
luck from where it had first got farther. With :math:`k_i` walks given up in round i and r of n
arrived at the end,

.. math:: \hat p = \frac{r}{n} \prod_i \Big(1 - \frac{k_i}{n}\Big) \tag{1}

is the chance to arrive, without bias for any n. Its relative error is about
:math:`\sqrt{-\ln p / n}`, where plain sampling has :math:`1/\sqrt{n p}`.

For Markov chains in discrete time, and for any rule of one step: stochastic gradient descent with
draws of any kind among them.

Source: 003, post 1, whose escape times end where sampling does. The method is Cérou and Guyader's,
Stochastic Analysis and Applications 25 (2007) 417; that walks which tie for the last place must be
given up together, so that (1) has no bias, is shown by Bréhier and others, Annals of Applied
Probability 26 (2016) 3559.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from descent.arguments import (
    Array,
    check_array,
    check_callable,
    check_count,
    check_generator,
    check_real,
    check_shape,
)

Step = Callable[[Array, np.random.Generator], npt.ArrayLike]
"""From the states of m walks, (m, d), to the next ones, each with draws of its own."""
Score = Callable[[Array], npt.ArrayLike]
"""From the states of m walks, (m, d), to how far each has got, (m,)."""


class RareChance(NamedTuple):
    """A chance that splitting found, with its standard error over independent repeats.

    Attributes
    ----------
    value, error : float
        Mean and standard error of (1).
    duration : float
        Mean number of steps of a walk that arrives; NaN if none does.
    steps : int
        Steps that were made in all.
    chances : array (repeats,)
        (1) of each repeat.
    durations : tuple of arrays
        Steps of each walk that arrived, for each repeat.
    """

    value: float
    error: float
    duration: float
    steps: int
    chances: Array
    durations: tuple[Array, ...]


class RareTime(NamedTuple):
    """A mean time that splitting found, in steps, with its standard error."""

    value: float
    error: float
    chance: RareChance
    loop: float


class _Path(NamedTuple):
    """Where a walk had got farther than ever before: only from there can another one go on."""

    states: Array
    scores: Array
    steps: Array
    length: int

    def up_to(self, score: float) -> "_Path":
        """Return the walk until it first got farther than a score."""
        k = int((self.scores > score).argmax()) + 1
        return _Path(self.states[:k], self.scores[:k], self.steps[:k], int(self.steps[k - 1]))

    def going_on(self, tail: "_Path") -> "_Path":
        """Return the walk with another one that begins where it ends."""
        return _Path(
            np.concatenate([self.states, tail.states[1:]]),
            np.concatenate([self.scores, tail.scores[1:]]),
            np.concatenate([self.steps, self.length + tail.steps[1:]]),
            self.length + tail.length,
        )


class _Walks:
    """Walks until they fall below `low` or arrive at `high`."""

    def __init__(self, step: Step, score: Score, low: float, high: float, most: int) -> None:
        self.step, self.score, self.low, self.high, self.most = step, score, low, high, most
        self.steps = 0

    def scores(self, states: Array) -> Array:
        found = np.asarray(self.score(states), dtype=float)
        if found.shape != (len(states),) or np.isnan(found).any():
            raise ValueError(
                f"score must return ({len(states)},) numbers for states {states.shape}; "
                f"got shape {found.shape}" + (", with NaN" if np.isnan(found).any() else "")
            )
        return found

    def moved(self, states: Array, rng: np.random.Generator) -> Array:
        found = np.asarray(self.step(states, rng), dtype=float)
        if found.shape != states.shape:
            raise ValueError(f"step must return states of shape {states.shape}; got {found.shape}")
        self.steps += len(states)
        return found

    def run(self, states: Array, rng: np.random.Generator) -> list[_Path]:
        """Return the path of each walk from its state to its end."""
        running, now, at = np.arange(len(states)), states, self.scores(states)
        best, lengths = at.copy(), np.zeros(len(states), dtype=int)
        seen = [(running, now, at, np.zeros(len(states), dtype=int))]
        for k in range(self.most + 1):
            on = (at >= self.low) & (at < self.high)
            lengths[running[~on]] = k
            running, now = running[on], now[on]
            if not len(running):
                break
            if k == self.most:
                raise FloatingPointError(
                    f"{len(running)} walks neither fell below low={self.low:g} nor arrived at "
                    f"high={self.high:g} within max_steps={self.most}: raise max_steps, or low"
                )
            now = self.moved(now, rng)
            at = self.scores(now)
            new = at > best[running]
            best[running[new]] = at[new]
            seen.append((running[new], now[new], at[new], np.full(new.sum(), k + 1)))
        who, *what = (np.concatenate(column) for column in zip(*seen, strict=True))
        order = np.argsort(who, kind="stable")
        cuts = np.bincount(who, minlength=len(states)).cumsum()[:-1]
        parts = (np.split(column[order], cuts) for column in what)
        return [_Path(*row) for row in zip(*parts, lengths, strict=True)]


def _split(
    walks: _Walks, starts: Array, kill: int, rng: np.random.Generator
) -> tuple[Array, tuple[Array, ...]]:
    """Return the estimate (1) of each repeat, and the lengths of its walks that arrived.

    The repeats, starts (R, n, d), know nothing of each other. They move side by side because a
    step of many walks costs hardly more than one of a few.
    """
    repeats, n = starts.shape[:2]
    paths = walks.run(starts.reshape(repeats * n, -1), rng)
    chances, going = np.ones(repeats), list(range(repeats))
    while going:
        tops = np.minimum([path.scores[-1] for path in paths], walks.high).reshape(repeats, n)
        given, heads = [], []
        for r in list(going):
            worst = np.partition(tops[r], kill - 1)[kill - 1]
            last, better = np.flatnonzero(tops[r] <= worst), np.flatnonzero(tops[r] > worst)
            if worst >= walks.high or not len(better):
                going.remove(r)
                continue
            chances[r] *= 1 - len(last) / n
            given += [r * n + int(k) for k in last]
            parents = rng.choice(better, len(last))
            heads += [paths[r * n + parent].up_to(worst) for parent in parents]
        if given:
            tails = walks.run(np.array([head.states[-1] for head in heads]), rng)
            for k, head, tail in zip(given, heads, tails, strict=True):
                paths[k] = head.going_on(tail)
    lengths = np.array([path.length for path in paths], dtype=float).reshape(repeats, n)
    arrived = tops >= walks.high
    durations = tuple(row[there] for row, there in zip(lengths, arrived, strict=True))
    return chances * arrived.mean(axis=1), durations


def _checked(
    step: Step, score: Score, low: float, high: float, max_steps: int, rng: np.random.Generator
) -> _Walks:
    check_callable("step", step)
    check_callable("score", score)
    check_generator("rng", rng)
    low, high = check_real("low", low), check_real("high", high)
    if low >= high:
        raise ValueError(f"low must be below high; got {low:g} and {high:g}")
    return _Walks(step, score, low, high, check_count("max_steps", max_steps, 1))


def _checked_effort(kill: int, repeats: int, walks: int) -> tuple[int, int]:
    if check_count("kill", kill, 1) >= walks:
        raise ValueError(f"kill must be below the number of walks, {walks}; got {kill}")
    return kill, check_count("repeats", repeats, 2)


def rare_chance(
    step: Step,
    score: Score,
    starts: npt.ArrayLike,
    *,
    low: float,
    high: float,
    rng: np.random.Generator,
    kill: int = 1,
    repeats: int = 10,
    max_steps: int = 100_000,
) -> RareChance:
    r"""Return the chance that a walk's score reaches `high` before it falls below `low`.

    .. math:: \hat p = \frac{r}{n} \prod_i \Big(1 - \frac{k_i}{n}\Big)

    Parameters
    ----------
    step : callable
        ``step(states, rng)``: the next states (m, d) of m walks, with draws from rng.
    score : callable
        ``score(states)``: how far each has got, (m,).
    starts : array_like (n, d) or (repeats, n, d)
        Where the n walks of a repeat start, at scores from low up; or those of each repeat.
    low, high : float
        A walk ends where its score is below low, or at least high.
    rng : numpy.random.Generator
    kill : int
        How many are given up in a round at least, below n.
    repeats : int
        Independent repeats, at least 2; their spread gives the error. Three-dimensional starts
        say it themselves.
    max_steps : int
        Steps of a walk after which it counts as lost, which is an error.

    Returns
    -------
    RareChance

    Raises
    ------
    TypeError, ValueError
        If an argument or what a callable returns does not fit.
    FloatingPointError
        If a walk does not end.

    Examples
    --------
    A walk up with chance 0.3 and down with 0.7, from 1 to 20 before 0:

    >>> def step(states, rng):
    ...     return states + np.where(rng.random(states.shape) < 0.3, 1, -1)
    >>> found = rare_chance(step, lambda s: s[:, 0], np.ones((100, 1)), low=0.5, high=20,
    ...                     rng=np.random.default_rng(0))
    >>> exact = (1 - 7 / 3) / (1 - (7 / 3) ** 20)  # 5.8e-08
    >>> bool(abs(found.value - exact) < 3 * found.error)
    True

    Notes
    -----
    Cérou and Guyader (2007). Not importance sampling, which changes the draws: here each walk is
    one of the chain's own. A poor score makes the error larger, not the mean wrong; but where all
    walks of a repeat die out it counts as 0, and the spread over repeats may miss what none saw.
    """
    walks = _checked(step, score, low, high, max_steps, rng)
    x = check_array("starts", starts)
    own = x.ndim == 3
    check_shape("starts", x.shape, ("repeats", "n", "d") if own else ("n", "d"))
    kill, repeats = _checked_effort(kill, len(x) if own else repeats, x.shape[-2])
    low = walks.scores(x.reshape(-1, x.shape[-1])).min()
    if low < walks.low:
        raise ValueError(f"starts must have scores of at least low={walks.low:g}; got {low:g}")
    each = x if own else np.broadcast_to(x, (repeats, *x.shape))
    return _rare_chance(walks, each, kill, rng)


def _rare_chance(walks: _Walks, starts: Array, kill: int, rng: np.random.Generator) -> RareChance:
    chances, durations = _split(walks, starts, kill, rng)
    arrived = np.concatenate(durations)
    mean, error = chances.mean(), chances.std(ddof=1) / np.sqrt(len(chances))
    duration = arrived.mean() if len(arrived) else np.nan
    return RareChance(float(mean), float(error), float(duration), walks.steps, chances, durations)


def _loops(
    walks: _Walks, start: Array, loops: int, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Return times until a first setting-out, those of loops that fail, and where walks set out.

    Each walk is watched for equally many. Were they watched until all are enough, long ones lacked.
    """
    together = min(100, loops // 10)
    states, since = np.repeat(start[None], together, axis=0), np.zeros(together)
    inside, fresh = np.ones((2, together), dtype=bool)
    left = np.full(together, -(-loops // together))
    first, times, exits = list[float](), list[float](), list[Array]()
    for _ in range(walks.most):
        states, since = walks.moved(states, rng), since + 1
        at = walks.scores(states)
        out = inside & (at >= walks.low)
        first += list(since[out & fresh])
        times += list(since[out & ~fresh])
        exits += list(states[out])
        left = left - (out & ~fresh)
        back = at >= walks.high  # not as rare as that: it begins anew, and this was no loop
        states, since = np.where(back[:, None], start, states), np.where(out | back, 0.0, since)
        inside, fresh = (inside & ~out) | (at < walks.low) | back, (fresh & ~out) | back
        on = left > 0
        if not on.any():
            return np.array(first), np.array(times), np.array(exits)
        states, since, left, inside, fresh = states[on], since[on], left[on], inside[on], fresh[on]
    seen = f"of {loops} loops {len(times)} were seen in max_steps={walks.most}"
    raise FloatingPointError(f"{seen}: setting out is rare; give a lower low, or raise max_steps")


def rare_time(
    step: Step,
    score: Score,
    start: npt.ArrayLike,
    *,
    low: float,
    high: float,
    rng: np.random.Generator,
    n: int = 200,
    loops: int = 2000,
    kill: int = 1,
    repeats: int = 10,
    max_steps: int = 100_000,
) -> RareTime:
    r"""Return the mean number of steps until a walk's score first reaches `high`.

    From below `low` a walk sets out again and again, and returns; with the chance p to arrive
    (`rare_chance`, from where walks set out), the mean time t of a loop from one setting-out to
    the next, and the mean time of the way that arrives,

    .. math:: \tau = t_0 + \frac{1 - p}{p}\, t + t_{\text{arriving}} .

    Parameters
    ----------
    step, score, rng, kill, repeats, max_steps
        As for `rare_chance`.
    start : array_like (d,)
        Where walks begin, at a score below low.
    low, high : float
        Between the two a walk is under way.
    n : int
        Walks of a repeat.
    loops : int
        Loops that are watched without selection, at least 100 and as many as there are repeats;
        each repeat of `rare_chance` starts where some of them set out.

    Returns
    -------
    RareTime

    Raises
    ------
    TypeError, ValueError, FloatingPointError
        As `rare_chance`; also where start has a score of low or more, or no walk arrives.

    Examples
    --------
    >>> def step(x, rng):  # an autoregression, seldom above 2
    ...     return 0.5 * x + np.sqrt(0.75) * rng.standard_normal(x.shape)
    >>> found = rare_time(step, lambda x: x[:, 0], [0.0], low=0.5, high=2.0,
    ...                   rng=np.random.default_rng(1))
    >>> bool(50 < found.value < 65)  # steps
    True

    Notes
    -----
    The relation of loops is exact where walks set out alike each time; low must be so near that a
    walk forgets where it came from before it sets out again, and so far that setting out is no
    rare event. Another low must give the same time.
    """
    walks = _checked(step, score, low, high, max_steps, rng)
    x = check_array("start", start, ("d",))
    n, loops = check_count("n", n, 2), check_count("loops", loops, 100)
    kill, repeats = _checked_effort(kill, repeats, n)
    if repeats > loops:
        raise ValueError(f"loops must be at least repeats={repeats}; got {loops}")
    at = walks.scores(x[None])[0]
    if at >= walks.low:
        raise ValueError(f"start must have a score below low={low:g}; got {at:g}")
    first, times, exits = _loops(walks, x, loops, rng)
    # Starts that repeats share would make the repeats alike, and the error too small.
    shares = np.array_split(rng.permutation(len(exits)), repeats)
    leaving = np.stack([exits[rng.choice(share, n)] for share in shares])
    chance = _rare_chance(walks, leaving, kill, rng)
    if not chance.value:
        raise FloatingPointError(
            f"no walk arrived at high={high:g}: raise n, or give a score that rises along the way"
        )
    p, loop = chance.value, float(times.mean())
    value = float(first.mean()) + (1 - p) / p * loop + chance.duration
    error = value * float(np.hypot(chance.error / p, times.std() / np.sqrt(len(times)) / loop))
    return RareTime(value, error, chance, loop)
