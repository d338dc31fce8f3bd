"""A name for all that functions can see: their code, and the values that it reaches.

Files alone do not say what a function sees: a notebook may have set a constant of a module or
put another function in its place. So the name is over the globals of each module of the
library that the functions reach by way of globals, as they are at that moment. Where something
is among them of which nobody said here what makes two of its kind equal, there is no name.
"""

import dataclasses
import functools
import hashlib
import os
import pickle
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

PACKAGE = "descent"
PLAIN = (
    *(type(None), bool, int, float, complex, str, bytes, range, types.EllipsisType),
    *(PurePath, np.generic, np.dtype),
)
# What never changes and is told by its name alone.
NAMED = (types.ModuleType, types.BuiltinFunctionType, np.ufunc)
HINTS = (types.GenericAlias, types.UnionType, typing.TypeVar)
SURROUNDINGS = re.compile(
    "DESCENT_(THREADS|PROCESSOR)|(MKL|OMP|OPENBLAS|NPY|ATEN|MPL|PYTHONHASHSEED).*"
)
"""Variables of the environment on which a sum may depend."""


class Unknown(TypeError):
    """Nobody said what makes two values of this kind equal."""


def name_of(functions: list[Callable[..., Any]], *values: Any) -> str:
    """Return a name for what functions of the library can see, and for some values.

    Parameters
    ----------
    functions : list of callable
        Functions of modules of the library.
    *values : object
        What they are called with, for instance.

    Raises
    ------
    Unknown
        If a function is none of the library's, or there is a value of a kind that is not known.
    """
    for function in functions:
        module = sys.modules.get(getattr(function, "__module__", None) or "")
        if not _ours(module):
            raise Unknown(f"{function!r} is no function of the library")
    teller = _Teller()
    teller.tell([list(functions), list(values), _surroundings()])
    for module in _reached({function.__module__ for function in functions}):
        teller.tell(module.__name__)
        for name, value in sorted(vars(module).items()):
            if not name.startswith("__"):
                teller.tell(name)
                teller.tell(value)
    return teller.digest.hexdigest()


def _ours(module: Any) -> bool:
    name = getattr(module, "__name__", "")
    return name.partition(".")[0] == PACKAGE and getattr(module, "__file__", None) is not None


def _reached(names: set[str]) -> Iterator[types.ModuleType]:
    """Yield the modules of the library that others reach by their globals, sorted by name."""
    reached: set[str] = set()
    waiting = set(names)
    while waiting:
        reached.add(name := waiting.pop())
        for value in vars(sys.modules[name]).values():
            if isinstance(value, types.ModuleType):
                home = value.__name__
            else:
                home = getattr(value, "__module__", None) or type(value).__module__
            if isinstance(home, str) and home not in reached and _ours(sys.modules.get(home)):
                waiting.add(home)
    return (sys.modules[name] for name in sorted(reached))


def _surroundings() -> list[Any]:
    """Return what is set for a whole process, and bears on figures and sums."""
    found: list[Any] = [
        sorted((k, v) for k, v in os.environ.items() if SURROUNDINGS.fullmatch(k)),
        sorted(np.geterr().items()),
    ]
    if (matplotlib := sys.modules.get("matplotlib")) is not None:
        found.append(sorted((key, str(value)) for key, value in matplotlib.rcParams.items()))
    if (torch := sys.modules.get("torch")) is not None:
        found.append([str(torch.get_default_dtype()), torch.get_num_threads()])
    return found


class _Teller:
    """Writes values into a digest, each with its kind."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self._told: dict[int, tuple[int, Any]] = {}

    def write(self, *parts: Any) -> None:
        for part in parts:
            data = part if isinstance(part, bytes) else str(part).encode()
            self.digest.update(len(data).to_bytes(8, "big"))
            self.digest.update(data)

    def tell(self, value: Any) -> None:
        """Write a value, and all that it holds."""
        if isinstance(value, PLAIN):
            self.write(type(value).__qualname__, repr(value))
            return
        if id(value) in self._told:  # it may hold itself
            self.write("as before", self._told[id(value)][0])
            return
        self._told[id(value)] = len(self._told), value
        kind = type(value)
        self.write(f"{kind.__module__}.{kind.__qualname__}")
        self._tell_parts(value)

    def _tell_parts(self, value: Any) -> None:
        if isinstance(value, np.ndarray):
            if value.dtype.hasobject:
                self.tell(value.tolist())
            self.write(value.dtype, value.shape, b"" if value.dtype.hasobject else value.tobytes())
        elif isinstance(value, Mapping):
            self.tell([list(pair) for pair in value.items()])
        elif isinstance(value, list | tuple):
            self.write(len(value))
            for each in value:
                self.tell(each)
        elif isinstance(value, slice):
            self.tell([value.start, value.stop, value.step])
        elif isinstance(value, set | frozenset):
            self.write(sorted(_apart(each) for each in value))
        elif isinstance(value, types.FunctionType):
            self._tell_function(value)
        elif isinstance(value, type):
            self._tell_class(value)
        elif isinstance(value, NAMED) or type(value).__name__ == "fortran":  # f2py's
            self.write(getattr(value, "__module__", ""), value.__name__)
        elif isinstance(value, HINTS) or type(value).__module__ in ("typing", "collections.abc"):
            self.write(value)
        else:
            self._tell_object(value)

    def _tell_function(self, function: types.FunctionType) -> None:
        self.write(function.__module__, function.__qualname__)
        self._tell_code(function.__code__)
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        self.tell([function.__defaults__, function.__kwdefaults__, cells, vars(function)])

    def _tell_code(self, code: types.CodeType) -> None:
        self.write(code.co_code, code.co_names, code.co_varnames, code.co_freevars)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self._tell_code(constant)
            else:
                self.tell(constant)

    def _tell_class(self, kind: type) -> None:
        self.write(kind.__module__, kind.__qualname__)
        if kind.__module__.partition(".")[0] == PACKAGE:
            for name, value in sorted(vars(kind).items()):
                if isinstance(value, staticmethod | classmethod):
                    value = value.__func__
                if isinstance(value, (types.FunctionType, *PLAIN)):
                    self.write(name)
                    self.tell(value)

    def _tell_object(self, value: Any) -> None:
        kind = type(value)
        torch = sys.modules.get("torch")
        if isinstance(value, functools.partial):
            self.tell([value.func, value.args, value.keywords])
        elif isinstance(value, types.MethodType):
            self.tell([value.__func__, value.__self__])
        elif isinstance(value, re.Pattern):
            self.write(value)
        elif isinstance(value, np.random.Generator):
            self.tell(value.bit_generator.state)
        elif torch is not None and isinstance(value, torch.Generator):
            self.tell(value.get_state().numpy())
        elif torch is not None and isinstance(value, torch.Tensor):
            plain = value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy()
            self.write(value.dtype, tuple(value.shape), value.requires_grad, plain.tobytes())
        elif kind.__module__.startswith("scipy.stats"):  # a law, whose own generator is not used
            self.tell([getattr(value, "name", None), getattr(value, "shapes", None)])
        elif hasattr(value, "__wrapped__"):
            self.tell(value.__wrapped__)
        elif kind.__module__.partition(".")[0] == PACKAGE or dataclasses.is_dataclass(kind):
            slots = [name for base in kind.__mro__ for name in getattr(base, "__slots__", ())]
            held = {name: getattr(value, name, None) for name in slots if name != "__weakref__"}
            self.tell({**held, **getattr(value, "__dict__", {})})
        else:
            try:  # another library's own word for it
                self.write(pickle.dumps(value))
            except Exception as error:
                raise Unknown(f"{kind.__module__}.{kind.__qualname__}") from error


def _apart(value: Any) -> str:
    teller = _Teller()
    teller.tell(value)
    return teller.digest.hexdigest()
