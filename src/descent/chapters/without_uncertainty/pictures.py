"""Chapter 4: its figures and explorers."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon, Rectangle

from descent import figures, information
from descent.arguments import Array
from descent.chapters.joint_distributions.numbers import THERMOSTATS
from descent.chapters.joint_distributions.pictures import rule_table
from descent.chapters.without_uncertainty.numbers import (
    corners,
    narrow,
    next_term,
    ratio_curve,
    strips,
)
from descent.explorer import Handle, explore
from descent.figures import BLUE, DUMB, EXACT, GOLD, GREEN, GUIDE, SKY, SMART, VIOLET
from descent.information import Distribution, differential_entropy
from descent.prose import power_of_ten

_TINY = 1e-17  # where the error axes end: below a rounding error


# The narrow starts.


def draw_family(epsilons: Sequence[float], starts: Array, adjusted: Array, fit: float) -> Figure:
    """Draw the adjusted strength against the entropy of the start, and their ratio against ε."""
    fig, (left, right) = figures.figure(1, 2)
    left.loglog(starts, fit * starts, color=GUIDE, label=f"fit, slope {fit:.4f}")
    left.loglog(starts, adjusted, "o", color=SMART, label="smart thermostat")
    left.set(xlabel="entropy of $P_{t-1}$ (bits)", ylabel="adjusted strength (bits)")
    left.legend()
    fine = np.geomspace(min(epsilons), max(epsilons), 100)
    right.loglog(fine, [0.5 - next_term(e) for e in fine], color="black", label="the next term")
    right.loglog(epsilons, 0.5 - adjusted / starts, "o", color=SMART, label="exact fractions")
    right.set(xlabel="$ε$", ylabel="1/2 minus the ratio")
    right.legend()
    return fig


def draw_ratios(curves: Mapping[str, tuple[Array, Array]]) -> Figure:
    """Draw ratios to the entropy of the start against ε."""
    fig, ax = figures.figure(width=4.3)
    for (name, (at, curve)), colour in zip(curves.items(), (SMART, GREEN, DUMB), strict=True):
        ax.semilogx(at, curve, color=colour, label=name)
    for level in (0.0, 0.5, 1.0):
        ax.axhline(level, color=GUIDE, linewidth=0.6)
    ax.set(xlabel="$ε$", ylabel="strength / entropy of $P_{t-1}$", ylim=(-0.35, 1.15))
    ax.legend(loc="lower left")
    return fig


def draw_errors(epsilons: Sequence[float], naive: Array, safe: Array) -> Figure:
    """Draw relative errors of two ways to evaluate the adjusted strength."""
    fig, ax = figures.figure(width=4.3)
    ax.loglog(epsilons, np.maximum(naive, _TINY), "o-", color=GOLD, label="plain sum")
    ax.loglog(epsilons, np.maximum(safe, _TINY), "o-", color=BLUE, label="one minus the others")
    ax.axvspan(1e-10, 1e-1, color=GUIDE, alpha=0.25, linewidth=0)
    ax.set(xlabel="$ε$", ylabel="relative error", ylim=(_TINY / 2, 10))
    ax.set_xticks([1e-16, 1e-12, 1e-8, 1e-4])
    ax.legend()
    return fig


# The continuous thermostat.


def _sheet(ax: Axes, quad: Array, colour: str = BLUE) -> None:
    ax.add_patch(Polygon(quad, facecolor=colour, alpha=0.6, linewidth=0))


def _strips(ax: Axes, quads: Array, density: Array, colour: str = VIOLET) -> None:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    colours = [(red, green, blue, 0.6 * value) for value in density]
    ax.add_collection(
        PolyCollection(list(quads), facecolors=colours, linewidths=0, antialiased=False)
    )


def draw_panels(k: float, side: float, samples: Mapping[str, Array]) -> Figure:
    """Draw the five distributions: exact densities, and samples on them in grey."""
    fig, axes = figures.figure(3, 2, width=5.8, height=5.6)
    axes[0, 1].set_axis_off()
    axes[0, 1].legend(
        handles=[
            Patch(facecolor=BLUE, alpha=0.6, label="as it is, exact"),
            Patch(facecolor=VIOLET, alpha=0.6, label="decorrelated, exact"),
            Line2D([], [], marker=".", linestyle="", color="0.25", label="sampled"),
        ],
        loc="center",
    )
    places = {
        "t-1": (axes[0, 0], "$P_{t-1}$"),
        "t": (axes[1, 0], "$P_t$"),
        "t+1": (axes[2, 0], "$P_{t+1}$"),
        "t decorrelated": (axes[1, 1], "$P′_t$"),
        "t+1 decorrelated": (axes[2, 1], "$P′_{t+1}$"),
    }
    for steps, name in enumerate(("t-1", "t", "t+1")):
        ax, label = places[name]
        _sheet(ax, corners(k, side, steps))
        mean = corners(k, side, steps).mean(axis=0)
        _frame(ax, mean, side, label, samples[name])
    for steps, name in enumerate(("t decorrelated", "t+1 decorrelated")):
        ax, label = places[name]
        mean = corners(k, side, steps + 1).mean(axis=0)
        quads, density = strips(k, side, steps)
        _strips(ax, mean + quads, density)
        _frame(ax, mean, side, label, samples[name])
    return fig


def draw_corners(k: float, half: float) -> Figure:
    """Draw the corners at time t about their mean: by the map, and as the source prints them."""
    fig, ax = figures.figure(width=4.3)
    true = corners(k, 2 * half, 1, centre=0.0)
    _sheet(ax, true)
    printed = half * np.array([[1 - k, 1], [-k, -1], [-(1 - k), -1], [k, 1]])
    ax.plot(true[:, 0], true[:, 1], "o", color="black", label="the map")
    ax.plot(printed[:, 0], printed[:, 1], "x", color=GOLD, label="printed", markersize=8)
    ax.set(xlabel="room at $t$, about its mean", ylabel="thermostat at $t$", xlim=(-0.2, 0.2))
    ax.set(ylim=(-0.14, 0.14), xticks=[-0.2, -0.1, 0, 0.1, 0.2])
    ax.legend(loc="upper left")
    return fig


def _frame(ax: Axes, mean: Array, side: float, label: str, samples: Array) -> None:
    ax.plot(samples[:, 0], samples[:, 1], ".", color="0.25", markersize=1.4)
    reach = 0.8 * side
    ax.set(xlim=(mean[0] - reach, mean[0] + reach), ylim=(mean[1] - reach, mean[1] + reach))
    ax.set(xlabel=f"room, {label}", ylabel="thermostat")
    ax.set_xticks([round(float(mean[0]) + d * side, 4) for d in (-0.5, 0, 0.5)])
    ax.set_yticks([round(float(mean[1]) + d * side, 4) for d in (-0.5, 0, 0.5)])


def draw_estimates(
    cells: Sequence[int], quadrature: Array, bins: Sequence[int], histograms: Mapping[int, Array]
) -> Figure:
    """Draw the errors of quadrature and of histograms against their resolution."""
    fig, (left, right) = figures.figure(1, 2)
    left.loglog(cells, quadrature, "o", color=BLUE, label="midpoint rule")
    left.loglog(cells, 8 / np.array(cells, float) ** 2, color=GUIDE, label="$8/n^2$")
    left.set(xlabel="cells $n$", ylabel="error of the entropy (nats)")
    left.legend()
    for (n, errors), shade in zip(histograms.items(), ("0.7", "0.5", "0.25"), strict=True):
        right.semilogx(bins, errors, "o-", color=shade, markersize=4, label=f"{n:,} samples")
    right.axhline(0, color="black", linewidth=0.8)
    right.set(xlabel="bins along each axis", ylabel="histogram minus exact (nats)")
    right.legend()
    return fig


def draw_spreads(gains: Array, curves: Mapping[str, Array]) -> Figure:
    """Draw adjusted log-variance strengths against the gain."""
    fig, ax = figures.figure(width=4.3)
    colours = (EXACT, GOLD, SKY, VIOLET)
    for (name, curve), colour, line in zip(
        curves.items(), colours, ("-", "-", "-", ":"), strict=True
    ):
        ax.plot(gains, curve, color=colour, linestyle=line, label=name)
    ax.set(xlabel="gain $k$", ylabel="adjusted strength", ylim=(-0.1, 1.75))
    ax.legend()
    return fig


def draw_fluctuations(widths: Array, sampled: Mapping[int, Array], exact: float) -> Figure:
    """Draw sampled unadjusted strengths against the width, and the exact value."""
    fig, ax = figures.figure(width=4.3)
    for (n, values), shade in zip(sampled.items(), ("0.7", "0.35"), strict=True):
        ax.semilogx(widths, values, "o", color=shade, markersize=4, label=f"{n:,} samples")
    ax.axhline(exact, color="black", label="exact")
    ax.set(xlabel="standard deviation of the start", ylabel="unadjusted strength")
    ax.legend()
    return fig


# Explorers.


def _short(value: float) -> str:
    if value == 0:
        return "0"
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}".replace("e-", "e−")


def _log_table(ax: Axes, joint: Distribution, name: str) -> None:
    red, green, blue = (int(BLUE[i : i + 2], 16) / 255 for i in (1, 3, 5))
    for i, j in np.ndindex(3, 3):
        value = float(joint[i, j])
        shade = 0 if value == 0 else 0.6 * max(0.08, 1 + np.log10(value) / 11)
        ax.add_patch(Rectangle((j, i), 1, 1, facecolor=(red, green, blue, shade), linewidth=0))
        ax.text(j + 0.5, i + 0.5, _short(value), ha="center", va="center", fontsize=7.5)
    rule_table(ax, name)


EPSILONS = (
    *(float(Fraction(2, 3)), 0.3, 0.1, 0.03, 0.01),
    *(1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10),
)


def draw_narrow_tables(thermostat: str, epsilon: float) -> Figure:
    """Draw the start and where it is after one and after two steps."""
    system = THERMOSTATS[thermostat]
    start = information.narrow_start(epsilon)
    now = information.push_forward(start, system)
    fig, axes = figures.figure(1, 3, width=7.2, height=2.0)
    tables = (start, now, information.push_forward(now, system))
    for ax, joint, name in zip(axes, tables, ("$P_{t-1}$", "$P_t$", "$P_{t+1}$"), strict=True):
        _log_table(ax, joint, name)
    return fig


def adjusted_share(thermostat: str, epsilon: float) -> tuple[float, float]:
    """Return ε and the adjusted strength over the entropy of the start."""
    here = narrow(epsilon, THERMOSTATS[thermostat])
    return epsilon, here.adjusted / here.start


def draw_narrow_ratio(thermostat: str, epsilon: float) -> Figure:
    """Draw the adjusted strength over the entropy of the start, against ε."""
    fig, ax = figures.figure(width=4.3, height=2.4)
    for name, colour in (("dumb", DUMB), ("smart", SMART)):
        at, curve = ratio_curve(name)
        ax.semilogx(at, curve, color=colour, label=name)
    colour = DUMB if thermostat == "dumb" else SMART
    ax.plot(*adjusted_share(thermostat, epsilon), "o", color=colour)
    for level in (0.0, 0.5):
        ax.axhline(level, color=GUIDE, linewidth=0.6)
    ax.set(xlabel="$ε$", ylabel="ratio to the entropy", ylim=(-0.2, 0.6))
    ax.set_xlim(4e-11, 1.5)
    ax.legend(loc="center left")
    return fig


def _epsilon(value: float) -> str:
    return f"{value:.3g}" if value >= 0.01 else power_of_ten(value)


def narrow_caption(thermostat: str, epsilon: float) -> str:
    """Say the entropy of the start, the adjusted strength and their ratio."""
    here = narrow(epsilon, THERMOSTATS[thermostat])
    ratio = round(here.adjusted / here.start, 4) + 0.0  # no minus zero
    what = "uniform start" if abs(epsilon - 2 / 3) < 1e-12 else f"$ε$ = {_epsilon(epsilon)}"
    return (
        f"{thermostat.capitalize()} thermostat, {what}: the start has {here.start:.4g} bits, the "
        f"adjusted strength is {here.adjusted:.4g} bits, {ratio:.4f} of it."
    )


narrow_starts = explore(
    draw_narrow_tables,
    draw_narrow_ratio,
    name="narrow-starts",
    caption=narrow_caption,
    thermostat=tuple(THERMOSTATS),
    epsilon=EPSILONS,
    labels={"thermostat": "thermostat", "epsilon": "$ε$"},
    default={"thermostat": "smart", "epsilon": 0.1},
    format={"epsilon": _epsilon},
    grab={"epsilon": Handle(adjusted_share, panel=1)},
)

GAINS = tuple(round(0.05 * step, 2) for step in range(1, 21))
SIDES = (0.01, 0.03, 0.1, 0.3, 1.0)


def draw_shapes(k: float) -> Figure:
    """Draw the five distributions about their centres, in units of the side of the square."""
    fig, (above, (unused, *below)) = figures.figure(2, 3, width=7.2, height=3.6)
    unused.remove()  # each decorrelated one stands below its own
    for steps, panel in enumerate(above):
        _sheet(panel, corners(k, 1.0, steps, centre=0.0))
    for steps in range(2):
        _strips(below[steps], *strips(k, 1.0, steps))
    names = ("$P_{t-1}$", "$P_t$", "$P_{t+1}$", "$P′_t$", "$P′_{t+1}$")
    for panel, name in zip((*above, *below), names, strict=True):
        panel.set(xlim=(-1.55, 1.55), ylim=(-1.05, 1.05), xlabel=f"room, {name} (ε)")
        panel.set_ylabel("thermostat (ε)")
    return fig


def draw_strength(k: float) -> Figure:
    """Draw the strength against the gain."""
    fig, ax = figures.figure(width=4.3, height=2.0)
    gains = np.linspace(0.03, 1.0, 80)
    strengths = [_strength(gain) for gain in gains]
    ax.plot(gains, strengths, color="black")
    ax.plot([k], [_strength(k)], "o", color=EXACT)
    ax.set(xlabel="gain $k$", ylabel="strength (nats)", ylim=(-0.2, 3.8), xlim=(0, 1.03))
    return fig


def _strength(k: float) -> float:
    h = differential_entropy.thermostat_entropies(k, 1.0)
    return h["t+1 decorrelated"] - h["t+1"]


def draw_levels(k: float, side: float) -> Figure:
    """Draw the five entropies as levels over time."""
    h = differential_entropy.thermostat_entropies(k, side)
    fig, ax = figures.figure(width=4.3, height=2.4)
    ax.plot([-1, 0, 1], [h["t-1"], h["t"], h["t+1"]], "o-", color=BLUE, label="as it is")
    ax.plot(
        [0, 1],
        [h["t decorrelated"], h["t+1 decorrelated"]],
        "o-",
        color=VIOLET,
        label="decorrelated",
    )
    ax.set(xlim=(-1.2, 2.8), ylim=(-16.5, 1.8), xticks=[-1, 0, 1])
    ax.set_xticklabels(["$t-1$", "$t$", "$t+1$"])
    ax.set(xlabel="time", ylabel="entropy (nats)")
    ax.legend(loc="center right")
    return fig


def shapes_caption(k: float, side: float) -> str:
    """Say the entropies and the strengths."""
    h = differential_entropy.thermostat_entropies(k, side)
    strength = h["t+1 decorrelated"] - h["t+1"]
    adjusted = strength - (h["t decorrelated"] - h["t"])
    return (
        f"$k = {k:g}$, $ε = {side:g}$: joint entropies {h['t-1']:.3f}, {h['t']:.3f} and "
        f"{h['t+1']:.3f} nats, decorrelated {h['t decorrelated']:.3f} and "
        f"{h['t+1 decorrelated']:.3f}. Strength {strength:.4f} nats, adjusted {abs(adjusted):.4f}."
    )


continuous_thermostat = explore(
    draw_shapes,
    draw_strength,
    draw_levels,
    name="continuous-thermostat",
    caption=shapes_caption,
    k=GAINS,
    side=SIDES,
    labels={"k": "gain $k$", "side": "side $ε$ of the square"},
    default={"k": 0.3, "side": 0.1},
    grab={"k": Handle(lambda k: (k, _strength(k)), panel=1)},
)
