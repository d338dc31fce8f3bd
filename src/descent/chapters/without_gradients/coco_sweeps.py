"""Chapter 10: the table of the race on COCO's functions."""

from descent.chapters.without_gradients.coco import INSTANCES, reach
from descent.chapters.without_gradients.methods import METHODS, on_coco
from descent.sweeps import MostAgree, Sweep

POINTS = [
    {"method": name, "instance": instance, **METHODS[name].chosen["landscape"]}
    for name in on_coco()
    for instance in INSTANCES
]
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
