r"""Whether digits are left of a disturbance that is read off: rounding, and a second carrying.

A disturbance v is known to an error relative to its largest entry: of a step of the
integrator, and of rounding. What is read off, such as :math:`c \cdot v`, may be smaller than
that: a fast direction that has decayed beside a slow one. And the whole of v may have decayed
where errors of it grow: along the stable direction of a saddle. It is then carried a second
time, a third as long and with a tenth of the error in each step, and the two must agree.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from descent.arguments import Array

Bools = npt.NDArray[np.bool_]

SMALL = 1e-6  # part of the disturbance below which what is read off is carried twice
AGREE = 1e-3  # nats in which the two may differ
ROUNDING = 8 * np.finfo(float).eps
ROUGH = 1e-4  # error of the steps that tell how errors grow
FED = 1e7  # growth of an error over that of the disturbance from which it is carried twice
SAME_PATH = 1e-6  # part of a state by which the two paths may differ


class Lost(ArithmeticError):
    """What is read off of a disturbance is smaller than the error of the disturbance."""


def lost(time: float, count: int, total: int, words: str, outgrown: bool = False) -> Lost:
    """Return the error that says so, and what to change."""
    beside, help_ = "beside a disturbance that lasts elsewhere", "vary or measure a direction in"
    if outgrown:
        beside, help_ = "as errors grow while the disturbance decays", "vary a direction in"
    return Lost(
        f"from time {time:g} on only rounding is left where {words}, in {count} of {total} "
        f"trajectories, {beside}: ask for earlier times, or {help_} which it lasts"
    )


def compare(
    first: tuple[Array, Array],
    again: Callable[[Bools], tuple[Array, Array, Array]],
    doubtful: Bools,
    fed: Bools,
    start: Array,
    state: Array,
    times: Array,
    words: str,
) -> tuple[Array, Array]:
    """Return sign and log (len(times), n) once those that are in doubt are carried twice.

    Parameters
    ----------
    first : array, array
        Sign and log of the first time.
    again : callable
        Returns sign, log and the last states of the chosen trajectories of the second time.
    doubtful : array of bool (len(times), n)
        What was small beside the whole disturbance.
    fed : array of bool (len(times), n)
        Where errors may have outgrown the whole disturbance.
    start, state : array (d, n)
        The states at the beginning, and the last ones of the first time.
    times, words
        For the error.

    Raises
    ------
    Lost
        If two values differ. Where the paths themselves have parted, as in chaos after a
        while, a value is that of a path nearby, and only what errors have fed is compared.
    """
    sign, log = first
    chosen: Bools = np.asarray((doubtful | fed).any(axis=0))
    if not chosen.any():
        return sign, log
    other_sign, other_log, other_state = again(chosen)
    size = np.maximum(np.abs(start), np.abs(state))[:, chosen].max(axis=1, keepdims=True)
    parted = (np.abs(other_state - state[:, chosen]) > SAME_PATH * size).any(axis=0)
    here = (doubtful[:, chosen] & ~parted) | fed[:, chosen]
    with np.errstate(invalid="ignore"):
        same = (other_log == log[:, chosen]) | (np.abs(other_log - log[:, chosen]) <= AGREE)
    wrong = here & ~(same & (other_sign == sign[:, chosen]))
    if wrong.any():
        row = int(np.argmax(wrong.any(axis=1)))
        outgrown = bool((wrong & fed[:, chosen])[row].any())
        raise lost(times[row], int(wrong[row].sum()), sign.shape[1], words, outgrown)
    sign, log = sign.copy(), log.copy()
    sign[:, chosen] = np.where(here, other_sign, sign[:, chosen])
    log[:, chosen] = np.where(here, other_log, log[:, chosen])
    return sign, log
