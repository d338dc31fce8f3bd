"""Chapter 2: stored tables of ways out of a bowl in the plane, and of the times until then."""

from typing import Any

import numpy as np

from descent.arguments import Array
from descent.chapters.probability_current.beyond import plane
from descent.chapters.probability_current.ways import ANGLES, RIM, place, walk
from descent.minimum_action import minimum_action
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
EXITS = Sweep("02-exits", exit_once, [{"T": T} for T in STEP_SIZES], probes=[0], rtol=1e-2)
