"""Checks of arguments: the errors name what came and what is expected."""

import math

import numpy as np


def check_real(name: str, value: float) -> float:
    """Return a finite real scalar as a float; a TypeError or ValueError if it is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} must be a real scalar; got {value!r}")
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite; got {value!r}")
    return float(value)


def check_step_size(step_size: float) -> float:
    """Return a positive step size as a float; an error if it is not one."""
    if check_real("step_size", step_size) <= 0:
        raise ValueError(f"step_size must be positive; got {step_size!r}")
    return float(step_size)


def check_count(name: str, value: int) -> int:
    """Return a number of steps or particles; an error if it is not an integer >= 0."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer; got {value!r}")
    if value < 0:
        raise ValueError(f"{name} must not be negative; got {value!r}")
    return int(value)


def check_start(start: float, threshold: float) -> tuple[float, float]:
    """Return start and threshold as floats; an error unless start <= threshold."""
    start, threshold = check_real("start", start), check_real("threshold", threshold)
    if start > threshold:
        raise ValueError(f"start must not lie beyond threshold={threshold!r}; got {start!r}")
    return start, threshold
