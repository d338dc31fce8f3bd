"""Chapter 10: explorers of the ideas on a landscape of two variables, and of the race."""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.without_gradients import coco_pictures, reached, results
from descent.chapters.without_gradients.bullets import BULLETS
from descent.chapters.without_gradients.methods import OURS, racers
from descent.chapters.without_gradients.numbers import CHECKPOINTS
from descent.chapters.without_gradients.pictures import TITLES, digits
from descent.chapters.without_gradients.results import Runs, collect
from descent.explorer import Handle, explore
from descent.figures import BLUE, EXACT, GUIDE, RED
from descent.landscapes import six_hump_camel
from descent.prose import percent
from descent.sweeps import load
from descent.zeroth_order.idea import Idea, Setting
from descent.zeroth_order.registry import REGISTRY

START = (1.9, 1.4)
SPENT = (0, 10, 20, 40, 60, 80, 120, 160, 200, 250, 300)
"""Evaluations at which the explorer shows a method."""
SEED = 4
TAIL = 60
"""Steps of a path that are drawn."""
FRAME = ((-2.1, 2.1), (-1.5, 1.7))
"""Ranges of the two variables that are drawn."""


ESTIMATOR = {"lr": 0.08, "h": 0.05}
CLOUD = {"spread": 0.5, "size": 10}
SETTINGS: dict[str, Setting] = {
    "random-grad": ESTIMATOR,
    "best-of-n": ESTIMATOR,
    "averaged": {"lr": 0.15, "h": 0.05},
    "spsa": {"lr": 0.02, "h": 0.05},
    "random-grad-adam": ESTIMATOR,
    "smoothed-direction": ESTIMATOR,
    "after-momentum-step": {"lr": 0.02},
    "line-parabola": {"h": 0.1, "reach": 10.0},
    "accumulated": {"lr": 0.01, "h": 0.05},
    "best-momentum": ESTIMATOR,
    "undo": ESTIMATOR,
    "reverse": ESTIMATOR,
    "several-rates": ESTIMATOR,
    "order-walk": {"lr": 0.1},
    "order-walk-3": {"lr": 0.05},
    "variable-order": {"lr": 0.05},
    "convex-order": {"lr": 0.05},
    "annealing": {"lr": 0.3, "temperature": 3.0},
    "breeding": {"lr": 0.05, "period": 2},
    "simplex-gradient": {**CLOUD, "lr": 0.5},
    "ensemble-kalman": {**CLOUD, "regularization": 1.0},
    "consensus": {**CLOUD, "noise": 0.5},
    "gravity": CLOUD,
    "gradient-gravity": {**CLOUD, "lr": 0.02, "h": 0.05},
    "evolution": CLOUD,
    "particle-swarm": CLOUD,
}
"""Options that suit the explorer's landscape; an idea without a row has those of the race."""
UNSEEN = {
    *("averaged-differences-adam", "smoothed", "smoothed-noise", "spsa-adam", "order-walk-2"),
    *("rebirth", "covariance-gradient", "particle-swarm-apart"),
    *("ensemble-kalman-noise", "ensemble-kalman-growing"),
}
"""Ideas that are raced but not shown: on this landscape they look like one that is shown."""
IDEAS: dict[str, Idea] = {
    REGISTRY[slug].name: REGISTRY[slug]
    for slug in dict.fromkeys([*SETTINGS, *REGISTRY])
    if REGISTRY[slug].trials and slug not in UNSEEN
}
"""The ideas that the explorer shows, by name."""


TABLES = {
    "ackley": "10-race-ackley",
    "rosenbrock": "10-race-rosenbrock",
    "rastrigin": "10-race-rastrigin",
    "mlp": "10-race-mlp",
    "digits": "10-race-digits",
}
"""The sweep with the runs on each problem."""
TITLED = {title: name for name, title in TITLES.items()}
LIMITS = {
    "ackley": (1e-3, 30.0),
    "rosenbrock": (1e-2, 1e7),
    "rastrigin": (1.0, 300.0),
    "mlp": (1e-4, 2.0),
    "digits": (0.1, 3.0),
}
"""Range of losses that is drawn for each problem."""


class Moment(NamedTuple):
    """Where a method is after some evaluations: its points (k, 2), and the best so far."""

    evaluations: int
    points: Array
    best: Array


@cache
def journey(name: str) -> list[Moment]:
    """Return the moments of a method on the camel, one a step."""
    idea, start = IDEAS[name], np.array(START)
    assert idea.trials is not None
    setting = SETTINGS.get(idea.slug, idea.trials.landscape)
    moments = [Moment(0, start[None], start)]
    if idea.kind == "population":
        population = idea.population(start, SEED, **setting)
        while population.evaluations < SPENT[-1]:
            points = population.ask()
            losses = six_hump_camel.value(points)
            if idea.told == "residuals":
                losses = np.sqrt(2 * (losses - six_hump_camel.minimum))[:, None]
            population.tell(losses)
            moments.append(Moment(population.evaluations, points, population.best.copy()))
        return moments
    x = torch.tensor(START, dtype=torch.float64)
    optimizer = idea.optimizer([x], SEED, **setting)
    while optimizer.evaluations < SPENT[-1]:
        optimizer.step(lambda: six_hump_camel.value(x))
        here, best = x.numpy()[None].copy(), optimizer.best.numpy().copy()
        moments.append(Moment(optimizer.evaluations, here, best))
    return moments


@cache
def _levels() -> tuple[Array, Array, Array]:
    x, y = np.linspace(*FRAME[0], 121), np.linspace(*FRAME[1], 101)
    points = np.stack(np.meshgrid(x, y), -1)
    return x, y, six_hump_camel.value(points) - six_hump_camel.minimum


def draw_journey(idea: str, evaluations: int) -> Figure:
    """Draw the landscape with where a method has been, and the best loss so far."""
    fig, (left, right) = figures.figure(1, 2)
    x, y, height = _levels()
    levels = np.geomspace(0.05, 30, 12)
    left.contour(x, y, height, levels, colors=GUIDE, linewidths=0.6)
    for minimizer in six_hump_camel.minimizers(2):
        left.plot(*minimizer, "+", color=EXACT, markersize=9, markeredgewidth=1.6)
    past = [moment for moment in journey(idea) if moment.evaluations <= evaluations]
    cloud = len(past[-1].points) > 1
    trail = np.array([m.best if cloud else m.points[0] for m in past])[-TAIL:]
    left.plot(*trail.T, "-", color=BLUE, linewidth=0.9)
    shown = past[-1].points if cloud else trail[-1:]
    left.plot(*shown.T, "o", color=BLUE, markersize=3.5)
    left.plot(*past[-1].best, "o", color=RED, markersize=5.5)
    left.set(xlim=FRAME[0], ylim=FRAME[1], xlabel="$x_1$", ylabel="$x_2$")
    whole = journey(idea)
    spent = [moment.evaluations for moment in whole]
    floored = _gaps(idea)
    right.step(spent, floored, where="post", color=GUIDE, linewidth=1)
    right.step(spent[: len(past)], floored[: len(past)], where="post", color=RED)
    right.set(yscale="log", xlim=(0, SPENT[-1]), ylim=(5e-7, 20))
    right.set(xlabel="evaluations", ylabel="best loss above the minimum")
    return fig


def _gaps(idea: str) -> Array:
    """Return the best loss above the minimum at each moment, a millionth at the least."""
    best = np.array([moment.best for moment in journey(idea)])
    return np.asarray(np.maximum(six_hump_camel.value(best) - six_hump_camel.minimum, 1e-6))


def best_so_far(idea: str, evaluations: int) -> tuple[float, float]:
    """Return the evaluations, and the best loss by then."""
    past = [moment for moment in journey(idea) if moment.evaluations <= evaluations]
    return evaluations, _gaps(idea)[len(past) - 1]


def journey_caption(idea: str, evaluations: int) -> str:
    """Say what the method has reached."""
    past = [moment for moment in journey(idea) if moment.evaluations <= evaluations]
    gap = float(six_hump_camel.value(past[-1].best)) - six_hump_camel.minimum
    text = f"{gap:.3f}" if gap >= 5e-4 else digits(gap) if gap > 1e-6 else "less than a millionth"
    now = past[-1].points
    if len(now) > 1:
        what = "blue: the candidates and the way of the best point"
    elif all(low <= x <= high for x, (low, high) in zip(now[0], FRAME, strict=True)):
        what = "blue: where it is now and how it came there"
    else:
        what = "blue: how it came to where it is now, outside the frame"
    return (
        f"{idea[0].upper()}{idea[1:]} on the six-hump camel after {past[-1].evaluations} "
        f"evaluations. Red dot: its best point, {text} above the minimum; {what}; crosses: the two "
        f"global minima. Grey on the right: the rest of the run. {finding(idea)}"
    )


@cache
def finding(idea: str) -> str:
    """Say what the races found of an idea."""
    shares, bar = coco_pictures.shares(), coco_pictures.BAR
    line = next((bullet for bullet in BULLETS if idea in bullet.methods), None)
    said = []
    if idea in shares:
        ours, theirs = (percent(reached.end(shares, name)) for name in (idea, bar))
        said.append(f"on COCO's 24 functions it reaches {ours} of the targets, CMA-ES {theirs}")
    if line is not None:
        word = results.judged(table(), shares, idea, line.base)
        said.append(f"against {line.base} the verdict is “{word}”")
    return f"In the races: {'; '.join(said)}." if said else ""


ideas_at_work = explore(
    draw_journey,
    name="ideas-at-work",
    caption=journey_caption,
    idea=list(IDEAS),
    evaluations=SPENT,
    labels={"idea": "idea", "evaluations": "evaluations"},
    default={"evaluations": 80},
    play="evaluations",
    grab={"evaluations": Handle(best_so_far, axes=1)},
)


@cache
def table() -> dict[str, dict[str, Runs]]:
    """Return all runs of the race."""
    return collect({name: load(sweep) for name, sweep in TABLES.items()})


def draw_race(problem: str, method: str) -> Figure:
    """Draw the best loss against evaluations: all medians, and the quartiles of one method."""
    fig, ax = figures.figure(width=4.0, height=3.6)
    runs = table()[TITLED[problem]]
    for name in OURS:
        ax.plot(CHECKPOINTS, _shown(runs[name].quartiles()[1]), color=GUIDE, linewidth=0.6)
    ax.plot(CHECKPOINTS, _shown(runs["cma"].quartiles()[1]), color=EXACT, label="CMA-ES (cma)")
    low, median, high = _shown(runs[method].quartiles())
    ax.fill_between(CHECKPOINTS, low, high, color=BLUE, alpha=0.25, linewidth=0)
    ax.plot(CHECKPOINTS, median, color=BLUE, label=method)
    ax.set(xscale="log", yscale="log", xlabel="evaluations", ylabel="best loss so far")
    ax.set(xlim=(CHECKPOINTS[0], CHECKPOINTS[-1]), ylim=LIMITS[TITLED[problem]])
    if problem == "digits":
        ax.set_yticks((0.1, 0.2, 0.5, 1, 2), ("0.1", "0.2", "0.5", "1", "2"))
        ax.set_yticks((), minor=True)
    fig.legend(loc="outside upper center")
    return fig


def _shown(loss: Array) -> Array:
    return np.maximum(loss, 1e-12)


def race_caption(problem: str, method: str) -> str:
    """Say where the method ends."""
    runs = table()[TITLED[problem]]
    low, median, high = runs[method].quartiles()[:, -1]
    others = sorted(OURS, key=lambda name: float(np.median(runs[name].final)))
    place = (
        f"place {others.index(method) + 1} of the list's {len(others)}"
        if method in OURS
        else "not from the list"
    )
    bar = float(np.median(runs["cma"].final))
    ends = [
        f"{digits(value)}{' (below the frame)' * bool(value < LIMITS[TITLED[problem]][0])}"
        for value in (median, bar)
    ]
    return (
        f"{problem[0].upper()}{problem[1:]}: the median of {method} ends at {ends[0]}, {place}; "
        f"quartiles {digits(low)} and {digits(high)} of {len(runs[method].start)} seeds. Band: "
        f"quartiles; grey: medians of the other methods of the list. CMA-ES ends at {ends[1]}."
    )


race_of_methods = explore(
    draw_race,
    name="race-of-methods",
    caption=race_caption,
    problem=list(TITLED),
    method=[name for name in racers("landscape") if name != "cma"],
    labels={"problem": "problem", "method": "method"},
    default={"problem": "network fit", "method": "ensemble Kalman, redrawn"},
)
