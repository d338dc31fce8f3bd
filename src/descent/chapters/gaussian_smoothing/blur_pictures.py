"""Chapter 7: figures and tables of bounds, other blurs, noise, prices and the author's re-make."""

import numpy as np
import pandas
from matplotlib.figure import Figure

from descent import figures, prose
from descent.arguments import Array
from descent.chapters.gaussian_smoothing import blurs, pairs, remake
from descent.estimates import wilson
from descent.figures import BLUE, EXACT, GOLD, GREEN, GUIDE, RED, VIOLET
from descent.landscapes import sinc
from descent.prose import fixed, percent

COLOURS = {"Gaussian": EXACT, "uniform": RED, "Laplace": GREEN, "Cauchy": VIOLET}
WIDE = 3.0


def draw_distances() -> Figure:
    """Draw how far f_σ is from f at most, with the two bounds."""
    fig, ax = figures.figure(height=3.2)
    sigma = np.geomspace(0.01, 10, 61)
    smooth, corner = blurs.distances(sigma)
    ax.plot(sigma, sigma**2 * blurs.BEND / 2, "--", color=BLUE, label="$\\sigma^2 \\max|f''|/2$")
    lipschitz = sigma * np.sqrt(2 / np.pi)
    ax.plot(sigma, blurs.SLOPE * lipschitz, ":", color=BLUE, label="$0.80\\,\\sigma \\max|f'|$")
    ax.plot(sigma, smooth, color=BLUE, label="sin(x)/x")
    ax.plot(sigma, lipschitz, "--", color=RED, linewidth=4, alpha=0.35, label="bound of $|x|$")
    ax.plot(sigma, corner, color=RED, label="$|x|$")
    ax.axhline(0.5, color=GUIDE, linewidth=1.2, label="floored, at a jump")
    ax.set(xscale="log", yscale="log", xlim=(0.01, 10), ylim=(1e-5, 20))
    ax.set(xlabel="$\\sigma$", ylabel="largest $|f_\\sigma - f|$")
    ax.legend(loc="lower right", ncols=2)
    return fig


def draw_blurs() -> Figure:
    """Draw sin(x)/x under four blurs, and one peak that a Cauchy blur splits."""
    fig, (left, right) = figures.figure(1, 2)
    x = np.linspace(-12, 12, 481)
    left.plot(x, sinc(x), color=GUIDE, linewidth=1, label="$f$")
    for name, colour in COLOURS.items():
        left.plot(x, blurs.blurred_sinc(name)(x, WIDE).value, color=colour, label=name)
    left.set(xlabel="$x$", ylabel=f"blurred, $\\sigma = {WIDE:g}$", xlim=(-12, 12))
    left.set(ylim=(-0.25, 1.05))
    left.legend(loc="upper right")
    x = np.linspace(-4, 18, 881)
    right.plot(x, blurs.SPIKE(x), color=GUIDE, linewidth=1)
    for name in ("Gaussian", "Cauchy"):
        right.plot(x, blurs.SPIKE.blurred(x, 0.7, name), color=COLOURS[name], label=name)
    right.set(xlabel="$x$", ylabel="$f$ and blurred", xlim=(-4, 18), ylim=(0, 2))
    return fig


def blur_table() -> str:
    """Return a Markdown table of what four blurs keep."""
    rows = []
    for name in blurs.BLURS:
        bred, gap = blurs.breeding(name), blurs.semigroup_gap(name)
        far = [blurs.home(name, sigma) for sigma in (2.0, 4.0, 6.0)]
        rows.append(
            [
                name,
                "yes" if gap < 1e-3 else f"no, off by {fixed(gap, 2)}",
                str(bred.more_than_before),
                str(bred.more_than_narrower),
                *(fixed(x, 1) for x in far),
            ]
        )
    head = ["", "twice is once", "new", "regained"]
    return prose.table([*head, *(f"home at {s}" for s in (2, 4, 6))], rows, "llrrrrr")


PLACES = ((-9.0, 5.0), (-5.0, 1.0), (-0.5, 0.3))


def noise_table(offset: float) -> str:
    """Return a Markdown table of the noise of the estimates by x and by σ at `PLACES`."""
    found = [pairs.noise(*place, offset) for place in PLACES]
    names = {
        "plain": "samples",
        "baseline": "with a baseline",
        "pairs": "pairs",
        "pairs_with_baseline": "pairs with a baseline",
        "derivatives": "$f'$ and $f''$",
    }
    rows = [
        [words, *(f"{a:.2f}, {b:.2f}" for a, b in (getattr(n, name) for n in found))]
        for name, words in names.items()
    ]
    head = [f"$x = {x:g}$, $\\sigma = {s:g}$".replace("-", "−") for x, s in PLACES]
    return prose.table(["", *head], rows, "lrrr")


def remake_table() -> str:
    """Return a Markdown table of the re-make's climbs, with its bias and without."""
    rows = []
    for bias, words in ((remake.BIAS, "with the bias"), (0.0, "without")):
        for n, end in remake.climb(bias).items():
            rows.append([words, f"{n:,}", percent(end.near_top), percent(end.still_wide)])
    head = ["", "steps", "within 1 of the top", "$\\sigma$ above ½"]
    return prose.table(head, rows, "lrrr")


def found_by(table: pandas.DataFrame, method: str) -> tuple[Array, Array, int]:
    """Return budgets, how many runs have found a maximum by each, and the number of runs."""
    rows = table[table.method == method]
    counts = np.sum(rows.found.to_list(), axis=0)
    return np.array(rows.evaluations.iloc[0]), counts, 5 * len(rows)


def draw_price(table: pandas.DataFrame) -> Figure:
    """Draw the share of searches that have found a maximum, against evaluations."""
    fig, ax = figures.figure(height=3.4)
    colours = (RED, BLUE, GREEN, GOLD, GUIDE)
    for method, colour in zip(table.method.unique(), colours, strict=True):
        budgets, counts, n = found_by(table, method)
        low, high = np.array([wilson(int(k), n) for k in counts]).T
        ax.fill_between(budgets, low, high, color=colour, alpha=0.15, linewidth=0)
        ax.plot(budgets, counts / n, "o-", color=colour, markersize=3, label=method)
    ax.set(xscale="log", xlim=(9, 11_000), ylim=(0, 1))
    ax.set(xlabel="evaluations", ylabel="share that found a maximum")
    ax.legend(loc="upper left")
    return fig
