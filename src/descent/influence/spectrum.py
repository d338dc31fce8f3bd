r"""Op of every size of disturbance: the singular values of the tangent maps of two worlds."""

from itertools import combinations

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, check_real
from descent.dynamics import Flow, Map
from descent.dynamics.carrier import Carrier
from descent.dynamics.system import (
    Initial,
    Names,
    check_frozen,
    check_system,
    check_times,
    index_of,
    state_of,
)
from descent.dynamics.tangent import Tangents, check_derivative, check_integrator

MOST = 8  # variables that respond; minors of all sizes are computed
CHUNK = 16  # steps of a system's own length between two orthonormalizations
LEAST = 1e-12  # of the largest growth in an interval


class Product:
    r"""A product of tangent maps, as frames Q (n, d, r) times :math:`e^{s} T`, graded by rows.

    What grows slowly is not lost beside what grows quickly: each row has its own scale s (n, r).
    """

    def __init__(self, frame: Array, n: int) -> None:
        r = frame.shape[1]
        self.frame = np.repeat(frame[None], n, axis=0)
        self.scale = np.zeros((n, r))
        self.rows = np.repeat(np.eye(r)[None], n, axis=0)

    def append(self, moved: Array, words: str) -> None:
        """Take in the frames (n, d, r) as the next map has moved them; errors end with words."""
        self.frame, upper = np.linalg.qr(moved)
        size = np.abs(np.diagonal(upper, axis1=1, axis2=2))
        if (size.min(axis=1) <= LEAST * np.abs(upper).max(axis=(1, 2))).any():
            raise ValueError(
                "interval must be shorter, or the Jacobian be one that can be inverted: a "
                f"disturbance has vanished beside another; {words}"
            )
        # The rows from i on, of which only the largest scale may matter.
        base = np.maximum.accumulate(self.scale[:, ::-1], axis=1)[:, ::-1]
        weights = upper * np.exp(np.minimum(self.scale[:, None, :] - base[:, :, None], 0.0))
        rows = np.einsum("nij,njk->nik", np.triu(weights), self.rows)
        length = np.linalg.norm(rows, axis=2)
        self.rows, self.scale = rows / length[:, :, None], base + np.log(length)

    def log_singular_values(self) -> Array:
        r"""Return them (n, r), largest first, by compounds.

        .. math:: \sigma_1 \cdots \sigma_k = \lVert \Lambda^k M \rVert

        The compound holds the minors of k rows and k columns.
        """
        n, r = self.scale.shape
        volumes = np.zeros((n, r + 1))
        for k in range(1, r + 1):
            chosen = list(combinations(range(r), k))
            scale = np.stack([self.scale[:, rows].sum(axis=1) for rows in chosen], axis=1)
            largest = scale.max(axis=1)
            minors = np.array(
                [
                    [np.linalg.det(self.rows[:, rows][:, :, columns]) for columns in chosen]
                    for rows in chosen
                ]
            )
            compound = np.moveaxis(minors, 2, 0) * np.exp(scale - largest[:, None])[:, :, None]
            volumes[:, k] = largest + np.log(np.linalg.norm(compound, 2, axis=(1, 2)))
        return np.diff(volumes, axis=1)


def op_spectrum(
    system: Map | Flow,
    initial: Initial,
    times: npt.ArrayLike,
    frozen: Names,
    *,
    begin: float = 0.0,
    interval: float | None = None,
    dt: float | None = None,
    scheme: str = "dop853",
) -> Array:
    r"""Optimization of all that responds, size by size: Op of a part as of an operator.

    .. math:: \operatorname{Op}_k(A) = \log \sigma_k(Y_{BB}(t)) - \log \sigma_k(X_{\cdot B}(t)),
              \qquad k = 1, \dots, r

    X and Y are the tangent maps of the two worlds, B the r variables that are not in A.
    X is read off in all variables. For a flow neither map is ever singular, so that no value has
    a pole; and for almost every start, without exceptional times,

    .. math:: \operatorname{Op}_k / t \to \Lambda_{c,k}(A) - \Lambda_k .

    Parameters
    ----------
    system, initial, times, frozen, begin, dt, scheme
        As in `slog_comp`. At most 8 variables respond.
    interval : float, optional
        Time after which what has grown is made orthonormal; for a map, a multiple of its dt.
        By default 16 steps of the system's own length, or one of a map.

    Returns
    -------
    array (n_times, r, ...)
        Nats. The first is Op of the largest growth; the sum, Op of volumes, is the logarithm by
        which A shrinks what disturbances of B fill.

    Raises
    ------
    ValueError, TypeError
        As `slog_comp`; or if a Jacobian is singular.
    FloatingPointError
        If a trajectory leaves the finite numbers, or ``dt`` is too long for the system.

    Notes
    -----
    The limit is that of V. I. Oseledets (1968); singular values by exterior powers are its proof
    by M. S. Raghunathan (1979). Another unit of a variable moves the values by a bounded amount.
    Not `op_norm`, which compares chosen variables and reads off X in them alone.

    Examples
    --------
    >>> from descent.systems import linear_flow
    >>> apart = linear_flow([[1.0, 0.0, 0.0], [0.0, -2.0, 0.0], [0.0, 0.0, -1.0]], "abc")
    >>> op_spectrum(apart, [1.0, 1.0, 1.0], [10.0], "c").round(6) + 0.0  # nothing passes through c
    array([[0., 0.]])
    """
    check_system(system)
    check_integrator(dt, scheme)
    begin = check_real("begin", begin)
    t, _ = check_times(system, times, np.inf, begin)
    names = check_frozen(frozen)
    if not names:
        raise ValueError("frozen must name at least one variable; got none")
    held = {index_of(system, name, "frozen") for name in names}
    d = len(system.names)
    free = [i for i in range(d) if i not in held]
    if not 0 < len(free) <= MOST:
        raise ValueError(f"frozen must leave 1 to {MOST} variables free; got {len(free)}")
    if interval is None:
        interval = system.dt if isinstance(system, Map) else CHUNK * system.dt
    check_real("interval", interval, above=0)
    if isinstance(system, Map) and abs(interval / system.dt - round(interval / system.dt)) > 1e-6:
        raise ValueError(f"interval must be a multiple of dt={system.dt!r}; got {interval!r}")
    state = state_of(system, initial)
    now, flat = begin, state.reshape(d, -1)
    check_derivative(system, flat[:, :1])
    n, carrier = flat.shape[1], Carrier(system, dt, scheme)
    x, y = Product(np.eye(d)[:, free], n), Product(np.eye(len(free)), n)
    found = np.zeros((len(t), len(free), n))
    for row, time in zip(found, t, strict=True):
        count = int(np.ceil((time - now) / interval * (1 - 1e-12)))
        for end in (*(now + interval * np.arange(1, count)), time)[: max(count, 0)]:
            worlds = [
                Tangents(tuple(rest), np.ascontiguousarray(np.moveaxis(world.frame, 0, 2)))
                for rest, world in ((range(d), x), (free, y))
            ]
            flat, after = carrier.to(flat, worlds, now, float(end))
            for world, moved in zip((x, y), after, strict=True):
                words = f"got interval={interval:g}, frozen={frozen!r} at time {end:g}"
                world.append(np.moveaxis(moved.vectors, 2, 0), words)
            now = float(end)
        row[:] = (y.log_singular_values() - x.log_singular_values()).T
    return found.reshape(len(t), len(free), *state.shape[1:])
