r"""The price of leaving a minimum when each epoch deals all samples out.

Let the step size T fall and the number of samples n grow, so that the time of an epoch
κ = nT stays. The draws of one epoch may favour a sample for a while, but have to make up for
it: each of the m samples takes its share κ/m of the time. A path costs what it costs with
independent draws, the relative entropy of its draws,

.. math:: V_\kappa = \min \int \sum_j \pi_j \ln (m \pi_j)\, dt, \qquad
          \dot W = -\sum_j \pi_j g_j(W) \tag{1}

.. math:: \int_{\text{epoch}} \pi_j\, dt = \kappa / m \quad \text{for each } j \tag{2}

because the number of orders of a hand is that of all sequences of draws, cut by (2). Along
the cheapest path

.. math:: \pi_j \propto e^{-p g_j(W) + \mu_j}, \qquad \dot p = p \sum_j \pi_j g_j'(W) \tag{3}

with multipliers μ that change from epoch to epoch, while W and p go on. Where the draws are
independent μ = 0, p is the `tilt` and V is the `quasi_potential`.

The numbers stand beside the lines that compute them.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.integrate import solve_bvp

from descent.arguments import Array, came, check_real
from descent.landscapes import FiniteSum, check_model
from descent.large_deviations import tilt

EPOCHS = 2  # a climb begins at the end of one epoch and ends early in the next
NODES = 401
TOLERANCE = 1e-2
FIRST = 4.0  # times of the free climb in the epoch from which shorter ones are reached


class _Climb(NamedTuple):
    """The climb of independent draws, in time, and the walk from the saddle to the threshold."""

    times: Array
    w: Array
    p: Array
    late: Array
    falling: Array


def _shares(model: FiniteSum, w: Array, p: Array, mu: Array) -> Array:
    """π_j of (3), (m, nodes)."""
    exponent = -p * model.gradients(w) + mu[:, None]
    weights = np.exp(exponent - exponent.max(axis=0))
    return np.asarray(weights / weights.sum(axis=0))


def _free_climb(model: FiniteSum, minimum: float, saddle: float, threshold: float) -> _Climb:
    """Return the path of independent draws, from near the minimum to near the saddle."""
    span, none = saddle - minimum, np.zeros(model.n_samples)

    def in_time(w: Array, speed: Array) -> Array:
        """Return when a path of that speed comes to each place."""
        pace = 1 / speed
        steps = np.diff(w) * (pace[1:] + pace[:-1]) / 2
        if not (steps > 0).all():
            raise ValueError(
                "minimum, saddle and threshold must follow each other on the way out; got "
                f"{minimum:.6g}, {saddle:.6g}, {threshold:.6g}"
            )
        return np.concatenate([[0.0], np.cumsum(steps)])

    bend = (1 - np.cos(np.linspace(0.04, np.pi - 0.04, 4001))) / 2  # dense at both ends
    w = minimum + span * bend
    p = tilt(model, w)
    climb = in_time(w, -(_shares(model, w, p, none) * model.gradients(w)).sum(axis=0))
    fallen = saddle + (threshold - saddle) * np.geomspace(1e-2, 1, 2001)
    fall = in_time(fallen, -model.mean_gradient(fallen))
    return _Climb(climb, w, p, fall - fall[-1], fallen)


def reshuffled_quasi_potential(
    model: FiniteSum, minimum: float, saddle: float, threshold: float, epoch: float
) -> float:
    r"""Exponent of the escape time where each epoch of time κ = nT deals all samples out.

    .. math:: V_\kappa = \lim_{T \to 0} T \ln \tau \quad \text{at } nT = \kappa

    Parameters
    ----------
    model : FiniteSum
        The objective; its samples have equal weights, and an epoch holds many of each.
    minimum, saddle : float
        Neighbouring minimum and maximum of the mean loss.
    threshold : float
        A place beyond the saddle from where no sample leads back.
    epoch : float
        κ > 0, in units of w² per loss, as T is.

    Returns
    -------
    float
        V_κ, at least `large_deviations.quasi_potential`, to which it tends as κ grows,
        to about 1e-4 of it; inf where no path of two epochs leads out.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or the three places do not follow each other.

    Notes
    -----
    The boundary value problem (1) to (3) over two epochs, solved by collocation (SciPy's
    ``solve_bvp``), from a long epoch, where the path of independent draws is near, to
    shorter ones. It says nothing of few samples: for an epoch of n large steps there is
    `log_mean_reshuffled_time`, and `reshuffled_reach` for whether any order
    leads out.

    Examples
    --------
    >>> from descent.landscapes import stationary_points, two_datapoint
    >>> model = two_datapoint()
    >>> minimum, saddle = stationary_points(model.mean_gradient, 0.9, 1.3)
    >>> threshold = stationary_points(lambda w: model.gradients(w)[1], 0.9, 1.3)[1]
    >>> for epoch in (0.2, 0.3, 1.0):
    ...     value = reshuffled_quasi_potential(model, minimum, saddle, threshold, epoch)
    ...     print(round(value, 3))
    inf
    0.226
    0.149
    """
    check_model(model)
    minimum, saddle = check_real("minimum", minimum), check_real("saddle", saddle)
    threshold, epoch = check_real("threshold", threshold), check_real("epoch", epoch, above=0)
    m, way = model.n_samples, float(np.sign(saddle - minimum))
    if not np.allclose(model.chances, 1 / m, rtol=1e-12):
        raise ValueError(f"model must have samples of equal weights; got {came(model.chances)}")
    if not way * (threshold - saddle) > 0 or way == 0:
        raise ValueError(
            "minimum, saddle and threshold must follow each other on the way out; got "
            f"{minimum!r}, {saddle!r}, {threshold!r}"
        )
    back = way * model.gradients(threshold)
    if back.max() > 1e-6 * np.abs(back).max():
        raise ValueError(
            f"threshold must be where no sample leads back; got {threshold!r}, with gradients "
            f"{way * back}"
        )
    climb = _free_climb(model, minimum, saddle, threshold)
    size = 2 + m - 1  # W, p, and the time that all samples but the last have had

    def rates(kappa: float, y: Array, mu: Array) -> tuple[Array, Array, Array]:
        """Return all derivatives, the shares and the cost, of one epoch."""
        w, p = y[:2]
        g, curvature = model.gradients(w), model.curvatures(w)
        share = _shares(model, w, p, mu)
        moves = np.stack([-(share * g).sum(axis=0), p * (share * curvature).sum(axis=0)])  # (3)
        safe = np.maximum(share, 1e-300)
        return kappa * np.vstack([moves, share[:-1]]), share, (share * np.log(m * safe)).sum(axis=0)

    def multipliers(parameters: Array) -> Array:
        free = parameters.reshape(EPOCHS, m - 1)
        return np.hstack([free, np.zeros((EPOCHS, 1))])

    def solved(kappa: float, x: Array, guess: Array, parameters: Array) -> Any:
        def slope(t: Array, y: Array, parameters: Array) -> Array:
            parts = zip(np.split(y, EPOCHS), multipliers(parameters), strict=True)
            return np.vstack([rates(kappa, part, mu)[0] for part, mu in parts])

        def ends(a: Array, z: Array, parameters: Array) -> Array:
            before, after = a.reshape(EPOCHS, size), z.reshape(EPOCHS, size)
            return np.concatenate(
                [
                    [before[0, 0] - minimum, after[-1, 0] - threshold],
                    (before[1:, :2] - after[:-1, :2]).ravel(),
                    before[:, 2:].ravel(),
                    (after[:, 2:] - kappa / m).ravel(),  # (2)
                ]
            )

        with np.errstate(all="ignore"):
            return solve_bvp(slope, ends, x, guess, p=parameters, tol=TOLERANCE, max_nodes=15_000)

    def dealt(kappa: float, w: Array, p: Array, mu: Array, x: Array) -> Array:
        """Return the guess of an epoch, with the times of its samples."""
        share = _shares(model, w, p, mu)[:-1]
        had = np.concatenate(
            [np.zeros((m - 1, 1)), np.cumsum((share[:, 1:] + share[:, :-1]) / 2, axis=1)], axis=1
        )
        return np.vstack([w, p, had * (kappa / m / had[:, -1:])])

    x = np.linspace(0, 1, NODES)
    climbing, falling = climb.times[-1], -climb.late[0]
    kappa, step = max(FIRST * (climbing + falling), epoch), 0.7
    guesses = []
    for k in range(EPOCHS):
        time = (k + x) * kappa
        at = time - (kappa - 0.6 * climbing)
        w = np.interp(at, climb.times, climb.w, left=minimum, right=saddle)
        p = np.interp(at, climb.times, climb.p, left=0.0, right=0.0)
        end = time - EPOCHS * kappa
        w = np.where(end > -falling, np.interp(end, climb.late, climb.falling), w)
        guesses.append(dealt(kappa, w, p, np.zeros(m), x))
    found = solved(kappa, x, np.vstack(guesses), np.zeros(EPOCHS * (m - 1)))
    if found.status != 0:
        raise FloatingPointError(f"no path is found for an epoch of {kappa:.6g}")
    while kappa > epoch:
        new = max(kappa * step, epoch)
        guesses = []
        for k, mu in enumerate(multipliers(found.p)):
            # The climb is at the end of the first epoch and at the beginning of the second,
            # whose own end is the fall; these keep their times.
            first, last = np.clip(x * new / kappa, 0, 1), np.clip(1 + (x - 1) * new / kappa, 0, 1)
            part = slice(k * size, k * size + 2)
            late = (x > 0.5) & ((1 - x) * new < 1.5 * falling)
            guess: Array = np.where((k == 0) | late, found.sol(last)[part], found.sol(first)[part])
            guesses.append(dealt(new, guess[0], guess[1], mu, x))
        trial = solved(new, x, np.vstack(guesses), found.p)
        if trial.status == 0:
            found, kappa = trial, new
        else:
            step = step**0.5
            if step > 0.99:
                return np.inf
    fine = np.linspace(0, 1, 20_001)
    parts = zip(np.split(found.sol(fine), EPOCHS), multipliers(found.p), strict=True)
    cost = sum(np.trapezoid(rates(kappa, part, mu)[2], fine) for part, mu in parts)
    return float(kappa * cost)  # (1)
