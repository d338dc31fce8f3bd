r"""The Hamiltonian of a walk or a diffusion, and the tilt of its draws along a path.

H(x, p) is the logarithm of the mean of exp(p · move), of one draw in units of the step size
(`of_draws`) or per unit of time (`of_diffusion`). It is convex in p, and zero at p = 0.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from descent.arguments import Array, check_array, check_callable, check_kind

Moments = tuple[Array, Array, Array]


class NoWay(ValueError):
    """No draw leads in a direction, so that the action of a path is infinite."""


@dataclass(frozen=True)
class Hamiltonian:
    """H(x, p) of a walk or a diffusion, with its derivatives by p.

    Parameters
    ----------
    moments : callable
        From places (m, d) and momenta (m, d) to H (m,), H_p (m, d) and H_pp (m, d, d). H is
        convex in p, and H(x, 0) = 0.

    Notes
    -----
    `of_draws` and `of_diffusion` make one. It is no energy of a mechanical system: p is the
    tilt of the draws.
    """

    moments: Callable[[Array, Array], Moments]

    def __post_init__(self) -> None:
        check_callable("moments", self.moments)


def of_draws(
    gradients: Callable[[Array], npt.ArrayLike], chances: npt.ArrayLike | None = None
) -> Hamiltonian:
    r"""Return H of stochastic gradient descent, whose step is -T times a gradient drawn by lot.

    .. math:: H(x, p) = \ln \sum_j q_j e^{-p \cdot g_j(x)}

    Parameters
    ----------
    gradients : callable
        From places (m, d) to the gradients of the n data points, (n, m, d).
    chances : array_like (n,), optional
        Chances q of the draws, which sum to 1; equal ones by default.

    Examples
    --------
    >>> H = of_draws(lambda x: np.stack([x - 1, x + 1]))
    >>> H.moments(np.zeros((1, 1)), np.zeros((1, 1)))[2]  # the variance of a draw
    array([[[1.]]])

    Notes
    -----
    Not the diffusion with the same mean and variance (`of_diffusion`): for two losses in one
    dimension that has another exponent (`large_deviations.diffusion_exponent`).
    """
    check_callable("gradients", gradients)
    q = None if chances is None else check_array("chances", chances, ("n",))
    if q is not None and ((q < 0).any() or abs(q.sum() - 1) > 1e-9):
        raise ValueError(f"chances must be at least 0 and sum to 1; got {chances!r}")

    def moments(x: Array, p: Array) -> Moments:
        g = np.asarray(gradients(x), dtype=float)
        if g.ndim != 3 or g.shape[1:] != x.shape:
            raise ValueError(
                f"gradients must return (n, {x.shape[0]}, {x.shape[1]}) at places {x.shape}; "
                f"got {g.shape}"
            )
        weights = np.full(len(g), 1 / len(g)) if q is None else q
        if len(weights) != len(g):
            raise ValueError(
                f"chances must be one for each of {len(g)} gradients; got {len(weights)}"
            )
        exponents = -np.einsum("nmd,md->nm", g, p)
        H = logsumexp(exponents, axis=0, b=weights[:, None])
        small = np.abs(exponents).max(axis=0) < 0.5  # near a fixed point H is far below 1
        H = np.where(small, np.log1p(weights @ np.expm1(np.where(small, exponents, 0.0))), H)
        tilted = weights[:, None] * np.exp(exponents - H)
        first = -np.einsum("nm,nmd->md", tilted, g)
        about = g + first  # the draws about their tilted mean: no difference of large numbers
        second = np.einsum("nm,nmd,nme->mde", tilted, about, about)
        return np.asarray(H), first, second

    return Hamiltonian(moments)


def of_diffusion(
    drift: Callable[[Array], npt.ArrayLike],
    covariance: Callable[[Array], npt.ArrayLike] | npt.ArrayLike = 1.0,
) -> Hamiltonian:
    r"""Return H of the diffusion :math:`dx = b\,dt + \sqrt{\varepsilon}\,\sigma\,dW`.

    .. math:: H(x, p) = b(x) \cdot p + \tfrac12\, p \cdot a(x)\, p, \qquad a = \sigma \sigma^T

    Parameters
    ----------
    drift : callable
        b, from places (m, d) to (m, d).
    covariance : callable or array_like
        a, from places (m, d) to (m, d, d); or one matrix (d, d), or a number times the identity.

    Examples
    --------
    >>> H = of_diffusion(lambda x: -x)
    >>> H.moments(np.ones((1, 1)), np.full((1, 1), 2.0))[0]  # p = 2x climbs at no cost in H
    array([0.])
    """
    check_callable("drift", drift)

    def moments(x: Array, p: Array) -> Moments:
        m, d = x.shape
        b = check_array("drift(x)", np.asarray(drift(x)), (m, d))
        a = np.asarray(covariance(x) if callable(covariance) else covariance, dtype=float)
        if a.ndim == 0:
            a = a * np.eye(d)
        if a.shape[-2:] != (d, d):
            raise ValueError(f"covariance must be ({d}, {d}) at each place; got {a.shape}")
        a = np.broadcast_to(a, (m, d, d))
        ap = np.einsum("mde,me->md", a, p)
        return (p * (b + ap / 2)).sum(axis=1), b + ap, np.array(a)

    return Hamiltonian(moments)


def _solved(second: Array, right: Array) -> Array:
    """Return H_pp⁻¹ times a vector; a ridge keeps what has run off from stopping the others."""
    d = right.shape[1]
    ridge = 1e-14 * np.trace(second, axis1=1, axis2=2) + 1e-300
    return np.asarray(
        np.linalg.solve(second + ridge[:, None, None] * np.eye(d), right[..., None])[..., 0]
    )


FLAT = 1e-13
"""Where the tilted draws spread so much less than the plain ones, they are all but one draw."""
STEEP = 1e3
"""H where a tilt has left all places at which H is zero far behind."""


def _lowest(hamiltonian: Hamiltonian, x: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Return the p at which H is least, and whether there is one, by Newton with halved steps.

    Where all draws lead to one side there is none: p grows without bound.
    """
    p = np.zeros_like(x)
    value, first, second = hamiltonian.moments(x, p)
    plain, bounded = np.linalg.eigvalsh(second)[:, -1], np.ones(len(x), dtype=bool)
    for _ in range(100):
        bounded &= (np.linalg.eigvalsh(second)[:, 0] > FLAT * plain) & (value > -STEEP)
        second = np.where(bounded[:, None, None], second, np.eye(x.shape[1]))
        step = -_solved(second, np.where(bounded[:, None], first, 0.0))
        gain = -(first * step).sum(axis=1)
        # A gain that rounding hides in the value is none.
        on = bounded & (gain > 1e-9 * np.abs(value)) & (gain > 0)
        if not on.any():
            break
        length = np.where(on, 1.0, 0.0)
        for _ in range(40):
            tried = hamiltonian.moments(x, p + length[:, None] * step)[0]
            worse = on & ~(tried <= value - 1e-4 * length * gain)
            if not worse.any():
                break
            length = np.where(worse, length / 2, length)
        p = p + np.where(worse, 0.0, length)[:, None] * step
        value, first, second = hamiltonian.moments(x, p)
    return p, bounded


def _on_level(
    hamiltonian: Hamiltonian, x: Array, v: Array, p: Array, s: Array, level: Array, times: int
) -> tuple[Array, Array]:
    """Return p and s where H is at a level and H_p = s v, by Newton's method in both."""
    for _ in range(times):
        H, first, second = hamiltonian.moments(x, p)
        along, across = _solved(second, v), _solved(second, first - s[:, None] * v)
        # H_pp dp = v ds - (H_p - s v), and H + H_p·dp = level
        ds = ((first * across).sum(axis=1) - H + level) / (first * along).sum(axis=1)
        p, s = p + along * ds[:, None] - across, s + ds
    return p, s


def momentum(hamiltonian: Hamiltonian, places: npt.ArrayLike, moves: npt.ArrayLike) -> Array:
    r"""Return the tilt p* with which a path at a place moves in a direction at no loss of H.

    .. math:: p^* = \arg\max \{ p \cdot v : H(x, p) \le 0 \}

    Parameters
    ----------
    hamiltonian : Hamiltonian
    places : array_like (m, d)
    moves : array_like (m, d)
        Directions v, of any length but zero.

    Returns
    -------
    array (m, d)

    Raises
    ------
    ValueError
        If the draws at a place do not span the space, or none leads in the direction.

    Examples
    --------
    >>> H = of_diffusion(lambda x: -x)
    >>> momentum(H, [[1.0], [1.0]], [[1.0], [-1.0]])  # uphill 2x, downhill nothing
    array([[2.],
           [0.]])
    """
    check_kind("hamiltonian", hamiltonian, Hamiltonian)
    x = check_array("places", places, ("m", "d"))
    v = check_array("moves", moves, x.shape)
    length = np.linalg.norm(v, axis=1)
    if not (length > 0).all():
        raise ValueError(f"moves must not be zero; got {v[length == 0][0]}")
    v = v / length[:, None]
    _, _, second = hamiltonian.moments(x, np.zeros_like(x))
    least = np.linalg.eigvalsh(second)
    flat = ~(least[:, 0] > 1e-12 * least[:, -1])
    if flat.any():
        raise NoWay(
            f"the draws must span all {x.shape[1]} dimensions; at {x[flat][0]} their covariance is "
            "singular: give more data points, or the subspace in which they lie"
        )
    p, bounded = _lowest(hamiltonian, x)
    if not bounded.all():
        raise NoWay(
            f"at {x[~bounded][0]} all draws lead to one side, and none in the direction "
            f"{v[~bounded][0]} or against it: the action of a path through it is infinite; give "
            "another path to begin with"
        )
    # From its least value H is raised to zero, level by level, along v.
    H, _, second = hamiltonian.moments(x, p)
    depth = np.maximum(-H, 0.0)
    level, rise, s = -depth, depth / 4, np.zeros(len(x))
    along = _solved(second, v)  # where p is least H is a parabola, and s its slope
    with np.errstate(all="ignore"):
        for _ in range(200):
            on = level < 0
            if not on.any():
                exact, _ = _on_level(hamiltonian, x, v, p, s, level, 3)
                return np.asarray(np.where(depth[:, None] > 0, exact, p))
            goal = np.where(on, np.minimum(level + rise, 0.0), level)
            jump = np.where(s == 0, np.sqrt(2 * (goal - level) / (v * along).sum(axis=1)), 0.0)
            q, r = p + jump[:, None] * along, s + jump
            q, r = _on_level(hamiltonian, x, v, q, r, goal, 5)
            H, first, _ = hamiltonian.moments(x, q)
            off = np.linalg.norm(first - r[:, None] * v, axis=1)
            good = on & (r > 0) & (off <= 1e-5 * r) & (np.abs(H - goal) <= 1e-5 * depth)
            p, s = np.where(good[:, None], q, p), np.where(good, r, s)
            level = np.where(good, goal, level)
            rise = np.where(good, 2 * rise, np.where(on, rise / 4, rise))
    raise FloatingPointError(
        f"the tilt of the draws at {x[on][0]} in the direction {v[on][0]} was not found: the "
        "gradients may jump there"
    )
