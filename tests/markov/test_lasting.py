"""Mean times by the law that lasts are those of the elimination, and reach further."""

import math

import numpy as np
import pytest

from descent import large_deviations, markov
from descent.chapters.modelling_sgd import numbers
from descent.landscapes import FiniteSum, qubic_1d, two_datapoint
from descent.markov.lasting import Lasting
from descent.markov.state_reduction import log_mean_absorption_time
from descent.markov.transfer_operator import covering_operator

MODEL, PIT = two_datapoint(), numbers.pit()


def chain(model, step_size, start, threshold, nodes):
    ends = markov.reachable_interval(model, step_size=step_size, start=start, threshold=threshold)
    operator = covering_operator(model, step_size=step_size, ends=ends, nodes=nodes)
    return operator, operator.deposit([start], [1.0])


@pytest.mark.parametrize(
    ("step_size", "start", "nodes"),
    [(0.02, 1.0, 400), (0.02, 1.19, 400), (0.008, 1.0, 400), (0.002, 1.05, 600), (0.001, 1.0, 900)],
)
def test_it_is_the_elimination(step_size, start, nodes):
    """From near the exit, too, where much escapes before the law has settled."""
    operator, mass = chain(MODEL, step_size, start, PIT.barrier, nodes)
    by_law = Lasting().log_time(operator, mass, 50_000)
    assert by_law == pytest.approx(log_mean_absorption_time(operator, mass), abs=1e-8)


def test_the_law_of_one_grid_is_the_first_guess_of_the_next():
    lasting = Lasting()
    for nodes in (600, 1200):
        operator, mass = chain(MODEL, 0.002, 1.0, PIT.barrier, nodes)
        time = lasting.log_time(operator, mass, 50_000)
        assert time == pytest.approx(log_mean_absorption_time(operator, mass), abs=1e-8)


def test_a_rate_far_below_the_least_float_has_its_digits():
    """At T = 1.8e-4 the time is beyond all floats."""
    step_size = 1.8e-4
    law = numbers.large_deviation()
    operator, mass = chain(MODEL, step_size, 1.0, PIT.barrier, 6000)
    time = Lasting().log_time(operator, mass, 100_000)
    assert time > 720
    assert time == pytest.approx(log_mean_absorption_time(operator, mass), abs=1e-6)
    assert law.log_time(np.array([step_size]))[0] == pytest.approx(time, abs=5)


def test_two_wells_and_slow_flats_are_left_to_the_elimination():
    quartic = FiniteSum.of(qubic_1d, noise=3.0)
    assert math.isnan(Lasting().log_time(*chain(quartic, 0.04, 1.0, 1.2, 601), 50_000))
    assert math.isnan(Lasting().log_time(*chain(MODEL, 2e-3, 0.0, PIT.barrier, 301), 50_000))
    # Nor are more steps made than it may make.
    assert math.isnan(Lasting().log_time(*chain(MODEL, 0.002, 1.0, PIT.barrier, 600), 50))


def test_a_mean_time_is_that_of_large_deviations():
    time, error = markov.log_mean_first_passage_time(
        MODEL, step_size=5e-4, start=1.0, threshold=PIT.barrier, return_error=True
    )
    assert error < 1e-3
    V = large_deviations.quasi_potential(MODEL, PIT.minimum, PIT.saddle)
    C = large_deviations.prefactor(MODEL, PIT.minimum, PIT.saddle)
    assert time == pytest.approx(V / 5e-4 + np.log(C / 5e-4), abs=0.01)
