"""What is kept from one build to the next is never stale."""

import dataclasses
import sys
import types

import numpy as np
import pytest
import torch

from descent.kept import kept, store
from descent.kept.seen import Unknown, name_of

UPPER = """
import functools
import re
import numpy as np
from descent import lower_for_test as lower
from descent.lower_for_test import LEVEL, Pair

WORDS = {"a": [1, 2], "b": re.compile("x")}
PAIR = Pair(1.0, np.arange(3))
calls = []

def draw(x):
    return helper(x) + LEVEL

def helper(x):
    return lower.twice(x)

@functools.cache
def remembered(x):
    return x

def made(n):
    def inner(x):
        return x + n
    return inner

inside = made(3)
"""
LOWER = """
import dataclasses

LEVEL = 1

@dataclasses.dataclass
class Pair:
    one: float
    other: object

    def sum(self):
        return self.one + self.other.sum()

def twice(x):
    return 2 * x
"""


@pytest.fixture
def modules(monkeypatch, tmp_path):
    """Two modules of the library, the upper one above the lower."""
    made = {}
    for name, code in (("lower_for_test", LOWER), ("upper_for_test", UPPER)):
        module = types.ModuleType(f"descent.{name}")
        module.__file__ = str(tmp_path / f"{name}.py")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(sys.modules["descent"], name, module, raising=False)
        exec(compile(code, module.__file__, "exec"), vars(module))
        made[name] = module
    return made["upper_for_test"], made["lower_for_test"]


@pytest.fixture
def place(monkeypatch, tmp_path):
    monkeypatch.setenv("DESCENT_KEPT", str(tmp_path / "kept"))
    monkeypatch.setenv("DESCENT_SEEN", "all files")
    return tmp_path / "kept"


def changes():
    """Ways in which a notebook may change what a draw function sees."""
    return {
        "a constant": lambda upper, lower: setattr(upper, "LEVEL", 2),
        "a constant below": lambda upper, lower: setattr(lower, "LEVEL", 2),
        "a function": lambda upper, lower: setattr(upper, "helper", lambda x: 3 * x),
        "a function below": lambda upper, lower: setattr(lower, "twice", lambda x: 3 * x),
        "an entry deep inside": lambda upper, lower: upper.WORDS["a"].append(3),
        "a pattern": lambda upper, lower: upper.WORDS.update(b="y"),
        "an array": lambda upper, lower: upper.PAIR.other.__setitem__(0, 5),
        "an attribute": lambda upper, lower: setattr(upper.PAIR, "one", 2.0),
        "a method": lambda upper, lower: setattr(lower.Pair, "sum", lambda self: 0),
        "a closure": lambda upper, lower: setattr(upper, "inside", upper.made(4)),
        "what a list remembers": lambda upper, lower: upper.calls.append(1),
        "a default": lambda upper, lower: setattr(upper.helper, "__defaults__", (1,)),
    }


@pytest.mark.parametrize("change", changes())
def test_what_a_function_can_see_is_in_its_name(modules, change):
    upper, lower = modules
    before = name_of([upper.draw], 1)
    assert name_of([upper.draw], 1) == before
    upper.remembered(7)  # what a cache holds is no value that a function sees
    assert name_of([upper.draw], 1) == before
    changes()[change](upper, lower)
    assert name_of([upper.draw], 1) != before


@dataclasses.dataclass
class Held:
    value: object


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        ([1, 2], (1, 2)),
        ([[1], 2], [1, [2]]),
        ({"a": 1}, {"a": 2}),
        ({1, 2}, {1, 3}),
        (np.arange(4), np.arange(4).reshape(2, 2)),
        (np.arange(4), np.arange(4.0)),
        (np.float32(1), np.float64(1)),
        (torch.ones(2), torch.ones(2, dtype=torch.float64)),
        (torch.ones(2), torch.tensor([1.0, 2.0])),
        (np.random.default_rng(0), np.random.default_rng(1)),
        (slice(1, 2), slice(1, 3)),
        (Held(1), Held(2)),
        (0.0, -0.0),
    ],
)
def test_unequal_values_have_unequal_names(modules, one, other):
    names = [name_of([modules[0].draw], value) for value in (one, other)]
    assert names[0] != names[1]
    assert name_of([modules[0].draw], one) == names[0]


def test_surroundings_count(modules, monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    draw = modules[0].draw
    names = [name_of([draw])]
    monkeypatch.setitem(matplotlib.rcParams, "font.size", 31.0)
    names.append(name_of([draw]))
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    names.append(name_of([draw]))
    assert len(set(names)) == 3


def test_what_is_not_the_librarys_or_not_known_has_no_name(modules):
    with pytest.raises(Unknown, match="no function of the library"):
        name_of([test_surroundings_count])
    modules[0].PIPE = (each for each in ())
    with pytest.raises(Unknown, match="generator"):
        name_of([modules[0].draw])


def test_a_result_is_found_again_and_a_generator_goes_on(modules, place, tmp_path):
    file = tmp_path / "calls"
    code = """
from pathlib import Path

def work(x, rng=None):
    with open(FILE, "a") as file:
        file.write("x")
    return {"sum": sum(x), "drawn": None if rng is None else rng.normal(size=2)}
"""
    upper = modules[0]
    upper.FILE = str(file)
    exec(compile(code, upper.__file__, "exec"), vars(upper))
    work = kept(upper.work)
    first, second = np.random.default_rng(0), np.random.default_rng(0)
    found = [work([1, 2], rng=rng) for rng in (first, second)]
    assert file.read_text() == "x"
    assert np.array_equal(found[0]["drawn"], found[1]["drawn"])
    assert first.bit_generator.state == second.bit_generator.state
    work([1, 2], rng=first)
    work([1, 3])
    assert file.read_text() == "xxx"
    upper.LEVEL = 5
    work([1, 3])
    assert file.read_text() == "xxxx"


def test_other_files_of_the_library_and_no_place_keep_nothing(modules, place, monkeypatch):
    work = [modules[0].draw]
    one = store.place_of("draw", work)
    store.keep(one, b"drawn", 4)
    assert store.fetch(store.place_of("draw", work)) == b"drawn"
    monkeypatch.setenv("DESCENT_SEEN", "other files")
    assert store.fetch(store.place_of("draw", work)) is None
    monkeypatch.delenv("DESCENT_KEPT")
    assert store.place_of("draw", work) is None
    store.keep(None, b"nowhere", 4)


def test_half_a_result_is_none(modules, place):
    one = store.place_of("draw", [modules[0].draw])
    store.keep(one, b"drawn", 4)
    one.write_bytes(one.read_bytes()[:-1])
    assert store.fetch(one) is None


def test_the_oldest_are_forgotten(modules, place):
    for n in range(7):
        store.keep(store.place_of("draw", [modules[0].draw], n), b"drawn", 4)
    assert len(list((place / "draw").iterdir())) == 4
