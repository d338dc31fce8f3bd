r"""Covariant Lyapunov vectors: the directions that grow at each exponent, forwards and back.

.. math:: v_i(t + \tau) = \frac{M_\tau(t)\, v_i(t)}{g_i}, \qquad
          \Lambda_i = \frac1\tau \langle \log g_i \rangle

Unlike the vectors of Benettin's method they are not orthogonal, do not depend on the scalar
product, and each goes over into itself under the tangent map M.

Source: F. Ginelli et al., Phys. Rev. Lett. 99, 130601 (2007).
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular

from descent.arguments import Array, check_count, check_generator, check_real
from descent.dynamics import Flow, Map
from descent.dynamics.carrier import Carrier
from descent.dynamics.motion import Motion
from descent.dynamics.system import Initial, check_system, state_of
from descent.dynamics.tangent import Tangents, check_derivative
from descent.lyapunov.scout import Scouting

SETTLE = 40.0  # periods in which the frames align, forwards and then backwards
PARTS = 20  # of a period between two places where vectors are returned
SETTLE_STEPS = 400  # of a map


class CovariantVectors(NamedTuple):
    """Vectors along a trajectory, of n places and d variables.

    ``vectors[i, :, k]`` is the unit vector of the k-th exponent at ``states[i]``, its sign
    kept along the way; ``growth[i, k]`` the logarithm of its growth up to the next place.
    """

    times: Array  # (n,)
    states: Array  # (n, d)
    vectors: Array  # (n, d, d)
    growth: Array  # (n - 1, d)

    @property
    def exponents(self) -> Array:
        """The mean growth rates (d,) over this stretch, largest first but for its length."""
        return np.asarray(self.growth.sum(axis=0) / (self.times[-1] - self.times[0]))

    def angle(self, i: int, j: int) -> Array:
        """Return the angle (n,) between two vectors, from 0 to a right one."""
        for name, index in (("i", i), ("j", j)):
            if check_count(name, index) >= self.vectors.shape[2]:
                raise ValueError(f"{name} must lie in 0 … {self.vectors.shape[2] - 1}; got {index}")
        cosine = np.abs(np.einsum("nd,nd->n", self.vectors[:, :, i], self.vectors[:, :, j]))
        return np.asarray(np.arccos(np.minimum(cosine, 1.0)))


def _clock(system: Map | Flow, state: Array) -> tuple[float, float]:
    """Return the default interval and transient of a system."""
    if isinstance(system, Map):
        return system.dt, SETTLE_STEPS * system.dt
    motion = Motion(system, [], state[:, None])
    with np.errstate(all="ignore"):
        period, _ = Scouting(motion, state, 0.0, np.inf).time_scale(3000)
    return period / PARTS, SETTLE * period


def covariant_vectors(
    system: Map | Flow,
    initial: Initial | None = None,
    *,
    n: int = 100,
    interval: float | None = None,
    transient: float | None = None,
    rng: np.random.Generator | None = None,
) -> CovariantVectors:
    r"""Return the covariant Lyapunov vectors at places along a trajectory.

    Frames Q are carried forwards, orthonormal again at each place; coefficients C of the
    vectors in these frames are carried backwards by the factors R, which turns any of them
    towards the covariant ones:

    .. math:: M Q_i = Q_{i+1} R_{i+1}, \qquad C_i \propto R_{i+1}^{-1} C_{i+1}, \qquad
              V_i = Q_i C_i

    Parameters
    ----------
    system : Map or Flow
        The dynamics, with a Jacobian or a jvp; for a map, one that can be inverted.
    initial : array (d,) or mapping, optional
        A state in the basin of an attractor; by default the system's typical state.
    n : int
        Number of places, two or more.
    interval : float, optional
        Time between two places, within which no disturbance may vanish beside another; by
        default a twentieth of the period, or a step of a map.
    transient : float, optional
        Time before the first place, and after the last one; by default 40 periods, or 400
        steps of a map. Vectors of exponents that differ by ΔΛ are turned by exp(-ΔΛ transient)
        from their limit.
    rng : numpy.random.Generator, optional
        Chooses the coefficients that are carried back; by default one with a fixed seed.

    Returns
    -------
    CovariantVectors
        Times, states, vectors and their growth.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, the system has no Jacobian, or this is singular.
    FloatingPointError
        If the trajectory leaves the finite numbers.

    Notes
    -----
    Where two exponents are equal their vectors are not determined, only the plane of both.
    The vector of the exponent zero of a flow is its direction. Not the singular vectors of the
    tangent map over a finite time.

    Examples
    --------
    >>> from descent.systems import linear_flow
    >>> flow = linear_flow([[-1.0, 1.0], [0.0, -3.0]], "xy")
    >>> found = covariant_vectors(flow, [1.0, 1.0], n=2, interval=0.1, transient=5.0)
    >>> np.abs(found.vectors[0]).round(4)  # the eigenvectors (1, 0) and (1, -2)
    array([[1.    , 0.4472],
           [0.    , 0.8944]])
    """
    check_system(system)
    check_count("n", n, 2)
    if rng is not None:
        check_generator("rng", rng)
    if initial is None:
        if system.start is None:
            raise ValueError("initial must be given: the system names no typical state; got None")
        initial = system.start
    state = state_of(system, initial)
    if state.ndim != 1:
        raise ValueError(f"initial must be one state; got shape {state.T.shape}")
    check_derivative(system, state[:, None])
    if interval is not None:
        check_real("interval", interval, above=0)
    if transient is not None:
        check_real("transient", transient, least=0)
    if interval is None or transient is None:
        own = _clock(system, state)
        interval = own[0] if interval is None else interval
        transient = own[1] if transient is None else transient
    if isinstance(system, Map) and abs(interval / system.dt - round(interval / system.dt)) > 1e-6:
        raise ValueError(f"interval must be a multiple of dt={system.dt!r}; got {interval!r}")
    settle = int(np.ceil(transient / interval * (1 - 1e-12)))
    path, frames, factors = _forwards(system, state, settle + n + settle, interval)
    places = slice(settle, settle + n)
    rng = np.random.default_rng(0) if rng is None else rng
    vectors, growth = _backwards(frames[places], factors[settle:], rng)
    times = interval * np.arange(settle, settle + n, dtype=np.float64)
    return CovariantVectors(times, path[places], vectors, growth)


def _forwards(
    system: Map | Flow, state: Array, n: int, interval: float
) -> tuple[Array, Array, Array]:
    """Return n states, the frames there, and the factors R from each place to the next."""
    d, carrier = len(system.names), Carrier(system, None, "dop853")
    every, now = tuple(range(d)), state[:, None]
    frame = np.eye(d)
    path, frames, factors = [], [], []
    for i in range(n):
        path.append(now[:, 0])
        frames.append(frame)
        unit = Tangents(every, frame[:, :, None])
        now, (moved,) = carrier.to(now, [unit], i * interval, (i + 1) * interval)
        q, upper = np.linalg.qr(moved.vectors[:, :, 0])
        sign = np.sign(np.diagonal(upper))
        if not sign.all() or np.abs(np.diagonal(upper)).min() < 1e-14 * np.abs(upper).max():
            raise ValueError(
                f"interval={interval:g} is too long, or the Jacobian of the system is singular: "
                f"at time {(i + 1) * interval:g} a disturbance has vanished beside another"
            )
        frame, upper = q * sign, upper * sign[:, None]
        factors.append(upper)
    return np.array(path), np.array(frames), np.array(factors)


def _backwards(frames: Array, factors: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return vectors at the places of ``frames``, and the logarithms of their growth."""
    n, d = len(frames), frames.shape[1]
    c = np.triu(rng.uniform(0.5, 1.0, (d, d)))
    vectors, growth = np.empty((n, d, d)), np.empty((n - 1, d))
    for i in range(len(factors) - 1, -1, -1):
        c = solve_triangular(factors[i], c)
        size = np.linalg.norm(c, axis=0)
        c = c / size
        if i < n:
            vectors[i] = frames[i] @ c
        if i < n - 1:
            growth[i] = -np.log(size)
    return vectors, growth
