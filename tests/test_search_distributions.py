"""Search distributions: gradients and errors against closed forms, and ends that are told."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from descent.chapters.gaussian_smoothing import gradient_errors as errors
from descent.search_distributions import (
    NO_CLIPPING,
    Clipping,
    leave_one_out,
    log_cholesky_ascent,
    rank_utilities,
    sampled_gradient,
    score_function_ascent,
    score_function_gradient,
    xnes,
)
from descent.search_distributions.natural import _exponential

MEAN = np.array([0.5, -1.0])
COVARIANCE = np.array([[1.5, 0.6], [0.6, 0.8]])
SMALL = {"step_size": 0.002}
ASCENTS = {
    "plain": lambda f, m, c, n, rng: score_function_ascent(f, m, c, n, rng, **SMALL),
    "log-Cholesky": lambda f, m, c, n, rng: log_cholesky_ascent(f, m, c, n, rng, **SMALL),
    "natural": lambda f, m, c, n, rng: log_cholesky_ascent(
        f, m, c, n, rng, natural=True, step_size=0.1
    ),
    "xNES": xnes,
}
SIZE = dict.fromkeys(ASCENTS, 50) | {"xNES": 6}
"""Samples a step in the plane by default."""


def bowl(x):
    return -((x - 1) ** 2).sum(axis=-1)


def first(x):
    return x[..., 0]


def test_scores_are_the_derivatives_of_the_log_density():
    """One sample with f = 1 gives the score itself; differences of scipy's density agree."""
    x, h = np.array([1.3, -0.2]), 1e-5

    def log_density(mean, covariance):
        return multivariate_normal(mean, covariance).logpdf(x)

    score = score_function_gradient([1.0], x[None], MEAN, COVARIANCE)
    for i in range(2):
        step = h * np.eye(2)[i]
        numeric = log_density(MEAN + step, COVARIANCE) - log_density(MEAN - step, COVARIANCE)
        assert score.mean[i] == pytest.approx(numeric / (2 * h), abs=1e-8)
    for direction in ([[1, 0], [0, 0]], [[0, 1], [1, 0]], [[0, 0], [0, 1]]):
        step = h * np.array(direction, float)
        numeric = log_density(MEAN, COVARIANCE + step) - log_density(MEAN, COVARIANCE - step)
        along = (score.covariance * np.array(direction)).sum()
        assert along == pytest.approx(numeric / (2 * h), abs=1e-7)


def test_gradient_of_a_quadratic():
    """E (½ xᵀHx + bᵀx) has the gradients Hμ + b and H/2."""
    H, b = np.array([[2.0, -0.5], [-0.5, 1.0]]), np.array([0.3, -0.7])
    rng = np.random.default_rng(0)
    x = rng.multivariate_normal(MEAN, COVARIANCE, size=400_000)
    values = 0.5 * np.einsum("ni,ij,nj->n", x, H, x) + x @ b
    for f in (values, leave_one_out(values)):
        gradient = score_function_gradient(f, x, MEAN, COVARIANCE)
        np.testing.assert_allclose(gradient.mean, H @ MEAN + b, atol=0.03)
        np.testing.assert_allclose(gradient.covariance, H / 2, atol=0.05)


@pytest.mark.parametrize("baseline", [False, True])
def test_estimator_has_no_bias_at_three_samples(baseline):
    """All combinations of quadrature nodes: exact for a cubic, E f = m³ + 3ms - 2(m² + s) + m."""
    m, s = 0.7, 1.3
    mean, covariance = errors.expected_gradient(
        lambda x: (x**3 - 2 * x**2 + x)[:, 0], np.array([m]), np.array([[s]]), 3, baseline
    )
    assert mean[0] == pytest.approx(3 * m * m + 3 * s - 4 * m + 1, abs=1e-12)
    assert covariance[0, 0] == pytest.approx(3 * m - 2, abs=1e-12)


def test_plain_mean_as_baseline_shrinks_the_gradient():
    """The negative control of the last test: the mean of all three values costs a third."""
    m, s = 0.7, 1.3
    mean, _ = errors.expected_gradient(
        lambda x: (x**3 - 2 * x**2 + x)[:, 0], np.array([m]), np.array([[s]]), 3, True
    )
    nodes, weights = np.polynomial.hermite_e.hermegauss(6)
    weights = weights / weights.sum()
    x = m + np.sqrt(s) * nodes
    f = x**3 - 2 * x**2 + x
    shrunk = sum(
        weights[i] * weights[j] * weights[k] * (f[i] - (f[i] + f[j] + f[k]) / 3) * (x[i] - m) / s
        for i in range(6)
        for j in range(6)
        for k in range(6)
    )
    assert shrunk == pytest.approx(mean[0] * 2 / 3, abs=1e-12)


@pytest.mark.parametrize("offset", [0.0, 2.0])
@pytest.mark.parametrize("d", [1, 4, 16])
def test_errors_have_their_derived_size(d, offset):
    rng = np.random.default_rng(d)
    by_mean, by_covariance = errors.measured_errors(d, 50, rng, offset)
    assert by_mean == pytest.approx(errors.mean_gradient_error(d, 50, offset), rel=0.06)
    assert by_covariance == pytest.approx(errors.covariance_gradient_error(d, 50, offset), rel=0.1)


def test_errors_grow_like_the_root_of_d_and_like_d():
    def order(formula):
        return np.log2(formula(2048, 100) / formula(1024, 100))

    assert order(errors.mean_gradient_error) == pytest.approx(0.5, abs=0.01)
    assert order(errors.covariance_gradient_error) == pytest.approx(1, abs=0.01)


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=20))
def test_utilities_sum_to_zero_and_keep_the_order(values):
    u = rank_utilities(values)
    assert u.sum() == pytest.approx(0, abs=1e-12)
    order = np.argsort(values)
    assert (np.diff(u[order]) >= -1e-15).all()
    np.testing.assert_allclose(u, rank_utilities(np.arctan(np.array(values) / 1e3) * 7 - 1))


@pytest.mark.parametrize("executor", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_workers_do_not_change_the_gradient(executor):
    alone = sampled_gradient(first, MEAN, COVARIANCE, 1003, np.random.default_rng(5), n_blocks=8)
    with executor(3) as pool:
        shared = sampled_gradient(
            first, MEAN, COVARIANCE, 1003, np.random.default_rng(5), n_blocks=8, run=pool.map
        )
    for one, other in zip(alone, shared, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17])
def test_few_samples_are_fewer_blocks(n):
    plain, said = (
        sampled_gradient(first, MEAN, COVARIANCE, n, np.random.default_rng(5), **blocks)
        for blocks in ({}, {"n_blocks": min(n, 16)})
    )
    np.testing.assert_array_equal(plain.mean, said.mean)


def test_blocks_and_calls_are_independent():
    rng = np.random.default_rng(5)
    once, again = (sampled_gradient(first, MEAN, COVARIANCE, 400, rng) for _ in range(2))
    assert not np.allclose(once.mean, again.mean)
    estimates = [
        sampled_gradient(first, [0.0], [[1.0]], 64, rng, n_blocks=16).mean[0] for _ in range(300)
    ]
    assert np.std(estimates) == pytest.approx(errors.mean_gradient_error(1, 64), rel=0.15)


@pytest.mark.parametrize("name", ASCENTS)
def test_each_ascent_finds_the_top_of_a_bowl(name):
    run = ASCENTS[name](bowl, [2.0, 0.0], np.eye(2), 300, np.random.default_rng(2))
    assert run.status == ("singular" if name == "xNES" else "completed")  # xNES has arrived
    assert run.evaluations == SIZE[name] * (len(run.means) - 1)
    assert np.abs(run.means[-1] - 1).max() < 0.5
    assert np.linalg.det(run.covariances[-1]) < 0.9


@pytest.mark.parametrize("name", ASCENTS)
def test_same_seed_same_run(name):
    one, other = (
        ASCENTS[name](bowl, [2.0, 0.0], np.eye(2), 20, np.random.default_rng(2)) for _ in range(2)
    )
    np.testing.assert_array_equal(one.means, other.means)


def test_adding_a_constant_changes_the_raw_ascent_only():
    """A baseline, ranks and a standardized natural gradient do not see f + c."""

    def change(ascent):
        low, high = (
            ascent(lambda x, c=c: bowl(x) + c, [2.0, 0.0], np.eye(2), 3, np.random.default_rng(1))
            for c in (0.0, 64.0)
        )
        return np.abs(low.means[-1] - high.means[-1]).max()

    assert change(ASCENTS["plain"]) > 0.03
    for name in ("log-Cholesky", "natural", "xNES"):
        assert change(ASCENTS[name]) < 1e-10, name
    assert (
        change(lambda *a: score_function_ascent(*a, baseline=True, clipping=NO_CLIPPING, **SMALL))
        < 1e-10
    )


def test_ranks_and_standardized_values_ignore_the_scale():
    for name in ("natural", "xNES"):
        one, other = (
            ASCENTS[name](
                lambda x, c=c: c * bowl(x), [2.0, 0.0], np.eye(2), 30, np.random.default_rng(1)
            )
            for c in (1.0, 1e6)
        )
        np.testing.assert_allclose(one.means, other.means, rtol=1e-6, atol=1e-9)


def test_xnes_and_natural_gradient_follow_an_affine_change_of_coordinates():
    """xNES on f∘A from A⁻¹-transformed starts with the same draws visits the same points."""
    B = np.array([[2.0, 1.0], [0.0, 0.5]])
    plain = xnes(bowl, [2.0, 0.0], B @ B.T, 15, np.random.default_rng(3))
    back = np.linalg.inv(np.linalg.cholesky(B @ B.T))
    moved = xnes(
        lambda y: bowl(y @ np.linalg.inv(back).T),
        back @ [2.0, 0.0],
        np.eye(2),
        15,
        np.random.default_rng(3),
    )
    np.testing.assert_allclose(plain.means @ back.T, moved.means, atol=1e-9)


def test_exponential_of_a_symmetric_matrix():
    from scipy.linalg import expm

    a = np.array([[0.3, -0.2], [-0.2, 0.9]])
    np.testing.assert_allclose(_exponential(a), expm(a), rtol=1e-13)


@given(st.integers(0, 2**31))
def test_log_cholesky_is_never_indefinite(seed):
    """Large steps on a function of wild values: the run may diverge, but Σ stays a covariance."""
    rng = np.random.default_rng(seed)
    run = log_cholesky_ascent(
        lambda x: 50 * np.sin(7 * x).sum(axis=1), [0.3, 0.1], np.eye(2), 12, rng, step_size=0.2
    )
    assert run.status in ("completed", "diverged")
    if run.status == "completed":
        assert np.linalg.eigvalsh(run.covariances)[:, 0].min() >= 0


# The source's repairs


def test_clipping_in_the_order_of_the_source():
    new = np.array([[25.0, -3.0], [-3.0, 0.01]])
    np.testing.assert_array_equal(Clipping()(new, np.eye(2) * 20), [[10.0, 0.05], [0.05, 0.05]])
    np.testing.assert_array_equal(NO_CLIPPING(new, np.eye(2)), new)


def test_a_small_covariance_becomes_singular():
    small = 0.03 * np.eye(2)
    assert np.linalg.det(Clipping()(small, small)) == pytest.approx(0, abs=1e-18)


def test_a_negative_covariance_that_stays_counts_as_grown():
    old = np.array([[1.0, -0.8], [-0.8, 1.0]])
    assert Clipping()(old, old)[0, 1] == 0.1
    np.testing.assert_array_equal(Clipping()(np.abs(old), np.abs(old)), np.abs(old))


@pytest.mark.parametrize(
    ("f", "alpha", "status"),
    [
        (lambda x: -100 * (x**2).sum(axis=1), 0.02, "indefinite"),
        (lambda x: (x**2).sum(axis=1) ** 2, 5.0, "diverged"),
    ],
)
def test_ends_are_told(f, alpha, status):
    run = score_function_ascent(
        f,
        [0.5, 0.2],
        np.eye(2),
        200,
        np.random.default_rng(0),
        step_size=alpha,
        clipping=NO_CLIPPING,
    )
    assert run.status == status
    assert len(run.means) < 201
    assert run.evaluations == 50 * (len(run.means) - 1)


def test_singular_end_is_told():
    run = score_function_ascent(
        lambda x: np.zeros(len(x)), [1.0, 1.0], 0.04 * np.eye(2), 400, np.random.default_rng(0)
    )
    assert run.status == "singular"
    np.testing.assert_allclose(run.covariances[-1], 0.05)


@pytest.mark.parametrize("name", ["natural", "xNES"])
def test_a_search_that_shrinks_to_rounding_is_over(name):
    run = ASCENTS[name](bowl, [2.0, 0.0], np.eye(2), 5000, np.random.default_rng(2))
    assert run.status == "singular"
    widths = np.sqrt(np.diagonal(run.covariances, axis1=1, axis2=2).max(axis=1))
    assert widths[-1] <= np.finfo(float).eps * (1 + 1e-9) < widths[-2]
    assert np.abs(run.means[-1] - 1).max() < 1e-14
    assert run.evaluations == SIZE[name] * (len(run.means) - 1) < 250_000


@pytest.mark.parametrize("name", ["natural", "xNES"])
@pytest.mark.parametrize(("of_f", "of_x"), [(2.0**-1000, 1.0), (2.0**900, 1.0), (1.0, 2.0**30)])
def test_a_natural_search_knows_no_unit(name, of_f, of_x):
    """Squares of such values of f are no floats; and such a covariance is no divergence."""

    def search(of_f, of_x):
        start = [3.0 * of_x, 0.0], of_x**2 * np.eye(2)
        f = lambda x: of_f * bowl(x / of_x)  # noqa: E731
        return ASCENTS[name](f, *start, 60, np.random.default_rng(0))

    plain, scaled = search(1.0, 1.0), search(of_f, of_x)
    assert np.abs(plain.means[-1] - 1).max() < 0.1
    assert plain.status == scaled.status
    np.testing.assert_allclose(scaled.means, plain.means * of_x, rtol=1e-12)


@pytest.mark.parametrize("name", ASCENTS)
def test_a_search_stops_at_its_target(name):
    options = dict(clipping=NO_CLIPPING) if name == "plain" else {}
    ascent = {"plain": score_function_ascent, "xNES": xnes}.get(name, log_cholesky_ascent)
    options |= {"xNES": {}, "natural": dict(natural=True, step_size=0.1)}.get(name, SMALL)
    run = ascent(
        bowl, [4.0, 0.0], np.eye(2), 900, np.random.default_rng(0), target=-0.01, **options
    )
    assert run.status == "reached"
    assert run.best_value == bowl(run.best) >= -0.01
    assert run.evaluations == SIZE.get(name, 50) * (len(run.means) - 1) < 900 * 50
    before = ascent(
        bowl, [4.0, 0.0], np.eye(2), len(run.means) - 2, np.random.default_rng(0), **options
    )
    assert before.status == "completed"
    assert before.best_value < -0.01


def test_the_best_sample_is_kept():
    seen = []

    def watched(x):
        seen.extend(bowl(x))
        return bowl(x)

    run = xnes(watched, [2.0, 0.0], np.eye(2), 7, np.random.default_rng(1))
    assert run.best_value == max(seen) == bowl(run.best)
    none = xnes(bowl, [2.0, 0.0], np.eye(2), 0, np.random.default_rng(1))
    assert np.isnan(none.best).all()
    assert none.best_value == -np.inf


def test_points_that_are_not_allowed_are_ranked_last():
    """The top of the bowl at (1, 1) lies outside x₀ < 0.5: the search ends at the wall."""

    def walled(x):
        return np.where(x[:, 0] < 0.5, bowl(x), -np.inf)

    run = xnes(walled, [-2.0, 0.0], np.eye(2), 400, np.random.default_rng(0))
    np.testing.assert_allclose(run.best, [0.5, 1.0], atol=1e-4)
    # It is the limit of a penalty.
    for penalty in (1e3, 1e300):
        other = xnes(
            lambda x, p=penalty: np.where(x[:, 0] < 0.5, bowl(x), -p),
            [-2.0, 0.0],
            np.eye(2),
            20,
            np.random.default_rng(0),
        )
        np.testing.assert_array_equal(other.means, run.means[:21])
    np.testing.assert_allclose(
        rank_utilities([3.0, -np.inf, -5.0, 4.0]), rank_utilities([3.0, -100.0, -5.0, 4.0])
    )


@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_values_that_no_method_can_take_are_named(hole):
    def holed(x):
        values = bowl(x)
        values[3] = hole
        return values

    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=f"f must be finite .ranks, as of xnes.* got {hole}"):
        log_cholesky_ascent(holed, [0.0, 0.0], np.eye(2), 3, rng)
    if hole != -np.inf:
        with pytest.raises(ValueError, match=f"f must be finite, or -inf; got {hole}"):
            xnes(holed, [0.0, 0.0], np.eye(2), 3, rng)
        with pytest.raises(ValueError, match=f"values must be finite, or -inf; got {hole}"):
            rank_utilities([1.0, hole])


@pytest.mark.parametrize("unit", [1e-3, 1e3])
def test_the_unit_of_x_changes_nothing_of_xnes(unit):
    plain = xnes(bowl, [2.0, 0.0], np.eye(2), 500, np.random.default_rng(1))
    scaled = xnes(
        lambda x: bowl(x / unit),
        [2.0 * unit, 0.0],
        unit**2 * np.eye(2),
        500,
        np.random.default_rng(1),
    )
    assert scaled.status == plain.status == "singular"
    np.testing.assert_allclose(scaled.means[:60] / unit, plain.means[:60], atol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: xnes(bowl, [0.0, 0.0], np.eye(2), 1, rng, target=np.nan), "target must be"),
        (lambda rng: xnes(bowl, [0.0, 0.0], -np.eye(2), 1, rng), "covariance must be positive"),
        (lambda rng: xnes(bowl, [0.0, 0.0], np.eye(3), 1, rng), "must have the shapes"),
        (lambda rng: xnes(bowl, [0.0, 0.0], np.eye(2), 1, rng, n_samples=1), "n_samples must be"),
        (lambda rng: leave_one_out([1.0]), "a baseline needs"),
        (lambda rng: score_function_gradient([1.0], [[1.0]], [0.0, 0.0], np.eye(2)), "shapes"),
        (lambda rng: sampled_gradient(first, [0.0], [[1.0]], 4, rng, n_blocks=5), "n_blocks must"),
        (
            lambda rng: score_function_ascent(bowl, [0.0], [[1.0]], 1, rng, step_size=-1.0),
            "step_size must be positive",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0))
