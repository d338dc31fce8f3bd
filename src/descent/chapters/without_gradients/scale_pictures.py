"""Chapter 10: the figure and the two tables of the section on a million parameters."""

import math

import numpy as np
import pandas
from matplotlib.figure import Figure
from scipy.stats import t as student

from descent import figures
from descent.arguments import Array
from descent.chapters.without_gradients import scale_sweeps as sweeps
from descent.chapters.without_gradients.scale import BATCH, CONTEXT, COSTS, copies, frequencies
from descent.estimates import Mean, mean_with_error
from descent.figures import BLUE, EXACT, GOLD, GREEN, GREY, GUIDE, RED, VIOLET
from descent.prose import fixed, table
from descent.sweeps import load

__all__ = [
    "BATCH",
    "CONTEXT",
    "Runs",
    "between",
    "draw_tuning",
    "frequencies",
    "table_of_costs",
    "table_of_ranks",
]

STROKES = {
    "MeZO": (BLUE, "-"),
    "sparse": (GREEN, "-"),
    "low rank": (VIOLET, "-"),
    "forward gradient": (GOLD, "--"),
    sweeps.UNTRAINED: (GREY, "-"),
    "gradient": (RED, "-"),
    "Adam": (EXACT, ":"),
}
NAMES = {
    "MeZO": "MeZO, normal directions",
    "sparse": "sparse: MeZO, sparse directions",
    "low rank": "low rank: MeZO, directions of rank one",
    "forward gradient": "forward gradient",
    sweeps.UNTRAINED: "untrained: MeZO, network not trained before",
    "gradient": "gradient, by backpropagation",
    "Adam": "Adam, by backpropagation",
}


class Runs:
    """The stored runs, by row."""

    def __init__(self) -> None:
        frame = load("10-scale")
        self.frame = frame[frame["width"] == sweeps.WIDTH]
        first = load("10-scale-first-steps")
        self.first = first[first["width"] == sweeps.WIDTH]
        ranks = load("10-scale-rank")
        self.ranks = ranks[ranks["width"].isin(sweeps.WIDTHS)]

    def of(self, row: str) -> pandas.DataFrame:
        """Return the runs of a row, one a seed."""
        method, pretraining = sweeps.STARTS[row]
        found = self.frame[self.frame["lr"] == sweeps.CHOSEN[row]]
        return found[(found["method"] == method) & (found["pretraining"] == pretraining)]

    def curves(self, row: str) -> Array:
        """Return the losses on the text held out, one line a seed."""
        return np.array(self.of(row)["held"].tolist())

    def start(self, row: str = "MeZO") -> float:
        """Return the mean loss before the first step."""
        return float(self.curves(row)[:, 0].mean())

    def end(self, row: str) -> float:
        """Return the mean loss at the end of the budget."""
        return float(self.curves(row)[:, -1].mean())

    def differences(self, row: str, other: str) -> Array:
        """Return the differences between the ends of two rows, seed by seed."""
        return self.curves(row)[:, -1] - self.curves(other)[:, -1]

    def apart(self, row: str, other: str) -> float:
        """Return the mean difference between the ends of two rows, seed by seed."""
        return float(self.differences(row, other).mean())

    def later(self, row: str) -> float:
        """Return how far a row falls in the second half of the budget, in the mean."""
        curves = self.curves(row)
        return float((curves[:, curves.shape[1] // 2] - curves[:, -1]).mean())

    def steps_to(self, row: str) -> Array:
        """Return after how many steps of descent each network is below where a row ends.

        One of 1, 2, 4, …: the first that was looked at, infinite if there is none.
        """
        losses: Array = np.array(self.first["held"].tolist())
        below = losses < self.curves(row)[:, -1:]
        places = np.where(below.any(axis=1), 2.0 ** (below.argmax(axis=1) - 1), np.inf)
        found: Array = np.where(below[:, 0], 0.0, places)
        return found

    def first_step(self) -> Array:
        """Return how far each network falls in its first step of descent."""
        losses: Array = np.array(self.first["held"].tolist())
        return losses[:, 0] - losses[:, 1]

    def milliseconds(self, row: str) -> float:
        """Return the mean time of a step, which may count as several evaluations."""
        evaluations = COSTS.get(sweeps.STARTS[row][0], 2)
        return float(evaluations * self.of(row)["milliseconds"].mean())

    def share(self, row: str, of: str = "gradient") -> float:
        """Return how far a row falls as a share of how far another does."""
        return (self.start(row) - self.end(row)) / (self.start(of) - self.end(of))

    def rank(self, width: int, trained: bool) -> pandas.DataFrame:
        """Return what was measured of networks of a width, with the ratios that follow."""
        found = self.ranks
        found = found[(found["width"] == width) & ((found["pretraining"] > 0) == trained)]
        return found.assign(
            over_along=found["trace"] / found["along"],
            measured=found["gradient_fall"] / found["fall"],
        )

    def ratios(self, trained: bool) -> Array:
        """Return all measured ratios of the best steps, trained networks' or others'."""
        return np.concatenate(
            [self.rank(width, trained)["measured"].to_numpy() for width in sweeps.WIDTHS]
        )

    @property
    def costs_of_size(self) -> tuple[float, float]:
        """How much more parameters the larger networks have, and how much larger a ratio."""
        small, large = (self.rank(width, True) for width in sweeps.WIDTHS)
        more = float(large["d"].iloc[0] / small["d"].iloc[0])
        return more, float(large["measured"].mean() / small["measured"].mean())

    @property
    def cosines_over_law(self) -> Array:
        """The mean cosine with the gradient over the law's, of each network."""
        law = (2 / (math.pi * self.ranks["d"])) ** 0.5
        return np.array(self.ranks["cosine"] / law)

    @property
    def cosines_by_ratio(self) -> Array:
        """The law's cosine with each network's measured ratio for d, over that with d."""
        found = self.ranks
        return np.array((found["d"] * found["fall"] / found["gradient_fall"]) ** 0.5)

    @property
    def errors_of_ratios(self) -> Array:
        """The standard error of each measured ratio over the ratio, from its directions."""
        return np.array(self.ranks["fall_error"] / self.ranks["fall"])

    @property
    def untrained_over_trained(self) -> Mean:
        """The logarithm of the measured ratio before training less that after, pair by pair."""
        before, after = (np.log(self.ratios(trained)) for trained in (False, True))
        return mean_with_error(before - after)

    @property
    def step_by_trace(self) -> float:
        """The best step of the quadratic with the mean trace, of trained networks in full width."""
        found = self.rank(sweeps.WIDTH, True)
        return float(1 / (found["trace"] + 2 * found["along"]).mean())

    def failed(self) -> list[str]:
        """Return the short names of the forecasts that do not hold, the earlier ones first."""
        both = (self.forecasts(), self.later_forecasts())
        return [name for part in both for name, held in part.items() if not held]

    def forecasts(self) -> dict[str, bool]:
        """Return whether each forecast of `scale` holds, by a short name."""
        forwards = [row for row in STROKES if row not in ("gradient", "Adam", sweeps.UNTRAINED)]
        taken = {row: float(self.of(row)["copies"].iloc[0]) for row in STROKES}
        least = memory_of_an_evaluation()
        trained = [self.rank(width, True) for width in sweeps.WIDTHS]
        near = [found["measured"] / (found["over_along"] + 2) for found in trained]
        over = [float(found["over_along"].mean()) for found in trained]
        return {
            "that the exact slope is worth nothing": abs(self.apart("forward gradient", "MeZO"))
            < 0.03,
            "the order of the directions' laws": abs(self.apart("sparse", "MeZO")) < 0.05
            and self.apart("low rank", "MeZO") > 0,
            "how far the gradient is ahead": all(
                self.end(row) - self.end("gradient") > 0.5 for row in forwards
            ),
            "the memory": taken["MeZO"] - least < 1 / 3
            and taken["forward gradient"] - least > 1
            and taken["Adam"] - least > 3,
            "that the quadratic tells the ratio of each network within a third": all(
                bool(((one > 2 / 3) & (one < 4 / 3)).all()) for one in near
            ),
            "that an untrained network pays as little": bool(
                (self.ratios(False) < self.d / 100).all()
            )
            and self.start(sweeps.UNTRAINED) > self.end(sweeps.UNTRAINED),
            "that the rank hardly grows with the width": over[1] / over[0] < 3,
        }

    def later_forecasts(self) -> dict[str, bool]:
        """Return whether each forecast of `scale` about the longer runs holds."""
        known = frequencies()
        gained, untrained = (self.start(r) - self.end(r) for r in ("MeZO", sweeps.UNTRAINED))
        return {
            "where MeZO ends, and with which step": sweeps.CHOSEN["MeZO"] in (5e-4, 1e-3)
            and 2.8 < self.end("MeZO") < 3.0,
            "who knows more than frequencies": self.end("MeZO") < known < self.end(sweeps.UNTRAINED)
            and untrained > gained,
            "how near the laws of the directions end": abs(self.apart("sparse", "MeZO")) < 0.05
            and 0 < self.apart("low rank", "MeZO") < 0.1,
            "how far the gradient is ahead": self.apart("MeZO", "gradient") >= 0.4,
            "how soon descent is there": bool((self.steps_to("MeZO") <= 32).all()),
        }

    @property
    def d(self) -> int:
        """The number of parameters."""
        return int(self.ranks["d"].max())

    @property
    def law(self) -> float:
        """The mean cosine of a direction with the gradient, by the law, in d dimensions."""
        return math.sqrt(2 / (math.pi * self.d))


def draw_tuning(runs: Runs) -> Figure:
    """Draw the loss against the evaluations spent."""
    fig, ax = figures.figure(width=4.8, height=3.8)
    spent = np.linspace(0, sweeps.EVALUATIONS, 11)
    for row, (colour, line) in STROKES.items():
        curves = runs.curves(row)
        ax.fill_between(spent, curves.min(0), curves.max(0), color=colour, alpha=0.2, linewidth=0)
        ax.plot(spent, curves.mean(0), color=colour, linestyle=line, label=row)
    ax.axhline(frequencies(), color=GUIDE, linewidth=1)
    ax.text(
        sweeps.EVALUATIONS, frequencies(), "frequencies of characters ", ha="right", va="bottom"
    )
    ax.set(xlabel="evaluations of the loss", ylabel="loss (nats a character)")
    ax.set(xlim=(0, sweeps.EVALUATIONS))
    fig.legend(loc="outside upper center", ncols=3)
    return fig


def between(values: Array, digits: int) -> str:
    """Write the mean of some networks and the 95 % interval of Student's t for it."""
    found = mean_with_error(values)
    half = float(student.ppf(0.975, len(values) - 1)) * found.error
    low, high = fixed(found.value - half, digits), fixed(found.value + half, digits)
    return f"{fixed(found.value, digits)} ({low} to {high})"


def _spread(values: Array, digits: int) -> str:
    low, high = float(np.min(values)), float(np.max(values))
    return (
        f"{fixed(float(np.mean(values)), digits)} ({fixed(low, digits)} to {fixed(high, digits)})"
    )


def table_of_costs(runs: Runs) -> str:
    """Return loss, memory and time of each row as a table."""
    lines = []
    for row in STROKES:
        found = runs.of(row)
        lines.append(
            [
                NAMES[row],
                f"{sweeps.CHOSEN[row]:g}",
                between(runs.curves(row)[:, -1], 2),
                fixed(float(found["copies"].iloc[0]), 2),
                fixed(float(found["milliseconds"].mean()), 0),
            ]
        )
    head = ["", "step size", "loss at the end", "memory", "ms an evaluation"]
    return table(head, lines, "lrrrr")


def table_of_ranks(runs: Runs) -> str:
    """Return dimensions, ranks and the measured ratio of the best steps as a table."""
    lines = []
    for width in sweeps.WIDTHS:
        for trained in (False, True):
            found = runs.rank(width, trained)
            certain = bool((found["trace"] > found["trace_error"]).all())
            lines.append(
                [
                    f"{int(found['d'].iloc[0]):,}",
                    "yes" if trained else "no",
                    _spread(found["trace"].to_numpy(), 0),
                    _spread(found["steepest"].abs().to_numpy(), 0),
                    _spread(found["over_along"].to_numpy() + 2, 0) if certain else "–",
                    _spread(found["measured"].to_numpy(), 0),
                ]
            )
    head = ["$d$", "trained", r"$\operatorname{tr} H$", "largest curvature, its size", "$r_g + 2$"]
    return table([*head, "ratio measured"], lines, "rlrrrr")


def memory_of_an_evaluation() -> float:
    """Return what the loss alone holds, in copies of the parameters."""
    return copies("evaluation", sweeps.WIDTH)
