"""Chapter 5: its table of systems, from the strongest optimizer to the weakest."""

from typing import NamedTuple

import numpy as np

from descent import influence, prose
from descent.arguments import Array
from descent.chapters.three_worlds import numbers
from descent.estimates import mean_with_error
from descent.systems import linear_flow

QUARTERS = (0.25, 0.5, 0.75)


def _number(value: float) -> str:
    """Return a number that a narrow column does not break."""
    return f"<span style='white-space: nowrap'>{prose.fixed(value, 2)}</span>"


def _spread(low: float, middle: float, high: float) -> str:
    return f"{_number(middle)}<br>({_number(low)} to {_number(high)})"


class Ranking(NamedTuple):
    """Op at a time, and its slope in the long run, of systems whose fastest rate is 1.

    Attributes
    ----------
    named : dict
        A pair of numbers by the system's label.
    drawn : dict
        A pair of arrays (n_random,) by the number of variables of the random systems.
    """

    named: dict[str, tuple[float, float]]
    drawn: dict[int, tuple[Array, Array]]


def ranking(time: float = 10.0, n_random: int = 1000) -> Ranking:
    """Return Op and its slope for the named systems and for random ones of three sizes."""
    named = {}
    for system in numbers.candidates():
        J = system.matrix / numbers.fastest_rate(system.matrix)
        flow, rest = linear_flow(J, system.names), np.zeros(len(J))
        (op,) = influence.op(flow, rest, [time], system.part, system.varied, system.varied)
        slope = numbers.op_slope(J, system.names.index(system.part))
        named[system.label] = float(op), float(slope)
    drawn = {}
    for d in (2, 4, 8):
        J = numbers.random_systems(d, n_random, seed=d)
        drawn[d] = numbers.linear_op(J, 0, d - 1, time), numbers.op_slope(J, 0)
    return Ranking(named, drawn)


def slopes(found: Ranking) -> str:
    """Return a ranking as a Markdown table, ordered by the slope; random systems by their median.

    Random systems stand in it with medians and quartiles.
    """
    rows = [
        (slope, [label, _number(op), _number(slope)]) for label, (op, slope) in found.named.items()
    ]
    for d, pair in found.drawn.items():
        share = mean_with_error(pair[1] > 0)
        label = (
            f"**random, {d} variables**: median (quartiles); slope positive in "
            f"{prose.fixed(100 * share.value)}\u00a0±\u00a0{prose.percent(share.error, 1)}"
        )
        quartiles = [np.quantile(values, QUARTERS) for values in pair]
        rows.append((quartiles[1][1], [label, *(_spread(*q) for q in quartiles)]))
    rows.sort(key=lambda row: -round(row[0], 9))
    head = ["System and part", "Op at $t = 10$ (nats)", "Slope in the long run"]
    return prose.table(head, [cells for _, cells in rows], "lrr")
