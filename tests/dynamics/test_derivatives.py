"""Derivatives of a reader's own function: exact, or refused by the name of what is not smooth."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest

from descent import influence, lyapunov
from descent.dynamics import Flow, Map, complex_step, finite_differences
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


def food_chain(unit):
    """Hastings and Powell's, whose rates bend within a unit of food; in other units."""

    def rate(s, t):
        x, y, z = (np.asarray(v) / u for v, u in zip(s, unit, strict=True))
        eaten, hunted = 5 * x / (1 + 3 * x), 0.1 * y / (1 + 2 * y)
        return (
            unit[0] * (x * (1 - x) - eaten * y),
            unit[1] * (eaten * y - hunted * z - 0.4 * y),
            unit[2] * (hunted * z - 0.01 * z),
        )

    return rate


# A variable at zero does not tell that its unit is large: there it is for sizes= to say so.
AT_ZERO = [(u, s) for u in (1e-12, 1e-6, 1e-3, 1.0, 1e9) for s in (None, 1.0) if s or u <= 1]


@pytest.mark.parametrize(
    ("unit", "sizes", "state"),
    [(unit, None, (0.8, 0.15, 9.0)) for unit in (1e-12, 1e-3, 1.0, 1e9)]
    + [(*each, (0.8, 0.15, 0.0)) for each in AT_ZERO]
    + [(*each, (0.0, 0.0, 9.0)) for each in AT_ZERO],
)
def test_differences_are_as_good_in_other_units(unit, sizes, state):
    rate, at = food_chain([unit] * 3), unit * np.array(state)
    exact = complex_step(food_chain([1.0] * 3))(np.array(state), 0.0)
    sizes = None if sizes is None else unit * np.array([1.0, 0.2, 9.0])
    found = finite_differences(rate, sizes=sizes)(at, 0.0)
    np.testing.assert_allclose(found, exact, rtol=1e-8, atol=1e-8)


MIXED = [1.0, 1e-7, 1.0]  # one variable is counted in another unit


def mixed(**options):
    rate = food_chain(MIXED)
    start = tuple(np.array(MIXED) * [0.8, 0.15, 9.0])
    return Flow(("x", "y", "z"), rate, finite_differences(rate, **options), start=start)


def test_differences_over_too_long_steps_are_refused_by_the_argument_that_helps():
    with pytest.raises(ValueError, match=r"finite_differences .*sizes="):
        influence.op(mixed(), mixed().start, [20.0, 50.0], "x", "y", "z")
    with pytest.raises(ValueError, match=r"finite_differences .*sizes="):
        lyapunov.spectrum(mixed())
    own = mixed(sizes=MIXED)
    exact = replace(own, jacobian=complex_step(own.rate))
    found, right = (influence.op(each, own.start, [50.0], "x", "y", "z") for each in (own, exact))
    np.testing.assert_allclose(found, right, rtol=1e-6)


def test_steps_that_are_a_little_too_long_are_noticed():
    """By 1e-3 of the derivative: less than a difference quotient is compared with."""
    slightly = mixed(sizes=[1.0, 2e-4, 1.0])
    rate, at = slightly.rate, np.array(slightly.start)
    exact = complex_step(rate)(at, 0.0)
    error = np.abs(slightly.jacobian(at, 0.0) - exact)[:, 1] / np.abs(exact[:, 1]).max()
    assert 1e-4 < error.max() < 1e-2
    with pytest.raises(ValueError, match=r"too long for rate .*sizes="):
        influence.op(slightly, at, [20.0, 50.0], "x", "y", "z")


def test_a_bend_is_no_step_that_is_too_long():
    tent = Map(("x",), lambda s, t: (1.999 * np.minimum(s[0], 1 - s[0]),))
    tent = replace(tent, jacobian=finite_differences(tent.step))
    assert lyapunov.spectrum(tent, (0.3,))[0] == pytest.approx(np.log(1.999), abs=1e-3)


def test_a_jacobian_by_hand_is_not_asked_for_again():
    """From 7/10 the orbit comes to rounding errors, where no two points lie on one branch."""
    gauss = Map(("x",), lambda s, t: ((1 / s[0]) % 1.0,), lambda s, t: ((-1 / s[0] ** 2,),))
    with pytest.raises(ValueError, match="no difference tells: another initial state") as caught:
        lyapunov.spectrum(gauss, (0.7,))
    assert "by hand" not in str(caught.value)


@pytest.mark.parametrize("sizes", [[0.0, 1.0], [-1.0, 1.0], [np.nan, 1.0], 1.0])
def test_sizes_of_differences_are_positive(sizes):
    with pytest.raises(ValueError, match="sizes"):
        finite_differences(lambda s, t: s, sizes=sizes)
