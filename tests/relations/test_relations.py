"""Every public numeric function has a relation: one of this folder, or a test elsewhere."""

import ast
import importlib
import re
from pathlib import Path
from types import FunctionType

import numpy as np
import pytest
import torch
from elsewhere import HELD
from public import PUBLIC, exempt
from relation import RELATIONS, Relation

import descent

TABLES = ("of_chains", "of_landscapes", "of_networks", "of_searches", "of_systems")
for table in TABLES:
    importlib.import_module(table)

ROOT = Path(__file__).parents[2]
NUMERIC = sorted(name for name in PUBLIC if not exempt(name))
SPOKEN_FOR = {name for relation in RELATIONS.values() for name in relation.names}
ELSEWHERE = {name for names in HELD.values() for name in names}


def what_to_do(names):
    """Return what to add for functions without a relation, or an empty text."""
    return "\n".join(
        f'{name}: write a function with @relation("{name}") in one of tests/relations/of_*.py, '
        "that compares calls of it: in another unit, mirrored, permuted, refined, in two halves, "
        "of another dtype, of another scale, or with a closed form. Where its own tests hold "
        "one, name that test in tests/relations/elsewhere.py."
        for name in names
        if name not in SPOKEN_FOR | ELSEWHERE
    )


def test_every_public_numeric_function_has_a_relation():
    todo = what_to_do(NUMERIC)
    assert not todo, "\n" + todo
    gone = sorted((SPOKEN_FOR | ELSEWHERE) - set(PUBLIC))
    advice = "hand them on in their package's __init__.py, or remove them from tests/relations"
    assert not gone, f"no such public functions; {advice}: {gone}"


def test_a_function_without_a_relation_is_noticed_and_told_what_to_do():
    assert '@relation("landscapes.newcomer")' in what_to_do([*NUMERIC, "landscapes.newcomer"])


@pytest.mark.parametrize("test", HELD)
def test_a_test_elsewhere_is_there_and_calls_what_it_speaks_for(test):
    path, _, name = test.partition("::")
    text = (ROOT / path).read_text(encoding="utf-8")
    tests = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert name in tests, f"{path} has no {name}"
    for function in HELD[test]:
        assert re.search(rf"\b{function.rpartition('.')[2]}\b", text), f"{path}: no {function}"


@pytest.mark.parametrize("name", RELATIONS)
def test_relation(name):
    RELATIONS[name].check()


# Each relation notices wrong numbers


def off(shape, rng):
    """Return factors that are off from 1 by two to four per cent, up or down."""
    return 1 + rng.choice([-1, 1], shape) * rng.uniform(0.02, 0.04, shape)


def wobbled(value, rng):
    """Return a result with each of its numbers off, and how many there were."""
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return value * torch.as_tensor(off(tuple(value.shape), rng)).to(value), value.numel()
    if isinstance(value, float | np.floating):
        return type(value)(value * off((), rng)), 1
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return (value * off(value.shape, rng)).astype(value.dtype), value.size
    if isinstance(value, dict):
        parts = {key: wobbled(part, rng) for key, part in value.items()}
        return {key: part for key, (part, _) in parts.items()}, sum(n for _, n in parts.values())
    if isinstance(value, tuple | list):
        parts, counts = zip(*(wobbled(part, rng) for part in value), strict=True)
        named = hasattr(value, "_fields")
        return type(value)(*parts) if named else type(value)(parts), sum(counts)
    if isinstance(value, FunctionType):
        return (lambda *a, **k: wobbled(value(*a, **k), rng)[0]), 1
    return value, 0


class Wobbly:
    """A function whose answers are off, another way at each call."""

    def __init__(self, function):
        self.function, self.rng = function, np.random.default_rng(0)
        self.calls = self.numbers = 0

    def __call__(self, *args, **kwargs):
        answer, n = wobbled(self.function(*args, **kwargs), self.rng)
        self.calls, self.numbers = self.calls + 1, self.numbers + n
        return answer

    def __get__(self, owner, kind):
        return self if owner is None else lambda *a, **k: self(owner, *a, **k)

    def __getattr__(self, name):
        return getattr(self.function, name)


def unnoticed(monkeypatch, relation: Relation, name: str) -> str:
    """Return what a relation does not notice of a function's wrong numbers, or nothing."""
    place, _, last = name.rpartition(".")
    home = descent
    for part in place.split("."):
        found = getattr(home, part, None)
        home = importlib.import_module(f"{home.__name__}.{part}") if found is None else found
    wobbly = Wobbly(vars(home)[last] if isinstance(home, type) else getattr(home, last))
    with monkeypatch.context() as patched:
        patched.setattr(home, last, wobbly)
        try:
            relation.check()
        except (AssertionError, ValueError, ArithmeticError, RuntimeError):
            return ""
    if not wobbly.calls:
        return f"it never calls {name}"
    return f"it passes where {name} is off by some per cent" if wobbly.numbers else ""


PAIRS = [
    pytest.param(relation, name, id=f"{key}-{name}")
    for key, relation in RELATIONS.items()
    for name in relation.names
    if not isinstance(PUBLIC.get(name), type)
]


@pytest.mark.parametrize(("relation", "name"), PAIRS)
def test_a_relation_notices_wrong_numbers(monkeypatch, relation, name):
    assert not unnoticed(monkeypatch, relation, name)


def test_what_a_relation_does_not_notice_is_said(monkeypatch):
    from descent import landscapes

    def idle():
        landscapes.sinc(0.5)

    assert "off by" in unnoticed(monkeypatch, Relation(idle, ()), "landscapes.sinc")
    assert "never calls" in unnoticed(monkeypatch, Relation(idle, ()), "landscapes.sphere")
