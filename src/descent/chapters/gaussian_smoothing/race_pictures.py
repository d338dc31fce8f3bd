"""Chapter 7: figures and the explorer of searches in two variables."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.gaussian_smoothing import gradient_errors, race
from descent.chapters.gaussian_smoothing.pictures import LIGHT
from descent.estimates import wilson
from descent.explorer import explore
from descent.figures import BLUE, EXACT, GOLD, GREEN, GUIDE, RED, SAMPLED, SKY, VIOLET
from descent.prose import power_of_ten
from descent.search_distributions import Run

SHOWN_METHODS = ("source", "with baseline", "natural gradient", "xNES")
SHOWN_STEPS = (0, 10, 20, 40, 80, 120, 200)
ROUNDING = 1e-24  # a variance by which a search has closed in on a point
OF_STATUS = {"completed": BLUE, "singular": GOLD, "indefinite": RED, "diverged": VIOLET}


def window(problem: race.Problem) -> float:
    """Return the half-width of the part of the plane that is drawn."""
    return 1.25 * problem.high


@cache
def picture(function: str) -> Array:
    """Return the ranks of f on a grid, from 0 to 1: contours without a scale."""
    problem = race.PROBLEMS[function]
    line = np.linspace(-window(problem), window(problem), 120)
    values = problem.f(np.stack(np.meshgrid(line, line), axis=-1))
    order = np.unique(values, return_inverse=True)[1].reshape(values.shape)
    return np.asarray(order / order.max())


@cache
def shown_run(function: str, method: str) -> Run:
    """Run one method from the start that the explorer shows."""
    problem = race.PROBLEMS[function]
    rng = np.random.default_rng([4, list(race.PROBLEMS).index(function)])
    start = problem.start(rng)
    return race.distribution(method, problem, start, rng, race.step_size(method, function))


def ellipse(mean: Array, covariance: Array, n: int = 48) -> Array:
    """Return points ``(n, 2)`` of the ellipse two standard deviations from the mean."""
    values, vectors = np.linalg.eigh(covariance)
    angle = np.linspace(0, 2 * np.pi, n)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.asarray(mean + 2 * circle * np.sqrt(np.maximum(values, 0)) @ vectors.T)


def _plane(ax: Axes, function: str) -> None:
    half = window(race.PROBLEMS[function])
    ax.imshow(
        picture(function),
        origin="lower",
        extent=(-half, half, -half, half),
        cmap="cividis",
        interpolation="bilinear",
    )
    ax.set(xlabel="$x_1$", ylabel="$x_2$", xlim=(-half, half), ylim=(-half, half))


def draw_sweep(function: str, method: str, step: int) -> Figure:
    """Draw the search distribution at a step, with its past."""
    fig, ax = figures.figure(width=4.4, height=3.9)
    _plane(ax, function)
    run = shown_run(function, method)
    half = window(race.PROBLEMS[function])
    now = min(step, len(run.means) - 1)
    over = now == len(run.means) - 1 and run.status != "completed"
    ax.plot(*run.means[: now + 1].T, color=LIGHT, linewidth=1.2)
    for earlier in (*(s for s in SHOWN_STEPS if s < now), *([] if over else [now])):
        points = ellipse(run.means[earlier], run.covariances[earlier])
        if (np.abs(points) < half).all(axis=1).any():
            colour, width = (RED, 2.0) if earlier == now else (LIGHT, 0.6)
            ax.plot(*points.T, color=colour, linewidth=width)
    here = np.clip(run.means[now : now + 1], -0.97 * half, 0.97 * half)
    ax.plot(*here.T, "x" if over else "o", color=RED, markersize=9 if over else 5, mew=2.5)
    return fig


def sweep_caption(function: str, method: str, step: int) -> str:
    """Say where the distribution is, or why it is no more."""
    run = shown_run(function, method)
    last = len(run.means) - 1
    if step >= last and run.status != "completed":
        ends = f"the covariance is {run.status}" if run.status != "diverged" else "it has diverged"
        if np.diag(run.covariances[-1]).max() < ROUNDING:
            ends = "the spread is down to rounding"
        return f"{function}, {method}: at step {last} {ends}, and the search is over (cross)."
    mean, covariance = run.means[step], run.covariances[step]
    spread = np.sqrt(np.maximum(np.linalg.eigvalsh(covariance), 0))
    long, short = (f"{s:.2g}" if s >= 0.01 else power_of_ten(s) for s in spread[::-1])
    x, y = (f"{place:z.2f}".replace("-", "−") for place in mean)
    return (
        f"{function}, {method}, step {step}, {step * race.N_SAMPLES:,} evaluations. Mean at "
        f"({x}, {y}); standard deviations along the axes of the ellipse "
        f"{long} and {short}. The ellipse is drawn at two of them; brighter is higher."
    )


sweep_explorer = explore(
    draw_sweep,
    name="search-distributions",
    caption=sweep_caption,
    function=tuple(race.PROBLEMS),
    method=SHOWN_METHODS,
    step=SHOWN_STEPS,
    labels={"function": "function", "method": "method", "step": "step"},
    default={"function": "Ackley", "step": 20},
    play="step",
    render="curves",
)


# Tables as pictures


def draw_race(pooled: dict[str, tuple[int, int]], by_function: dict[str, list[float]]) -> Figure:
    """Draw the share of starts that succeed, for each method: pooled, and function by function."""
    fig, ax = figures.figure(width=4.2, height=4.8)
    colours = (BLUE, RED, GREEN, VIOLET, GOLD, SKY)
    for row, (method, (found, starts)) in enumerate(pooled.items()):
        for which, (share, colour) in enumerate(zip(by_function[method], colours, strict=True)):
            name = list(race.PROBLEMS)[which] if row == 0 else None
            ax.plot([share], [row + 0.12 * (which - 2.5)], "o", color=colour, ms=4, label=name)
        low, high = wilson(found, starts)
        ax.plot([low, high], [row, row], color=EXACT, linewidth=1.6)
        ax.plot([found / starts], [row], "|", color=EXACT, markersize=12, markeredgewidth=2)
    ax.set_yticks(range(len(pooled)), labels=list(pooled))
    ax.set(xlabel="share that ends at a maximum", xlim=(-0.04, 1.04))
    ax.set_xticks([0, 0.5, 1])
    ax.invert_yaxis()
    fig.legend(loc="outside upper center", ncols=3)
    return fig


def draw_ends(ends: dict[str, dict[str, int]]) -> Figure:
    """Draw how the source's runs end, function by function."""
    fig, ax = figures.figure(width=4.2, height=3.0)
    for row, counts in enumerate(ends.values()):
        left = 0
        for status, colour in OF_STATUS.items():
            name = status if row == 0 else None
            ax.barh(row, counts[status], left=left, color=colour, label=name, height=0.7)
            left += counts[status]
    ax.set_yticks(range(len(ends)), labels=list(ends))
    ax.invert_yaxis()
    ax.set(xlabel="runs", xlim=(0, 100), xticks=[0, 50, 100])
    fig.legend(loc="outside upper center", ncols=2)
    return fig


def draw_step_sizes(shares: dict[str, tuple[Sequence[float], Array, Array]]) -> Figure:
    """Draw the shares of starts that succeed and of runs that break, against the step size."""
    fig, (left, right) = figures.figure(1, 2)
    for (method, (sizes, found, broken)), colour in zip(
        shares.items(), (RED, GOLD, BLUE), strict=True
    ):
        left.semilogx(sizes, found, "o-", color=colour, label=method)
        right.semilogx(sizes, broken, "o-", color=colour, label=method)
    left.set(ylabel="share that ends at a maximum")
    right.set(ylabel="share that breaks")
    for ax in (left, right):
        ax.set(xlabel="step size $\\eta$", ylim=(-0.03, 1.03))
        ax.axvline(race.PRINTED, color=GUIDE, linewidth=1, zorder=0)
    left.legend(loc="upper left")
    return fig


def draw_errors(
    dimensions: Sequence[int], samples: int, measured: dict[float, list[tuple[float, float]]]
) -> Figure:
    """Draw the relative errors of both gradients against the dimension, with and without offset."""
    fig, axes = figures.figure(1, 2)
    formulas = (gradient_errors.mean_gradient_error, gradient_errors.covariance_gradient_error)
    ticks = ((0.2, 0.5, 1), (0.5, 1, 2))
    d = np.unique(np.geomspace(1, max(dimensions), 60).round().astype(int))
    for which, (ax, formula) in enumerate(zip(axes, formulas, strict=True)):
        for offset, marker in zip(measured, "os", strict=True):
            exact = [formula(int(k), samples, offset) for k in d]
            ax.loglog(d, exact, "-" if offset == 0 else "--", color=EXACT, linewidth=1.2)
            values = [pair[which] for pair in measured[offset]]
            ax.loglog(dimensions, values, marker, color=SAMPLED, label=f"offset {offset:g}")
        ax.set(xlabel="dimension $d$")
        ax.set_xticks(dimensions, labels=[str(k) for k in dimensions])
        ax.set_yticks(ticks[which], labels=[f"{tick:g}" for tick in ticks[which]])
        ax.minorticks_off()
        ax.legend(loc="upper left")
    axes[0].set_ylabel("relative error, gradient by $\\mu$")
    axes[1].set_ylabel("relative error, gradient by $\\Sigma$")
    return fig


def draw_tilt(runs: dict[str, Run]) -> Figure:
    """Draw two searches in a valley that runs from top left to bottom right."""
    fig, axes = figures.figure(1, 2, height=3.2)
    line = np.linspace(-4, 4, 100)
    values = tilted(np.stack(np.meshgrid(line, line), axis=-1))
    order = np.argsort(np.argsort(values, axis=None)).reshape(values.shape)
    for ax, (name, run) in zip(axes, runs.items(), strict=True):
        ax.imshow(
            order,
            origin="lower",
            extent=(-4, 4, -4, 4),
            cmap="cividis",
            interpolation="bilinear",
        )
        ax.plot(*run.means.T, color=LIGHT, linewidth=1)
        for step in (0, 1, 5, 20, 60):
            if step < len(run.means):
                ax.plot(
                    *ellipse(run.means[step], run.covariances[step]).T,
                    color=RED if step == 0 else LIGHT,
                    linewidth=1.6 if step == 0 else 1,
                )
        ax.set(xlabel=f"$x_1$ ({name})", ylabel="$x_2$", xlim=(-4, 4), ylim=(-4, 4))
    return fig


def tilted(x: Array) -> Array:
    """Return a ridge along x₂ = -x₁ with its top at 0: -(x₁ + x₂)² - (x₁ - x₂)²/50."""
    u, v = x[..., 0] + x[..., 1], x[..., 0] - x[..., 1]
    return np.asarray(-(u**2) - v**2 / 50)
