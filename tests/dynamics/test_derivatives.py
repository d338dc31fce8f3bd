"""Derivatives of a reader's own function: exact, or refused by the name of what is not smooth."""

import math
import warnings

import numpy as np
import pytest

from descent.dynamics import Flow, complex_step, finite_differences
from descent.dynamics.tangent import Tangents, _apply, advance

DROPPED = {  # what drops the imaginary part, or jumps: the name that the error says
    "absolute": lambda s, t: (abs(s[0]),),
    "sign": lambda s, t: (np.sign(s[0]),),
    "real": lambda s, t: (np.real(s[0]) ** 2,),
    "float": lambda s, t: (math.sin(s[0]),),
    "float, real": lambda s, t: (math.exp(s[0].real),),
    "conjugate": lambda s, t: (np.conj(s[0]) * s[0],),
    "abs, sign, real or float": lambda s, t: (np.linalg.norm(s),),
    "hypot": lambda s, t: (np.hypot(s[0], 1.0),),
    "heaviside": lambda s, t: (np.heaviside(s[0], 0.0) * s[0],),
}


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("named", DROPPED)
@pytest.mark.parametrize("state", [[1.3], [-2.2], [[1.3, -2.2]], [1e-3]])
def test_a_complex_step_that_is_no_derivative_is_refused_by_name(named, state):
    helps = "tanh" if named in ("sign", "heaviside") else "by hand"
    with pytest.raises((ValueError, TypeError), match=rf"complex_step.*{named}.*{helps}"):
        complex_step(DROPPED[named])(np.array(state), 0.0)


@pytest.mark.parametrize("action", ["ignore", "error"])
@pytest.mark.parametrize("cast", [lambda s: s.astype(float), lambda s: np.asarray(s, float)])
def test_a_cast_is_refused_whatever_is_done_with_warnings(cast, action):
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        with pytest.raises((ValueError, TypeError), match="complex_step needs"):
            complex_step(lambda s, t: cast(s) ** 2)(np.array([1.5]), 0.0)


def test_branches_that_numpy_takes_are_right_and_if_is_refused_for_many():
    """The control: comparisons, maximum and clip of complex numbers follow the real part."""
    rates = (
        lambda s, t: (np.where(s[0] > 0, s[0] ** 2, -s[0]),),
        lambda s, t: (np.where(np.abs(s[0]) > 1, s[0] ** 2, s[0]),),
        lambda s, t: (np.maximum(s[0], 0.0) * 2.0,),
        lambda s, t: (np.clip(s[0], -1.0, 1.0),),
        lambda s, t: (s[0] ** 3 * np.exp(-s[0]),),
    )
    state = np.array([[1.3, -2.2, 0.4, 1e-3]])
    for rate in rates:
        found = complex_step(rate)(state, 0.0)
        np.testing.assert_allclose(
            found, finite_differences(rate)(state, 0.0), rtol=1e-5, atol=1e-5
        )
    with pytest.raises(TypeError, match=r"np.where in the place of if"):
        complex_step(lambda s, t: (s[0] if s[0] > 0 else -s[0],))(state, 0.0)


def test_where_the_function_is_not_finite_it_has_no_derivative():
    logarithm = complex_step(lambda s, t: (np.log(s[0]),))
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(logarithm(np.array([[2.0, -2.0]]), 0.0)[0, 0], [0.5, np.nan])


def test_advance_refuses_it_too():
    unit = Tangents((0,), np.ones((1, 1, 1)))
    bent = Flow(("x",), lambda s, t: (-abs(s[0]),), complex_step(lambda s, t: (-abs(s[0]),)))
    for dt in (None, 0.01):
        with pytest.raises(ValueError, match="complex_step needs an analytic function"):
            advance(bent, np.array([[2.0]]), [unit], 0.0, 1.0, dt)


@pytest.mark.parametrize("free", [(0,), (0, 2), (0, 1, 3), (0, 1, 2, 3, 4)])
@pytest.mark.parametrize("vectors", [1, 3])
def test_one_trajectory_carries_its_tangents_as_many_do(free, vectors):
    """A product of matrices there, row by row here."""
    rng = np.random.default_rng(0)
    jacobian, v = rng.normal(size=(5, 5, 1)), rng.normal(size=(len(free), vectors, 1))
    alone, beside = np.empty_like(v), np.empty((len(free), vectors, 2))
    _apply(jacobian, Tangents(free, v), alone)
    _apply(np.repeat(jacobian, 2, axis=2), Tangents(free, np.repeat(v, 2, axis=2)), beside)
    np.testing.assert_allclose(alone, beside[:, :, :1], rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(
        alone[:, :, 0], jacobian[np.ix_(free, free)][:, :, 0] @ v[:, :, 0], rtol=1e-13, atol=1e-14
    )
