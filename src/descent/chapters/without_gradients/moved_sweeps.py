"""Chapter 10: the tables of the moved grids: their new settings, the race and COCO with them."""

from descent.chapters.without_gradients import numbers
from descent.chapters.without_gradients.coco import reach
from descent.chapters.without_gradients.coco_sweeps import ROUNDED, points
from descent.chapters.without_gradients.methods import on_coco, racers
from descent.chapters.without_gradients.moved import KINDS, TAKEN, at_an_end, new_settings
from descent.chapters.without_gradients.sweeps import SEEDS, race_once, tune_once
from descent.sweeps import Sweep

TUNING = Sweep(
    name="10-moved-tuning",
    run=tune_once,
    points=[
        {"problem": problem, "method": name, **setting}
        for kind in KINDS
        for name in at_an_end(kind)
        for setting in new_settings(name, kind)
        for problem in numbers.TUNING[kind]
    ],
    probes=[0],
    rtol=1e-6,
)
RACED = [
    {"problem": problem, "method": name, **setting, "seed": seed}
    for problem in numbers.PROBLEMS
    for name, setting in TAKEN[numbers.kind(problem)].items()
    if name in racers(numbers.kind(problem))
    for seed in SEEDS
]
RACE = Sweep(
    name="10-moved-race",
    run=race_once,
    points=RACED,
    # By ranks alone: rounding moves what an ensemble makes of Ackley's function.
    probes=[
        index
        for index, point in enumerate(RACED)
        if (point["problem"], point["method"], point["seed"]) == ("mlp", "evolution strategy", 0)
    ],
    rtol=1e-6,
)
COCO = Sweep(
    name="10-moved-coco",
    run=reach,
    points=points({n: taken for n, taken in TAKEN["landscape"].items() if n in on_coco()}),
    probes=[0],
    compare={"ended": ROUNDED, "spent": ROUNDED},
)
