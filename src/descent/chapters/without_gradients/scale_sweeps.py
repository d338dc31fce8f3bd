"""Chapter 10: the stored runs of the section on a million parameters."""

from typing import Any

from descent.chapters.without_gradients.scale import METHODS, tune
from descent.chapters.without_gradients.scale_rank import rank
from descent.sweeps import NotCompared, Sweep

WIDTH = 144
PRETRAINING = 250
"""Steps of Adam on the prose."""
EVALUATIONS = 640
SEEDS = range(3)
TUNING_SEED = 9
TUNING_EVALUATIONS = 160
TRIED = {method: (3e-4, 1e-3, 3e-3, 1e-2) for method in METHODS} | {
    "gradient": (0.01, 0.03, 0.1, 0.3),
    "Adam": (1e-4, 3e-4, 1e-3, 3e-3),
}
"""Step sizes, as many for each."""
UNTRAINED = "untrained"
STARTS: dict[str, tuple[str, int]] = {
    **{method: (method, PRETRAINING) for method in METHODS},
    UNTRAINED: ("MeZO", 0),
}
"""The rows: a method, and for how many steps its network was trained before."""
CHOSEN: dict[str, float] = {
    "MeZO": 0.003,
    "sparse": 0.003,
    "low rank": 0.003,
    "forward gradient": 0.003,
    "gradient": 0.1,
    "Adam": 0.001,
    UNTRAINED: 0.003,
}
"""The step size whose end was lowest for the tuning seed."""
SHORTER = "MeZO", 1e-3
"""A row that runs with the next shorter step size as well."""
SMALL = {"width": 16, "pretraining": 10, "seed": 0}
"""A network for the probes, which takes a second."""
WIDTHS = (48, 144)

_DIFFERENT_CLOCKS = {"milliseconds": NotCompared("processor time of another machine")}


def _point(row: str, lr: float, seed: int, evaluations: int) -> dict[str, Any]:
    method, pretraining = STARTS[row]
    return {
        "method": method,
        "width": WIDTH,
        "pretraining": pretraining,
        "lr": lr,
        "seed": seed,
        "evaluations": evaluations,
    }


def _small(method: str, lr: float) -> dict[str, Any]:
    return {"method": method, **SMALL, "lr": lr, "evaluations": 30}


TUNING = Sweep(
    name="10-scale-tuning",
    run=tune,
    points=[
        *(_small(method, TRIED[method][1]) for method in METHODS),
        *(
            _point(row, lr, TUNING_SEED, TUNING_EVALUATIONS)
            for row, (method, _) in STARTS.items()
            for lr in TRIED[method]
        ),
    ],
    probes=range(len(METHODS)),
    rtol=1e-3,
    compare=_DIFFERENT_CLOCKS,
)
SCALE = Sweep(
    name="10-scale",
    run=tune,
    points=[
        _small("MeZO", 1e-2),
        *(_point(row, lr, seed, EVALUATIONS) for seed in SEEDS for row, lr in CHOSEN.items()),
        *(_point(*SHORTER, seed, EVALUATIONS) for seed in SEEDS),
    ],
    probes=[0],
    rtol=1e-3,
    compare=_DIFFERENT_CLOCKS,
)
RANK = Sweep(
    name="10-scale-rank",
    run=rank,
    points=[
        SMALL,
        *(
            {"width": width, "pretraining": pretraining, "seed": seed}
            for width in WIDTHS
            for seed in SEEDS
            for pretraining in (0, PRETRAINING)
        ),
    ],
    probes=[0],
    rtol=1e-2,
)
