"""Chapter 10: the table of the race on COCO's functions."""

from descent.chapters.without_gradients.coco import DIMENSIONS, reach
from descent.chapters.without_gradients.methods import METHODS, on_coco
from descent.sweeps import Sweep

COCO = Sweep(
    name="10-coco",
    run=reach,
    points=[
        {"method": name, "d": d, **METHODS[name].chosen["landscape"]}
        for name in on_coco()
        for d in DIMENSIONS
    ],
    probes=[],
    rtol=1e-6,
)
