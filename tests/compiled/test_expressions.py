"""What a function of a state computes: noted, differentiated, and refused where it must be."""

import math

import numpy as np
import pytest

from descent.compiled.expressions import Expression, Tape, Untraceable


def values(tape, roots, state, time=0.0):
    """Compute expressions with plain numbers."""
    made = []
    for kind, *rest in tape.keys:
        if kind == "state":
            made.append(state[rest[0]])
        elif kind == "time":
            made.append(time)
        elif kind == "number":
            made.append(rest[0])
        elif kind == "parameter":
            made.append(tape.parameters[rest[0]])
        else:
            made.append(getattr(np, kind)(*(made[i] for i in rest)))
    return np.array([made[root.index] for root in roots])


def traced(function, d):
    tape = Tape()
    state = tape.variables("state", range(d), d)
    rows = function(state, tape.variable("time"))
    return tape, [tape.as_expression(row) for row in rows]


MATRIX = np.array([[0.0, 1.5, -0.3], [2.0, 0.0, 1.0], [-1.0, 0.7, 0.2]])
FUNCTIONS = {
    "polynomial": lambda s, t: (s[0] ** 3 - 2 * s[1], s[2] ** -2, s[0] * s[1] / (1 + s[2] ** 2)),
    "functions": lambda s, t: (np.exp(s[0] / 9), np.sin(s[1]) * np.cos(t), np.tanh(s[2] - s[0])),
    "more functions": lambda s, t: (
        np.sqrt(1 + s[0] ** 2),
        np.log(2 + s[1] ** 2) - np.arctan(s[2]),
        np.sinh(s[0] / 9) * np.cosh(s[1] / 9) + np.tan(s[2] / 9),
    ),
    "a matrix": lambda s, t: MATRIX @ s,
    "a ring": lambda s, t: (np.roll(s, -1, 0) - np.roll(s, 2, 0)) * np.roll(s, 1, 0) - s + 8.0,
    "scalars of numpy": lambda s, t: np.float64(2.0) * s + np.array([1.0, 2.0, 3.0]),
    "methods": lambda s, t: (np.square(s[0]), np.reciprocal(s[1]), -(+s[2]) - np.positive(s[0])),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_noted_is_what_the_function_computes(name):
    function, state = FUNCTIONS[name], np.array([0.7, -1.3, 2.1])
    tape, rows = traced(function, 3)
    np.testing.assert_allclose(values(tape, rows, state, 0.4), function(state, 0.4), rtol=1e-14)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_derivative_of_a_tape_is_a_complex_step(name):
    function, state = FUNCTIONS[name], np.array([0.7, -1.3, 2.1])
    v = np.array([0.3, 1.1, -0.4])
    tape, rows = traced(function, 3)
    along = tape.derivative(rows, [tape.as_expression(x) for x in v])
    exact = np.imag(function(state + 1e-100j * v, 0.4)) / 1e-100
    np.testing.assert_allclose(values(tape, along, state, 0.4), exact, rtol=1e-13, atol=1e-15)


def test_a_number_is_a_parameter_and_not_code():
    def keys(factor):
        return traced(lambda s, t: (factor * s[0],), 1)[0].keys

    assert keys(28.0) == keys(29.0)
    assert keys(28.0) != keys(1.0)


def test_what_is_computed_twice_is_noted_once():
    tape, _ = traced(lambda s, t: (np.exp(s[0]) + np.exp(s[0]),), 1)
    assert sum(key[0] == "exp" for key in tape.keys) == 1


@pytest.mark.parametrize(
    "function",
    [
        lambda s, t: (s[0] if s[0] > 0 else -s[0],),
        lambda s, t: (math.sin(s[0]),),
        lambda s, t: (float(s[0]),),
        lambda s, t: (np.where(s[0] > 0, s[0], 0.0),),
        lambda s, t: (np.sign(s[0]),),
        lambda s, t: (s[0] ** 0.3,),
        lambda s, t: (s[0] ** s[0],),
        lambda s, t: (1.0 if s[0] == 0 else 0.0,),
        lambda s, t: (np.maximum(s[0], 0.0),),
        lambda s, t: (s[0] * np.inf,),
        lambda s, t: ("text",),
        lambda s, t: (int(t) + s[0],),
    ],
)
def test_a_function_that_asks_for_a_value_is_refused(function):
    with pytest.raises((Untraceable, TypeError)):
        traced(function, 1)


def test_abs_has_no_derivative_by_the_chain_rule():
    tape, rows = traced(lambda s, t: (abs(s[0]),), 1)
    assert values(tape, rows, np.array([-2.0])) == 2.0
    with pytest.raises(Untraceable, match="analytic"):
        tape.derivative(rows, [tape.constant(1.0)])


def test_expressions_of_two_tapes_do_not_mix():
    one, other = Tape(), Tape()
    with pytest.raises(Untraceable):
        one.variable("state") + other.variable("state")
    assert isinstance(one.variable("state") + 1, Expression)
