"""Chapter 2: its figures and explorers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from descent import figures, markov
from descent.arguments import Array
from descent.chapters.modelling_sgd.numbers import pit
from descent.chapters.probability_current import beyond, numbers, validations
from descent.explorer import explore
from descent.figures import BLUE, EXACT, GOLD, GREEN, GUIDE, RED, SAMPLED, SKY, VIOLET
from descent.fokker_planck import total_variation
from descent.landscapes import two_datapoint
from descent.prose import power_of_ten

COLOUR = dict(zip(numbers.CALCULI, (BLUE, RED, GREEN), strict=True))
NARROW: dict[str, Any] = {"width": 4.3, "height": 3.0}
"""Inches. Legends stay readable where such a figure fills a telephone's screen."""


def draw_gradient_moments() -> Figure:
    """Draw G and S² of the two-datapoint model, with the zeros of G."""
    fig, (left, right) = figures.figure(1, 2)
    model = two_datapoint()
    for ax, (low, high) in ((left, (0.0, 3.0)), (right, (0.94, 1.24))):
        w = np.linspace(low, high, 800)
        ax.axhline(0, color=GUIDE, linewidth=1)
        ax.plot(w, model.mean_gradient(w), color=BLUE, label="$G$")
        ax.plot(w, model.gradient_variance(w), color=VIOLET, label="$S^2$")
        zeros = [z for z in (pit().minimum, pit().saddle, 2.0) if low < z < high]
        ax.plot(zeros, np.zeros(len(zeros)), "o", color=BLUE, markersize=4)
        ax.set(xlabel="parameter $W$", ylabel="$G$ ($L/W$), $S^2$ ($L^2/W^2$)", xlim=(low, high))
    left.legend()
    return fig


def draw_distances(
    sizes: Array, panels: Sequence[tuple[str, dict[str, Array], dict[str, Array] | None]]
) -> Figure:
    """Draw distances to the chain against the step size; dashed: with the next order."""
    fig, axes = figures.figure(1, len(panels))
    for ax, (label, first, second) in zip(axes, panels, strict=True):
        for name in numbers.CALCULI:
            ax.loglog(
                sizes, first[name], "o-", color=COLOUR[name], markersize=4,
                label=numbers.NAMES[name],
            )  # fmt: skip
        if second is not None:
            ax.loglog(
                sizes, second["ito"], "s--", color=VIOLET, markersize=4,
                label="Itô, next-order drift",
            )  # fmt: skip
        ax.set(xlabel="step size $T$", ylabel=label)
        ax.set_xticks(sizes, [f"{T:g}" for T in sizes])
        ax.minorticks_off()
    axes[0].legend(loc="lower right")
    return fig


def draw_validation(name: str, monte_carlo: tuple[Array, Array]) -> Figure:
    """Draw mean and standard deviation over time from four methods."""
    fig, axes = figures.figure(1, 2)
    v = validations.validation(name)
    fokker_planck = numbers.moments(validations.by_fokker_planck(name), v.edges)
    operator = numbers.moments(validations.by_operator(name), v.edges)
    exact = validations.by_exact_moments(name)
    labels = ("mean of $W$", "standard deviation of $W$")
    for k, (ax, label) in enumerate(zip(axes, labels, strict=True)):
        ax.plot(v.steps, monte_carlo[k], "o", color=SAMPLED, markersize=6, label="Monte Carlo")
        ax.plot(v.steps, operator[k], "+", color=EXACT, markersize=6, label="transfer operator")
        ax.plot(v.steps, exact[k], color=EXACT, linewidth=1, label="exact moments")
        ax.plot(v.steps, fokker_planck[k], "--", color=BLUE, label="Fokker–Planck (Itô)")
        ax.set(xlabel="step $n$", ylabel=label)
    if name == "spreading":
        axes[0].set(ylim=(-0.1, 0.1))
    axes[1].legend(loc="lower right" if name != "drift" else "lower left")
    return fig


def draw_starts(starts: Array) -> Figure:
    """Draw descents without noise from a series of starts, and how a law of starts is parted."""
    fig, (left, right) = figures.figure(1, 2)
    v = validations.validation("parted")
    steps = int(v.steps[-1])
    for start in starts:
        path = markov.gradient_descent(
            v.model.mean_gradient, step_size=v.T, n_steps=steps, start=float(start)
        )
        left.plot(path, color=BLUE, linewidth=0.7)
    left.axhline(pit().saddle, color=GUIDE, linewidth=1)
    left.set(xlabel="step $n$", ylabel="parameter $W_n$", xlim=(0, steps))
    densities, at = validations.by_fokker_planck("parted"), numbers.centres(v.edges)
    for k, colour in zip((0, 2, 4, 8), (GUIDE, SKY, BLUE, EXACT), strict=True):
        right.semilogy(at, densities[k], color=colour, label=f"step {v.steps[k]}")
    right.axvline(pit().saddle, color=GUIDE, linewidth=1)
    right.set(xlabel="parameter $W$", ylabel="density (per unit of $W$)")
    right.set(xlim=(0.4, 2.6), ylim=(1e-3, 1e3))
    right.legend(loc="upper right")
    return fig


def draw_linear_law() -> Figure:
    """Draw the linear chain's singular stationary law beside the inverse gamma law."""
    fig, (left, right) = figures.figure(1, 2)
    edges = np.linspace(1.2, 3.0, 361)
    chain, law = validations.singular_law(edges), validations.inverse_gamma(0.5)
    w = np.linspace(1.2, 3.0, 400)
    left.stairs(np.diff(chain) / np.diff(edges), edges, color=EXACT, linewidth=0.5)
    left.plot(w, law.pdf(w), color=BLUE)
    left.set(xlabel="parameter $W$", ylabel="density (per unit of $W$)")
    right.plot(edges, chain, color=EXACT, label="chain")
    right.plot(w, law.cdf(w), color=BLUE, label="Itô: inverse gamma")
    right.set(xlabel="parameter $W$", ylabel="probability below $W$")
    right.legend()
    for ax in (left, right):
        ax.set(xlim=(1.2, 3.0))
    return fig


def draw_falls_apart(explicit: Array, cells: int, steps: Sequence[float], fitted: Array) -> Figure:
    """Draw explicit densities before the divergence, and the fitted ones far beyond it."""
    fig, (left, right) = figures.figure(1, 2)
    edges, _ = validations.window(cells)
    at = numbers.centres(edges)
    for n, density in enumerate(explicit[1:], start=1):
        left.plot(at, density, color=(GOLD, VIOLET)[n % 2], linewidth=1, label=f"step {n}")
    left.axhline(0, color=GUIDE, linewidth=1)
    left.set(xlabel="parameter $W$", ylabel="density (per unit of $W$)", xlim=(0.7, 1.4))
    left.legend()
    for step, density, line in zip(steps, fitted, (":", "--", "-"), strict=True):
        right.plot(at, density, line, color=BLUE, linewidth=1.2, label=f"step {step:,.0f}")
    right.set(xlabel="parameter $W$", ylabel="density (per unit of $W$)", xlim=(-0.2, 2.4))
    right.set(yscale="log", ylim=(1e-3, 300))
    right.legend()
    return fig


def draw_escape_gap(sizes: Array, chain: Array, diffusion: Array) -> Figure:
    """Draw the escape probability within 100 steps, chain against diffusion."""
    fig, ax = figures.figure(**NARROW)
    ax.semilogy(sizes, chain, color=EXACT, label="chain (exact)")
    ax.semilogy(sizes, diffusion, color=BLUE, label="diffusion (Itô)")
    ax.set(xlabel="step size $T$", ylabel="escape in 100 steps", ylim=(1e-7, 2))
    ax.legend()
    return fig


def draw_quasi(sizes: Sequence[float]) -> Figure:
    """Draw the distribution functions of the quasi-stationary laws at two step sizes."""
    fig, axes = figures.figure(1, len(sizes))
    for ax, T in zip(axes, sizes, strict=True):
        q = validations.quasi_stationary(T)
        for law, colour, name in ((q.chain, EXACT, "chain"), (q.diffusion, BLUE, "Itô")):
            below = np.append(0.0, np.cumsum(law * np.diff(q.edges)))
            ax.plot(q.edges, below, color=colour, label=name)
        ax.axvline(1, color=GUIDE, linewidth=1)
        ax.set(xlabel=f"parameter $W$ ($T = {T:g}$)", ylabel="probability below $W$")
    axes[0].set(xlim=(0.998, 1.03))
    axes[-1].legend(loc="lower right")
    return fig


def draw_next_order(sizes: Array, errors: dict[str, tuple[Array, Array]]) -> Figure:
    """Draw the errors of transient mean and stationary variance against the step size."""
    fig, axes = figures.figure(1, 2)
    labels = ("error of the mean at $Tt = 1$", "error of the stationary variance")
    marks: tuple[tuple[str, str, float], ...] = (
        (BLUE, "o-", 7),
        (VIOLET, "s--", 6),
        (GOLD, "^:", 4),
    )
    for k, (ax, label) in enumerate(zip(axes, labels, strict=True)):
        for (name, pair), (colour, mark, size) in zip(errors.items(), marks, strict=True):
            ax.loglog(sizes, pair[k], mark, color=colour, markersize=size, label=name)
        ax.set(xlabel="step size $T$", ylabel=label)
        ax.set_xticks(sizes, [f"{T:g}" for T in sizes])
        ax.minorticks_off()
    axes[1].set(ylim=(1e-5, 0.2))
    axes[1].legend(loc="lower right")
    return fig


def draw_plane(cloud: Array) -> Figure:
    """Draw the stationary law in the plane and the current that flows in it."""
    fig, ax = figures.figure(width=4.3, height=3.6)
    plane = beyond.plane()
    ax.plot(*cloud.T, ".", color=SAMPLED, markersize=2, rasterized=True)
    root = np.linalg.cholesky(plane.covariance(exact=False))
    turn = np.linspace(0, 2 * np.pi, 200)
    for radius in (1, 2):
        ax.plot(*(radius * root @ [np.cos(turn), np.sin(turn)]), color=BLUE, linewidth=1)
    at = np.array(
        [radius * root @ [np.cos(t), np.sin(t)] for radius in (1, 2) for t in turn[10::20]]
    )
    current = plane.velocity(at) * np.exp(-0.5 * np.repeat([1, 4], len(turn[10::20])))[:, None]
    ax.quiver(*at.T, *current.T, color=EXACT, width=0.006, zorder=3)
    ax.set(xlabel="first parameter", ylabel="second parameter", xlim=(-0.8, 0.8), ylim=(-0.4, 0.4))
    return fig


# Explorers


def draw_circle(calculus: numbers.Calculus, T: float, small: int) -> Figure:
    """Draw the law that a calculus predicts on the circle, with the chain and a sample."""
    fig, ax = figures.figure(**NARROW)
    bins = numbers.CIRCLE[::10]
    ax.stairs(
        numbers.circle_sample(T, small), bins, color=SAMPLED, fill=True, alpha=0.5,
        label="Monte Carlo",
    )  # fmt: skip
    chain = numbers.binned(numbers.circle_chain(T, small), 10)
    ax.plot(numbers.centres(bins), chain, color=EXACT, linewidth=1, label="chain (exact)")
    ax.plot(
        numbers.centres(numbers.CIRCLE)[::4], numbers.circle_stationary(T, calculus)[::4],
        color=COLOUR[calculus], label=numbers.NAMES[calculus],
    )  # fmt: skip
    ax.set(xlabel="parameter $W$ (radians)", ylabel="density (per radian)", ylim=(0, 0.5))
    ax.set(xlim=(0, 2 * np.pi))
    ax.legend(loc="upper left")
    return fig


def circle_caption(calculus: numbers.Calculus, T: float, small: int) -> str:
    """Say how far the prediction is from the chain."""
    law, chain = numbers.circle_stationary(T, calculus), numbers.circle_chain(T, small)
    far = total_variation(numbers.binned(law, 10), numbers.binned(chain, 10), numbers.CIRCLE[::10])
    how = "one step per draw" if small == 1 else f"{small} small steps per draw"
    return (
        f"{numbers.NAMES[calculus]} against the chain at $T = {T:g}$, {how}: "
        f"{100 * far:.1f} % of the probability sits elsewhere (total variation, 48 bins). "
        "Grey: 10,000 walkers over many steps."
    )


def draw_frame(case: str, frame: int) -> Figure:
    """Draw one moment of a validation: simulated walkers and the Fokker-Planck density."""
    fig, ax = figures.figure(**NARROW)
    v = validations.validation(case)
    low, high, top = FRAMES[case]
    bins = v.edges[::10]
    inside = (bins[:-1] >= low) & (bins[:-1] <= high)
    shown = bins[: len(inside)][inside]
    counts = validations.sampled(case)[frame][inside]
    ax.stairs(
        counts, np.append(shown, shown[-1] + bins[1] - bins[0]), color=SAMPLED, fill=True,
        alpha=0.5, label="Monte Carlo",
    )  # fmt: skip
    density = numbers.binned(validations.by_fokker_planck(case)[frame], 10)[inside]
    ax.plot(numbers.centres(bins)[inside], density, color=BLUE, label="Fokker–Planck (Itô)")
    ax.set(xlabel="parameter $W$", ylabel="density (per unit of $W$)")
    ax.set(xlim=(low, high), ylim=(0, top))
    ax.legend(loc="upper right" if case != "drift" else "upper left")
    return fig


FRAMES = {"drift": (-0.2, 1.3, 12.0), "spreading": (-0.8, 0.8, 9.0), "both": (0.0, 3.0, 8.0)}
"""Limits of the axes of `draw_frame`: left, right, top."""


def frame_caption(case: str, frame: int) -> str:
    """Say where the cloud is."""
    v = validations.validation(case)
    walkers = validations.sampled(case)[frame] * np.diff(v.edges[::10])
    at = numbers.centres(v.edges[::10])
    mean = walkers @ at
    deviation = np.sqrt(walkers @ (at - mean) ** 2)
    by_equation = numbers.moments(validations.by_fokker_planck(case)[frame], v.edges)
    return (
        f"Step {v.steps[frame]} at $T = {v.T:g}$. 50,000 walkers: mean {mean:.3f}, standard "
        f"deviation {deviation:.3f}. Equation: mean {round(float(by_equation[0]), 3) + 0.0:.3f}, "
        f"standard deviation {by_equation[1]:.3f}."
    )


def _densities(ax: Axes, w: beyond.Widths) -> None:
    at = numbers.centres(w.edges[::12])
    ax.semilogy(at, numbers.binned(w.chain, 12), color=EXACT, label="chain (exact)")
    ax.semilogy(at, numbers.binned(w.ito, 12), "--", color=BLUE, label="Itô")


def draw_widths(ratio: float, T: float) -> Figure:
    """Draw the landscape with two wells and the stationary density on it."""
    fig, (left, right) = figures.figure(1, 2)
    w = np.linspace(0, 1 + ratio, 300, endpoint=False)
    _, u = beyond.in_its_well(w, ratio)
    left.plot(w, beyond.BARRIER * (1 + np.cos(2 * np.pi * u)) / 2, color=GUIDE)
    left.set(xlabel="parameter $W$", ylabel="mean loss $L$", ylim=(0, 0.07), xlim=(0, 3.5))
    _densities(right, beyond.widths(ratio, T))
    right.set(xlabel="parameter $W$", ylabel="density (per unit of $W$)")
    right.set(xlim=(0, 3.5), ylim=(1e-9, 3e4))
    right.legend(loc="upper left")
    return fig


def widths_caption(ratio: float, T: float) -> str:
    """Say how much denser the wide well is."""
    w, exponent = beyond.widths(ratio, T), beyond.narrow_exponent(T)
    formula = ratio**2 * np.exp((ratio**2 - 1) * exponent)
    if ratio == 1:
        return (
            f"Two wells of width 1 at $T = {T:g}$ ($\\Phi = {exponent:.2f}$): the densities at "
            "their bottoms are equal, in the chain and by the Itô law."
        )
    chain, law = (
        f"{value:,.3g}" if value < 1e5 else power_of_ten(value)
        for value in (w.ratio(w.chain), formula)
    )
    return (
        f"Wells of width 1 and {ratio:g} at $T = {T:g}$ ($\\Phi = {exponent:.2f}$): the density at "
        f"the bottom of the wide one is {chain} times as high in the chain; the Itô law says {law}."
    )


calculi_on_a_circle = explore(
    draw_circle,
    name="calculi-on-a-circle",
    caption=circle_caption,
    calculus=numbers.CALCULI,
    T=(0.2, 0.3, 0.4, 0.5, 0.7, 0.9),
    small=(1, 4, 32),
    labels={"T": "step size $T$", "small": "small steps per draw", "calculus": "calculus"},
    default={"calculus": "stratonovich", "T": 0.3, "small": 1},
    format={"calculus": numbers.NAMES.__getitem__},
)

three_validations = explore(
    draw_frame,
    name="three-validations",
    caption=frame_caption,
    case=validations.VALIDATIONS,
    frame=tuple(range(16)),
    labels={"case": "validation", "frame": "frame"},
    default={"case": "both", "frame": 2},
    play="frame",
)

two_widths = explore(
    draw_widths,
    name="two-widths",
    caption=widths_caption,
    ratio=(1.0, 1.25, 1.5, 1.75, 2.0, 2.5),
    T=(0.04, 0.05, 0.06, 0.08, 0.12, 0.2),
    labels={"ratio": "width of the wide well", "T": "step size $T$"},
    default={"ratio": 2.0, "T": 0.12},
    grab={"ratio": lambda ratio: (1 + ratio, beyond.BARRIER)},  # the outer wall of the wide well
)
