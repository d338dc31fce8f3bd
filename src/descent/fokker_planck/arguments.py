"""Checks of grids, fields and densities: the errors name what came and what is expected."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, came, check_array, check_choice, check_shape

__all__ = [
    "check_choice",
    "check_density",
    "check_edges",
    "check_field",
    "check_times",
    "check_variance",
]

Field = Callable[[Array], npt.ArrayLike] | npt.ArrayLike


def check_edges(edges: npt.ArrayLike) -> Array:
    """Return the edges (N + 1,) of at least three cells as floats; an error unless they rise."""
    edges = check_array("edges", edges)
    if edges.ndim != 1 or len(edges) < 4:
        raise ValueError(f"edges must have shape (N + 1,) with N >= 3; got {edges.shape}")
    if not (rises := np.diff(edges) > 0).all():
        raise ValueError(
            f"edges must be finite and strictly rising; got {edges[:-1][~rises][0]} before "
            f"{edges[1:][~rises][0]}; sort them, drop duplicates"
        )
    return edges


def check_times(times: npt.ArrayLike) -> Array:
    """Return times (k,) as floats; an error unless they rise from zero or more."""
    times = check_array("times", times, ("k",))
    if times[0] < 0 or not (np.diff(times) > 0).all():
        raise ValueError(
            f"times must be finite, zero or positive, and strictly rising; got {came(times)}"
        )
    return times


def check_field(name: str, field: Field, points: Array) -> Array:
    """Return the field at points (k,) as floats (k,); an error unless all are finite."""
    value = check_array(name, field(points) if callable(field) else field, finite=False)
    if callable(field) and value.shape != points.shape:
        raise ValueError(
            f"{name} must return an array of its argument's shape, such as 0 * w + 1.0 for a "
            f"constant; got shape {value.shape} for an argument of shape {points.shape}"
        )
    check_shape(name, value.shape, points.shape)
    if not (finite := np.isfinite(value)).all():
        raise ValueError(
            f"{name} must be finite; got {value[~finite][0]} at W = {points[~finite][0]:.6g}"
        )
    return value


def check_variance(field: Field, points: Array) -> Array:
    """Return the variance at points (k,) as floats (k,); an error unless it is finite and >= 0."""
    value = check_field("variance", field, points)
    if (value < 0).any():
        raise ValueError(
            f"variance must not be negative; got {value.min():.6g} at W = "
            f"{points[value.argmin()]:.6g}"
        )
    return value


def check_density(name: str, density: npt.ArrayLike, widths: Array) -> Array:
    """Return a density (N,) as floats; an error unless it is >= 0 and has mass 1."""
    density = check_array(name, density, widths.shape)
    if (density < 0).any():
        raise ValueError(f"{name} must be finite and nowhere negative; got {density.min()}")
    mass = float(density @ widths)
    if not abs(mass - 1) <= 1e-6:
        raise ValueError(
            f"{name} must have mass 1 on the cells; got {mass:.9g}; "
            f"divide it by {name} @ np.diff(edges)"
        )
    return density
