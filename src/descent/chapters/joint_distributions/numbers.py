"""Chapter 3: two thermostats and what their joint start does to entropy (source 003, post 5)."""

from fractions import Fraction
from functools import cache
from typing import NamedTuple

import numpy as np

from descent import information
from descent.information import Distribution
from descent.systems import FiniteSystem, dumb_thermostat, smart_thermostat


def fractions(rows: list[list[int]], over: int) -> Distribution:
    """Return an exact distribution from numerators, rows for the thermostat.

    Examples
    --------
    >>> fractions([[1, 0], [0, 1]], over=2)[0, 0]
    Fraction(1, 2)
    """
    return np.array([[Fraction(value, over) for value in row] for row in rows], dtype=object)


CORRELATED = fractions([[0, 0, 1], [0, 1, 0], [1, 0, 0]], over=3)
"""The source's start P_0: high and cold, low and warm, or off and hot."""

UNIFORM = fractions([[1, 1, 1]] * 3, over=9)

THERMOSTATS = {"dumb": dumb_thermostat(), "smart": smart_thermostat()}

PRESETS = {
    "colder room, more heat": CORRELATED,
    "colder room, less heat": fractions([[1, 0, 0], [0, 1, 0], [0, 0, 1]], over=3),
    "one step late": information.push_forward(UNIFORM, dumb_thermostat()),
    "two extremes": fractions([[0, 0, 1], [0, 0, 0], [1, 0, 0]], over=2),
    "asleep at the switch": fractions([[0, 0, 1], [2, 0, 2], [1, 0, 0]], over=6),
}
"""Joint starts of the explorer."""


def with_step(
    system: FiniteSystem, at: tuple[str, str], thermostat: str, room: str
) -> FiniteSystem:
    """Return the system with one entry of its table changed.

    Parameters
    ----------
    system
        A thermostat.
    at
        The pair (thermostat, room) whose step changes.
    thermostat, room
        The pair that it leads to instead.
    """
    i, j = system.thermostat.index(at[0]), system.room.index(at[1])
    next_thermostat, next_room = system.step_thermostat.copy(), system.step_room.copy()
    next_thermostat[i, j] = system.thermostat.index(thermostat)
    next_room[i, j] = system.room.index(room)
    return FiniteSystem(system.thermostat, system.room, next_thermostat, next_room)


def printed_tables() -> tuple[FiniteSystem, FiniteSystem]:
    """Return the dumb and the smart thermostat as the source's two flow tables have them."""
    return (
        with_step(dumb_thermostat(), ("off", "hot"), "low", "warm"),
        with_step(smart_thermostat(), ("off", "hot"), "off", "warm"),
    )


def idle() -> FiniteSystem:
    """Return a system in which nothing ever changes: the identity."""
    thermostat, room = np.indices((3, 3))
    system = dumb_thermostat()
    return FiniteSystem(system.thermostat, system.room, thermostat, room)


def unplugged() -> FiniteSystem:
    """Return the room with a thermostat that always goes to low."""
    system = dumb_thermostat()
    low = np.full_like(system.step_thermostat, system.thermostat.index("low"))
    return FiniteSystem(system.thermostat, system.room, low, system.step_room)


class Strength(NamedTuple):
    """Where an optimizing strength comes from, in bits.

    ``strength = correlation + erased - erased_decorrelated``, as `information` proves.
    """

    strength: float
    correlation: float
    erased: float
    erased_decorrelated: float


def account(joint: Distribution, system: FiniteSystem) -> Strength:
    """Return a strength beside the mutual information and what the step erases of P and P'."""
    return Strength(
        information.optimizing_strength(joint, system),
        information.mutual_information(joint),
        information.erased_entropy(joint, system),
        information.erased_entropy(information.decorrelate(joint), system),
    )


def futures(
    joint: Distribution, system: FiniteSystem, now: str = "0", after: str = "1"
) -> dict[str, Distribution]:
    """Return P, P' and where one step takes them, under the book's names."""
    mixed = information.decorrelate(joint)
    return {
        f"$P_{{{now}}}$": joint,
        f"$P_{{{after}}}$": information.push_forward(joint, system),
        f"$P′_{{{now}}}$": mixed,
        f"$P′_{{{after}}}$": information.push_forward(mixed, system),
    }


def mixed_joint(preset: str, mixing: float) -> Distribution:
    r"""Return a joint between independence and a preset, with the same marginals throughout.

    .. math:: P_\mu = (1 - \mu) P' + \mu P
    """
    share = Fraction(mixing).limit_denominator(1000)
    joint = PRESETS[preset]
    return np.asarray((1 - share) * information.decorrelate(joint) + share * joint)


@cache
def mixing_curves(preset: str, points: int = 41) -> dict[str, tuple[float, ...]]:
    """Return the strengths of both thermostats, and the mutual information, against the mixing."""
    joints = [mixed_joint(preset, mixing) for mixing in np.linspace(0, 1, points)]
    dumb, smart = dumb_thermostat(), smart_thermostat()
    return {
        "mixing": tuple(np.linspace(0, 1, points)),
        "dumb": tuple(information.optimizing_strength(joint, dumb) for joint in joints),
        "smart": tuple(information.optimizing_strength(joint, smart) for joint in joints),
        "correlation": tuple(information.mutual_information(joint) for joint in joints),
    }


def room_entropy_drop(joint: Distribution, system: FiniteSystem) -> float:
    """Return by how many bits one step lowers the entropy of the room alone."""
    after = information.push_forward(joint, system)
    return information.entropy(joint.sum(axis=0)) - information.entropy(after.sum(axis=0))


def best_open_loop_drop(system: FiniteSystem, grid: int = 200) -> float:
    """Return the largest drop of the room's entropy under one fixed setting, in bits.

    The largest over all settings and over all distributions of the room, on a grid of
    the simplex.
    """
    first, second = np.meshgrid(np.arange(grid + 1), np.arange(grid + 1), indexing="ij")
    inside = first + second <= grid
    rooms = np.stack([first[inside], second[inside], (grid - first - second)[inside]]) / grid

    def entropies(p: Distribution) -> Distribution:
        logs = np.log2(np.where(p > 0, p, 1.0))
        return np.asarray(-(p * logs).sum(axis=0))

    drops = []
    for setting in range(len(system.thermostat)):
        after = np.zeros_like(rooms)
        np.add.at(after, system.step_room[setting], rooms)
        drops.append((entropies(rooms) - entropies(after)).max())
    return float(max(drops))


@cache
def runs(preset: str, thermostat: str, n_steps: int = 6) -> tuple[tuple[Distribution, ...], ...]:
    """Return the joint and the decorrelated distribution after 0, 1, …, n steps."""
    system, joint = THERMOSTATS[thermostat], PRESETS[preset]
    plain, mixed = [joint], [information.decorrelate(joint)]
    for _ in range(n_steps):
        plain.append(information.push_forward(plain[-1], system))
        mixed.append(information.push_forward(mixed[-1], system))
    return tuple(plain), tuple(mixed)


def strength_after(joint: Distribution, system: FiniteSystem, n_steps: int) -> list[float]:
    """Return H of the decorrelated future minus H of the future after 0, 1, …, n steps, in bits."""
    plain, mixed = joint, information.decorrelate(joint)
    gaps = []
    for _ in range(n_steps + 1):
        gaps.append(information.entropy(mixed) - information.entropy(plain))
        plain = information.push_forward(plain, system)
        mixed = information.push_forward(mixed, system)
    return gaps
