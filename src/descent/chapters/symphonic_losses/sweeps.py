"""Chapter 9: the table of success rates."""

from typing import Any

from descent.aggregation import RULES
from descent.chapters.symphonic_losses.race import successes
from descent.sweeps import MostAgree, Sweep

TUNING = tuple(range(4))
"""Seeds of the landscapes on which a rule chooses its step size."""
REPORTED = tuple(range(100, 112))
"""Seeds of the landscapes on which it is then measured."""
LAYERS = (1, 2, 4, 8, 16)
"""Numbers of losses at which COMPARED are measured; all rules are at RACE_LAYERS."""
RACE_LAYERS = 8
COMPARED = ("equal_sum", "gradient_norm", "random_alternation", "matched_noise")


def run(problem: str, m: int, rule: str) -> dict[str, Any]:
    """Count the successes on every landscape: for each step size, each landscape in turn."""
    return {"successes": successes(problem, m, rule, (*TUNING, *REPORTED)).ravel()}


SUCCESS = Sweep(
    name="09-success",
    run=run,
    points=[
        {"problem": problem, "m": m, "rule": rule}
        for m in LAYERS
        for problem in ("perlin", "ripples")
        for rule in RULES
        if m == RACE_LAYERS or (problem == "perlin" and rule in COMPARED)
    ],
    probes=[0, 4],
    compare={"successes": MostAgree(0.95, "at the longest steps a few descents are chaotic")},
    version=2,
)
