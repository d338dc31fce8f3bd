"""Chapter 6: figures of the systems beyond the source."""

import numpy as np
from matplotlib.figure import Figure

from descent import figures, influence, prose
from descent.arguments import Array
from descent.chapters.thermostats_and_lorenz import network_thermostat, zoo
from descent.figures import BLUE, EXACT, GOLD, GUIDE, RED, SKY, VIOLET
from descent.prose import fixed


def table(rows: list[zoo.Row]) -> str:
    """Return the rows as a Markdown table."""
    cells = []
    for row in rows:
        op = fixed(row.op, 2)
        if row.spread is not None:
            low, high = (fixed(value, 2) for value in row.spread)
            op += f" [{low}, {high}]"
        rate = "none" if row.rate is None else fixed(row.rate, 2)
        cells.append([row.system, f"{row.part} → {row.effect}", op, rate])
    head = ["system", "$A$ → measured", "Op at $t = 10$ (nats)", "limit of Op$/t$"]
    return prose.table(head, cells, "llrr")


def draw_network() -> Figure:
    """Draw the network's output and its Op over the room's start, in the course of training."""
    fig, (left, right) = figures.figure(1, 2)
    room = np.linspace(-5, 5, 201)
    shown = {0: GUIDE, 5: GOLD, 40: SKY, 160: VIOLET}
    for steps, colour in shown.items():
        network = network_thermostat.trained()[steps]
        name = f"{steps} steps" if steps else "untrained"
        left.plot(room, network.output(room), color=colour, label=name)
        right.plot(room, network_thermostat.op(network, room), color=colour, label=name)
    left.set(xlabel="room minus target", ylabel="output $u$", ylim=(-1.1, 1.1))
    right.set(xlabel="initial room minus target", ylabel="Op at $t = 10$ (nats)")
    left.legend(loc="lower left")
    return fig


def draw_cart_pole() -> Figure:
    """Draw the pole in the three worlds' disturbances, and Op."""
    fig, (left, right) = figures.figure(1, 2)
    pole = zoo.cart_pole()
    dt = pole.system.dt
    times = np.arange(0, 8.01, 0.1)
    names, start = ("force", "angle", "angle"), pole.system.start
    assert start is not None
    op = influence.op(pole.system, start, times, *names)
    state, path = np.array(start), []
    for _ in range(401):
        path.append(state)
        state = np.array(pole.system.step(state, 0.0))
    angle = np.array(path)[:, 2]
    left.plot(np.arange(401) * dt, angle, color=BLUE)
    left.set(xlabel="time (s)", ylabel="angle of the pole (rad)")
    slope = zoo.growth_rate(pole.open, dt) - zoo.growth_rate(pole.closed, dt)
    right.plot(times, op, color=EXACT, label="Op of the angle")
    right.plot(times, slope * times, "--", color=GUIDE, label="open-loop minus closed-loop rate")
    right.set(xlabel="time (s)", ylabel="Op (nats)", ylim=(-2, 52))
    right.legend(loc="upper left")
    return fig


def draw_two_layers(times: Array) -> Figure:
    """Draw Op by the second layer, of the first weight and of the product."""
    fig, ax = figures.figure(width=4.3)
    values = influence.op(zoo.descent_on_two_layers(), [0.5, 1.0], times, "w2", "w1", "w1")
    _, rate = zoo.two_layer_limits()
    whole = influence.op(zoo.descent_on_two_layers(), [0.5, 1.0], times, "w2", "w1", zoo.product)
    ax.plot(times, whole, color=VIOLET, label="Op of $w_1 w_2$ by $w_2$")
    ax.plot(times, values, color=EXACT, label="Op of $w_1$ by $w_2$")
    ax.axhline(0, color=GUIDE, linewidth=1, zorder=0)
    line = values[-1] + rate * (times - times[-1])
    ax.plot(times, line, "--", color=GUIDE, label="slope $-w_2^2$ at the end")
    ax.set(xlabel="time $t$", ylabel="Op (nats)")
    ax.legend()
    return fig


def draw_sensitivity(gain: float = 2.0, lag: float = 0.5) -> Figure:
    """Draw minus the logarithm of the sensitivity over frequency."""
    fig, ax = figures.figure(width=4.3)
    frequency = np.linspace(1e-3, 8, 800)
    op = -zoo.log_sensitivity(frequency, gain, lag)
    ax.fill_between(frequency, 0, op, where=op > 0, color=VIOLET, alpha=0.3, linewidth=0)
    ax.fill_between(frequency, 0, op, where=op < 0, color=RED, alpha=0.3, linewidth=0)
    ax.plot(frequency, op, color=EXACT)
    ax.axhline(0, color=GUIDE, linewidth=1, zorder=0)
    ax.set(
        xlabel="angular frequency $\\omega$",
        ylabel="$-\\log|S|$ (nats)",
        ylim=(-1.2, 3),
        xlim=(0, 8),
    )
    return fig
