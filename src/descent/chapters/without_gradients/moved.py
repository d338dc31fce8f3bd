"""Chapter 10: the grids of those whose best setting stands at an end, moved beyond it.

As many settings are tried as before; the choice that stood at an end stands inside now.
"""

from collections.abc import Sequence

from descent.chapters.without_gradients.methods import METHODS, tuned
from descent.sweeps import grid
from descent.zeroth_order.idea import Setting

KINDS = ("landscape", "network")
LEAST = 3
"""Of fewer values each is an end."""


def tried(name: str) -> dict[str, list[float]]:
    """Return the values that are tried for each option of a method, from low to high."""
    settings = METHODS[name].settings
    return {option: sorted({s[option] for s in settings}) for option in settings[0]}


def ends(name: str, kind: str) -> list[str]:
    """Return the options whose chosen value is the first or the last of those tried."""
    chosen = METHODS[name].chosen[kind]
    return [
        option
        for option, values in tried(name).items()
        if len(values) >= LEAST and chosen[option] in (values[0], values[-1])
    ]


def at_an_end(kind: str) -> list[str]:
    """Return the methods with an option at an end."""
    return [name for name in tuned(kind) if ends(name, kind)]


def continued(values: Sequence[float], steps: int) -> list[float]:
    """Return values that go on beyond the last, by the ratio of the last two, in two digits.

    Examples
    --------
    >>> continued([0.1, 0.3, 1.0], 2), continued([2.0, 0.5, 0.1], 1), continued([15, 10], 1)
    ([3.3, 11.0], [0.02], [7])
    """
    whole, ratio = all(isinstance(v, int) for v in values), values[-1] / values[-2]
    found = [float(f"{values[-1] * ratio**step:.2g}") for step in range(1, steps + 1)]
    return [round(value) if whole else value for value in found]


def moved_values(values: Sequence[float], chosen: float) -> list[float]:
    """Return as many values, moved so far that a chosen end is the third, or the middle of three.

    Examples
    --------
    >>> moved_values([0.1, 0.5, 2.0], 2.0), moved_values([0.1, 0.5, 2.0], 0.5)
    ([0.5, 2.0, 8.0], [0.1, 0.5, 2.0])
    >>> moved_values([1.0, 2.0, 4.0, 8.0, 16.0, 32.0], 1.0)
    [0.25, 0.5, 1.0, 2.0, 4.0, 8.0]
    """
    steps = (len(values) - 1) // 2
    if len(values) < LEAST or chosen not in (values[0], values[-1]):
        return list(values)
    if chosen == values[0]:
        return [*continued(values[::-1], steps)[::-1], *values[:-steps]]
    return [*values[steps:], *continued(values, steps)]


def moved_settings(name: str, kind: str) -> Sequence[Setting]:
    """Return the settings of a method's moved grid, as many as before."""
    chosen = METHODS[name].chosen[kind]
    return grid(**{option: moved_values(v, chosen[option]) for option, v in tried(name).items()})


def new_settings(name: str, kind: str) -> list[Setting]:
    """Return those settings of the moved grid that were not tried before."""
    return [s for s in moved_settings(name, kind) if s not in METHODS[name].settings]


def taken(name: str, kind: str) -> Setting:
    """Return the setting that a method takes of its moved grid."""
    return TAKEN[kind].get(name, METHODS[name].chosen[kind])


def inside(kind: str) -> tuple[int, int]:
    """Return how many of the choices at an end stand inside the moved grid, and of how many."""
    found = []
    for name in at_an_end(kind):
        chosen, now = METHODS[name].chosen[kind], taken(name, kind)
        for option in ends(name, kind):
            values = moved_values(tried(name)[option], chosen[option])
            found.append(now[option] not in (values[0], values[-1]))
    return sum(found), len(found)


TAKEN: dict[str, dict[str, Setting]] = {
    "landscape": {
        "ensemble Kalman, redrawn": {"spread": 12.0, "noise": 0.5, "regularization": 0.001},
        "ensemble Kalman, growing": {"spread": 0.12, "noise": 0.1, "regularization": 0.001},
        "SciPy Nelder–Mead": {"scale": 20.0},
    },
    "network": {
        "ensemble Kalman, noise": {"spread": 0.12, "noise": 0.5, "regularization": 0.001},
        "parabola on a line": {"h": 0.004, "reach": 10.0},
        "evolution strategy": {"spread": 0.02, "size": 10},
        "SciPy differential evolution": {"scale": 0.3, "members": 8},
    },
}
"""Who takes a setting that was not tried before, and which, by the lowest mean logarithm."""
