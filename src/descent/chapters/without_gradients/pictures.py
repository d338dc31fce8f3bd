"""Chapter 10: its figures and tables."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.without_gradients import reached, results
from descent.chapters.without_gradients.bullets import BULLETS, Bullet
from descent.chapters.without_gradients.coco_pictures import folded
from descent.chapters.without_gradients.reached import Reached
from descent.chapters.without_gradients.results import Race
from descent.estimates import wilson
from descent.figures import BLUE, EXACT, GOLD, GREEN, GREY, RED, SKY, VIOLET
from descent.prose import fixed, percent, power_of_ten, table
from descent.zeroth_order import REGISTRY

HUES = (BLUE, RED, GREEN, VIOLET, GOLD, SKY)

ESTIMATORS = {
    "differences": GREEN,
    "10 differences": GREEN,
    "signs": RED,
    "10 signs": RED,
    "best": VIOLET,
    "best of 10": VIOLET,
    "1 sign": BLUE,
    "SPSA, averaged": GOLD,
}
"""Colours of the estimators of a gradient."""
STROKES = {
    "random-grad": (BLUE, "-"),
    "order-walk": (RED, "-"),
    "variable-order": (GREEN, "-"),
    "convex-order": (GREEN, "-"),
    "particle-swarm": (VIOLET, "-"),
    "particle-swarm-apart": (VIOLET, "-"),
    "annealing": (GOLD, "-"),
    "evolution": (SKY, "-"),
    "gravity": (GREY, "-"),
}
METHODS = {
    **{REGISTRY[slug].name: stroke for slug, stroke in STROKES.items()},
    "cma": (EXACT, "-"),
    "SciPy Nelder–Mead": (EXACT, ":"),
}
"""Colours and line styles of the methods that are named in a figure."""

TITLES = {
    "ackley": "Ackley",
    "rosenbrock": "Rosenbrock",
    "rastrigin": "Rastrigin",
    "mlp": "network fit",
    "digits": "digits",
}
"""What the reader sees for a problem."""


def digits(value: float) -> str:
    """Return a number in two significant digits, as the tables show it.

    Examples
    --------
    >>> [digits(v) for v in (0.123, 12.3, 1234.0, 1.2e-7)]
    ['0.12', '12', '1,200', '10⁻⁷']
    """
    if value == 0 or not np.isfinite(value):
        return "0" if value == 0 else "∞"
    if 1e-3 <= abs(value) < 1e5:
        rounded = float(f"{value:.2g}")
        places = max(0, 1 - int(np.floor(np.log10(abs(rounded)))))
        return f"{rounded:,.{places}f}"
    return power_of_ten(value)


def _plain_ticks(ax: Axes, axis: str, values: Sequence[float]) -> None:
    """Label a logarithmic axis at the given values, in plain decimals."""
    getattr(ax, f"set_{axis}ticks")(values, [f"{value:g}" for value in values])
    getattr(ax, f"set_{axis}ticks")([], minor=True)


def draw_cosines(
    dimensions: Sequence[int], curves: Mapping[str, tuple[Array, Array, Array]]
) -> Figure:
    """Draw mean cosines against the dimension; ``curves`` has theory, measurement, its error."""
    fig, ax = figures.figure(width=4.0)
    for name, (theory, mean, error) in curves.items():
        colour = ESTIMATORS[name]
        ax.plot(dimensions, theory, color=colour, linewidth=1)
        ax.errorbar(
            dimensions,
            mean,
            2 * error,
            fmt="o",
            color=colour,
            markersize=4,
            elinewidth=1,
            label=name,
        )
    ax.set(xscale="log", yscale="log", xlabel="dimension $d$", ylabel="cosine with the gradient")
    _plain_ticks(ax, "y", (0.02, 0.05, 0.1, 0.2, 0.5, 1))
    ax.legend(loc="lower left")
    return fig


def draw_spending(curves: Mapping[str, tuple[Array, Array, Array]]) -> Figure:
    """Draw mean cosines against evaluations; ``curves`` has evaluations, theory, measurement."""
    fig, ax = figures.figure(width=4.0)
    for name, (evaluations, theory, mean) in curves.items():
        colour = ESTIMATORS[name]
        ax.plot(evaluations, theory, color=colour, linewidth=1)
        ax.plot(evaluations, mean, "o", color=colour, markersize=4, label=name)
    ax.set(xscale="log", yscale="log", xlabel="evaluations $N$", ylabel="cosine with the gradient")
    _plain_ticks(ax, "y", (0.02, 0.05, 0.1, 0.2, 0.5))
    ax.legend(loc="upper left")
    return fig


def list_table(race: Race, shares: Reached) -> str:
    """Return the 22 bullets as a Markdown table."""
    rows = []
    for number, bullet in enumerate(BULLETS, 1):
        names = ", ".join(f"`{name}`" for name in bullet.library)
        word = f"**{results.bullet_verdict(race, shares, bullet)}**"
        line = bullet.line
        rows.append([str(number), line.words, names, line.standard, bullet.cost, word])
    head = ["", "idea", "in the library", "standard name", "evaluations", "verdict"]
    return table(head, rows, "rlllll")


SIGNS = {1: " ▲", 0: "", -1: " ▼"}
"""Marks of a median that is lower or higher than the base's, beyond chance."""


def _medians(race: Race, method: str, marks: Sequence[int]) -> list[str]:
    return [
        digits(float(np.median(runs[method].final))) + SIGNS[mark]
        for runs, mark in zip(race.values(), marks, strict=True)
    ]


BASES = tuple(dict.fromkeys(bullet.base for bullet in BULLETS if bullet.methods))
"""Who the ideas are judged against."""
VERDICTS = ("keep", "open", "drop")
"""In the order of their rows."""


def verdict_table(race: Race, shares: Reached) -> str:
    """Return medians and verdict of each bullet's best reading, sorted by verdict."""
    numbered = enumerate(BULLETS, 1)
    best = [(n, b, results.best_reading(race, shares, b)) for n, b in numbered if b.methods]
    return _judged(race, shares, best)


def verdict_tables(race: Race, shares: Reached) -> str:
    """Return the table of the verdicts, and below it the other readings, folded."""
    return "\n\n".join((verdict_table(race, shares), other_readings(race, shares)))


def other_readings(race: Race, shares: Reached) -> str:
    """Return medians and verdicts of the readings that no bullet's verdict is for, folded."""
    others = [
        (number, bullet, method)
        for number, bullet in enumerate(BULLETS, 1)
        for method in bullet.methods
        if method != results.best_reading(race, shares, bullet)
    ]
    return folded("The other readings of these lines", _judged(race, shares, others))


def _judged(race: Race, shares: Reached, entries: Iterable[tuple[int, Bullet, str]]) -> str:
    rows = []
    for number, bullet, method in entries:
        marks = results.outcomes(race, method, bullet.base)
        word = results.judged(race, shares, method, bullet.base)
        rows.append([word, str(number), method, bullet.base, *_medians(race, method, marks)])
        rows[-1].append(_on_coco(shares, method, bullet.base))
    rows.sort(key=lambda row: VERDICTS.index(row[0]))
    head = ["verdict", "", "method", "against", *TITLES.values(), "COCO"]
    return table(head, rows, "lrllrrrrrr")


def _on_coco(shares: Reached, method: str, base: str) -> str:
    if method not in shares:
        return "–"
    return percent(reached.end(shares, method)) + SIGNS[reached.outcome(shares, method, base)]


def median_table(race: Race, methods: Iterable[str]) -> str:
    """Return the medians of some methods as a Markdown table; a dash where one was not run."""
    rows = [
        [method, *(end(race, name, method) if method in race[name] else "–" for name in race)]
        for method in methods
    ]
    return table(["method", *(TITLES[name] for name in race)], rows, "l" + "r" * len(race))


def end(race: Race, problem: str, method: str) -> str:
    """Say at which loss a method ends on a problem, in the median."""
    return digits(float(np.median(race[problem][method].final)))


def accuracy(race: Race, method: str) -> str:
    """Say the median accuracy on unseen digits."""
    return percent(float(np.median(race["digits"][method].accuracy)))


def compared(race: Race, problem: str, method: str, base: str) -> str:
    """Say whether a method ends better on a problem than another."""
    words = {1: "better", 0: "no better and no worse", -1: "worse"}
    return words[results.comparison(race[problem], method, base)]


def interval(hits: int, n: int) -> str:
    """Say the 95 % Wilson interval of a share.

    Examples
    --------
    >>> interval(19, 20)
    '76 to 99 %'
    """
    low, high = wilson(hits, n)
    return f"{fixed(100 * low)} to {percent(high)}"


def draw_free_walks(steps: Array, spread: Mapping[str, Array]) -> Figure:
    """Draw how far walks have gone against their steps."""
    fig, ax = figures.figure(width=4.0)
    for (name, distance), colour in zip(spread.items(), HUES, strict=False):
        ax.loglog(steps, distance, color=colour, label=name)
    ax.set(xlabel="step", ylabel="distance (kicks)")
    ax.legend(loc="upper left")
    return fig


def draw_leaving(lengths: Sequence[float], found: Mapping[str, Sequence[int]], n: int) -> Figure:
    """Draw the share of runs that leave chapter 1's pit against the length of a first move."""
    fig, ax = figures.figure(width=4.0, height=3.6)
    for (name, hits), mark in zip(found.items(), "osD^vP*", strict=True):
        share = np.array(hits) / n
        colour, line = METHODS[name]
        ax.plot(lengths, share, color=colour, linestyle=line, marker=mark, markersize=4, label=name)
    ax.set(xscale="log", xlabel="length of the first move", ylim=(-0.03, 1.03))
    ax.set_ylabel("share that finds the well")
    _plain_ticks(ax, "x", lengths)
    fig.legend(loc="outside upper center", ncols=2)
    return fig
