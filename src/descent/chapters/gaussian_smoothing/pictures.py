"""Chapter 7: its figures and explorers of one variable."""

from functools import cache

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.gaussian_smoothing import numbers
from descent.chapters.gaussian_smoothing.numbers import SMOOTHED, STARTS
from descent.chapters.gaussian_smoothing.sampled_ascent import FUNCTIONS, reached
from descent.explorer import Handle, explore
from descent.figures import BLUE, EXACT, GREEN, GUIDE, RED, VIOLET
from descent.smoothing.ascent import ascend

NAMES = {
    "sin(x)/x": "sinc",
    "⌊10 sin(x)/x + 4 sin(x)⌋": "floored",
}
RANGE = {"sinc": (-0.4, 1.15), "floored": (-7.8, 12.5)}
LIGHT = "#fff3d6"  # on pictures: a neutral white would turn dark in dark mode
WIDEST = 6.0  # of the landscapes drawn


@cache
def landscape(function: str) -> Array:
    """Return f_σ(x) for σ up to 6 (rows) and x in [-20, 20] (columns)."""
    x, sigma = np.linspace(-20, 20, 321), np.linspace(0.02, WIDEST, 180)
    return np.asarray(SMOOTHED[function](x, sigma[:, None])[0])


def _landscape(ax: Axes, function: str) -> None:
    ax.imshow(
        landscape(function),
        origin="lower",
        extent=(-20, 20, 0, WIDEST),
        aspect="auto",
        cmap="cividis",
        interpolation="bilinear",
    )
    ax.set(xlabel="$x$", ylabel="$\\sigma$", xlim=(-20, 20), ylim=(0, WIDEST))


def draw_landscapes() -> Figure:
    """Draw both functions and, below, their smoothed landscapes."""
    fig, axes = figures.figure(2, 2, height=4.6)
    x = np.linspace(-20, 20, 4001)
    for (top, bottom), function in zip(axes.T, FUNCTIONS, strict=True):
        top.plot(x, FUNCTIONS[function](x), color=BLUE, linewidth=1.2)
        top.set(xlabel="$x$", ylabel="$f(x)$", xlim=(-20, 20), ylim=RANGE[function])
        _landscape(bottom, function)
    return fig


# The construction


def draw_product(function: str, x: float, sigma: float) -> Figure:
    """Draw the function with a Gaussian, and their product with its area."""
    fig, (left, right) = figures.figure(1, 2)
    f, (low, high) = NAMES[function], RANGE[NAMES[function]]
    t = np.linspace(-16, 16, 801 if f == "floored" else 401)
    values, density = FUNCTIONS[f](t), numbers.normal_density(t, x, sigma)
    left.plot(t, values, color=BLUE, linewidth=1.2, label="$f$")
    scale = 0.8 * high / density.max()
    left.plot(t, density * scale, color=RED, linewidth=1.2, label="Gaussian, not to scale")
    left.set(xlabel="$t$", ylabel="steps 1 and 2: $f(t)$, Gaussian", xlim=(-16, 16))
    left.set(ylim=(low, 1.3 * high))
    left.legend(loc="upper left", ncols=1)
    product = values * density
    right.fill_between(t, 0, product, color=GREEN, alpha=0.3, linewidth=0)
    right.plot(t, product, color=GREEN, linewidth=1.2)
    bound = max(abs(low), high) / (sigma * np.sqrt(2 * np.pi))
    right.set(xlabel="$t$", ylabel="step 3: product, its area", xlim=(-16, 16))
    right.set(ylim=(-0.65 * bound, 1.05 * bound))
    return fig


def draw_pixel(function: str, x: float, sigma: float) -> Figure:
    """Draw the pixel of the landscape that holds the area, and the row of the landscape."""
    fig, (left, right) = figures.figure(1, 2)
    f = NAMES[function]
    _landscape(left, f)
    left.axhline(sigma, color=LIGHT, linewidth=1)
    left.plot([x], [sigma], "s", color=RED, markersize=6)
    left.set(xlim=(-16, 16), ylabel="step 4: $\\sigma$")
    t = np.linspace(-16, 16, 401)
    right.plot(t, FUNCTIONS[f](t), color=BLUE, linewidth=0.8, label="$f$")
    right.plot(t, row(f, sigma), color=EXACT, label="$f_\\sigma$")
    right.plot([x], [SMOOTHED[f](np.array(x), np.array(sigma))[0]], "s", color=RED, markersize=6)
    right.set(xlabel="$x$", ylabel="$f$ and $f_\\sigma$", xlim=(-16, 16), ylim=RANGE[f])
    right.legend(loc="upper left")
    return fig


@cache
def row(function: str, sigma: float) -> Array:
    """Return f_σ on [-16, 16]."""
    t = np.linspace(-16, 16, 401)
    return np.asarray(SMOOTHED[function](t, np.full(t.shape, sigma))[0])


def construction_caption(function: str, x: float, sigma: float) -> str:
    """Say what the area is."""
    f = NAMES[function]
    value, dx, dsigma = SMOOTHED[f](np.array(x), np.array(sigma))
    return (
        f"$f$ = {function}, multiplied by a Gaussian around $x = {x:g}$ with "
        f"$\\sigma = {sigma:g}$. The green area, counted negative below the axis, is "
        f"{value:.4f}: the pixel of the landscape at ({x:g}, {sigma:g}), and a point of the "
        f"black curve. Uphill from there means $\\partial_x = {dx:.3f}$, "
        f"$\\partial_\\sigma = {dsigma:.3f}$."
    ).replace("-", "−")


construction = explore(
    draw_product,
    draw_pixel,
    name="smoothing-construction",
    caption=construction_caption,
    function=tuple(NAMES),
    x=tuple(range(-9, 10, 3)),
    sigma=(0.2, 0.5, 1.0, 2.0, 3.0, 5.0),
    labels={"function": "$f$", "x": "$x$", "sigma": "$\\sigma$"},
    default={"x": 0, "sigma": 1.0},
    render="curves",
    grab={("x", "sigma"): Handle(lambda x, sigma: (x, sigma), panel=1)},
)


# Climbs


SIGMAS = (0.1, 0.3, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 4.5, 5.0)


@cache
def climb_paths(function: str, sigma: float) -> tuple[list[Array], npt.NDArray[np.bool_]]:
    """Return thinned paths, arrays (n, 2), from 41 starts, and which of them arrive."""
    starts = np.linspace(-20, 20, 41)
    end = ascend(SMOOTHED[function], starts, sigma, max_step=0.1)  # steps too short to see
    paths = []
    for x, s in zip(end.x_path.T, end.sigma_path.T, strict=True):
        travelled = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(s)))])
        marks = np.linspace(0, travelled[-1], 2 + int(2 * travelled[-1]))
        paths.append(np.stack([np.interp(marks, travelled, x), np.interp(marks, travelled, s)], 1))
    return paths, reached(function, end.x)


def draw_climbs(function: str, sigma: float) -> Figure:
    """Draw the exact climbs from 41 starts at one σ over the landscape."""
    fig, ax = figures.figure(width=6.4, height=3.4)
    f = NAMES[function]
    _landscape(ax, f)
    paths, arrive = climb_paths(f, sigma)
    for path, there in zip(paths, arrive, strict=True):
        ax.plot(*path.T, color=LIGHT if there else RED, linewidth=1.2 if there else 1.6)
    for there, colour in ((True, LIGHT), (False, RED)):
        chosen = [path[0] for path, a in zip(paths, arrive, strict=True) if a == there]
        if chosen:
            ax.plot(*np.array(chosen).T, "o", color=colour, markersize=4)
    ax.set(xlim=(-20.5, 20.5))
    return fig


def climbs_caption(function: str, sigma: float) -> str:
    """Say how many starts arrive."""
    f = NAMES[function]
    there, outside = numbers.arrivals(f, sigma), numbers.outside_hill(f)
    return (
        f"Exact climbs on the smoothed {function} from $\\sigma = {sigma:g}$; brighter is higher. "
        f"White paths end on the highest peak, orange ones elsewhere. Of {len(STARTS)} starts on "
        f"[−20, 20] {there.sum()} arrive, and of the {outside.sum()} beyond the foot of the peak "
        f"{(there & outside).sum()}."
    )


climb_explorer = explore(
    draw_climbs,
    name="smoothing-climbs",
    caption=climbs_caption,
    function=tuple(NAMES),
    sigma=SIGMAS,
    labels={"function": "$f$", "sigma": "$\\sigma$ at the start"},
    default={"sigma": 1.0},
    play="sigma",
    render="curves",
    grab={"sigma": lambda sigma: (-20, sigma)},  # where the line of starts begins
)


def draw_basins() -> Figure:
    """Draw which starts (x, σ) reach the highest peak, with the unimodal interval."""
    fig, axes = figures.figure(1, 2, height=3.0)
    for ax, function in zip(axes, FUNCTIONS, strict=True):
        sigma = np.linspace(0.3, 7, 48)
        ends = np.array([numbers.unimodal_interval(function, float(s)) for s in sigma])
        arrive = numbers.basin(function)
        there = np.argwhere(arrive)
        lost = np.argwhere(~arrive)
        for which, colour, size in ((there, BLUE, 2.2), (lost, GUIDE, 2.2)):
            ax.plot(
                STARTS[which[:, 1]], numbers.SIGMAS[which[:, 0]], ".", color=colour, markersize=size
            )
        for end in np.clip(ends, -21, 21).T:
            ax.plot(end, sigma, color=EXACT, linewidth=1.2)
        root = np.linspace(0.1, 20, 100)
        for side in (-1, 1):
            ax.plot(side * root, np.sqrt(root), "--", color=RED, linewidth=1.2)
        ax.set(xlabel="start $x$", ylabel="start $\\sigma$", xlim=(-20, 20), yscale="log")
        ax.set(ylim=(0.09, 11))
        ax.set_yticks([0.1, 0.3, 1, 3, 10], labels=["0.1", "0.3", "1", "3", "10"])
        ax.minorticks_off()
    return fig


def draw_bound() -> Figure:
    """Draw the largest and the smallest value of f_σ against σ."""
    fig, axes = figures.figure(1, 2)
    x = np.linspace(-20, 20, 801)
    sigma = np.linspace(0.02, 5, 60)
    for ax, function in zip(axes, FUNCTIONS, strict=True):
        values = SMOOTHED[function](x, sigma[:, None])[0]
        f = FUNCTIONS[function](np.linspace(-20, 20, 20001))
        ax.axhline(f.max(), color=BLUE, linewidth=1)
        ax.axhline(f.min(), color=BLUE, linewidth=1)
        ax.plot(sigma, values.max(axis=1), color=EXACT, label="largest $f_\\sigma$")
        ax.plot(sigma, values.min(axis=1), "--", color=EXACT, label="smallest $f_\\sigma$")
        ax.set(xlabel="$\\sigma$", ylabel="value", xlim=(0, 5), ylim=RANGE[function])
        ax.legend(loc=(0.55, 0.68))
    return fig


@cache
def top(function: str, sigma: float) -> float:
    """Return the place of the highest point of f_σ, to half a hundredth."""
    x = np.linspace(-3, 12, 3001)
    return float(x[SMOOTHED[function](x, np.full(x.shape, sigma))[0].argmax()])


def draw_top_of_the_hill() -> Figure:
    """Draw where the top of f_σ lies, and how far it is concave, against σ."""
    fig, (left, right) = figures.figure(1, 2)
    sigmas = np.linspace(0.15, 8, 80)
    x = np.linspace(-3, 12, 3001)
    for function, colour in (("sinc", BLUE), ("floored", VIOLET)):
        tops, edges = [], []
        for sigma in sigmas:
            value, slope, _ = SMOOTHED[function](x, np.full(x.shape, sigma))
            top = int(value.argmax())
            tops.append(x[top])
            edges.append(x[top + int(slope[top:].argmin())] - x[top])
        left.plot(sigmas, tops, color=colour, label=function)
        right.plot(sigmas, np.array(edges) / sigmas, color=colour, label=function)
    left.set(xlabel="$\\sigma$", ylabel="place $x$ of the top of $f_\\sigma$", xlim=(0, 8))
    left.set(ylim=(-0.2, 1.4))
    right.axhline(3, color=GUIDE, linestyle="--")
    right.set(xlabel="$\\sigma$", ylabel="concave up to, in units of $\\sigma$")
    right.set(xlim=(0, 8), ylim=(0, 5))
    left.legend(loc="upper right")
    right.legend(loc="upper right")
    return fig
