"""The solver against closed forms, conservation laws, orders of convergence, bad input."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.stats import invgamma, norm, wasserstein_distance

from descent.fokker_planck import (
    ORDERS,
    CoarseGridWarning,
    DivergenceError,
    NegativeDensityWarning,
    probability_current,
    solve,
    stationary_density,
    total_variation,
    wasserstein_1,
)
from descent.fokker_planck.diffusion_limit import diffusion_limit, linear
from descent.fokker_planck.finite_volume import fitted_flux, jump_rates, log_mean
from descent.fokker_planck.radau import (
    PAIR,
    PAIR_WEIGHT,
    REAL,
    REAL_WEIGHT,
    RadauStep,
    integrate,
    limit,
)
from descent.landscapes import two_datapoint

CALCULI = ("ito", "stratonovich", "fick")
EXPONENT = {"ito": 2, "stratonovich": 1, "fick": 0}


def cells(low, high, n):
    edges = np.linspace(low, high, n + 1)
    return edges, (edges[1:] + edges[:-1]) / 2


def gaussian(edges, mean, deviation):
    mass = np.diff(norm.cdf(edges, mean, deviation))
    return mass / mass.sum() / np.diff(edges)


def constant(value):
    return lambda w: np.full_like(w, value)


def moments(p, edges):
    mass, centres = p * np.diff(edges), (edges[1:] + edges[:-1]) / 2
    mean = mass @ centres
    return mean, mass @ centres**2 - mean**2


# Closed forms


def heat_error(n):
    edges, _ = cells(-8, 8, n)
    p = solve(constant(0.3), constant(0.5), edges, gaussian(edges, -1, 0.5), [4.0])[0]
    return total_variation(p, gaussian(edges, 0.2, np.sqrt(0.25 + 2)), edges)


def test_the_heat_kernel_with_a_drift_to_second_order_in_space():
    errors = np.array([heat_error(n) for n in (100, 200, 400)])
    assert errors[-1] < 1e-4
    order = ORDERS["finite-volume"].space
    assert np.log2(errors[:-1] / errors[1:]) == pytest.approx(order, abs=0.1)


def test_without_variance_the_order_in_space_is_the_stated_one():
    def error(n):
        edges, _ = cells(0, 4, n)
        p = solve(lambda w: 2 - w, constant(0.0), edges, gaussian(edges, 0.8, 0.2), [0.5])[0]
        mean = 2 - 1.2 * np.exp(-0.5)
        return wasserstein_1(p, gaussian(edges, mean, 0.2 * np.exp(-0.5)), edges)

    errors = np.array([error(n) for n in (2000, 4000, 8000)])
    order = ORDERS["finite-volume"].space_without_variance
    assert np.log2(errors[:-1] / errors[1:]) == pytest.approx(order, abs=0.15)


@pytest.mark.slow
def test_the_explicit_scheme_has_its_stated_orders():
    def law(n, time_step):
        edges, _ = cells(-5, 5, n)
        arguments = (lambda w: -w, constant(1.0), edges, gaussian(edges, 1, 0.5), [1.0])
        return solve(*arguments, scheme="explicit", time_step=time_step)[0], edges

    def end(edges):
        return gaussian(edges, np.exp(-1), np.sqrt(0.5 - 0.25 * np.exp(-2)))

    space = [total_variation(p, end(e), e) for p, e in (law(n, 1e-5) for n in (50, 100))]
    assert np.log2(space[0] / space[1]) == pytest.approx(ORDERS["explicit"].space, abs=0.1)
    finest, edges = law(100, 1e-5)
    time = [total_variation(law(100, dt)[0], finest, edges) for dt in (4e-3, 2e-3)]
    assert np.log2(time[0] / time[1]) == pytest.approx(ORDERS["explicit"].time, abs=0.1)


def test_ornstein_uhlenbeck():
    edges, _ = cells(-6, 6, 1200)
    times = np.array([0.1, 0.5, 3.0])
    p = solve(lambda w: -w, constant(1.0), edges, gaussian(edges, 2, 0.3), times)
    decay = np.exp(-times)
    for row, mean, variance in zip(p, 2 * decay, 0.5 + (0.09 - 0.5) * decay**2, strict=True):
        assert total_variation(row, gaussian(edges, mean, np.sqrt(variance)), edges) < 5e-5


@pytest.mark.parametrize("calculus", CALCULI)
def test_geometric_brownian_motion_grows_as_its_calculus_says(calculus):
    # dX = σ X dB: E X is constant (Itô), grows by σ²/2 (Stratonovich), by σ² (Fick).
    sigma, edges = 0.4, np.geomspace(1e-3, 200, 4001)
    p0 = gaussian(edges, 3, 0.2)
    p = solve(constant(0.0), lambda w: (sigma * w) ** 2, edges, p0, [1.0], calculus)[0]
    start, mean = moments(p0, edges)[0], moments(p, edges)[0]
    growth = {"ito": 0, "stratonovich": sigma**2 / 2, "fick": sigma**2}
    assert np.log(mean / start) == pytest.approx(growth[calculus], abs=2e-5)
    for other in set(CALCULI) - {calculus}:
        assert abs(np.log(mean / start) - growth[other]) > 0.07


def test_a_driftless_ito_process_is_a_martingale_on_any_grid():
    rng = np.random.default_rng(0)
    edges = np.cumsum(rng.uniform(0.5, 1.5, 60))
    p0 = np.zeros(59)
    p0[30] = 1 / np.diff(edges)[30]
    variance = rng.uniform(0, 1, 59)
    p = solve(constant(0.0), variance, edges, p0, [0.5])[0]
    assert moments(p, edges)[0] == pytest.approx(moments(p0, edges)[0], abs=1e-9)


def test_the_linear_chain_tends_to_an_inverse_gamma_law_in_ito_only():
    step_size = 0.5
    drift, variance = diffusion_limit(linear([1.2, 0.8], [-2, -2]), step_size)
    rate = 2 / (0.04 * step_size)
    law = invgamma(1 + rate, scale=2 * rate)
    assert law.mean() == pytest.approx(2)
    edges, _ = cells(0.4, 8, 1520)
    exact = np.diff(law.cdf(edges)) / np.diff(edges)
    exact /= exact @ np.diff(edges)
    p0 = gaussian(edges, 1, 0.1)
    for calculus in CALCULI:
        late = solve(drift, variance, edges, p0, [100.0], calculus)[0]
        closed = stationary_density(drift, variance, edges, calculus)
        assert total_variation(late, closed, edges) < 1e-4
        if calculus == "ito":
            assert total_variation(closed, exact, edges) < 2e-5
        else:
            assert total_variation(closed, exact, edges) > 0.015


@pytest.mark.parametrize("force", [0.0, 0.3])
@pytest.mark.parametrize("calculus", CALCULI)
def test_the_stationary_law_on_a_circle(calculus, force):
    edges, centres = cells(0, 2 * np.pi, 400)

    def deviation(w):
        return 1 + np.sin(w) / 2

    def variance(w):
        return deviation(w) ** 2

    closed = stationary_density(constant(force), variance, edges, calculus, "periodic")
    late = solve(
        constant(force), variance, edges, np.full(400, 1 / edges[-1]), [60.0], calculus,
        boundary="periodic",
    )[0]  # fmt: skip
    assert total_variation(closed, late, edges) < 5e-5
    others = [
        stationary_density(constant(force), variance, edges, other, "periodic")
        for other in set(CALCULI) - {calculus}
    ]
    assert all(total_variation(late, p, edges) > 0.05 for p in others)
    current = probability_current(
        constant(force), variance, edges, late, calculus, boundary="periodic"
    )
    assert np.ptp(current) < 1e-9
    if force == 0:
        power = deviation(centres) ** -EXPONENT[calculus]
        assert closed == pytest.approx(power / (power @ np.diff(edges)), rel=1e-12)
        assert abs(current).max() < 1e-9
    else:
        assert current.min() > 0.02


def test_absorption_matches_the_series_of_images():
    edges, _ = cells(0, 1, 400)
    times = np.array([0.01, 0.1, 1.0])
    k = np.pi * np.arange(1, 200)[:, None]
    # Uniform start between two absorbing ends, D = 1.
    survival = np.sum(2 * (1 - np.cos(k)) ** 2 / k**2 * np.exp(-(k**2) * times / 2), axis=0)
    p, absorbed = solve(
        constant(0.0), constant(1.0), edges, np.ones(400), times,
        boundary="absorbing", return_absorbed=True,
    )  # fmt: skip
    assert p @ np.diff(edges) == pytest.approx(survival, abs=2e-5)
    assert absorbed[:, 0] == pytest.approx(absorbed[:, 1], rel=1e-9)
    assert p @ np.diff(edges) + absorbed.sum(axis=1) == pytest.approx(1, abs=1e-12)


@pytest.mark.slow
def test_drift_alone_moves_the_law_and_gathers_it_where_the_drift_ends():
    edges, _ = cells(0, 4, 8000)
    p0 = gaussian(edges, 0.8, 0.2)
    early, late = solve(lambda w: 2 - w, constant(0.0), edges, p0, [0.5, 20.0])
    mean, variance = moments(early, edges)
    assert mean == pytest.approx(2 - 1.2 * np.exp(-0.5), abs=1e-4)
    assert np.sqrt(variance) == pytest.approx(0.2 * np.exp(-0.5), rel=0.01)
    assert late[3999:4001].sum() * 4 / 8000 == pytest.approx(1, abs=1e-3)


# Mass, sign, time


def pit(step_size, n, times, **options):
    model = two_datapoint()
    edges, _ = cells(-0.5, 3.5, n)
    drift, variance = diffusion_limit(model, step_size)
    p0 = gaussian(edges, 0.5, 0.175)
    return solve(drift, variance, edges, p0, times, **options), edges


@pytest.mark.parametrize("calculus", CALCULI)
@pytest.mark.parametrize("step_size", [0.05, 0.02, 0.01])
def test_the_two_datapoint_model_keeps_its_mass_and_sign(step_size, calculus):
    p, edges = pit(step_size, 2400, [1, 10, 100, 1000], calculus=calculus)
    assert p @ np.diff(edges) == pytest.approx(1, abs=1e-11)
    assert p.min() >= 0


@pytest.mark.parametrize(("step_size", "latest"), [(0.05, 5), (0.02, 10), (0.01, 20)])
def test_the_explicit_scheme_falls_apart_on_it_for_two_reasons(step_size, latest):
    with pytest.raises(DivergenceError, match="diffusion number") as caught:
        pit(step_size, 400, [1000], scheme="explicit")
    assert caught.value.step <= latest
    assert len(caught.value.reasons) == 2
    assert "too little variance" in caught.value.reasons[1]


def test_where_the_variance_vanishes_a_short_step_does_not_save_the_explicit_scheme():
    # The diffusion number is 0.9 of its limit: what remains is the second reason.
    step_size, n = 0.02, 400
    model = two_datapoint()
    _, centres = cells(-0.5, 3.5, n)
    largest = (step_size**2 * model.gradient_variance(centres)).max()
    with pytest.warns(NegativeDensityWarning, match="finite-volume"):
        pit(step_size, n, [100], scheme="explicit", time_step=0.9 * 0.01**2 / largest)


def test_the_explicit_scheme_agrees_where_it_is_stable():
    edges, _ = cells(-5, 5, 200)
    p0 = gaussian(edges, 1, 0.5)
    arguments = (lambda w: -w, constant(1.0), edges, p0, [1.0])
    explicit = solve(*arguments, scheme="explicit", time_step=1e-3)[0]
    assert total_variation(explicit, solve(*arguments)[0], edges) < 1e-3


def generator(rates):
    n = len(rates.up)
    q = np.diag(rates.up[:-1], -1) + np.diag(rates.down[1:], 1)
    if rates.periodic:
        q[0, -1] += rates.up[-1]
        q[-1, 0] += rates.down[0]
    return q - np.diag(rates.up + rates.down), n


@pytest.mark.parametrize("boundary", ["no-flux", "absorbing", "periodic"])
def test_the_columns_of_the_generator_sum_to_zero_and_a_step_has_order_five(boundary):
    edges, centres = cells(0, 2 * np.pi, 12)
    rates = jump_rates(
        np.cos(edges), 1.1 + np.sin(centres), edges, "stratonovich", (boundary, boundary)
    )
    q, n = generator(rates)
    assert abs(q.sum(axis=0)).max() < 1e-12
    start = np.eye(n)[n // 3]
    errors, dt = [], 2.0 ** -np.arange(4, 7)
    for tau in dt:
        mass = np.empty(n)
        RadauStep(rates, tau).apply(start, mass)
        errors.append(abs(mass - expm(q * tau) @ start).sum())
    order = np.log2(np.array(errors[:-1]) / errors[1:])
    assert order[-1] == pytest.approx(RadauStep.order + 1, abs=0.35)  # the error of one step
    assert ORDERS["finite-volume"].time == RadauStep.order


def test_the_step_is_that_of_the_tableau_of_radau_iia():
    # Table 5.6 of Hairer and Wanner II: R(z) = 1 + z b (I - z A)^-1 1.
    s = np.sqrt(6)
    a = np.array(
        [
            [(88 - 7 * s) / 360, (296 - 169 * s) / 1800, (-2 + 3 * s) / 225],
            [(296 + 169 * s) / 1800, (88 + 7 * s) / 360, (-2 - 3 * s) / 225],
            [(16 - s) / 36, (16 + s) / 36, 1 / 9],
        ]
    )
    for z in (-0.1, -3.0, -100.0):
        tableau = 1 + z * a[-1] @ np.linalg.solve(np.eye(3) - z * a, np.ones(3))
        ours = REAL_WEIGHT / (1 - z / REAL) + (PAIR_WEIGHT / (1 - z / PAIR)).real
        assert ours == pytest.approx(tableau, rel=1e-11, abs=1e-14)


def test_the_time_error_follows_the_tolerance():
    reference, edges = pit(0.02, 600, [30], tolerance=1e-13)
    errors = [
        total_variation(pit(0.02, 600, [30], tolerance=tol)[0][0], reference[0], edges)
        for tol in (1e-4, 1e-6, 1e-8)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-6


@pytest.mark.parametrize("tolerance", [1e-5, 1e-7, 1e-9])
def test_steps_with_too_large_an_error_are_refused(tolerance):
    # The error operator commutes with exp(Q t), which contracts: along a run errors only
    # fall. So the first steps from a point are where refusal, and the limiter, matter.
    edges, centres = cells(0, 2 * np.pi, 60)
    rates = jump_rates(np.cos(edges), 1.1 + np.sin(centres), edges, "ito", ("no-flux", "no-flux"))
    q, n = generator(rates)
    time = 2 / (rates.up + rates.down).max()
    start = np.eye(n)[n // 3]
    (mass,) = integrate(rates, start.copy(), np.array([time]), tolerance)
    assert mass.min() >= 0
    assert abs(mass - expm(q * time) @ start).sum() / 2 < 5 * tolerance


@given(
    n=st.integers(3, 30),
    seed=st.integers(0, 2**32 - 1),
    calculus=st.sampled_from(CALCULI),
    boundary=st.sampled_from(["no-flux", "absorbing", "periodic"]),
    scale=st.floats(-6, 6),
)
def test_mass_and_sign_hold_for_rough_fields_and_point_starts(n, seed, calculus, boundary, scale):
    rng = np.random.default_rng(seed)
    edges = np.cumsum(rng.uniform(0.01, 1, n + 1))
    drift = rng.normal(size=n + 1) * 10**scale
    drift[-1] = drift[0]
    variance = np.maximum(rng.normal(size=n), 0) * 10 ** rng.uniform(-6, 3, n)
    p0 = np.zeros(n)
    p0[rng.integers(n)] = 1
    p0 /= p0 @ np.diff(edges)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CoarseGridWarning)
        p, absorbed = solve(
            drift, variance, edges, p0, [0.1, 1.0], calculus,
            boundary=boundary, return_absorbed=True, tolerance=1e-6,
        )  # fmt: skip
    assert p.min() >= 0
    assert absorbed.min() >= 0
    assert p @ np.diff(edges) + absorbed.sum(axis=1) == pytest.approx(1, abs=1e-9)


def test_the_limiter_moves_only_what_it_must():
    low, high = np.array([0.2, 0.5, 0.3]), np.array([0.3, 0.75, -0.05])
    limited = low.copy()
    limit(limited, high, np.empty(4), np.empty(3))
    assert limited.min() >= 0
    assert limited.sum() == pytest.approx(1)
    assert abs(limited - high).sum() < abs(low - high).sum()
    harmless = np.array([0.25, 0.5, 0.25])
    limit(low, harmless, np.empty(4), np.empty(3))
    assert low == pytest.approx(harmless)


def test_the_fitted_flux_is_exact_for_constant_coefficients_and_upwind_without_variance():
    # P = exp(2 β W / D) carries no current.
    forward, backward = fitted_flux(np.array([0.7]), np.array([0.3]), np.array([0.2]))
    assert forward / backward == pytest.approx(np.exp(2 * 0.7 * 0.2 / 0.3))
    forward, backward = fitted_flux(np.array([0.7, -0.7]), np.zeros(2), np.full(2, 0.2))
    assert forward == pytest.approx([0.7, 0])
    assert backward == pytest.approx([0, 0.7])


@given(st.floats(1e-12, 1e12), st.floats(1e-12, 1e12))
def test_the_logarithmic_mean_lies_between_the_geometric_and_the_arithmetic(a, b):
    mean = log_mean(np.array([a]), np.array([b]))[0]
    assert np.sqrt(a * b) * (1 - 1e-12) <= mean <= (a + b) / 2 * (1 + 1e-12)


# Distances


def test_wasserstein_agrees_with_points_that_fill_the_cells():
    rng = np.random.default_rng(1)
    edges = np.cumsum(rng.uniform(0.1, 1, 21))
    p, q = rng.uniform(0, 1, (2, 20))
    p, q = p / (p @ np.diff(edges)), q / (q @ np.diff(edges))
    fill = (np.arange(2000) + 0.5) / 2000
    points = (edges[:-1, None] + np.diff(edges)[:, None] * fill).ravel()
    weights = [np.repeat(law * np.diff(edges), 2000) for law in (p, q)]
    expected = wasserstein_distance(points, points, *weights)
    assert wasserstein_1(p, q, edges) == pytest.approx(expected, rel=1e-5)
    assert wasserstein_1(p, p, edges) == 0
    assert total_variation(p, q, edges) == pytest.approx(np.maximum(p - q, 0) @ np.diff(edges))


def test_wasserstein_refuses_unequal_masses():
    edges, law = np.linspace(0, 1, 5), np.ones(4)
    for pair in ((4 * law, law), (law, law / 2)):
        with pytest.raises(ValueError, match="must have mass 1"):
            wasserstein_1(*pair, edges)
    assert wasserstein_1(law, law, edges) == 0


# Bad input


def arguments(**changed):
    edges, _ = cells(-3, 3, 60)
    base = {
        "drift": lambda w: -w,
        "variance": constant(1.0),
        "edges": edges,
        "p0": gaussian(edges, 0, 0.5),
        "times": [1.0],
    }
    return base | changed


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"variance": constant(-1.0)}, "variance must not be negative; got -1"),
        ({"variance": np.ones(61)}, r"variance must have shape \(60,\); got \(61,\)"),
        ({"drift": np.ones(60)}, r"drift must have shape \(61,\); got \(60,\)"),
        ({"drift": lambda w: 1.0}, r"drift must return an array of its argument's shape.* \(61,\)"),
        ({"variance": lambda w: w[:3] ** 2}, r"its argument's shape.*shape \(3,\) for .* \(60,\)"),
        ({"calculus": "Ito"}, r"calculus must be one of .*; got 'Ito'; did you mean 'ito'\?"),
        ({"drift": constant(np.inf)}, "drift must be finite"),
        ({"edges": np.linspace(3, -3, 61)}, "edges must be finite and strictly rising"),
        ({"edges": [0.0, 1.0]}, "edges must have shape"),
        ({"p0": np.full(60, 1.0)}, "p0 must have mass 1 on the cells; got 6; divide"),
        ({"p0": np.full(60, np.nan)}, "p0 must be finite"),
        ({"p0": np.ones(3)}, r"p0 must have shape \(60,\)"),
        ({"times": [1.0, 1.0]}, "times must be finite, zero or positive, and strictly rising"),
        ({"times": [-1.0]}, "times must be finite, zero or positive"),
        ({"times": []}, "times must have shape"),
        ({"calculus": "Ito"}, "calculus must be one of ito, stratonovich, fick; got 'Ito'"),
        ({"scheme": "implicit"}, "scheme must be one of"),
        ({"boundary": "reflecting"}, "boundary must be one of"),
        ({"boundary": ("periodic", "no-flux")}, "a pair without 'periodic'"),
        ({"boundary": "periodic"}, "on a circle drift must agree at both ends"),
        ({"tolerance": 0.0}, "tolerance must be positive"),
        ({"scheme": "explicit", "boundary": "absorbing"}, "no absorbing boundary"),
    ],
)
def test_bad_input_is_named(changed, message):
    with pytest.raises(ValueError, match=message):
        solve(**arguments(**changed))


def test_a_grid_too_coarse_for_the_drift_is_reported():
    with pytest.warns(CoarseGridWarning, match="divide the cells by about"):
        solve(**arguments(drift=lambda w: 1 - w, variance=constant(0.01)))


def test_a_stationary_density_needs_a_positive_variance():
    edges, _ = cells(-1, 1, 20)
    with pytest.raises(ValueError, match=r"it vanishes at W = -0\.95"):
        stationary_density(lambda w: -w, lambda w: np.maximum(w, 0), edges)
    with pytest.raises(TypeError, match="variance must be callable; got ndarray"):
        stationary_density(lambda w: -w, np.ones(20), edges)


def settled(cells, time, **options):
    """Return the variance of an Ornstein-Uhlenbeck law of variance 1 after a long time."""
    edges = np.linspace(-6, 6, cells + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    start = np.full(cells, 1 / 12)
    law = solve(lambda w: -w, lambda w: 2 + 0 * w, edges, start, [time], **options)[-1]
    return float((law * centres**2).sum() / law.sum())


@pytest.mark.parametrize(("cells", "time"), [(60, 1e9), (480, 1e6), (240, 1e9)])
def test_rounding_of_long_times_is_refused_by_what_helps(cells, time):
    with pytest.raises(FloatingPointError, match=r"rounding.*tolerance=") as caught:
        settled(cells, time)
    advised = float(str(caught.value).partition("tolerance=")[2].partition(",")[0])
    assert settled(cells, time, tolerance=advised) == pytest.approx(1.0, abs=1e-6)
    assert settled(cells, 1e3) == pytest.approx(1.0, abs=1e-6)
