"""Results of pure functions that take long, kept from one build to the next."""

import functools
import pickle
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from descent.kept.store import fetch, keep, place_of

FORMER = 200
"""How many results of a function are kept."""

F = TypeVar("F", bound=Callable[..., Any])


def kept(function: F) -> F:
    """Keep the results of a function of the library while the book is built.

    A result is found again if the function is called with equal arguments, and all is as it was
    that the function can see (`descent.kept.seen`). Everywhere else, in a reader's kernel and
    in the tests, the function is called as if nothing were there. Generators of NumPy among
    the arguments are left as the call left them.

    Parameters
    ----------
    function : callable
        Its result follows from its arguments, can be pickled, and shares nothing with them.

    Returns
    -------
    callable

    Examples
    --------
    >>> @kept
    ... def square(x):
    ...     return x * x
    >>> square(3)
    9
    """

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        name = f"{function.__module__}.{function.__qualname__}"
        place = place_of(name, [function], args, kwargs)
        drawn = [
            each for each in (*args, *kwargs.values()) if isinstance(each, np.random.Generator)
        ]
        stored = fetch(place)
        if stored is not None:
            result, states = pickle.loads(stored)
            for generator, state in zip(drawn, states, strict=True):
                generator.bit_generator.state = state
            return result
        result = function(*args, **kwargs)
        if place is not None:
            states = [each.bit_generator.state for each in drawn]
            keep(place, pickle.dumps((result, states)), FORMER)
        return result

    return wrapped  # type: ignore[return-value]
