"""Chapter 10: the table of the race on COCO's functions."""

from collections.abc import Mapping
from typing import Any

from descent.chapters.without_gradients.coco import INSTANCES, reach
from descent.chapters.without_gradients.methods import METHODS, on_coco
from descent.sweeps import MostAgree, Sweep
from descent.zeroth_order.idea import Setting


def points(settings: Mapping[str, Setting]) -> list[dict[str, Any]]:
    """Return a run on each instance for the setting of each method."""
    return [
        {"method": name, "instance": instance, **setting}
        for name, setting in settings.items()
        for instance in INSTANCES
    ]


POINTS = points({name: METHODS[name].chosen["landscape"] for name in on_coco()})
ROUNDED = MostAgree(0.95, "a loss within rounding of a target falls on either side of it")
COCO = Sweep(
    name="10-coco",
    run=reach,
    points=POINTS,
    probes=[
        index
        for index, point in enumerate(POINTS)
        if point["instance"] == INSTANCES[0] and point["method"] in ("random search", "CMA-ES")
    ],
    compare={"ended": ROUNDED, "spent": ROUNDED},
    version=2,
)
