"""Chapter 10: the table of the race on COCO's functions."""

from descent.chapters.without_gradients.coco import DIMENSIONS, reach
from descent.chapters.without_gradients.methods import METHODS, on_coco
from descent.sweeps import MostAgree, Sweep

POINTS = [
    {"method": name, "d": d, **METHODS[name].chosen["landscape"]}
    for name in on_coco()
    for d in DIMENSIONS
]
COCO = Sweep(
    name="10-coco",
    run=reach,
    points=POINTS,
    probes=[
        index
        for index, point in enumerate(POINTS)
        if point["d"] == DIMENSIONS[0] and point["method"] in ("random search", "CMA-ES")
    ],
    compare={
        "reached": MostAgree(0.95, "a loss within rounding of a target falls on either side of it")
    },
)
