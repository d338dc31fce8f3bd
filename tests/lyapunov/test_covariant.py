"""Covariant vectors: eigenvectors, the direction of a flow, and what they are called after."""

import numpy as np
import pytest
from scipy.linalg import expm

from descent import lyapunov, systems
from descent.dynamics import Flow, Map, complex_step
from descent.dynamics.tangent import Tangents, advance

LORENZ = systems.lorenz()


@pytest.fixture(scope="module")
def lorenz():
    return lyapunov.covariant_vectors(LORENZ, [1.0, 1.0, 20.0], n=60, interval=0.05, transient=20.0)


def parallel(a, b):
    """Return the sine of the angle between vectors on the first axis."""
    a, b = a / np.linalg.norm(a, axis=0), b / np.linalg.norm(b, axis=0)
    return np.linalg.norm(a - b * np.einsum("d...,d...->...", a, b), axis=0)


def test_linear_flow_has_its_eigenvectors():
    rates, basis = np.array([0.3, -0.2, -1.5]), np.array([[1.0, 0.4, 0], [0.3, 1, 1], [0, 0.5, 1]])
    basis /= np.linalg.norm(basis, axis=0)
    flow = systems.linear_flow(basis @ np.diag(rates) @ np.linalg.inv(basis), "abc")
    found = lyapunov.covariant_vectors(flow, [0.0, 0.0, 0.0], n=5, interval=0.2, transient=50.0)
    for vectors in found.vectors:
        assert (parallel(vectors, basis) < 1e-8).all()
        # A negative control: the frame of Benettin's method is orthogonal, and is not this.
        assert abs(vectors[:, 0] @ vectors[:, 1]) > 0.1
    np.testing.assert_allclose(found.exponents, rates, atol=1e-8)
    np.testing.assert_allclose(
        found.angle(0, 1), np.arccos(abs(basis[:, 0] @ basis[:, 1])), atol=1e-7
    )


def test_vector_of_the_exponent_zero_is_the_direction_of_the_flow(lorenz):
    rate = np.array(LORENZ.rate(lorenz.states.T, 0.0))
    assert (parallel(lorenz.vectors[:, :, 1].T, rate) < 1e-5).all()
    assert parallel(lorenz.vectors[:, :, 0].T, rate).max() > 0.5  # the control
    np.testing.assert_allclose(
        lorenz.growth[:, 1],
        np.diff(np.log(np.linalg.norm(rate, axis=0))),
        atol=1e-4,
    )


def test_each_goes_over_into_itself(lorenz):
    i, j = 10, 25
    state = lorenz.states[i][:, None]
    start = [Tangents((0, 1, 2), lorenz.vectors[i][:, :, None])]
    _, (moved,) = advance(LORENZ, state, start, lorenz.times[i], lorenz.times[j])
    moved = moved.vectors[:, :, 0]
    assert (parallel(moved[:, :2], lorenz.vectors[j][:, :2]) < 1e-4).all()
    grown = np.log(np.linalg.norm(moved, axis=0))
    np.testing.assert_allclose(grown[:2], lorenz.growth[i:j].sum(axis=0)[:2], atol=1e-4)
    # The third shrinks by exp(-11), so what it has of the others by rounding shows; backwards
    # it is the one that leads.
    back = np.linalg.solve(np.column_stack([moved[:, :2], lorenz.vectors[j][:, 2]]), moved[:, 2])
    assert abs(back[2]) == pytest.approx(np.exp(lorenz.growth[i:j, 2].sum()), rel=0.01)


def test_henon_map_by_its_inverse():
    """The second vector is where all disturbances of the inverse map turn to."""

    def step(s, t):
        return 1 - 1.4 * s[0] ** 2 + s[1], 0.3 * s[0]

    system = Map(("x", "y"), step, complex_step(step), start=(0.1, 0.1))
    found = lyapunov.covariant_vectors(system, n=200)
    v = np.array([1.0, 0.3])
    for x in found.states[::-1][:, 0][1:]:
        v = np.linalg.solve([[-2.8 * x, 1.0], [0.3, 0.0]], v)
        v /= np.linalg.norm(v)
    assert parallel(found.vectors[0][:, 1], v) < 1e-10
    assert found.exponents.sum() == pytest.approx(np.log(0.3), abs=0.05)
    v = np.array([1.0, 0.3])
    for x in found.states[:-1, 0]:
        v = np.array([[-2.8 * x, 1.0], [0.3, 0.0]]) @ v
        v /= np.linalg.norm(v)
    assert parallel(found.vectors[-1][:, 0], v) < 1e-10


def test_a_change_of_variables_goes_along():
    """Covariant: in new variables T s the vectors are T v, however T stretches."""
    stretch = np.array([[1.0, 0.5], [0.0, 7.0]])
    matrix = np.array([[-0.5, 1.0], [0.2, -2.0]])
    other = stretch @ matrix @ np.linalg.inv(stretch)
    one, two = (
        lyapunov.covariant_vectors(
            systems.linear_flow(m, "ab"), [0.0, 0.0], n=2, interval=0.1, transient=30.0
        ).vectors[0]
        for m in (matrix, other)
    )
    assert (parallel(stretch @ one, two) < 1e-9).all()


def test_defaults_take_the_period():
    def rate(s, t):
        return s[1], (1 - s[0] ** 2) * s[1] - s[0]

    system = Flow(("x", "v"), rate, complex_step(rate), start=(2.0, 0.0))
    found = lyapunov.covariant_vectors(system, n=21)
    assert found.times[-1] - found.times[0] == pytest.approx(6.6633, abs=0.02)
    turns = np.array(rate(found.states.T, 0.0))
    assert (parallel(found.vectors[:, :, 0].T, turns) < 1e-6).all()
    assert abs(found.exponents[0]) < 0.02


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": 1}, "n must be"),
        ({"interval": 0.0}, "interval must be"),
        ({"interval": 4.0, "transient": 40.0}, "interval=4 is too long"),
        ({"initial": np.ones((2, 3))}, "initial must be one state"),
    ],
)
def test_bad_input(options, words):
    with pytest.raises(ValueError, match=words):
        lyapunov.covariant_vectors(LORENZ, **({"initial": [1.0, 1.0, 20.0]} | options))


def test_exponentials_agree():
    """Growth over one interval of a linear flow is that of its matrix exponential."""
    matrix = np.array([[-0.5, 1.0], [0.2, -2.0]])
    found = lyapunov.covariant_vectors(
        systems.linear_flow(matrix, "ab"), [1.0, 0.0], n=3, interval=0.5, transient=20.0
    )
    moved = expm(matrix / 2) @ found.vectors[0]
    np.testing.assert_allclose(np.log(np.linalg.norm(moved, axis=0)), found.growth[0], atol=1e-9)
    np.testing.assert_allclose(moved / np.exp(found.growth[0]), found.vectors[1], atol=1e-9)
