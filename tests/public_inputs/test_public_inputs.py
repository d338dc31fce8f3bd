"""Every public function is called with bad input, one argument at a time.

The tables hold a valid call of each; a public function without one fails here.
"""

import fnmatch
import importlib
import inspect
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from descent.arguments import check_real
from descent.landscapes import FiniteSum, two_datapoint

from kinds import Case, case, positive, tells  # isort: skip
from public import CASES, EXEMPT, PUBLIC, TABLES, exempt  # isort: skip


def missing(public, cases):
    return sorted(
        name
        for name, thing in public.items()
        if not exempt(name)
        and (name not in cases or parameters(thing) != set(cases[name].arguments))
    )


def parameters(thing):
    return set(inspect.signature(thing).parameters) - {"self"}


def table_for(name):
    """Return the file of the table that speaks for most functions beside this one."""
    parts = name.split(".")
    for depth in range(len(parts) - 1, 0, -1):
        beside = ".".join(parts[:depth]) + "."
        counts = {table: sum(key.startswith(beside) for key in table.CASES) for table in TABLES}
        if any(counts.values()):
            return f"tests/public_inputs/{max(counts, key=counts.get).__name__}.py"
    return f"one of {', '.join(table.__name__ for table in TABLES)} in tests/public_inputs"


#: How an annotation's word, in this order, suggests a kind of argument.
SUGGESTED = {
    "Generator": "rng()",
    "Callable": "function(…)",
    "Array": "array(…)",
    "Tensor": "tensor(…)",
    "bool": "flag()",
    "int": "count(…)",
    "float": "real(…)",
    "str": "choice(…)",
}
SUMS = ("FiniteSum", FiniteSum)
"""How a function says that it returns one: its row in FINITE_SUMS is its case."""


def entry_for(name, thing):
    """Return the line to add to a table, with the kinds that the annotations suggest."""
    arguments = []
    for argument, parameter in inspect.signature(thing).parameters.items():
        if argument != "self":
            words = str(parameter.annotation)
            kind = next((kind for word, kind in SUGGESTED.items() if word in words), "instance(…)")
            arguments.append(f"{argument}={kind}")
    owner = name.rsplit(".", 1)[0].rsplit(".", 1)[-1]
    of = [f"of=lambda: {owner}(…)"] if owner[:1].isupper() else []
    return f'"{name}": case({", ".join([*of, *arguments])}),'


def what_to_do(public, cases):
    """Return what to change in the tables, a line or two for each function, or an empty text."""
    todo = []
    for name in missing(public, cases):
        if name not in cases and inspect.signature(public[name]).return_annotation in SUMS:
            todo.append(f"{name}: add a row to FINITE_SUMS in src/descent/landscapes/wells.py")
            continue
        verb = "correct its arguments" if name in cases else "add a valid call, such as"
        todo.append(
            f"{name}: in CASES of {table_for(name)} {verb}\n    {entry_for(name, public[name])}"
        )
    for name in sorted(set(cases) - set(public)):
        package = "src/descent/" + name.rpartition(".")[0].replace(".", "/")
        todo.append(
            f"{name}: no such public function; hand it on in {package}/__init__.py, or remove it"
            f" from {table_for(name)}"
        )
    if todo:
        todo.append("kinds.py of that folder holds the kinds; each says what must be refused.")
    return "\n".join(todo)


def test_every_public_function_has_a_valid_call_of_all_its_arguments():
    todo = what_to_do(PUBLIC, CASES)
    assert not todo, "\n" + todo
    assert [pattern for pattern in EXEMPT if not fnmatch.filter(PUBLIC, pattern)] == []
    assert [name for name in CASES if exempt(name)] == []


def test_a_function_without_an_entry_is_noticed_and_told_what_to_do():
    def newcomer(step_size: float, n: int = 3, shape: object = None):
        return step_size

    new = {"landscapes.newcomer": newcomer}
    assert missing(PUBLIC | new, CASES) == ["landscapes.newcomer"]
    todo = what_to_do(PUBLIC | new, CASES)
    assert table_for("landscapes.newcomer") in todo
    assert '"landscapes.newcomer": case(step_size=real(…), n=count(…), shape=instance(…)),' in todo
    assert (
        "landscapes.two_datapoint"
        in importlib.import_module(Path(table_for("landscapes.newcomer")).stem).CASES
    )
    wrong = {"landscapes.newcomer": case(y=positive(1.0))}
    assert "correct its arguments" in what_to_do(PUBLIC | new, CASES | wrong)
    assert "landscapes/__init__.py, or remove it from" in what_to_do(PUBLIC, CASES | wrong)

    def bowls(distance: float = 1.0) -> FiniteSum:
        return two_datapoint(distance)

    assert "add a row to FINITE_SUMS" in what_to_do(PUBLIC | {"landscapes.bowls": bowls}, CASES)


def optional(thing, name):
    return inspect.signature(thing).parameters[name].default is None


BAD = [
    pytest.param(name, argument, id=f"{name}-{argument}")
    for name, entry in CASES.items()
    for argument in entry.arguments
    if name in PUBLIC
]


def defect(function, entry: Case, argument, value):
    """Return what is wrong with the answer to a bad value, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = entry.call(function, **{argument: value})
    except (ValueError, TypeError) as error:
        if not isinstance(error, np.linalg.LinAlgError) and tells(str(error), argument, value):
            return None
        return f"{type(error).__name__} without the name or what came: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return f"accepted; the answer is a {type(result).__name__}"


@pytest.mark.parametrize(("name", "argument"), BAD)
def test_a_bad_argument_is_refused_by_name(name, argument):
    function, entry = PUBLIC[name], CASES[name]
    found = []
    for value in entry.arguments[argument].refused:
        if value is None and optional(function, argument):
            continue
        if wrong := defect(function, entry, argument, value):
            found.append(f"{argument}={str(value)[:60]!r}: {wrong[:300]}")
    assert not found, "\n" + "\n".join(found)


def numbers(result):
    """Yield the numbers in a result."""
    if isinstance(result, torch.Tensor):
        result = result.detach().numpy()
    if isinstance(result, bool | int | float | np.ndarray | np.generic):
        if np.asarray(result).dtype.kind in "fiu":
            yield np.asarray(result, float)
    elif isinstance(result, dict):
        for value in result.values():
            yield from numbers(value)
    elif isinstance(result, tuple | list):
        for value in result:
            yield from numbers(value)


@pytest.mark.parametrize("name", [name for name in CASES if name in PUBLIC])
def test_the_valid_call_is_valid_and_its_result_finite(name):
    result = CASES[name].call(PUBLIC[name])
    if not CASES[name].nan:
        assert all(np.isfinite(values).all() for values in numbers(result))


ARRAYS = [
    (name, argument)
    for name, argument in (param.values for param in BAD)
    if CASES[name].arguments[argument].finite
]


@given(st.data(), st.sampled_from(ARRAYS), st.sampled_from([np.nan, np.inf, -np.inf]))
def test_no_place_of_an_array_hides_a_hole(data, which, hole):
    name, argument = which
    value = CASES[name].arguments[argument].make()
    value.reshape(-1)[data.draw(st.integers(0, value.size - 1))] = hole
    assert defect(PUBLIC[name], CASES[name], argument, value) is None


@given(st.floats(), st.floats(-1e6, 1e6), st.floats(0, 1e6), st.booleans())
def test_a_real_is_accepted_exactly_in_its_range(value, low, width, open_end):
    ends = dict(above=low) if open_end else dict(least=low)
    inside = (value > low if open_end else value >= low) and value <= low + width
    if inside:
        assert check_real("x", value, **ends, most=low + width) == value
    else:
        with pytest.raises(ValueError, match="x must"):
            check_real("x", value, **ends, most=low + width)


def test_the_test_notices_each_kind_of_defect():
    def careless(step_size):
        return [1.0][int(step_size < 0)] if step_size == step_size else step_size

    def unnamed(step_size):
        raise ValueError("bad input")

    entry = case(step_size=positive(0.1))
    assert defect(careless, entry, "step_size", -1.0).startswith("IndexError")
    assert defect(careless, entry, "step_size", np.nan).startswith("accepted")
    assert "without the name" in defect(careless, entry, "step_size", "1.0")
    assert "without the name" in defect(unnamed, entry, "step_size", -1.0)
