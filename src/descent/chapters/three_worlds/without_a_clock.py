r"""Chapter 5: a row of rooms in space and time, where a region optimizes and no clock is read.

An event is a room at a place x and a moment t, and hears of its two neighbours of the moment
before,

.. math:: r(x, t) = \tfrac12 r(x - 1, t - 1) + \tfrac12 r(x + 1, t - 1) - k\, d(x, t - 2),

so that nothing travels faster than one place a moment. Where there is a device, d(x, t) is what
it reads, r(x, t), and elsewhere 0. An observer who moves with velocity v calls t − v x the time.
"""

from collections.abc import Collection
from fractions import Fraction
from functools import cache
from itertools import groupby
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from descent import figures
from descent.causal import Network, responses
from descent.causal.network import Node
from descent.explorer import explore
from descent.figures import EXACT, GUIDE
from descent.prose import fixed

MOMENTS = 14
ORIGIN = ("room", 0, 0)
"""The disturbed event."""
HALF = Fraction(1, 2)


class Region(NamedTuple):
    """Devices of a gain at the places and moments of a rectangle."""

    gain: Fraction
    place: int
    width: int = 2
    begin: int = 3
    end: int = 8

    def holds(self, x: int, t: int) -> bool:
        """Return whether there is a device at an event."""
        return abs(x - self.place) <= self.width and self.begin <= t <= self.end


EVENTS = tuple((x, t) for t in range(MOMENTS + 1) for x in range(-t, t + 1) if (x + t) % 2 == 0)
"""All that the disturbed event can reach: its future."""


def devices(region: Region) -> frozenset[tuple[str, int, int]]:
    """Return the nodes of A: the devices that the disturbance can reach."""
    reached = ((x, t) for x, t in EVENTS if region.holds(x, t))
    return frozenset(("device", x, t) for x, t in reached if t + 2 <= MOMENTS)


def rooms(region: Region) -> Network:
    """Return the network of the rooms and the devices."""
    edges: dict[tuple[Node, Node], Fraction] = {}
    for x, t in EVENTS:
        if t < MOMENTS:
            for side in (-1, 1):
                edges[("room", x, t), ("room", x + side, t + 1)] = HALF
    for device in devices(region):
        _, x, t = device
        edges[("room", x, t), device] = Fraction(1)
        edges[device, ("room", x, t + 2)] = -region.gain
    return Network(edges)


def op_of_events(region: Region) -> dict[tuple[int, int], float]:
    """Return Op of the region at every event that the disturbance reaches in world Y."""
    network, part = rooms(region), devices(region)
    in_x, in_y = responses(network, ORIGIN), responses(network, ORIGIN, part)
    found = {}
    for x, t in EVENTS:
        ratio = abs(float(in_x["room", x, t]) / float(in_y["room", x, t]))
        found[x, t] = -float(np.log(ratio)) if ratio else np.inf
    return found


def by_slices(region: Region, velocity: Fraction) -> dict[tuple[int, int], float]:
    """Return Op as an observer computes it who moves, moment by moment of a clock of theirs."""
    if abs(velocity) >= 1:
        raise ValueError(f"velocity must lie between -1 and 1, the fastest; got {velocity}")
    worlds = []
    for held in (frozenset[tuple[str, int, int]](), devices(region)):
        moved: dict[tuple[int, int], float] = {}
        clock = lambda event: event[1] - velocity * event[0]  # noqa: E731
        for _, moment in groupby(sorted(EVENTS, key=clock), clock):
            # All of a moment is computed from earlier moments alone.
            moved |= {event: _felt(event, moved, region, held) for event in list(moment)}
        worlds.append(moved)
    with np.errstate(divide="ignore"):
        return {event: -float(np.log(abs(worlds[0][event] / worlds[1][event]))) for event in EVENTS}


def _felt(
    event: tuple[int, int],
    moved: dict[tuple[int, int], float],
    region: Region,
    held: Collection[tuple[str, int, int]],
) -> float:
    """Return the disturbance of a room from those of earlier events."""
    x, t = event
    if t == 0:
        return 1.0
    felt = 0.5 * moved.get((x - 1, t - 1), 0.0) + 0.5 * moved.get((x + 1, t - 1), 0.0)
    if region.holds(x, t - 2) and ("device", x, t - 2) not in held:
        felt -= float(region.gain) * moved.get((x, t - 2), 0.0)
    return felt


HIGHEST = 1.5
"""Ends of the colour scale, nats."""


def draw_region(region: Region, velocity: float) -> Figure:
    """Draw Op at every event, the region, and the moments of an observer."""
    fig, ax = figures.figure(width=5.6, height=4.2)
    found = op_of_events(region)
    x, t = np.array(EVENTS).T
    moments = np.arange(-2.0 * MOMENTS, 2 * MOMENTS + 1, 2)[:, None]
    across = np.array([-MOMENTS - 1.0, MOMENTS + 1.0, np.nan])
    lines = np.broadcast_to(across, (len(moments), 3)), moments + velocity * across
    ax.plot(*(line.ravel() for line in lines), color=GUIDE, linewidth=0.7, zorder=0)
    dots = ax.scatter(
        x,
        t,
        s=34,
        c=np.clip([found[event] for event in EVENTS], -HIGHEST, HIGHEST),
        cmap="RdBu",
        vmin=-HIGHEST,
        vmax=HIGHEST,
        edgecolors=GUIDE,
        linewidths=0.5,
    )
    left, right = region.place - region.width - 0.6, region.place + region.width + 0.6
    low, high = region.begin - 0.6, region.end + 0.6
    ax.plot([left, right, right, left, left], [low, low, high, high, low], color=EXACT)
    ax.plot([0], [0], "o", color=EXACT, markersize=4)
    ax.set(xlabel="place $x$", ylabel="moment $t$")
    ax.set(xlim=(-MOMENTS - 1, MOMENTS + 1), ylim=(-1, MOMENTS + 1))
    fig.colorbar(dots, ax=ax, label="Op (nats)")
    return fig


GAINS = (-0.25, 0.25)
PLACES = (-6, -3, 0, 3, 6)
VELOCITIES = (-0.5, 0.0, 0.5)


@cache
def _op(gain: float, place: int) -> dict[tuple[int, int], float]:
    return op_of_events(Region(Fraction(gain), place))


def draw(gain: float, place: int, velocity: float) -> Figure:
    """Draw the region at a place, and the moments of an observer with this velocity."""
    return draw_region(Region(Fraction(gain), place), velocity)


def caption(gain: float, place: int, velocity: float) -> str:
    """Say where the region optimizes, and that the observer does not matter."""
    found = np.array(list(_op(gain, place).values()))
    smaller, larger = int((found > 0).sum()), int((found < 0).sum())
    who = f"an observer with velocity {fixed(velocity, 1)}" if velocity else "an observer at rest"
    return (
        f"Gain {fixed(gain, 2)}, place {fixed(place)}; the lines are the moments of {who}. Of the "
        f"{len(found)} events that the disturbance reaches, the devices make it smaller at "
        f"{smaller} and larger at {larger}, for every observer."
    )


region_of_spacetime = explore(
    draw,
    name="region-of-spacetime",
    caption=caption,
    gain=GAINS,
    place=PLACES,
    velocity=VELOCITIES,
    labels={
        "gain": "gain $k$ of the devices",
        "place": "place of the region",
        "velocity": "velocity of the observer (places per moment)",
    },
    format={"gain": "{:g}", "velocity": "{:g}"},
    default={"gain": 0.25, "place": 3, "velocity": 0.0},
)
