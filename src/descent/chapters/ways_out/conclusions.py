"""Closing page: what it concludes, in numbers that the register of claims holds."""

import numpy as np

from descent.chapters.modelling_sgd.numbers import pit
from descent.chapters.ways_out import exercises, inertia, numbers, pictures
from descent.chapters.ways_out.numbers import LENGTHS, MOMENTUM, WAYS, WELL
from descent.chapters.ways_out.sweeps import ALL_WAYS, CONTROL, LONGER
from descent.landscapes import two_datapoint

Values = dict[str, float]


def curves() -> Values:
    """Return what the whole curves say."""
    spreads = [
        pictures.spread_of(way, length) / chance
        for way in WAYS
        for length in LENGTHS
        if (chance := pictures.by_chance(way, length)) > 0.01
    ]
    return {
        "sgd-escapes-at-half-a-width": numbers.exact_escape(0.45),
        "sgd-escapes-below-a-width": numbers.exact_escape(0.7),
        "constant-noise-does-not-rest": numbers.constant_noise_rests(1.0),
        "sgd-rests-without-cooling": _share("SGD", 1.0, "at_well"),
        "full-batch-leaves-where-it-can-leap": exercises.length_of_the_first_crossing(),
        "short-sampled-blur-leaves": _share("sampled blur", 0.2, "escaped"),
        "seeds-differ-by-chance-alone": float(np.median(spreads)),
    }


def momentum() -> Values:
    """Return what the comparison at equal effective steps says."""
    longest = inertia.half(MOMENTUM, LONGER).value / inertia.exact_half(LONGER)
    return {
        "sgd-leaves-at": inertia.exact_half(),
        "momentum-leaves-at": inertia.half(MOMENTUM).value,
        "momentum-needs-longer-steps": inertia.half(MOMENTUM).value / inertia.exact_half(),
        "a-longer-run-changes-little": longest,
        "more-momentum-needs-longer-steps": inertia.half(0.97).value,
    }


def ways() -> Values:
    """Return what the table of the best settings says."""
    best = pictures.chosen()
    at_edge = [
        way
        for way, length in best.items()
        if length in (LENGTHS[0], LENGTHS[-1]) and pictures.reported(way, length)["at_well"]
    ]
    network = _share("mlp5", best["mlp5"], "at_well")
    return {
        "a-blur-takes-the-pit-away": numbers.blur_without_pit(),
        "a-blur-carries-out-in-small-moves": pictures.last_move("exact blur", 2.0),
        "full-batch-leaps": pictures.last_move("full batch", 2.0),
        "mgda-stays-up-to": _stays_up_to("mgda"),
        "pcgrad-stays-up-to": _stays_up_to("pcgrad"),
        "a-network-is-the-length-of-its-steps": network
        - _share(f"mlp5{CONTROL}", best["mlp5"], "at_well"),
        "best-settings-inside": float(len(at_edge)),
        "quickest-shared-by": float(len(pictures.quickest())),
    }


def op_by_phase() -> Values:
    """Return Op per step in the phases, and its closed forms."""
    bend, T = float(two_datapoint().mean_curvature(pit().minimum)), numbers.step_size(0.2)
    return {
        "the-pit-is-the-better-thermostat": _op("full batch", 0.2, "in the pit")
        / float(-np.log(1 - T * two_datapoint().mean_curvature(WELL))),
        "op-at-the-bottom": float(-np.log(abs(1 - T * bend))),
        "long-steps-part-neighbours": _op("SGD", 1.0, "in the pit"),
        "longer-steps-part-them-on-the-wall": _op("SGD", 3.0, "over the wall"),
        "full-batch-parts-them-too": _op("full batch", 3.0, "in the pit"),
        "a-blur-leaves-without-parting": _op("exact blur", 2.0, "over the wall"),
        "momentum-sets-its-pace": _op("heavy ball", 2.0, "in the pit"),
    }


def op_of_comparisons() -> Values:
    """Return what Op of searches says, and whether Op tells who leaves."""
    rows = [
        (pictures.op_row(way, 1.0)[pictures.LARGE][1], _share(way, 1.0, "escaped"))
        for way in ALL_WAYS
        if not way.endswith(CONTROL)
    ]
    op, left = np.array(rows).T
    agree = (op > pictures.ALL_BUT_ZERO) == (left > 0.5)
    return {
        "comparisons-see-no-small-disturbance": pictures.op_row("walk of order 1", 3.0)[
            pictures.SMALL
        ][1],
        "op-falls-with-the-disturbance": exercises.fall_by_a_factor_of_ten(),
        "op-does-not-tell-who-leaves": float(agree.mean()),
    }


def _share(way: str, length: float, what: str) -> float:
    row = pictures.reported(way, length)
    return float(row[what] / row["runs"])


def _stays_up_to(way: str) -> float:
    """Return the longest length up to which no run leaves."""
    left = [_share(way, length, "escaped") > 0 for length in LENGTHS]
    return LENGTHS[left.index(True) - 1]


def _op(way: str, length: float, phase: str) -> float:
    found = pictures.op_phases()[way, length][phase].per_step()
    assert found is not None
    return found.value
