"""The exponent and the prefactor of the escape time, against closed forms and the chain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from descent import large_deviations, markov
from descent.landscapes import FiniteSum, qubic_1d, stationary_points, two_datapoint

MODEL = two_datapoint()
MINIMUM, SADDLE = stationary_points(MODEL.mean_gradient, 0.9, 1.3)
(THRESHOLD,) = stationary_points(lambda w: MODEL.gradients(w)[1], 1.1, 1.3)


def two_level(up, down):
    """Gradients -up and +down, constant: a random walk with two unequal steps."""
    return FiniteSum(
        losses=lambda w: np.stack([-up * np.asarray(w), down * np.asarray(w)]),
        gradients=lambda w: np.stack([np.full_like(w, -up), np.full_like(w, down)]),
        curvatures=lambda w: np.zeros((2, *np.shape(w))),
    )


@given(w=st.floats(MINIMUM + 1e-6, SADDLE - 1e-6))
def test_the_tilt_removes_the_cost(w):
    p = large_deviations.tilt(MODEL, w)
    assert p > 0
    assert np.exp(-p * MODEL.gradients(w)).mean() == pytest.approx(1, abs=1e-13)


@given(x=st.floats(0.01, 0.99))
def test_the_tilt_of_steps_one_and_two_is_the_golden_ratio(x):
    # ½ e^p + ½ e^{-2p} = 1 is solved by e^p = (1 + √5)/2.
    golden = np.log((1 + np.sqrt(5)) / 2)
    assert large_deviations.tilt(two_level(1, 2), x) == pytest.approx(golden, rel=1e-13)
    assert large_deviations.tilt(two_level(2, 1), x) == pytest.approx(-golden, rel=1e-13)
    assert large_deviations.quasi_potential(two_level(1, 2), 0, x) == pytest.approx(golden * x)


def test_the_tilt_is_zero_without_drift_and_infinite_without_a_choice():
    assert large_deviations.tilt(two_level(1, 1), 0.0) == 0
    np.testing.assert_array_equal(
        large_deviations.tilt(MODEL, [0.9, 1.5]), [-np.inf, -np.inf]
    )  # both gradients push right


def test_the_tilt_tends_to_that_of_the_diffusion_where_the_drift_vanishes():
    for distance, tolerance in ((1e-3, 2e-2), (1e-5, 2e-4)):
        w = MINIMUM + distance
        diffusion = 2 * MODEL.mean_gradient(w) / MODEL.gradient_variance(w)
        assert large_deviations.tilt(MODEL, w) == pytest.approx(diffusion, rel=tolerance)


def test_the_quasi_potential_agrees_with_adaptive_quadrature():
    value, _ = quad(lambda w: large_deviations.tilt(MODEL, w), MINIMUM, SADDLE, epsabs=1e-13)
    ours = large_deviations.quasi_potential(MODEL, MINIMUM, SADDLE)
    assert ours == pytest.approx(value, abs=1e-11)


def test_only_uphill_stretches_cost():
    full = large_deviations.quasi_potential(MODEL, MINIMUM, SADDLE)
    assert large_deviations.quasi_potential(MODEL, 0.5, 1.8) == pytest.approx(full, abs=1e-12)
    assert large_deviations.quasi_potential(MODEL, SADDLE, 1.8) == 0
    assert large_deviations.quasi_potential(MODEL, SADDLE, MINIMUM) == 0
    assert large_deviations.quasi_potential(MODEL, 1.1, 1.1) == 0
    # Against the drift, where both gradients push the same way, no draw helps.
    assert large_deviations.quasi_potential(MODEL, 1.8, SADDLE) == np.inf


def test_the_quasi_potential_adds_along_a_path():
    parts = [
        large_deviations.quasi_potential(MODEL, *ends) for ends in ((MINIMUM, 1.1), (1.1, SADDLE))
    ]
    whole = large_deviations.quasi_potential(MODEL, MINIMUM, SADDLE)
    assert sum(parts) == pytest.approx(whole, abs=1e-12)


def wkb_error(step_size):
    """Exact ln τ minus its WKB estimate."""
    exact = markov.log_mean_first_passage_time(
        MODEL, step_size=step_size, start=1.0, threshold=THRESHOLD
    )
    return exact - large_deviations.log_escape_time(
        MODEL, step_size=step_size, minimum=MINIMUM, saddle=SADDLE
    )


@pytest.mark.slow
def test_the_estimate_meets_the_exact_chain_in_proportion_to_the_step_size():
    step_sizes = np.array([0.001, 0.002])
    errors = np.array([wkb_error(step_size) for step_size in step_sizes])
    assert (np.abs(errors) < 8 * step_sizes).all()
    assert 1.5 < errors[1] / errors[0] < 2.2
    # Control: Kramers' prefactor leaves a difference that stays as T falls.
    c = large_deviations.prefactor(MODEL, MINIMUM, SADDLE)
    kramers = 2 * np.pi / np.sqrt(-MODEL.mean_curvature(np.array([MINIMUM, SADDLE])).prod())
    wrong = errors + np.log(c / kramers)
    assert (np.abs(wrong) > 0.05).all()
    assert wrong[1] / wrong[0] < 1.2


@pytest.mark.slow
def test_the_diffusion_approximation_has_another_exponent():
    right = large_deviations.quasi_potential(MODEL, MINIMUM, SADDLE)
    wrong = large_deviations.diffusion_exponent(MODEL, MINIMUM, SADDLE)
    small, large = 0.001, 0.002
    log_times = [
        markov.log_mean_first_passage_time(MODEL, step_size=t, start=1.0, threshold=THRESHOLD)
        for t in (small, large)
    ]
    # ln τ + ln T has the slope V in 1/T, up to O(T²).
    slope = (log_times[0] + np.log(small) - log_times[1] - np.log(large)) / (1 / small - 1 / large)
    assert slope == pytest.approx(right, abs=2e-5)
    assert abs(slope - wrong) > 0.05


@pytest.mark.slow
def test_the_law_has_not_set_in_where_the_source_plots():
    exact = [
        markov.log_mean_first_passage_time(MODEL, step_size=t, start=1.0, threshold=THRESHOLD)
        for t in (0.01, 0.02)
    ]
    slope = (exact[0] - exact[1]) / (1 / 0.01 - 1 / 0.02)
    assert slope > 1.4 * large_deviations.quasi_potential(MODEL, MINIMUM, SADDLE)


def mirrored(model):
    """The same objective with the axis reversed: w → -w."""
    return FiniteSum(
        losses=lambda w: model.losses(-np.asarray(w)),
        gradients=lambda w: -model.gradients(-np.asarray(w)),
        curvatures=lambda w: model.curvatures(-np.asarray(w)),
    )


@pytest.mark.parametrize("name", ["quasi_potential", "prefactor", "diffusion_exponent"])
def test_a_reversed_axis_changes_nothing(name):
    function = getattr(large_deviations, name)
    there, back = function(MODEL, MINIMUM, SADDLE), function(mirrored(MODEL), -MINIMUM, -SADDLE)
    assert there == pytest.approx(back, rel=1e-12)


def test_a_rescaled_axis_rescales_the_exponent_and_the_prefactor():
    # w = a x and losses times c: T has the unit w²/l, and so have V and C.
    a, c = 3.0, 0.7
    scaled = FiniteSum(
        losses=lambda w: c * MODEL.losses(np.asarray(w) / a),
        gradients=lambda w: c / a * MODEL.gradients(np.asarray(w) / a),
        curvatures=lambda w: c / a**2 * MODEL.curvatures(np.asarray(w) / a),
    )
    for name in ("quasi_potential", "prefactor"):
        function = getattr(large_deviations, name)
        there, here = function(scaled, a * MINIMUM, a * SADDLE), function(MODEL, MINIMUM, SADDLE)
        assert there == pytest.approx(here * a**2 / c, rel=1e-9)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_ends_must_be_finite(bad):
    for function in (large_deviations.quasi_potential, large_deviations.diffusion_exponent):
        with pytest.raises(ValueError, match="end"):
            function(MODEL, 1.0, bad)
    with pytest.raises(ValueError, match="minimum"):
        large_deviations.prefactor(MODEL, bad, SADDLE)


def test_ends_must_be_scalars():
    with pytest.raises(TypeError, match="start"):
        large_deviations.quasi_potential(MODEL, np.array([1.0]), 1.1)


def test_the_prefactor_needs_a_minimum_and_a_saddle():
    with pytest.raises(ValueError, match="zeros of the mean gradient"):
        large_deviations.prefactor(MODEL, 1.05, SADDLE)
    with pytest.raises(ValueError, match="convex"):
        large_deviations.prefactor(MODEL, SADDLE, MINIMUM)


@pytest.mark.parametrize("bad", [0.0, -0.1, np.nan])
def test_step_sizes_must_be_positive(bad):
    with pytest.raises(ValueError, match="step_size"):
        large_deviations.log_escape_time(MODEL, step_size=bad, minimum=MINIMUM, saddle=SADDLE)


@pytest.mark.parametrize("size", [2, 4])
def test_batches_with_replacement_multiply_the_exponent(size):
    # M_B(p) = M(p/B)^B: the exponent of the batches listed one by one is B V.
    single = large_deviations.quasi_potential(MODEL, MINIMUM, SADDLE)
    listed = large_deviations.quasi_potential(MODEL.batches(size), MINIMUM, SADDLE)
    assert listed == pytest.approx(size * single, rel=1e-12)
    stated = large_deviations.quasi_potential(MODEL, MINIMUM, SADDLE, batch_size=size)
    assert stated == pytest.approx(listed, rel=1e-12)
    single = large_deviations.diffusion_exponent(MODEL, MINIMUM, SADDLE)
    for batches, factor in ((MODEL.batches(size), 1), (MODEL, size)):
        exponent = large_deviations.diffusion_exponent(batches, MINIMUM, SADDLE, factor)
        assert exponent == pytest.approx(size * single, rel=1e-12)


def test_the_full_batch_without_replacement_never_leaves():
    full = MODEL.batches(2, replacement=False)
    assert large_deviations.quasi_potential(full, MINIMUM, SADDLE) == np.inf
    assert large_deviations.diffusion_exponent(full, MINIMUM, SADDLE) == np.inf
    with pytest.raises(ValueError, match="minimum must be where the samples' gradients differ"):
        large_deviations.prefactor(full, MINIMUM, SADDLE)


def test_weights_are_as_good_as_copies():
    def model(rows, weights=None):
        return FiniteSum(
            losses=lambda w: MODEL.losses(w)[rows],
            gradients=lambda w: MODEL.gradients(w)[rows],
            curvatures=lambda w: MODEL.curvatures(w)[rows],
            weights=weights,
        )

    copies, weighted = model([0, 1, 1, 0, 1]), model([1, 0], [3, 2])
    ends = stationary_points(copies.mean_gradient, 0.9, 1.3)
    for name in ("quasi_potential", "prefactor", "diffusion_exponent"):
        one, two = (getattr(large_deviations, name)(m, *ends) for m in (copies, weighted))
        assert one == pytest.approx(two, rel=1e-12)


def test_a_far_start_costs_no_accuracy():
    near = large_deviations.quasi_potential(MODEL, MINIMUM, SADDLE)
    assert large_deviations.quasi_potential(MODEL, -20.0, 1.8) == pytest.approx(near, rel=1e-11)


def test_gradients_with_a_kink_are_integrated_all_the_same():
    # Steps of 1 and 1 + |w - 0.3|, down more: e^p solves ½ e^p + ½ e^{-p (1 + |w - 0.3|)} = 1.
    model = FiniteSum(
        losses=lambda w: np.stack([-np.asarray(w), np.asarray(w)]),
        gradients=lambda w: np.stack([-np.ones_like(w), 1 + np.abs(np.asarray(w) - 0.3)]),
        curvatures=lambda w: np.zeros((2, *np.shape(w))),
    )
    value, _ = quad(lambda w: large_deviations.tilt(model, w), 0, 1, points=[0.3], epsabs=1e-13)
    assert large_deviations.quasi_potential(model, 0, 1) == pytest.approx(value, rel=1e-11)


def test_two_wells_are_no_neighbours():
    # Rightwards from the left well of the quartic over the hill lies the right well.
    model = FiniteSum.of(qubic_1d, noise=2.0)
    left, hill, right = stationary_points(model.mean_gradient, -2, 2)
    assert large_deviations.prefactor(model, left, hill) > 0
    assert large_deviations.prefactor(model, right, hill) > 0
    wells = FiniteSum(
        losses=lambda w: np.stack([np.sin(w) - w, np.sin(w) + w]),
        gradients=lambda w: np.stack([np.cos(w) - 1.5, np.cos(w) + 1.5]),
        curvatures=lambda w: np.stack([-np.sin(w), -np.sin(w)]),
    )
    first, second = -np.pi / 2, np.pi / 2 + 2 * np.pi
    assert large_deviations.prefactor(wells, first, np.pi / 2) > 0
    with pytest.raises(ValueError, match="minimum and saddle must be neighbours; got"):
        large_deviations.prefactor(wells, first, second)


def test_a_way_on_which_no_draw_leads_is_never_taken():
    # Noise that the slope of the quartic between well and hill exceeds.
    model = FiniteSum.of(qubic_1d, noise=0.5)
    left, hill, right = stationary_points(model.mean_gradient, -2, 2)
    for well in (left, right):
        assert large_deviations.quasi_potential(model, well, hill) == np.inf
        with pytest.raises(ValueError, match="a way on which no sample leads towards the saddle"):
            large_deviations.prefactor(model, well, hill)
        time = large_deviations.log_escape_time(model, step_size=0.01, minimum=well, saddle=hill)
        assert time == np.inf


def test_the_message_says_that_the_noise_is_missing_where_it_is():
    # Both gradients vanish at 2: it was called no zero of the mean gradient.
    with pytest.raises(ValueError, match="minimum must be where the samples' gradients differ"):
        large_deviations.prefactor(MODEL, 2.0, SADDLE)


@pytest.mark.slow
def test_at_the_saddle_itself_the_exact_time_is_lower_by_ln_2():
    def missing(step_size):
        """What the difference lacks of ln 2: the length of a step against the saddle's width."""
        beyond, at = (
            markov.log_mean_first_passage_time(
                MODEL, step_size=step_size, start=1.0, threshold=threshold
            )
            for threshold in (THRESHOLD, SADDLE)
        )
        return np.log(2) - (beyond - at)

    large, small = missing(0.008), missing(0.004)
    assert 0 < small < large
    assert large / small == pytest.approx(np.sqrt(2), abs=0.2)
