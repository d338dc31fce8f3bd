"""Benettin's method with a step, times and a cloud of starts that the caller states."""

import numpy as np

from descent.arguments import Array
from descent.dynamics.carrier import Carrier
from descent.dynamics.system import Flow
from descent.dynamics.tangent import Tangents


def scattered(state: Array, n: int, rng: np.random.Generator, spread: float) -> Array:
    """Return n states (d, n) around one, normally distributed."""
    return state[:, None] + spread * rng.standard_normal((len(state), n))


def growth_rates(
    system: Flow,
    state: Array,
    free: tuple[int, ...],
    n_settle: int,
    n_measure: int,
    interval: float,
    dt: float,
    scheme: str,
) -> Array:
    """Return the growth rates (r, n) over ``n_measure`` intervals."""
    r, n = len(free), state.shape[1]
    frame = np.broadcast_to(np.eye(r)[:, :, None], (r, r, n)).copy()
    total = np.zeros((r, n))
    carrier = Carrier(system, dt, scheme)
    for i in range(n_settle + n_measure):
        now, end = i * interval, (i + 1) * interval
        state, (t,) = carrier.to(state, [Tangents(free, frame)], now, end)
        q, upper = np.linalg.qr(np.moveaxis(t.vectors, 2, 0))  # (n, r, r)
        frame = np.ascontiguousarray(np.moveaxis(q, 0, 2))
        if i >= n_settle:
            size = np.abs(np.diagonal(upper, axis1=1, axis2=2)).T
            if not (size > 0).all():
                raise ValueError(
                    f"interval={interval:g} is too long: between times {now:g} and {end:g} a "
                    "disturbance shrinks to nothing beside another; or the Jacobian of the "
                    "system is singular, and an exponent minus infinity"
                )
            total += np.log(size)
    return total / (n_measure * interval)
