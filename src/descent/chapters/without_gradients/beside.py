"""Chapter 10: the library's methods that no line of the list asks for, tuned like those it has.

They are no racers: they meet the others on COCO's functions.
"""

from collections.abc import Mapping
from typing import Any

from descent.chapters.without_gradients.numbers import Evaluations
from descent.chapters.without_gradients.racing import Method, Racer, asking, stepping
from descent.sweeps import grid
from descent.zeroth_order.idea import Idea, Setting
from descent.zeroth_order.registry import NEAR, RATES, REGISTRY, STEPS, WIDE

FIRST_SPREADS = (0.1, 0.3, 0.6, 1.0, 2.5, 5.0)
OWN_SCHEDULE = ("spall", "second-order")
"""Ideas whose step sizes fall by a law of their own."""
TRIED: Mapping[str, tuple[Mapping[str, Any], Setting]] = {
    "averaged-differences": (WIDE, {"lr": 0.3, "h": 0.01}),
    "mezo": (STEPS, {"lr": 0.1, "h": 0.01}),
    "after-adam-step": ({"lr": RATES}, {"lr": 0.1}),
    "covariance-adaptation": ({"spread": FIRST_SPREADS}, {"spread": 5.0}),
    "natural-evolution": ({"spread": FIRST_SPREADS}, {"spread": 2.5}),
    "spall": (WIDE, {"lr": 1.0, "h": 0.01}),
    "second-order": ({"lr": (0.03, 0.1, 0.3, 1.0, 3.0, 10.0), "h": NEAR}, {"lr": 3.0, "h": 0.01}),
    "guided": (STEPS, {"lr": 0.3, "h": 0.01}),
    "gravitational-search": (
        {"spread": (0.5, 2.0, 5.0), "decay": (5.0, 20.0)},
        {"spread": 5.0, "decay": 5.0},
    ),
    "swarm-gradient": (
        {"spread": (0.5, 2.0, 5.0), "lr": (0.05, 0.5)},
        {"spread": 5.0, "lr": 0.05},
    ),
}
"""By slug: the values that are tried, in all combinations, and the best on the landscapes."""


def _racer(idea: Idea) -> Racer:
    if idea.slug == "gravitational-search":

        def race(f: Evaluations, seed: int, **setting: Any) -> None:
            # Its schedule must know how many steps there will be, of 20 evaluations each.
            asking(idea)(f, seed, steps=f.budget // 20, **setting)

        return race
    if idea.kind == "population":
        return asking(idea)
    return stepping(idea.optimizer, fade=idea.slug not in OWN_SCHEDULE)


BESIDE: dict[str, Method] = {
    REGISTRY[slug].name: Method(_racer(REGISTRY[slug]), grid(**tried), {"landscape": chosen})
    for slug, (tried, chosen) in TRIED.items()
}
"""The methods by the names that the reader sees."""
