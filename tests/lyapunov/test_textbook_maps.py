"""Maps of the textbooks from their usual starts: each right within its own errors, or refused."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from descent import lyapunov
from descent.dynamics import Map, complex_step, finite_differences


def map_of(step, start, derivative=complex_step):
    return Map(("x", "y")[: len(start)], step, derivative(step), start=start)


def logistic(r):
    return map_of(lambda s, t: (r * s[0] * (1 - s[0]),), (0.3,))


def henon(s, t):
    return 1 - 1.4 * s[0] ** 2 + s[1], 0.3 * s[0]


def ikeda(u):
    def step(s, t):
        x, y = s
        turn = 0.4 - 6 / (1 + x * x + y * y)
        c, sine = np.cos(turn), np.sin(turn)
        return 1 + u * (x * c - y * sine), u * (x * sine + y * c)

    return map_of(step, (0.1, 0.1))


def standard(k):
    def step(s, t):
        p = s[1] + k * np.sin(s[0])
        return s[0] + p, p

    return map_of(step, (0.5, 0.5))


def tinkerbell(s, t):
    x, y = s
    return x * x - y * y + 0.9 * x - 0.6013 * y, 2 * x * y + 2 * x + 0.5 * y


def burgers(s, t):
    return 0.75 * s[0] - s[1] ** 2, s[1] * (1.75 + s[0])


def lozi(s, t):
    return 1 - 1.7 * np.abs(s[0]) + s[1], 0.5 * s[0]


def gauss(s, t):
    return (np.mod(1 / s[0], 1.0),)


def slope_of_gauss(step):
    return lambda s, t: ((-1 / s[0] ** 2,),)


def tent(s, t):
    return (1.999 * np.minimum(s[0], 1 - s[0]),)


GAUSS = np.pi**2 / (6 * np.log(2))

# The largest exponent and how well it is known: closed forms, or 2e7 steps in C of a second
# program. With K = 5 the standard map has islands, so its value belongs to the chaotic sea.
TABLE = {
    "logistic 2.5": (logistic(2.5), -np.log(2), 0.0),
    "logistic 3.2": (logistic(3.2), -0.9162907, 1e-7),
    "logistic 3.5": (logistic(3.5), -0.8725073, 1e-7),
    "logistic 3.6": (logistic(3.6), 0.18338, 2e-5),
    "logistic 3.7": (logistic(3.7), 0.35501, 5e-5),
    "logistic 4": (logistic(4.0), np.log(2), 0.0),
    "henon": (map_of(henon, (0.1, 0.1)), 0.41922, 5e-5),
    "ikeda 0.9": (ikeda(0.9), 0.5074, 5e-4),
    "ikeda 0.6": (ikeda(0.6), -0.12835757, 1e-8),
    "standard 5": (standard(5.0), 0.973, 0.005),
    "standard 10": (standard(10.0), 1.619, 0.002),
    "lozi": (map_of(lozi, (0.1, 0.1), finite_differences), 0.4707, 2e-4),
    "tinkerbell": (map_of(tinkerbell, (-0.72, -0.64)), 0.19980, 1e-4),
    "burgers": (map_of(burgers, (-0.1, 0.1)), 0.12081, 1e-4),
    "cubic": (map_of(lambda s, t: (3 * s[0] - 4 * s[0] ** 3,), (0.1,)), np.log(3), 0.0),
    "gauss": (map_of(gauss, (0.41,), slope_of_gauss), GAUSS, 0.0),
    # Steps in proportion to the state meet a jump in one of 1e4 states.
    "gauss by differences": (map_of(gauss, (0.41,), finite_differences), GAUSS, 0.002),
    "tent": (map_of(tent, (0.3,), finite_differences), np.log(1.999), 0.0),
    "sine": (map_of(lambda s, t: (np.sin(np.pi * s[0]),), (0.3,)), 0.68908, 5e-5),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLE)
def test_textbook_map(name):
    system, right, known = TABLE[name]
    values, errors = lyapunov.spectrum(system, return_error=True)
    assert abs(values[0] - right) < 3 * np.hypot(errors[0], known) + 1e-6
    assert errors[0] < max(0.01, 0.02 * abs(right))


REFUSED = {
    "lozi": (map_of(lozi, (0.1, 0.1)), ValueError, "jacobian= by hand, or by dynamics.finite_d"),
    "gauss": (
        map_of(gauss, (0.41,)),
        TypeError,
        "remainder.*alone, give jacobian= by hand",
    ),
    # Near zero its jumps lie closer than two points of a difference of a stated length.
    "gauss across jumps": (
        map_of(gauss, (0.41,), partial(finite_differences, sizes=[1.0])),
        ValueError,
        "It jumps, by remainder: .* jacobian= by hand",
    ),
    # 0.3 is a fraction: its orbit comes to zero, where the map has its pole.
    "pole": (map_of(gauss, (0.3,), slope_of_gauss), FloatingPointError, "initial state"),
    "outside": (replace(logistic(4.0), start=(1.2,)), FloatingPointError, "initial state"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal_says_what_helps(name):
    system, error, words = REFUSED[name]
    with pytest.raises(error, match=words):
        lyapunov.spectrum(system)
