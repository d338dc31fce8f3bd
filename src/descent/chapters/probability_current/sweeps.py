"""Chapter 2: stored tables of ways out of a bowl in the plane, and of the times until then."""

from typing import Any

import numpy as np

from descent.arguments import Array
from descent.chapters.probability_current import double_well
from descent.chapters.probability_current.beyond import plane
from descent.chapters.probability_current.ways import ANGLES, RIM, place, walk
from descent.minimum_action import action, minimum_action
from descent.rare_events import rare_time
from descent.sweeps import Sweep

STEP_SIZES = (0.016, 0.013, 0.0105, 0.0085, 0.007)
LOW = 0.6
"""Walks are under way beyond so much of the half axes."""


def way_once(angle: int) -> dict[str, Any]:
    """Return the cheapest way of the walk to a place, and its action."""
    found = minimum_action(walk(), [0.0, 0.0], place(angle), n_pieces=60, tolerance=1e-5)
    path = found.path[::2]
    return {
        "action": found.action,
        "error": found.error,
        "path": [round(float(x), 5) for x in path.ravel()],
    }


def exit_once(T: float) -> dict[str, Any]:
    """Return the mean number of steps until the walk is beyond the rim, by splitting."""
    A, samples = plane().A, plane().samples

    def step(states: Array, rng: np.random.Generator) -> Array:
        return states - T * (states @ A + samples[rng.integers(len(samples), size=len(states))])

    found = rare_time(
        step,
        lambda states: np.linalg.norm(states / RIM, axis=1),
        [0.0, 0.0],
        low=LOW,
        high=1.0,
        rng=np.random.default_rng(round(1e6 * T)),
        n=200,
        loops=10_000,
        kill=10,
        repeats=20,
    )
    return {"time": found.value, "error": found.error}


WAYS = Sweep(
    "02-ways",
    way_once,
    # The draws are symmetric: the other half of the rim is the mirror image.
    [{"angle": angle} for angle in ANGLES if angle < 180],
    probes=[4],
    rtol=1e-3,
)
EXITS = Sweep(
    "02-exits", exit_once, [{"T": T} for T in STEP_SIZES], probes=[0], version=2, rtol=1e-2
)


def saddle_once(correlation: float) -> dict[str, Any]:
    """Return the cheapest way over a saddle, by draws and by the diffusion, and its price."""
    ends, back = (double_well.START, np.zeros(2)), double_well.way_in()[::-1]
    found = {}
    for name, H in (
        ("draws", double_well.draws(correlation)),
        ("diffusion", double_well.diffusion(correlation)),
    ):
        found[name] = minimum_action(H, *ends, n_pieces=24, tolerance=1e-4), action(H, back)
    (drawn, dear), (diffused, dear_too) = found["draws"], found["diffusion"]
    return {
        "action": drawn.action,
        "error": drawn.error,
        "diffusion": diffused.action,
        "back": dear,
        "back_of_diffusion": dear_too,
        "path": [round(float(x), 4) for x in drawn.path.ravel()],
        "path_of_diffusion": [round(float(x), 4) for x in diffused.path.ravel()],
    }


def cross_once(correlation: float, T: float) -> dict[str, Any]:
    """Return ln of the mean number of steps over a saddle, on coarse and on fine nodes."""
    coarse, fine = (double_well.log_time(correlation, T, nodes) for nodes in double_well.SPACINGS)
    return {"coarse": coarse, "fine": fine}


SADDLE_WAYS = Sweep(
    "02-saddle-ways",
    saddle_once,
    [{"correlation": c} for c in double_well.CORRELATIONS],
    probes=[4],
    rtol=1e-3,  # a search for a path ends a little elsewhere by rounding
)
SADDLE_TIMES = Sweep(
    "02-saddle-times",
    cross_once,
    [
        {"correlation": c, "T": T}
        for c in double_well.CORRELATIONS
        for T in double_well.step_sizes(c)
    ],
    probes=[0],
    rtol=1e-7,
)
