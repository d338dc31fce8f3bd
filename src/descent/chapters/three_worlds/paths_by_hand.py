r"""Chapter 5: a causal network of five nodes, whose weights and part A the reader chooses.

.. math:: \operatorname{Comp}(A; n, m) = \frac{\sum_{n \to m} \prod w}
          {\sum_{n \to m,\ \text{avoiding } A} \prod w}

The weights are knobs on the arrows, a click on a node puts it into A, and Op of a disturbance of
n is shown at every node.
"""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from descent import causal, figures
from descent.causal import Network
from descent.explorer import MOVING, live, span
from descent.figures import BLUE, EXACT, GREY, RED
from descent.prose import fixed

PLACES = {
    "n": (0.0, 0.0),
    "u": (1.15, 0.95),
    "v": (1.15, -0.95),
    "w": (2.45, -1.0),
    "m": (3.6, 0.3),
}
"""Each node behind its causes; n is disturbed."""
WEIGHTS = {
    ("n", "u"): 1.0,
    ("n", "v"): 0.5,
    ("u", "v"): 0.5,
    ("u", "m"): 0.8,
    ("v", "m"): -0.5,
    ("v", "w"): 1.0,
    ("w", "m"): 0.25,
}
OTHERS = tuple(PLACES)[1:]
FROM, TO = 0.32, 0.7
"""Where on its arrow a knob stands for the weights -1 and 1."""


def key(cause: str, effect: str) -> str:
    """Return the control of a weight."""
    return f"{cause}_{effect}"


def measures(weights: Mapping[tuple[str, str], float], held: tuple[str, ...]) -> dict[str, float]:
    """Return Op of each node outside of A; nan where nothing arrives in either world."""
    network = Network({edge: Fraction(round(100 * w), 100) for edge, w in weights.items()})
    lengths = causal.responses(network, "n"), causal.responses(network, "n", held)
    return {
        node: causal.op(network, held, "n", node) if any(r[node] for r in lengths) else math.nan
        for node in OTHERS
        if node not in held
    }


def _said(op: float) -> str:
    if math.isnan(op):
        return "none"
    return ("∞" if op > 0 else "−∞") if math.isinf(op) else fixed(op, 3)


def _chosen(values: Mapping[str, float]) -> tuple[dict[tuple[str, str], float], tuple[str, ...]]:
    """Return the weights and the nodes in A of some controls."""
    weights = {edge: values[key(*edge)] for edge in WEIGHTS}
    return weights, tuple(node for node in OTHERS if values[f"in_{node}"])


def _draw_arrow(ax: Axes, edge: tuple[str, str], weight: float, cut: bool) -> None:
    start, end = (np.array(PLACES[node]) for node in edge)
    along = (end - start) / np.hypot(*(end - start))
    across = np.array([-along[1], along[0]])
    first, tip = start + 0.2 * along, end - 0.22 * along
    wing = np.array([tip - 0.11 * along + 0.07 * across, tip, tip - 0.11 * along - 0.07 * across])
    look: dict[str, Any] = {"color": RED if weight < 0 else BLUE, "gid": MOVING}
    width = 0.8 + 2.4 * abs(weight)
    ax.plot(*np.array([first, tip]).T, "--" if cut else "-", linewidth=width, **look)
    ax.plot(*wing.T, linewidth=1.4, **look)
    knob = start + (FROM + (weight + 1) / 2 * (TO - FROM)) * (end - start)
    ax.plot(*knob, "o", color="white", markeredgecolor=look["color"], markersize=5, gid=MOVING)
    x, y = knob - 0.24 * across
    ax.text(x, y, fixed(weight, 2), fontsize=8, ha="center", va="center", gid=MOVING)


def draw_network(**values: float) -> Figure:
    """Draw the nodes with their Op, and the arrows with their weights; cut arrows are dashed."""
    weights, held = _chosen(values)
    found = measures(weights, held)
    fig, ax = figures.figure(width=5.6, height=3.6)
    for edge, weight in weights.items():
        _draw_arrow(ax, edge, weight, not set(held).isdisjoint(edge))
    for node, (x, y) in PLACES.items():
        op = found.get(node, 0.0)
        colour = EXACT if node in held else GREY if not abs(op) > 0 else BLUE if op > 0 else RED
        ax.plot([x], [y], "s" if node in held else "o", color=colour, markersize=18, gid=MOVING)
        centred: dict[str, Any] = {"ha": "center", "va": "center", "gid": MOVING}
        ax.text(x, y, node, color="white", fontsize=9, **centred)
        if node != "n":
            label = "in A" if node in held else f"Op {_said(op)}"
            ax.text(x, y + (-0.32 if y < -0.5 else 0.32), label, fontsize=8, **centred)
    ax.set(xlim=(-0.35, 4.1), ylim=(-1.5, 1.45))
    ax.set_axis_off()  # a network has no axes
    return fig


def caption(**values: float) -> str:
    """Say what is in A, and Op of every node outside of it."""
    weights, held = _chosen(values)
    found = measures(weights, held)
    part = f"$A$ is {' and '.join(held)} (squares)" if held else "$A$ is empty"
    each = ", ".join(f"{node} {_said(op)}" for node, op in found.items())
    return f"{part}. Op of a disturbance of n, in nats: {each}. Negative weights are orange."


CONTROLS: dict[str, Any] = {key(*edge): span(-1, 1, 41) for edge in WEIGHTS} | {
    f"in_{node}": (0, 1) for node in OTHERS
}

paths_by_hand = live(
    draw_network,
    model="paths",
    name="paths-by-hand",
    caption=caption,
    labels={key(*edge): f"weight of {edge[0]} on {edge[1]}" for edge in WEIGHTS}
    | {f"in_{node}": f"{node} in A" for node in OTHERS},
    default={key(*edge): weight for edge, weight in WEIGHTS.items()} | {"in_v": 1},
    format={f"in_{node}": lambda value: ("no", "yes")[value] for node in OTHERS},
    grab=[(key(*edge), 0) for edge in WEIGHTS] + [(f"in_{node}", 0) for node in OTHERS],
    constants={"nodes": tuple(PLACES), "places": PLACES, "arrows": tuple(WEIGHTS)}
    | {"from": FROM, "to": TO},
    in_picture=True,
    **CONTROLS,
)
