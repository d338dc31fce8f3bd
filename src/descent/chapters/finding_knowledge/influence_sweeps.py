"""Chapter 11: the table of estimates of influence."""

from descent.chapters.finding_knowledge.influence_study import (
    run,
    run_balanced,
    run_other_asked,
)
from descent.chapters.finding_knowledge.influence_table import (
    BALANCED,
    OTHER_ASKED,
    PASSES,
    SEEDS,
    TABLE,
)
from descent.sweeps import Close, Sweep, grid

RANKS = Close(1e-2, atol=5e-3)  # two nearly equal numbers may change their order by rounding

INFLUENCE = Sweep(
    name=TABLE,
    run=run,
    points=grid(passes=PASSES, seed=SEEDS),
    probes=[0, 7],
    rtol=1e-4,
    compare={
        "rank": RANKS,
        "rank_of_sizes": RANKS,
        "groups": RANKS,
        "forgotten": RANKS,
        "own": RANKS,
        "better": RANKS,
    },
)

HALVES = Sweep(
    name=BALANCED,
    run=run_balanced,
    points=grid(passes=PASSES, seed=SEEDS),
    probes=[1],
    rtol=1e-4,
    compare={"balanced": RANKS},
)

ASKED = Sweep(
    name=OTHER_ASKED,
    run=run_other_asked,
    points=grid(passes=PASSES, seed=SEEDS),
    probes=[2],
    rtol=1e-4,
    compare={"rank_of_sizes": RANKS, "balanced": RANKS, "alike": RANKS},
)
