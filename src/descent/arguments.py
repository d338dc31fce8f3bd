"""Checks of arguments: the errors name what came and what is expected."""

import math
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.integer]
Floats = npt.NDArray[Any]  # in single or double precision
Shape = tuple[int | str, ...]


def came(value: object) -> str:
    """Return what came, in words: kind and shape of a large array, or a short repr."""
    shape = getattr(value, "shape", ())
    if isinstance(shape, tuple) and math.prod(shape) > 8:
        return f"{type(value).__name__} of shape {tuple(shape)}"
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:100]}… ({type(value).__name__})"


def _range(least: float, above: float, most: float, below: float) -> str:
    """Say in words where a number must be."""
    if math.isinf(most) and math.isinf(below):
        if above == 0:
            return "be positive"
        if least == 0:
            return "be zero or positive"
        return f"be above {above:g}" if math.isinf(least) else f"be at least {least:g}"
    if math.isinf(least) and math.isinf(above):
        return f"be below {below:g}" if math.isinf(most) else f"be at most {most:g}"
    low = f"({above:g}" if math.isinf(least) else f"[{least:g}"
    return f"lie in {low}, " + (f"{below:g})" if math.isinf(most) else f"{most:g}]")


def check_real(
    name: str,
    value: float,
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    most: float = math.inf,
    below: float = math.inf,
) -> float:
    """Return a finite real scalar as a float; a TypeError or ValueError if it is not one.

    ``least`` and ``most`` are in its range, ``above`` and ``below`` are not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} must be a real scalar; got {came(value)}")
    try:
        number = float(value)
    except OverflowError:  # an integer may be larger than any double
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite; got {came(value)}")
    if not (least <= value <= most and above < value < below):
        raise ValueError(f"{name} must {_range(least, above, most, below)}; got {value!r}")
    return number


def check_step_size(step_size: float) -> float:
    """Return a positive step size as a float; an error if it is not one."""
    return check_real("step_size", step_size, above=0)


def check_count(name: str, value: int, least: int = 0) -> int:
    """Return a number of steps or particles; an error if it is not an integer >= least."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer; got {came(value)}")
    if value < least:
        wanted = f"be at least {least}" if least else "not be negative"
        raise ValueError(f"{name} must {wanted}; got {value!r}")
    return int(value)


def check_array(
    name: str, value: npt.ArrayLike, shape: Shape | None = None, *, finite: bool = True
) -> Array:
    """Return real numbers as an array of floats; an error if they are none.

    Parameters
    ----------
    name : str
        What the error calls it.
    value : array_like
        Integers, floats, or other real numbers.
    shape : tuple of int or str, optional
        Lengths of the axes; a letter stands for any length but zero. Without it the shape
        is free and the array may be empty.
    finite : bool
        Whether NaN and infinity are errors.

    Examples
    --------
    >>> check_array("points", [[1, 2]], ("n", 2))
    array([[1., 2.]])
    >>> check_array("points", [1, 2], ("n", 2))
    Traceback (most recent call last):
    ...
    ValueError: points must have shape (n, 2); got (2,)
    """
    array = check_numbers(name, value)
    if shape is not None:
        check_shape(name, array.shape, shape)
    if finite and not np.isfinite(array).all():
        worst = array[~np.isfinite(array)].ravel()[0]
        raise ValueError(f"{name} must be finite; got {worst} in an array of shape {array.shape}")
    return array


def check_shape(name: str, shape: tuple[int, ...], wanted: Shape) -> None:
    """Raise a ValueError unless a shape is as wanted; a letter stands for any length but zero."""
    if len(shape) != len(wanted) or not all(
        n > 0 if isinstance(length, str) else n == length
        for n, length in zip(shape, wanted, strict=True)
    ):
        text = f"({', '.join(map(str, wanted))}{',' if len(wanted) == 1 else ''})"
        some = ", with an entry at least" if 0 in shape and len(shape) == len(wanted) else ""
        raise ValueError(f"{name} must have shape {text}{some}; got {shape}")


def check_numbers(name: str, value: npt.ArrayLike) -> Array:
    """Return real numbers, NaN and infinity included, as an array of floats of any shape."""
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        return value
    try:
        raw: npt.NDArray[Any] = np.asarray(value)
    except (ValueError, TypeError, RuntimeError):
        raise ValueError(f"{name} must be an array of real numbers; got {came(value)}") from None
    exact = raw.dtype == object and all(isinstance(entry, Real) for entry in raw.flat)
    if raw.dtype.kind not in "biuf" and not exact:
        raise TypeError(f"{name} must hold real numbers; got {came(value)}")
    try:
        return raw.astype(np.float64)
    except (OverflowError, FloatingPointError):
        raise ValueError(f"{name} must fit floats; got {came(value)}") from None


def check_indices(name: str, value: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Return integers as an array; an error if they are none."""
    array = check_numbers(name, value)
    if np.asarray(value).dtype.kind not in "iu":
        raise TypeError(f"{name} must hold integers; got {came(value)}")
    return array.astype(np.intp)


def check_choice(name: str, value: object, choices: Collection[str]) -> str:
    """Return the value; a ValueError if it is not one of the choices.

    Examples
    --------
    >>> check_choice("calculus", "Ito", ("ito", "stratonovich"))
    Traceback (most recent call last):
    ...
    ValueError: calculus must be one of ito, stratonovich; got 'Ito'; did you mean 'ito'?
    """
    if not isinstance(value, str) or value not in choices:
        meant = did_you_mean(value, choices, most=1)
        raise ValueError(f"{name} must be one of {', '.join(choices)}; got {came(value)}{meant}")
    return value


def nearest(value: object, choices: Iterable[str], most: int = 3) -> list[str]:
    """Return the choices that are spelt much like the value, the most alike first."""
    if not isinstance(value, str):
        return []
    spelt = {choice.lower(): choice for choice in choices}
    return [spelt[match] for match in get_close_matches(value.lower(), spelt, most)]


def did_you_mean(value: object, choices: Iterable[str], most: int = 3) -> str:
    """Return the end of an error's line, with the nearest choices; "" if none is near."""
    near = nearest(value, choices, most)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def check_flag(name: str, value: bool) -> bool:
    """Return a bool; a TypeError if it is none (a text, for instance, is always true)."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False; got {came(value)}")
    return bool(value)


def check_kind(name: str, value: object, kind: type) -> None:
    """Raise a TypeError unless the value is an instance of a class."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}; got {came(value)}")


def check_callable(name: str, value: object) -> None:
    """Raise a TypeError unless the value can be called."""
    if not callable(value):
        raise TypeError(f"{name} must be callable; got {came(value)}")


def check_generator(name: str, value: object) -> None:
    """Raise a TypeError unless the value is a numpy.random.Generator."""
    if not isinstance(value, np.random.Generator):
        raise TypeError(f"{name} must be a numpy.random.Generator; got {came(value)}")


def check_rising_counts(name: str, value: Sequence[int]) -> list[int]:
    """Return rising numbers of steps; an error unless there is one at least and they rise."""
    if isinstance(value, str | bytes) or not np.iterable(value):
        raise TypeError(f"{name} must be a sequence of integers; got {came(value)}")
    counts = [check_count(name, n) for n in value]
    if not counts or (np.diff(counts) <= 0).any():
        raise ValueError(f"{name} must rise; got {came(value)}")
    return counts
