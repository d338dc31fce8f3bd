"""The exercises that check themselves: what is right is taken, what is wrong is not."""

import json
import re
from fractions import Fraction

import numpy as np
import pytest
import yaml

from descent import exercises
from descent.exercises.register import ROUNDING
from descent.exercises.slips import SLIPS
from descent.figures.inline_math import to_html
from descent.publish import paths
from descent.publish.execute import execute

REGISTER = {exercise.number: exercise for exercise in exercises.load()}
NUMBERS = [number for number, exercise in REGISTER.items() if not exercise.choices]
SCALARS = ("1.2", "4.2", "11.2")
AT_LEAST = 44


def asked(chapter):
    """Return the numbers of a chapter's exercises, the texts that pose them, and the solutions."""
    cells = json.loads((paths.NOTEBOOKS / f"{chapter}.ipynb").read_text("utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells]
    (start,) = (i for i, source in enumerate(sources) if "## Exercises" in source)
    found = {}
    for text, code in zip(sources[start:], sources[start + 1 :], strict=False):
        if posed := re.search(r"\*\*(\d)\.\*\* ", text):
            found[f"{int(chapter[:2])}.{posed[1]}"] = (text, code)
    return found


BOOK = {number: pair for path in paths.notebooks() for number, pair in asked(path.stem).items()}


def test_most_exercises_of_the_book_check_themselves():
    assert len(BOOK) == 59
    assert REGISTER.keys() <= BOOK.keys()
    assert len(REGISTER) >= AT_LEAST


@pytest.mark.parametrize("number", REGISTER)
def test_the_right_answer_is_taken_and_mistakes_are_not(number):
    exercise = REGISTER[number]
    right = exercise.right()
    verdict = exercises.check(number, right)
    assert verdict
    assert f"Exercise {number}: right." in repr(verdict)
    assert exercise.slips or exercise.choices
    for slip in exercise.slips:
        refused = exercises.check(number, exercise.wrong(slip, right))
        assert not refused
        assert refused.said == slip.hint
    for word in exercise.choices:
        assert bool(exercises.check(number, word)) == (word == right)


@pytest.mark.parametrize("number", NUMBERS)
def test_an_answer_beyond_the_tolerance_is_not_taken(number):
    exercise = REGISTER[number]
    right = exercise.right()
    for side in (1, -1):
        if callable(right):
            at = exercise.trials()
            reach = 1.01 * max(abs(right(*a)) for a in at) * exercise.relative
            moved = lambda *a, by=side * (reach + exercise.tolerance): right(*a) + by  # noqa: E731
        elif exercise.accepts:
            moved = -np.asarray(right) if side > 0 else np.zeros_like(right)
        elif isinstance(right, int):
            moved = right + side
        elif isinstance(right, float):
            moved = right + side * 1.01 * (exercise.tolerance + exercise.relative * abs(right))
        else:
            last = right[-1] + side * 1.01 * (
                exercise.tolerance + exercise.relative * abs(right[-1])
            )
            moved = (*right[:-1], last)
        assert not exercises.check(number, moved)


@pytest.mark.parametrize("number", REGISTER)
def test_wrong_kinds_are_errors_that_say_what_is_asked(number):
    for kind in ("thirty-seven", None, {"a": 1}, object(), float("nan"), [1.0, "2"], [[]]):
        with pytest.raises((TypeError, ValueError), match=f"answer to exercise {number}"):
            exercises.check(number, kind)


def test_the_length_and_the_kind_are_named():
    with pytest.raises(ValueError, match=r"must have shape \(2,\); got \(3,\)"):
        exercises.check("13.3", [1, 2, 3])
    with pytest.raises(TypeError, match=r"the step size, must be a real scalar; got 'short'"):
        exercises.check("1.2", "short")
    with pytest.raises(TypeError, match=r"must be an integer; got 6\.0"):
        exercises.check("5.1", 6.0)
    with pytest.raises(ValueError, match="did you mean 'SeveralRates'"):
        exercises.check("10.4", "severalrates")
    with pytest.raises(TypeError, match="must be a function of 2 arguments"):
        exercises.check("5.3", lambda k: k)
    with pytest.raises(TypeError, match=r"must be callable; got 1\.0"):
        exercises.check("5.3", 1.0)


@pytest.mark.parametrize("number", SCALARS)
def test_a_number_may_come_as_numpy_has_it_or_as_a_fraction(number):
    right = REGISTER[number].right()
    for kind in (np.float64(right), np.array(right), Fraction(right)):
        assert exercises.check(number, kind)


def test_a_number_that_no_exercise_has_names_its_neighbours():
    with pytest.raises(ValueError, match=r"in chapter 6 these do: 6\.1, 6\.2.*got '6\.3'"):
        exercises.check("6.3", 1.0)
    with pytest.raises(ValueError, match=r"got '99\.1'"):
        exercises.check("99.1", 1.0)
    with pytest.raises(TypeError, match=r'such as "3\.2"; got 3\.2'):
        exercises.check(3.2, 1.0)


@pytest.mark.parametrize("number", REGISTER)
def test_the_book_says_how_to_check_it_and_its_solution_does(number):
    text, code = BOOK[number]
    exercise = REGISTER[number]
    wanted = exercise.choices or [exercise.asks]
    assert f'`exercises.check("{number}", …)`' in text
    assert all(words in text for words in wanted)
    assert code.rstrip().endswith(")")
    assert re.search(rf'exercises\.check\(\s*"{number}"', code)


@pytest.mark.parametrize("path", paths.notebooks(), ids=lambda path: path.stem)
def test_the_solutions_pass_their_checks(path):
    found = {
        number: right
        for cell in execute(path).cells
        for output in cell.get("outputs", [])
        for number, right in output.get("metadata", {})
        .get("descent", {})
        .get("exercises", {})
        .items()
    }
    wanted = {number for number, exercise in REGISTER.items() if exercise.chapter == path.stem}
    assert found == dict.fromkeys(wanted, True)
    assert wanted


def test_words_can_be_shown_without_a_typesetter():
    for exercise in REGISTER.values():
        for words in (exercise.asks, exercise.hint, *(slip.hint for slip in exercise.slips)):
            assert to_html(words)


def test_what_is_wider_than_rounding_says_why():
    for exercise in REGISTER.values():
        wide = exercise.tolerance or exercise.relative > ROUNDING
        assert bool(exercise.tolerance_why) == bool(wide)


def test_a_slip_does_the_same_to_each():
    assert SLIPS["doubled"]((1.0, 2.0)) == (2.0, 4.0)
    assert SLIPS["negated"](lambda x: x + 1)(2) == -3
    assert SLIPS["reversed"]((1, 2)) == (2, 1)


GOOD = {"number": 1, "asks": "a number", "answer": "limit", "hint": "Count."}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hint": ""}, "hint must be a text that is not empty; got ''"),
        ({"hint": 3}, "hint must be a text"),
        ({"number": "1"}, "number must be that within the chapter"),
        ({"number": True}, "number must be that within the chapter"),
        ({"extra": 1}, r"has unknown \['extra'\]"),
        ({"tolerance": -1}, "tolerance must be zero or positive; got -1"),
        ({"tolerance": 0.1}, "say in tolerance_why"),
        ({"relative": float("nan")}, "relative must be zero or positive"),
        ({"slips": [{"answer": "doubled"}]}, "a slip must have answer and hint"),
    ],
)
def test_malformed_entries_are_named_errors(tmp_path, change, message):
    (tmp_path / "02-b.yml").write_text(yaml.safe_dump([GOOD]))
    assert [exercise.number for exercise in exercises.load(tmp_path)] == ["2.1"]
    (tmp_path / "02-b.yml").write_text(yaml.safe_dump([GOOD | change]))
    with pytest.raises(ValueError, match=message) as raised:
        exercises.load(tmp_path)
    assert "02-b.yml: exercise" in str(raised.value)


def test_two_of_one_number_and_none_at_all_are_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match="DESCENT_EXERCISES"):
        exercises.load(tmp_path)
    (tmp_path / "02-b.yml").write_text(yaml.safe_dump([GOOD, GOOD]))
    with pytest.raises(ValueError, match=r"got 2\.1 twice"):
        exercises.load(tmp_path)
    (tmp_path / "02-b.yml").write_text("- 3\n")
    with pytest.raises(ValueError, match="each exercise must be a mapping; got 3"):
        exercises.load(tmp_path)
