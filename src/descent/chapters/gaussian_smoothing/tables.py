"""Chapter 7: its tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from descent import prose
from descent.chapters.gaussian_smoothing import numbers, race
from descent.chapters.gaussian_smoothing.sampled_ascent import reached
from descent.prose import fixed, percent
from descent.search_distributions import score_function_ascent
from descent.sweeps import load

SIGMAS = (0.1, 1.0, 5.0, 10.0)
"""First standard deviations of the sampled climbs."""


def arrivals(name: str, label: str, outside: npt.NDArray[np.bool_]) -> str:
    """Return a Markdown table of the share of starts that arrive, exact and sampled.

    Parameters
    ----------
    name : str
        Of the function, as in `numbers.SMOOTHED`.
    label : str
        What the reader sees for it.
    outside : bool array (starts,)
        The starts that count.
    """
    lines = {"exact gradient": [numbers.arrivals(name, sigma)[outside].mean() for sigma in SIGMAS]}
    for step in ("short steps", "long steps"):
        for baseline, words in ((False, "no baseline"), (True, "with baseline")):
            lines[f"{step}, {words}"] = sampled_shares(name, outside, step, baseline)
    cells = [[what, *map(_whole_percent, shares)] for what, shares in lines.items()]
    head = [f"{label}, first $\\sigma$", *(f"{sigma:g}" for sigma in SIGMAS)]
    return prose.table(head, cells, "l" + "r" * len(SIGMAS))


def sampled_shares(
    name: str, outside: npt.NDArray[np.bool_], step: str, baseline: bool
) -> list[float]:
    """Return the share of sampled climbs that arrive from each of `SIGMAS`."""
    table = load("07-sampled-ascent")
    chosen = (table.step == step) & (table.baseline == baseline) & (table.function == name)
    hits_at = [np.array(table[chosen & (table.sigma == s)].reached.tolist(), bool) for s in SIGMAS]
    return [float(hits[:, outside].mean()) for hits in hits_at]


def _whole_percent(share: float) -> str:
    return percent(float(share)).replace(" ", "\u00a0")


def intervals(firsts: Sequence[float] = (1.0, 2.0, 3.0, 4.0)) -> str:
    """Return a Markdown table of unimodal intervals, and of who arrives from inside and outside."""
    rows = []
    for name, label in zip(numbers.SMOOTHED, ("sinc", "floor"), strict=True):
        for first in firsts:
            low, high = numbers.unimodal_interval(name, first)
            inside = (low < numbers.STARTS) & (high > numbers.STARTS)
            arrive = reached(name, numbers.graduated(name, first).x)
            counts = f"{(arrive & inside).sum()}\u00a0+\u00a0{(arrive & ~inside).sum()}"
            interval = f"{fixed(low, 1)} to {fixed(high, 1)}"
            rows.append([label, f"{first:g}", interval, str(inside.sum()), counts])
    return prose.table(["", "$\\sigma_0$", "interval", "starts in it", "arrive"], rows, "lrlrr")


def broken_by_a_constant(constants: Sequence[int] = (0, 20, 100, 500), seeds: int = 20) -> str:
    """Return a Markdown table of how many of the source's runs on Ackley's function break."""
    ackley = race.PROBLEMS["Ackley"].f

    def broken(constant: int, baseline: bool) -> str:
        runs = [
            score_function_ascent(
                lambda x: ackley(x) + constant,
                [3.0, -2.0],
                4 * np.eye(2),
                100,
                np.random.default_rng([5, seed]),
                baseline=baseline,
            )
            for seed in range(seeds)
        ]
        return f"{sum(run.status != 'completed' for run in runs)} of {seeds}"

    rows = [[str(c), broken(c, False), broken(c, True)] for c in constants]
    head = ["added to $f$", "broken, as printed", "broken, with a baseline"]
    return prose.table(head, rows, "rrr")


def successes(found: Mapping[tuple[str, str], Any], problems: Sequence[str]) -> str:
    """Return a Markdown table of successes of each method of the race on some problems."""
    rows = [[m, *(f"{found[(m, problem)]}" for problem in problems)] for m in race.METHODS]
    return prose.table(["", *problems], rows, "l" + "r" * len(problems))
