r"""Op of many disturbances at once: the norm in place of one pair of variables."""

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, check_real
from descent.dynamics import Flow, Map
from descent.dynamics.system import (
    Initial,
    Names,
    check_frozen,
    check_system,
    check_times,
    index_of,
    state_of,
)
from descent.dynamics.tangent import check_derivative, check_integrator
from descent.influence.digits import SMALL, Bools, compare
from descent.influence.pair import BLOCK, Pair
from descent.influence.question import Question


def _part(
    system: Map | Flow, names: Names | None, argument: str, free: tuple[int, ...]
) -> tuple[int, ...]:
    """Return the indices of variables that are not frozen; all of these by default."""
    if names is None:
        return free
    chosen = check_frozen(names, argument)
    if not chosen:
        raise ValueError(f"{argument} must name at least one variable; got none")
    found = tuple(index_of(system, name, argument) for name in chosen)
    for index in found:
        if index not in free:
            raise ValueError(f"{argument} must not be in frozen; got {system.names[index]!r}")
    return tuple(sorted(set(found)))


def _log_norms(vectors: Array, read: list[int]) -> Array:
    """Return the logarithms (n,) of the largest singular values of the rows that are read."""
    blocks = np.moveaxis(vectors[read], 2, 0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.linalg.norm(blocks, 2, axis=(1, 2))))


def op_norm(
    system: Map | Flow,
    initial: Initial,
    times: npt.ArrayLike,
    frozen: Names,
    varied: Names | None = None,
    measured: Names | None = None,
    *,
    until: float = np.inf,
    begin: float = 0.0,
    dt: float | None = None,
    scheme: str = "dop853",
) -> Array:
    r"""Optimization of several variables by a part, for the worst of all disturbances.

    .. math:: \operatorname{Op}(A; N, M) = \log \frac{\lVert Y_{MN}(t) \rVert}
              {\lVert X_{MN}(t) \rVert}

    X and Y are the tangent maps of the two worlds, the norm is the largest singular value of
    their block from the variables N to M: the largest growth of a disturbance in finite time.
    With one n and one m it is `op`. With more it has no poles where a single entry passes
    zero, only where the whole block vanishes; and it keeps the slope
    :math:`\Lambda_c - \Lambda_1` of `descent.lyapunov` in chaos.

    Parameters
    ----------
    system, initial, times, frozen, until, begin, dt, scheme
        As in `slog_comp`.
    varied, measured : str or collection of str, optional
        The variables N and M, not in A; by default all that are not.

    Returns
    -------
    array (n_times, ...)
        Nats. Positive: A shrinks the worst disturbance. The worst disturbances of X and Y may
        point in different directions; and another unit of a variable moves the value, by a
        bounded amount.

    Raises
    ------
    ValueError, TypeError, ArithmeticError
        As `slog_comp`.

    Notes
    -----
    The norms are those of finite-time Lyapunov exponents: Goldhirsch, Sulem and Orszag,
    Physica D 27, 311 (1987). The source, 003, post 8, has pairs only.

    Examples
    --------
    >>> from descent.systems import linear_flow
    >>> pulled = linear_flow([[-1.0, 0.0, -1.0], [0.0, -1.0, 0.0], [1.0, 0.0, 0.0]], "abc")
    >>> op_norm(pulled, [1.0, 1.0, 0.0], [0.0, 1.0], "c", "a", "a").round(6)
    array([0.      , 1.069943])
    >>> op_norm(pulled, [1.0, 1.0, 0.0], [1.0], "c").round(6) + 0.0  # b is as large in both worlds
    array([0.])
    """
    check_system(system)
    check_integrator(dt, scheme)
    begin = check_real("begin", begin)
    t, until = check_times(system, times, until, begin)
    names = check_frozen(frozen)
    if not names:
        raise ValueError("frozen must name at least one variable; got none")
    held = {index_of(system, name, "frozen") for name in names}
    d = len(system.names)
    free = tuple(i for i in range(d) if i not in held)
    if not free:
        raise ValueError(f"frozen must leave a variable free; got all of {system.names}")
    disturbed = _part(system, varied, "varied", free)
    read = list(_part(system, measured, "measured", free))
    state = state_of(system, initial)
    flat = state.reshape(d, -1)
    check_derivative(system, flat[:, :1])
    question = Question(
        system, free, np.eye(d)[:, list(disturbed)], None, None, "", not set(read) & set(disturbed)
    )
    values = np.zeros((len(t), flat.shape[1]))
    words = f"varied={varied!r} disturbs measured={measured!r}"

    def carried(starts: Array, again: bool) -> tuple[Array, Bools, Bools, Array]:
        """Return the values, what of them is small, what errors have fed, and the last states."""
        pair = Pair(question, starts, begin, until, dt, scheme, again)
        out = np.zeros((len(t), starts.shape[1]))
        doubtful = np.zeros(out.shape, bool)
        for row, doubt, time in zip(out, doubtful, pair.along(t), strict=True):
            if time == begin and question.differ:
                continue  # at first both worlds respond alike
            rows = [pair.y.free.index(i) for i in read]
            x, y = _log_norms(pair.x.vectors, read), _log_norms(pair.y.vectors, rows)
            if (np.isneginf(x) & np.isneginf(y)).any():
                raise ValueError(f"Op is undefined at time {time:g}: {words} in neither world")
            row[:] = y + pair.log_y - x - pair.log_x
            whole_x = _log_norms(pair.x.vectors, list(range(d)))
            whole_y = _log_norms(pair.y.vectors, list(range(len(pair.y.free))))
            small = (x < whole_x + np.log(SMALL)) | (y < whole_y + np.log(SMALL))
            doubt[:] = small & (time > begin)
        fed = np.zeros(out.shape, bool) if again else pair.fed(t)
        return out, doubtful, fed, pair.state

    for first in range(0, flat.shape[1] if len(t) else 0, BLOCK):
        part = slice(first, first + BLOCK)

        def again(chosen: Bools, starts: Array = flat[:, part]) -> tuple[Array, Array, Array]:
            out, _, _, last = carried(starts[:, chosen], True)
            return np.ones(out.shape), out, last

        out, doubtful, fed, last = carried(flat[:, part], False)
        _, values[:, part] = compare(
            (np.ones(out.shape), out), again, doubtful, fed, flat[:, part], last, t, words
        )
    return values.reshape(len(t), *state.shape[1:])
