"""Chapter 9: the trainings of the compression task, stored.

The step sizes are chosen by `TUNING` on a seed that `RESULTS` does not use.
"""

from descent.chapters.symphonic_losses import compression
from descent.sweeps import Sweep

SEEDS = range(5)
LONG_RULES = ("equal_sum", "loss_slope", "slope_average")
PAIRS = [
    (setting, rule)
    for setting in compression.SETTINGS
    for rule in (compression.MEANS_RULES if setting == "means" else compression.RULES)
]
CHOSEN: dict[tuple[str, str], float] = dict.fromkeys(PAIRS, 3e-3) | {
    ("five", "random_alternation"): 1e-3,
    ("five", "upgrad"): 1e-3,
    ("five", "slope_average"): 1e-3,
    ("seven", "gradient_norm"): 1e-2,
    ("seven", "random_alternation"): 1e-3,
    ("seven", "upgrad"): 1e-3,
    ("means", "equal_sum"): 1e-3,
}
"""The step size of the least test error in `TUNING`; a test compares them."""


def points(step_sizes: dict[tuple[str, str], float], seed: int) -> list[dict[str, str | float]]:
    """Return one training a pair of setting and rule."""
    return [
        {
            "setting": setting,
            "rule": rule,
            "step_size": size,
            "steps": compression.STEPS,
            "seed": seed,
        }
        for (setting, rule), size in step_sizes.items()
    ]


SHORT: dict[str, str | float] = {
    "setting": "seven",
    "rule": "gradient_norm",
    "step_size": 3e-3,
    "steps": 3,
    "seed": 0,
}

TUNING = Sweep(
    name="09-compression-step-sizes",
    run=compression.train_once,
    points=[
        SHORT,
        *(
            point
            for size in compression.STEP_SIZES
            for point in points(dict.fromkeys(PAIRS, size), compression.TUNING_SEED)
        ),
    ],
    probes=[0],
    rtol=1e-3,
)

RESULTS = Sweep(
    name="09-compression",
    run=compression.train_once,
    points=[SHORT, *(point for seed in SEEDS for point in points(CHOSEN, seed))],
    probes=[0],
    rtol=1e-3,
)
LONG = Sweep(
    name="09-compression-long",
    run=compression.train_once,
    points=[
        SHORT,
        *(
            point | {"steps": compression.LONG_STEPS}
            for seed in SEEDS
            for point in points({("seven", rule): 3e-3 for rule in LONG_RULES}, seed)
        ),
    ],
    probes=[0],
    rtol=1e-3,
)
PICTURES = Sweep(
    name="09-compression-pictures",
    run=compression.reconstruct_once,
    points=[
        SHORT | {"patches": 1},
        *(
            points({("seven", "equal_sum"): 3e-3}, 0)[0]
            | {"setting": setting, "rule": rule, "steps": steps, "patches": len(compression.SHOWN)}
            for setting, rule, steps in compression.PICTURED
        ),
    ],
    probes=[0],
    rtol=0.01,
    version=2,
)
