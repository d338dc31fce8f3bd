r"""Chapter 5: a causal network of five nodes, whose weights and part A the reader chooses.

.. math:: \operatorname{Comp}(A; n, m) = \frac{\sum_{n \to m} \prod w}
          {\sum_{n \to m,\ \text{avoiding } A} \prod w}
"""

import numpy as np
from matplotlib.figure import Figure

from descent import causal, figures
from descent.causal import Network
from descent.causal.network import Node
from descent.explorer import explore
from descent.figures import BLUE, EXACT, GREY, RED
from descent.prose import fixed

PLACES = {"n": (0.0, 0.0), "u": (1.0, 0.6), "v": (1.3, -0.6), "w": (2.3, -0.85), "m": (3.2, 0.3)}
PARTS = {"u": ("u",), "v": ("v",), "w": ("w",), "v and w": ("v", "w")}
ACTS = tuple(k / 4 for k in range(-4, 5))
READS = (-1.0, -0.5, 0.0, 0.5, 1.0)


def arrows(act: float, read: float) -> dict[tuple[str, str], float]:
    """Return the weights: v acts on m with one, and reads u with the other."""
    return {
        ("n", "u"): 1.0,
        ("n", "v"): 0.5,
        ("u", "v"): read,
        ("u", "m"): 0.8,
        ("v", "m"): act,
        ("v", "w"): 1.0,
        ("w", "m"): 0.25,
    }


def sums(act: float, read: float, part: str) -> tuple[float, float]:
    """Return the sum over all paths from n to m, and over those that avoid the part."""
    weights: dict[tuple[Node, Node], float] = {
        (cause, effect): weight for (cause, effect), weight in arrows(act, read).items()
    }
    network = Network(weights)
    all_paths = causal.responses(network, "n")["m"]
    avoiding = causal.responses(network, "n", PARTS[part])["m"]
    return float(all_paths), float(avoiding)


def draw_network(act: float, read: float, part: str) -> Figure:
    """Draw the nodes and the arrows with their weights; cut arrows are dotted."""
    fig, ax = figures.figure(width=5.2, height=3.0)
    for (cause, effect), weight in arrows(act, read).items():
        start, end = np.array(PLACES[cause]), np.array(PLACES[effect])
        cut = cause in PARTS[part] or effect in PARTS[part]
        ax.plot(
            *np.array([start, end]).T,
            ":" if cut else "-",
            color=RED if weight < 0 else BLUE,
            linewidth=0.8 + 2.2 * abs(weight),
            zorder=1,
        )
        tip, along = start + 0.72 * (end - start), (end - start) / np.hypot(*(end - start))
        across = np.array([-along[1], along[0]])
        wing = np.array([tip - 0.1 * along + 0.06 * across, tip, tip - 0.1 * along - 0.06 * across])
        ax.plot(*wing.T, color=RED if weight < 0 else BLUE, linewidth=1.2, zorder=1)
        side = -0.13 if "w" in (cause, effect) else 0.13  # away from the other arrows
        x, y = start + 0.42 * (end - start) + side * across
        ax.text(x, y, fixed(float(weight), 2), fontsize=8, ha="center", va="center")
    for name, (x, y) in PLACES.items():
        held = name in PARTS[part]
        ax.plot([x], [y], "s" if held else "o", color=EXACT if held else GREY, markersize=17)
        ax.text(x, y, name, color="white", ha="center", va="center", fontsize=9)
    ax.set(xlim=(-0.3, 3.5), ylim=(-1.1, 0.9))
    ax.set_axis_off()  # a network has no axes
    return fig


def caption(act: float, read: float, part: str) -> str:
    """Say the two sums and Op."""
    whole, avoiding = sums(act, read, part)
    if avoiding == 0:
        ending = "No path avoids it, so that nothing arrives in $\\mathcal{Y}$."
    elif abs(whole) < 1e-12:
        ending = "The paths cancel, and Op is infinite."
    else:
        op = -float(np.log(abs(whole / avoiding)))
        ending = f"Comp is {fixed(whole / avoiding, 3)} and Op is {fixed(op, 3)} nats."
    return (
        f"$A$ is {part} (squares); arrows into or out of it are dotted, negative weights orange. "
        f"All paths from n to m sum to {fixed(whole, 3)}, those that avoid $A$ to "
        f"{fixed(avoiding, 3)}. {ending}"
    )


paths_by_hand = explore(
    draw_network,
    name="paths-by-hand",
    caption=caption,
    act=ACTS,
    read=READS,
    part=tuple(PARTS),
    labels={
        "act": "weight of v on m",
        "read": "weight of u on v",
        "part": "part $A$",
    },
    format={"act": "{:g}", "read": "{:g}"},
    default={"act": -0.5, "read": 0.5, "part": "v"},
)
