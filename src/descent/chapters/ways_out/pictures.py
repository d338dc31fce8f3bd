"""Closing page: figures, tables and the explorer of the ways out of the pit."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.modelling_sgd.numbers import pit
from descent.chapters.symphonic_losses.pictures import plain_name
from descent.chapters.ways_out.numbers import (
    BUDGET,
    FAMILIES,
    LENGTHS,
    NETWORK,
    THRESHOLD,
    VALUES,
    WAYS,
    WELL,
    WIDTH,
)
from descent.chapters.ways_out.optimizing import PHASES, Gained, measure, phases
from descent.chapters.ways_out.results import GRID, best_lengths, share, spread
from descent.chapters.ways_out.searches import SEARCHES
from descent.chapters.ways_out.sweeps import ALL_WAYS, CONTROL, SHOWN
from descent.explorer import Handle, explore
from descent.figures import BLUE, EXACT, GOLD, GREEN, GREY, GUIDE, RED, VIOLET
from descent.landscapes import two_datapoint
from descent.prose import fixed, table
from descent.sweeps import load

HUES = (BLUE, RED, GREEN, GOLD, VIOLET, EXACT, GREY)

NAMES = {way: plain_name(way) for way in ALL_WAYS}
"""What the reader sees, by the name in the tables."""
BY_NAME = {name: way for way, name in NAMES.items()}


def family(way: str) -> str:
    """Return what a way relies on."""
    if way in WAYS:
        return WAYS[way].family
    return VALUES if way in SEARCHES else NETWORK


@cache
def _race() -> dict[tuple[str, float], Mapping[str, Any]]:
    frame = load("13-race")
    rows = frame[frame["seeds"] == "report"].to_dict("records")
    return {(row["way"], row["length"]): row for row in rows}


@cache
def chosen() -> dict[str, float]:
    """Return each way's best length, found on the tuning seeds."""
    frame = load("13-race")
    return best_lengths(frame[frame["seeds"] == "tuning"])


def reported(way: str, length: float) -> Mapping[str, Any]:
    """Return the stored row of a way at a length, on the reported seeds."""
    return _race()[way, length]


@cache
def curve(way: str, what: str) -> Array:
    """Return a share of runs at each of `LENGTHS`, with its interval: (lengths, 3)."""
    return np.array([share(reported(way, length), what) for length in LENGTHS])


@cache
def _paths() -> dict[tuple[str, float], Array]:
    return {
        (row["way"], row["length"]): np.array(row["w"]).reshape(SHOWN, -1)
        for row in load("13-paths").to_dict("records")
    }


def leaves(way: str, length: float) -> str:
    """Write the share of runs that leave at a length, with its interval."""
    return str(share(reported(way, length), "escaped"))


def rests(way: str, length: float | None = None) -> str:
    """Write the share of runs that rest in the well at a length, by default the way's best."""
    at = chosen()[way] if length is None else length
    return str(share(reported(way, at), "at_well"))


def first(way: str, least: float = 0.5) -> str:
    """Write the shortest length at which a way leaves in at least so many of its runs."""
    shares = zip(LENGTHS, curve(way, "escaped")[:, 0], strict=True)
    return next((f"{length:g}" for length, share in shares if share >= least), "no")


def typical(way: str) -> str:
    """Write the evaluations until half of the runs have left, at the way's best length."""
    return f"{reported(way, chosen()[way])['median']:.0f}"


def quickest(rest: float = 0.95) -> list[str]:
    """Return the ways that leave first among those at their best that cost what they are charged.

    Only ways of which at least a share `rest` of the runs rests in the well. All that need the
    least number of evaluations are named.
    """
    best = {way: reported(way, chosen()[way]) for way in ALL_WAYS if "*" not in COST[way]}
    resting = {
        way: row["median"] for way, row in best.items() if row["at_well"] >= rest * row["runs"]
    }
    return [way for way, median in resting.items() if median == min(resting.values())]


def quickest_in_words() -> str:
    """Write the quickest ways, each with its length, and what they need."""
    ways = quickest()
    *others, last = (f"*{NAMES[way]}* ($\\lambda = {chosen()[way]:g}$)" for way in ways)
    who = f"{', '.join(others)} and {last} share it" if others else f"it is {last}"
    median = reported(ways[0], chosen()[ways[0]])["median"]
    plural = "" if median == 1 else "s"
    return f"{who}, and half of the runs are out after {median:.0f} evaluation{plural}"


def quickest_steps() -> str:
    """Write the least and the largest step size of the quickest ways."""
    steps = [WAYS[way].step_size(chosen()[way]) for way in quickest() if way in WAYS]
    return f"{fixed(min(steps), 2)} to {fixed(max(steps), 2)}"


def last_move(way: str, length: float) -> float:
    """Return the median length, in widths, of the move that passes the wall's end."""
    return float(reported(way, length)["leap"] / WIDTH)


def by_chance(way: str, length: float) -> float:
    """Return the standard deviation of the share that leaves, from seed to seed, by chance."""
    row = reported(way, length)
    p, runs = row["escaped"] / row["runs"], row["runs"] / len(row["escaped by seed"])
    return float(np.sqrt(p * (1 - p) / runs))


def spread_of(way: str, length: float) -> float:
    """Return the standard deviation of the share that leaves, from seed to seed, as found."""
    return spread(reported(way, length), "escaped")


TOP, LOW = 3.05, 0.3
MARGIN = 3.2
"""The landscape stands to the right of the paths, up to this factor of the budget."""


def draw_paths(way: str, length: float) -> Figure:
    """Draw sample paths of a way beside the landscape on end."""
    fig, ax = figures.figure(width=4.0, height=3.0)
    w = np.linspace(LOW, TOP, 400)
    height = two_datapoint().loss(w)
    profile = BUDGET * 1.15 * MARGIN ** ((height - height.min()) / np.ptp(height))
    ax.fill_betweenx(
        w, profile, BUDGET * 1.15 * MARGIN * 1.05, color=GUIDE, alpha=0.35, linewidth=0
    )
    ax.plot(profile, w, color=EXACT, linewidth=0.8)
    ax.axhline(THRESHOLD, color=GUIDE, linewidth=1)
    ax.axhline(WELL, color=GUIDE, linewidth=0.6, linestyle=":")
    at = np.concatenate([[0.7], GRID])
    for path, colour in zip(_paths()[BY_NAME[way], length], HUES, strict=False):
        inside = np.where((path > LOW - 0.5) & (path < TOP + 0.5), path, np.nan)
        ax.plot(at, inside, ".-", color=colour, linewidth=0.8, markersize=2.5)
    ax.set(xscale="log", xlim=(0.65, BUDGET * 1.15 * MARGIN), ylim=(LOW, TOP))
    ax.set(xlabel="evaluations", ylabel="parameter $W$", xticks=[1, 10, 100, 1000])
    ax.set_xticklabels(["1", "10", "100", "1000"])
    ax.minorticks_off()
    return fig


def leaves_at(way: str, length: float) -> tuple[float, float]:
    """Return the length and the share of runs that leave at it."""
    return length, share(reported(BY_NAME[way], length), "escaped").value


def draw_setting(way: str, length: float) -> Figure:
    """Draw the shares of runs that leave and that rest in the well against the length."""
    fig, ax = figures.figure(width=3.1, height=3.0)
    # Where all that leave rest in the well the curves coincide: the narrow one lies on the wide.
    for what, colour, label, width in (
        ("escaped", RED, "left the pit", 4.0),
        ("at_well", GREEN, "in the well", 1.4),
    ):
        value, low, high = curve(BY_NAME[way], what).T
        ax.fill_between(LENGTHS, low, high, color=colour, alpha=0.2, linewidth=0)
        ax.plot(LENGTHS, value, ".-", color=colour, label=label, linewidth=width)
    ax.axvline(length, color=EXACT, linewidth=0.8)
    ax.set(xscale="log", ylim=(-0.04, 1.04), xlabel="length λ (widths of the pit)")
    ax.set(ylabel="share of runs", xticks=[0.1, 1, 10], yticks=[0, 0.25, 0.5, 0.75, 1])
    ax.set_xticklabels(["0.1", "1", "10"])
    ax.minorticks_off()
    fig.legend(loc="outside upper center", ncols=2)  # off the line at the length
    return fig


def paths_caption(way: str, length: float) -> str:
    """Say how often the way leaves and where it ends."""
    row = reported(BY_NAME[way], length)
    left, stays = share(row, "escaped"), share(row, "at_well")
    most = np.isfinite(row["median"])
    when = f", half of all runs within {row['median']:.0f}" if most else ""
    return (
        f"{way}, λ = {length:g}: of {row['runs']} runs {left} leave the pit within "
        f"{BUDGET} evaluations{when}, and {stays} rest in the well at the end. Coloured: "
        f"{SHOWN} runs; right edge: the loss, on end; grey line: the barrier $b$."
    )


STOPS = tuple(length for length in LENGTHS if length not in (0.1, 8.0, 20.0, 50.0))
"""The lengths at which the slider stops."""

ways_out_of_the_pit = explore(
    draw_paths,
    draw_setting,
    name="ways-out-of-the-pit",
    caption=paths_caption,
    way=list(BY_NAME),
    length=STOPS,
    labels={"way": "way out", "length": "length λ (widths of the pit)"},
    default={"way": "SGD", "length": 1.0},
    format={"length": "{:g}"},
    grab={"length": Handle(leaves_at, panel=1)},
)

DISC = 130  # the area of the disc of a share of one, in square points


def draw_overview() -> Figure:
    """Draw, for all ways and lengths, the shares that leave and that rest as areas of discs."""
    ways = [way for kind in FAMILIES for way in ALL_WAYS if family(way) == kind]
    fig, ax = figures.figure(width=4.4, height=0.24 * len(ways) + 1.2)
    columns = np.arange(len(LENGTHS))
    for row, way in enumerate(ways):
        ax.scatter(columns, np.full(len(LENGTHS), row), s=3, color=GUIDE)
        for what, colour in (("escaped", RED), ("at_well", GREEN)):
            areas = DISC * curve(way, what)[:, 0]
            ax.scatter(columns, np.full(len(LENGTHS), row), s=areas, color=colour, linewidth=0)
    for row in range(1, len(ways)):
        if family(ways[row]) != family(ways[row - 1]):
            ax.axhline(row - 0.5, color=GUIDE, linewidth=0.8)
    ax.set(ylim=(len(ways) - 0.4, -0.6), xlim=(-0.6, len(LENGTHS) - 0.4))
    ax.set_yticks(range(len(ways)), [NAMES[way] for way in ways])
    ax.set_xticks(columns, [f"{length:g}" for length in LENGTHS], rotation=90)
    ax.set(xlabel="length λ (widths of the pit)")
    for colour, label in ((RED, "left the pit"), (GREEN, "in the well")):
        ax.scatter([], [], s=DISC / 2, color=colour, linewidth=0, label=label)
    fig.legend(loc="outside upper center", ncols=2)
    return fig


COST = {
    **{way: str(entry.cost) + ("*" if entry.declared else "") for way, entry in WAYS.items()},
    **{way: "2 a value" for way in SEARCHES},
    **{way: "2" for way in ALL_WAYS if way not in WAYS and way not in SEARCHES},
}
"""Evaluations of a step; a star where the cost is set by us."""


def _whole(text: str) -> str:
    """Return a text that a table does not break."""
    return text.replace(" ", "\u00a0").replace("–", "\u2060–\u2060")


def best_table() -> str:
    """Return each way at its best length as a Markdown table, by family."""
    rows = []
    for kind in FAMILIES:
        for way in (name for name in ALL_WAYS if family(name) == kind):
            length = chosen()[way]
            row = reported(way, length)
            half = np.isfinite(row["median"])
            leap = f"{row['leap'] / WIDTH:.2f}" if row["escaped"] else "–"
            cells = [NAMES[way], f"{length:g}", _whole(str(share(row, "escaped")))]
            cells += [f"{row['median']:.0f}" if half else "–"]
            cells += [_whole(str(share(row, "at_well"))), leap]
            rows.append(cells)
    head = ["way", "best λ", "left", "median", "in the well", "last move"]
    return table(head, rows, "lrrrrr")


OP_SHOWN: Sequence[tuple[str, float]] = (
    ("full batch", 0.2),
    ("full batch", 0.45),
    ("full batch", 3.0),
    ("SGD", 0.2),
    ("SGD", 1.0),
    ("SGD", 3.0),
    ("Langevin", 1.0),
    ("heavy ball", 2.0),
    ("heavy ball", 20.0),
    ("SGD, momentum", 2.0),
    ("exact blur", 2.0),
    ("sampled blur", 2.0),
    ("blind walk", 1.0),
)
OP_RUNS = 1000


@cache
def op_phases() -> dict[tuple[str, float], dict[str, Gained]]:
    """Return what Op gains in each phase, of the ways that have tangents."""
    return {(way, length): phases(measure(way, length, OP_RUNS)) for way, length in OP_SHOWN}


def op_in(place: str, way: str, length: float, digits: int = 2) -> str:
    """Write the mean Op per step of a way in the pit, over the wall or in the well."""
    phase = next(name for name in PHASES if name.endswith(place))
    mean = op_phases()[way, length][phase].per_step()
    assert mean is not None
    return fixed(mean.value, digits)


def phase_table() -> str:
    """Return Op per step by phase as a Markdown table: of all runs, with its standard error."""
    rows = []
    for (way, length), found in op_phases().items():
        cells = []
        for name in PHASES:
            mean = found[name].per_step()
            cells.append(
                "–" if mean is None else f"{fixed(mean.value, 3)} ± {fixed(mean.error, 3)}"
            )
        rows.append([NAMES[way], f"{length:g}", *cells])
    return table(["way", "λ", *PHASES], rows, "llrrr")


def draw_op(examples: Mapping[str, tuple[Array, Array]]) -> Figure:
    """Draw the position and Op of single runs against the step."""
    fig, (left, right) = figures.figure(1, 2)
    for (name, (w, op)), colour in zip(examples.items(), (BLUE, RED, GREEN), strict=False):
        left.plot(w, color=colour, linewidth=0.9, label=name)
        right.plot(op, color=colour, linewidth=0.9, label=name)
    left.axhline(THRESHOLD, color=GUIDE, linewidth=1)
    left.axhline(pit().minimum, color=GUIDE, linewidth=0.6, linestyle=":")
    left.set(xlabel="step $k$", ylabel="parameter $W$", ylim=(0.8, 2.2))
    right.set(xlabel="step $k$", ylabel="Op (nats)")
    right.axhline(0, color=GUIDE, linewidth=1)
    left.legend(loc="lower right")
    return fig


@cache
def _op() -> dict[tuple[str, float], Mapping[str, Any]]:
    return {(row["way"], row["length"]): row for row in load("13-op").to_dict("records")}


def op_row(way: str, length: float) -> Mapping[str, Any]:
    """Return the stored row of Op."""
    return _op()[way, length]


SMALL, LARGE = "op at 1e-08", "op at 0.01"


def _median(row: Mapping[str, Any], key: str) -> float | None:
    quartiles = row.get(key)
    return quartiles[1] if isinstance(quartiles, list) else None


def _verdict(small: float | None, large: float | None) -> str:
    """Return whether medians of Op that are not all but zero are positive."""
    positive = [op is not None and op > ALL_BUT_ZERO for op in (small, large)]
    if positive[1] and (positive[0] or small is None):
        return "yes"
    return "at finite δ" if positive[1] else "no"


def op_at_end(way: str, length: float, disturbance: str) -> str:
    """Write the median Op at the end of the budget for the small or the large disturbance."""
    median = _median(op_row(way, length), {"small": SMALL, "large": LARGE}[disturbance])
    assert median is not None
    return fixed(median, 1)


ALL_BUT_ZERO = 0.05


def verdict_table(length: float) -> str:
    """Return, for all ways at one length, Op at the end beside where the runs end."""
    rows = []
    for way in ALL_WAYS:
        if way.endswith(CONTROL):
            continue
        row, race = op_row(way, length), reported(way, length)
        small, large = _median(row, SMALL), _median(row, LARGE)
        cells = ["–" if op is None else fixed(op, 1) for op in (small, large)]
        rows.append(
            [NAMES[way], *cells]
            + [f"{100 * race[what] / race['runs']:.0f}\u00a0%" for what in ("escaped", "at_well")]
            + [_verdict(small, large)]
        )
    head = ["way", "Op, δ = 10⁻⁸", "Op, δ = 0.01", "left", "in the well", "optimizer by Op"]
    return table(head, rows, "lrrrrl")
