"""Chapter 10: the stored runs of the section on a million parameters."""

from typing import Any

from descent.chapters.without_gradients.scale import METHODS, first_steps, tune
from descent.chapters.without_gradients.scale_rank import rank
from descent.sweeps import NotCompared, Sweep

WIDTH = 144
PRETRAINING = 250
"""Steps of Adam on the prose."""
EVALUATIONS = 2000
SEEDS = range(3)
TUNING_SEED = 9
TUNING_EVALUATIONS = EVALUATIONS
"""As long as the runs: the best step size hangs on the budget."""
TRIED = {method: (2.5e-4, 5e-4, 1e-3, 2e-3) for method in METHODS} | {
    "gradient": (0.05, 0.1, 0.2, 0.4),
    "Adam": (5e-4, 1e-3, 2e-3, 4e-3),
}
"""Step sizes, as many for each."""
AS_MEZO = "forward gradient"
"""What is not tuned: it has the directions of MeZO, and takes its step size."""
UNTRAINED = "untrained"
STARTS: dict[str, tuple[str, int]] = {
    **{method: (method, PRETRAINING) for method in METHODS},
    UNTRAINED: ("MeZO", 0),
}
"""The rows: a method, and for how many steps its network was trained before."""
CHOSEN: dict[str, float] = {
    "MeZO": 5e-4,
    "sparse": 1e-3,
    "low rank": 5e-4,
    "forward gradient": 5e-4,
    "gradient": 0.2,
    "Adam": 0.001,
    UNTRAINED: 1e-3,
}
"""The step size whose end was lowest for the tuning seed."""
SMALL = {"width": 16, "pretraining": 10, "seed": 0}
"""A network for the probes, which takes a second."""
WIDTHS = (48, 144)
RANK_SEEDS = range(3)
FIRST_STEPS = 64
"""Steps of descent whose beginning is looked at."""

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
            if row != AS_MEZO
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
    ],
    probes=[0],
    rtol=1e-3,
    compare=_DIFFERENT_CLOCKS,
)
FIRST = Sweep(
    name="10-scale-first-steps",
    run=first_steps,
    points=[
        {**SMALL, "lr": 0.1, "steps": 8},
        *(
            {
                "width": WIDTH,
                "pretraining": PRETRAINING,
                "lr": CHOSEN["gradient"],
                "seed": seed,
                "steps": FIRST_STEPS,
            }
            for seed in SEEDS
        ),
    ],
    probes=[0],
    rtol=1e-3,
)
RANK = Sweep(
    name="10-scale-rank",
    run=rank,
    points=[
        SMALL,
        *(
            {"width": width, "pretraining": pretraining, "seed": seed}
            for width in WIDTHS
            for seed in RANK_SEEDS
            for pretraining in (0, PRETRAINING)
        ),
    ],
    probes=[0],
    rtol=1e-2,
)
