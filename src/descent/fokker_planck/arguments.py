"""Checks of grids, fields and densities: the errors name what came and what is expected."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from descent.landscapes import Array

Field = Callable[[Array], npt.ArrayLike] | npt.ArrayLike


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise a ValueError if the value is not one of the choices."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}; got {value!r}")


def check_edges(edges: npt.ArrayLike) -> Array:
    """Return the edges (N + 1,) of at least three cells as floats; an error unless they rise."""
    edges = np.asarray(edges, float)
    if edges.ndim != 1 or len(edges) < 4:
        raise ValueError(f"edges must have shape (N + 1,) with N >= 3; got {edges.shape}")
    if not np.isfinite(edges).all() or not (np.diff(edges) > 0).all():
        raise ValueError("edges must be finite and strictly rising; sort them, drop duplicates")
    return edges


def check_times(times: npt.ArrayLike) -> Array:
    """Return times (k,) as floats; an error unless they rise from zero or more."""
    times = np.asarray(times, float)
    if times.ndim != 1 or len(times) == 0:
        raise ValueError(f"times must have shape (k,) with k >= 1; got {times.shape}")
    if not np.isfinite(times).all() or times[0] < 0 or not (np.diff(times) > 0).all():
        raise ValueError("times must be finite, zero or positive, and strictly rising; sort them")
    return times


def check_field(name: str, field: Field, points: Array) -> Array:
    """Return the field at points (k,) as floats (k,); an error unless all are finite."""
    value = np.asarray(field(points) if callable(field) else field, float)
    if value.shape != points.shape:
        raise ValueError(f"{name} must have shape {points.shape}; got {value.shape}")
    if not np.isfinite(value).all():
        raise ValueError(
            f"{name} must be finite; it is not at W = {points[~np.isfinite(value)][0]:.6g}"
        )
    return value


def check_density(name: str, density: npt.ArrayLike, widths: Array) -> Array:
    """Return a density (N,) as floats; an error unless it is >= 0 and has mass 1."""
    density = np.asarray(density, float)
    if density.shape != widths.shape:
        raise ValueError(f"{name} must have shape {widths.shape}; got {density.shape}")
    if not np.isfinite(density).all() or (density < 0).any():
        raise ValueError(f"{name} must be finite and nowhere negative")
    mass = float(density @ widths)
    if not abs(mass - 1) <= 1e-6:
        raise ValueError(
            f"{name} must have mass 1 on the cells; got {mass:.9g}; "
            f"divide it by {name} @ np.diff(edges)"
        )
    return density
