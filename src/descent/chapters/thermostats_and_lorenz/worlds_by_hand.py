"""Chapter 6: three worlds of a thermostat and of the Lorenz flow, computed where they are shown."""

from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from descent import figures, influence
from descent.arguments import Array
from descent.chapters.thermostats_and_lorenz import numbers
from descent.chapters.thermostats_and_lorenz.numbers import TARGET
from descent.dynamics.tangent import advance
from descent.explorer import MOVING, live, span
from descent.figures import EXACT, GUIDE, W, X, Y
from descent.influence import worlds
from descent.prose import fixed
from descent.systems import lorenz

NAMES = ("a", "b", "c")
TIME, DELTA = 10.0, 0.5
CHOICES = {f"A = {A}, {n} → {m}": (A, n, m) for A, n, m in numbers.choices_that_reach_y()}
COUNT, INTERVAL = 400, 0.1
"""Places on the attractor from which a reader may start, and the time between two."""


@cache
def attractor(rho: float) -> Array:
    """Return COUNT places (a, b, c) of one path, after a while; in the steps of the page."""
    times = 30 + INTERVAL * np.arange(COUNT)
    state, now, path = np.array([[1.0], [1.0], [20.0]]), 0.0, []
    for time in times:
        state, _ = advance(lorenz(rho=rho), state, [], now, time, dt=0.005, scheme="rk4")
        now = time
        path.append(state[:, 0])
    return np.array(path)


@cache
def run(rho: float, start: int, choice: str, t: float) -> tuple[Array, Array, Array]:
    """Return times, the worlds W, X and Y, and Op at the times."""
    A, n, m = CHOICES[choice]
    begin, times = attractor(rho)[start], np.linspace(0.01, t, 400)
    paths = worlds.simulate(lorenz(rho=rho), begin, times, A, n, DELTA)
    return times, paths, influence.op(lorenz(rho=rho), begin, times, A, n, m)


def _op_axis(ax: Axes, ticks: tuple[int, ...]) -> None:
    """Give an axis room for a few nats and for a hundred."""
    ax.set_yscale("asinh", linear_width=5)
    ax.set_yticks(ticks, [fixed(tick) for tick in ticks])


def draw_lorenz(rho: float, start: int, choice: str, t: float) -> Figure:
    """Draw the worlds W, X and Y over the attractor, and Op of the disturbance."""
    fig, (left, right) = figures.figure(1, 2, height=3.4)
    times, paths, op = run(rho, start, choice, t)
    left.plot(attractor(rho)[:, 0], attractor(rho)[:, 2], color=GUIDE, linewidth=0.6, gid=MOVING)
    for path, colour in zip(paths[::-1], (Y, X, W), strict=True):
        left.plot(path[:, 0], path[:, 2], color=colour, gid=MOVING)
        left.plot(path[-1, 0], path[-1, 2], "o", color=colour, gid=MOVING)
    left.set(xlim=(-27, 27), ylim=(-2, 66), xlabel="a", ylabel="c")
    right.plot(times, op, color=EXACT, gid=MOVING)
    right.axhline(0, color=GUIDE, linewidth=1, zorder=0)
    _op_axis(right, (-100, -50, -20, -10, -5, 0, 5, 10))
    right.set(xlim=(0, TIME), ylim=(-130, 20), xlabel="time $t$", ylabel="Op (nats)")
    return fig


def lorenz_caption(rho: float, start: int, choice: str, t: float) -> str:
    """Say what Op is."""
    A, n, m = CHOICES[choice]
    op = float(run(rho, start, choice, t)[2][-1])
    return (
        f"$\\rho_\\mathrm{{L}} = {rho:g}$: {A} is replayed in $\\mathcal{{Y}}$ (green), {n} is "
        f"disturbed, {m} is measured. At $t = {t:g}$ Op is {fixed(op, 2)} nats."
    )


lorenz_by_hand = live(
    draw_lorenz,
    model="lorenz",
    name="lorenz-by-hand",
    caption=lorenz_caption,
    rho=span(0.5, 40, 396),
    start=tuple(range(COUNT)),
    choice=tuple(CHOICES),
    t=span(0.02, TIME, 500),
    labels={
        "rho": "$\\rho_\\mathrm{L}$",
        "start": "start on the attractor",
        "choice": "replayed, disturbed → measured",
        "t": "time $t$",
    },
    default={"rho": 28.0, "start": 40, "choice": "A = a, b → b", "t": 3.0},
    format={"start": "place {}", "t": "{:.2f}"},
    play="t",
    grab=[("start", 0)],
    constants={"names": NAMES, "span": TIME, "interval": INTERVAL, "count": COUNT, "delta": DELTA},
)


ROOM_TIME, ROOM_DELTA = 15.0, 2.0


def draw_room(theta: float, p: float, start: float) -> Figure:
    """Draw a room in the worlds W, X and Y, and Op of its disturbance."""
    fig, (left, right) = figures.figure(1, 2)
    system, times = numbers.thermostat(theta, p), np.arange(0, ROOM_TIME + 0.01, 0.1)
    names = ("thermostat", "room")
    paths = worlds.simulate(system, [start, 0.0], times, *names, ROOM_DELTA)
    for path, colour in zip(paths[::-1], (Y, X, W), strict=True):
        left.plot(times, path[:, 0], color=colour, gid=MOVING)
    left.set(xlim=(0, ROOM_TIME), ylim=(2, 48), xlabel="time $t$", ylabel="room temperature")
    op = influence.op(system, [start, 0.0], times, *names, "room")
    right.plot(times, op, color=EXACT, gid=MOVING)
    _op_axis(right, (0, 2, 5, 10, 20, 50, 100, 200))
    right.set(xlim=(0, ROOM_TIME), ylim=(-1, 250), xlabel="time $t$", ylabel="Op (nats)")
    return fig


def room_caption(theta: float, p: float, start: float) -> str:
    """Say what Op is in the end."""
    end = influence.op(
        numbers.thermostat(theta, p), [start, 0.0], [ROOM_TIME], "thermostat", "room", "room"
    )
    return (
        f"A room that starts at {start:g}, with a band of half-width $\\vartheta = {theta:g}$ and "
        f"a cooling limit $u_{{\\max}} = {p:g}$. At $t = {ROOM_TIME:g}$ Op is "
        f"{fixed(end[0], 2)} nats."
    )


room_by_hand = live(
    draw_room,
    model="thermostat",
    name="room-by-hand",
    caption=room_caption,
    theta=span(0.1, 5.0, 491),
    p=span(0.2, 3.0, 281),
    start=span(5.0, 45.0, 401),
    labels={
        "theta": "half-width of the band $\\vartheta$",
        "p": "cooling limit $u_{\\max}$",
        "start": "start of the room",
    },
    default={"theta": 1.0, "p": 1.0, "start": 35.0},
    grab=[("start", 0)],
    constants={"target": TARGET, "span": ROOM_TIME, "delta": ROOM_DELTA},
)
