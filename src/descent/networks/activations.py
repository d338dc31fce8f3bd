"""Activation functions of networks, each with its slope.

An activation is a function of an array that returns two arrays of that shape and
dtype: the values and the derivatives. They are computed together because they
share their exponentials.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from scipy.special import expit, ndtr

from descent.arguments import Floats, check_numbers

__all__ = ["ACTIVATIONS", "Activation", "gelu", "linear", "relu", "sigmoid", "softplus", "tanh"]

Activation = Callable[[Floats], tuple[Floats, Floats]]


def _floats(z: Floats) -> Floats:
    """Return an array of floats as it is, and other real numbers as one."""
    kept = isinstance(z, np.ndarray) and z.dtype.kind == "f"
    return z if kept else check_numbers("z", z)


def softplus(z: Floats) -> tuple[Floats, Floats]:
    """Return log(1 + exp z) and its slope, the logistic function.

    Examples
    --------
    >>> value, slope = softplus(np.zeros(1))
    >>> value.round(6), slope
    (array([0.693147]), array([0.5]))
    """
    z = _floats(z)
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))), expit(z)


def relu(z: Floats) -> tuple[Floats, Floats]:
    """Return max(z, 0) and its slope, which is 0 at z = 0."""
    z = _floats(z)
    return np.maximum(z, 0), (z > 0).astype(z.dtype)


def gelu(z: Floats) -> tuple[Floats, Floats]:
    """Return z Φ(z) and its slope Φ(z) + z φ(z), Φ the normal distribution function."""
    z = _floats(z)
    below = ndtr(z)
    density = np.exp(z * z * z.dtype.type(-0.5)) * z.dtype.type(1 / np.sqrt(2 * np.pi))
    return z * below, below + z * density


def tanh(z: Floats) -> tuple[Floats, Floats]:
    """Return the hyperbolic tangent and its slope."""
    z = _floats(z)
    value = np.tanh(z)
    return value, 1 - value * value


def sigmoid(z: Floats) -> tuple[Floats, Floats]:
    """Return the logistic function 1 / (1 + exp(-z)) and its slope."""
    z = _floats(z)
    value = expit(z)
    return value, value * (1 - value)


def linear(z: Floats) -> tuple[Floats, Floats]:
    """Return z and its slope 1."""
    z = _floats(z)
    return z, np.ones_like(z)


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        "softplus": softplus,
        "ReLU": relu,
        "GELU": gelu,
        "tanh": tanh,
        "sigmoid": sigmoid,
        "linear": linear,
    }
)
"""The activations by their usual names."""
