"""Kinds of arguments: a valid value of each, and what must not pass in its place."""

import inspect
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch


class Opaque:
    """An object that is nothing that the library knows."""

    def __repr__(self):
        return "<opaque>"


NOTHING = (None, Opaque())


@dataclass(frozen=True)
class Kind:
    """How to make a valid value, and the values that must be refused."""

    make: Callable[[], Any]
    refused: tuple[Any, ...]
    free: str = ""  # why nothing is refused
    finite: bool = False  # whether it is an array without holes


def real(value, *, least=-math.inf, above=-math.inf, most=math.inf, below=math.inf, inf=False):
    """Return a finite real scalar in a range; `inf` if infinity is in it."""
    refused = [np.nan, -math.inf, 1j, "1.0", True, np.array([0.5, 0.5]), *NOTHING]
    refused += [] if inf else [math.inf]
    refused += [limit for limit in (above, below) if math.isfinite(limit)]
    refused += [limit - 1.0 for limit in (above, least) if math.isfinite(limit)]
    refused += [limit + 1.0 for limit in (below, most) if math.isfinite(limit)]
    return Kind(lambda: value, tuple(refused))


def positive(value):
    """Return a positive finite scalar."""
    return real(value, above=0)


def count(value, least=0):
    """Return an integer that is not below the least."""
    refused = (least - 1, 2.5, float(value), math.nan, math.inf, 1j, "3", True, [3], *NOTHING)
    return Kind(lambda: value, refused)


def broken(array):
    """Return what must not pass for an array of finite reals of any shape."""
    flat = np.array(array, float).ravel()
    holes = []
    for hole in (np.nan, np.inf):
        bad = np.array(array, float)
        bad.reshape(-1)[flat.size // 2] = hole
        holes.append(bad)
    wrong = [np.array(array, float) + 1j, np.full(np.shape(array), "1.0")]
    ragged = [[1.0], [1.0, 2.0]]
    return (*holes, *wrong, ragged, np.array([Opaque(), Opaque()]), "1.0", *NOTHING)


def array(value, *refused, free=False, nan=False, empty=False):
    """Return an array of reals; `free` if any shape will do, `nan` if it may have holes."""
    value = np.array(value, float)
    bad = broken(value)[2 if nan else 0 :]
    if not free:
        bad += (value[None, None],) + ((value.ravel()[0],) if value.ndim else ())
        bad += () if empty or not value.ndim else (np.empty((0,) * value.ndim),)
    return Kind(value.copy, (*bad, *refused), finite=not nan)


def rng():
    """Return a generator of numpy's."""
    refused = (0, np.random.RandomState(0), np.random, "seed", torch.Generator(), *NOTHING)
    return Kind(lambda: np.random.default_rng(0), refused)


def torch_rng():
    """Return a generator of torch's."""
    refused = (0, np.random.default_rng(0), "seed", *NOTHING)
    return Kind(lambda: torch.Generator().manual_seed(0), refused)


def tensor(value, *refused, free=False, nan=True):
    """Return a tensor of reals; NaN goes through, as the training reports it."""
    value = torch.as_tensor(value, dtype=torch.float32)
    hole = value.clone()
    hole.view(-1)[0] = math.nan
    bad = [value.numpy(), value.int(), value.to(torch.complex64), 1.0, "1.0", *NOTHING]
    bad += [] if nan else [hole]
    bad += [] if free else [value[None], value.new_empty((0,) * value.ndim)]
    return Kind(value.clone, (*bad, *refused))


def choice(value):
    """Return one of several names."""
    return Kind(lambda: value, ("nonsense", 1, ["nonsense"], math.nan, *NOTHING))


def flag(value=False):
    """Return a bool."""
    return Kind(lambda: value, ("no", 2, 0.5, np.array([True, False]), *NOTHING))


def function(value, *refused):
    """Return something that can be called; `refused` are functions that return nonsense."""
    return Kind(lambda: value, (1.0, "f", np.ones(3), *NOTHING, *refused))


def instance(make, *refused):
    """Return an object that `make` makes."""
    return Kind(make, (1.0, "x", np.ones(3), lambda: 0.0, *NOTHING, *refused))


def given(make, *refused):
    """Return what `make` makes; nothing but `refused` is refused."""
    return Kind(make, refused)


def anything(value, why):
    """Return a value of which nothing is asked, and why."""
    return Kind(lambda: value, (), why)


@dataclass(frozen=True)
class Case:
    """A valid call: arguments by name; for a method, how to make its owner."""

    arguments: dict[str, Kind]
    of: Callable[[], Any] | None = None
    nan: str = ""  # why the valid call may return values that are not finite
    skip: dict[str, str] = field(default_factory=dict)

    def call(self, function, **replaced):
        """Call the function, with some arguments replaced."""
        if self.of is not None:
            function = getattr(self.of(), function.__name__)
        positional, named = [], {}
        for name, parameter in inspect.signature(function).parameters.items():
            if name not in self.arguments:
                continue
            value = replaced[name] if name in replaced else self.arguments[name].make()
            if parameter.kind is parameter.VAR_POSITIONAL:
                positional.append(value)
            elif parameter.kind is parameter.VAR_KEYWORD:
                named |= value
            elif parameter.kind is parameter.KEYWORD_ONLY:
                named[name] = value
            else:
                positional.append(value)
        return function(*positional, **named)


def case(of=None, nan="", **arguments):
    """Return a valid call."""
    return Case(arguments, of, nan)


def tells(message, name, value):
    """Say whether an error's message names the argument and what came."""
    name = next(iter(value)) if name == "options" else name
    named = re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", message)
    return bool(named) and (" got " in message or repr(value) in message)
