"""The register of exercises: what is asked, what helps, and how near an answer must come."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from descent.arguments import came, did_you_mean
from descent.book_folder import book_folder
from descent.exercises.slips import SLIPS

ROUNDING = 1e-6
"""Share of the right answer that an answer may be off where nothing else is said."""
_REQUIRED = {"number", "asks", "answer", "hint"}
_OPTIONAL = {"choices", "tries", "accepts", "tolerance", "relative", "tolerance_why", "slips"}
FIELDS = _REQUIRED | _OPTIONAL
_WORDS = ("asks", "answer", "hint", "tries", "accepts", "tolerance_why")


@dataclass(frozen=True)
class Slip:
    """A mistake that is easily made.

    Parameters
    ----------
    answer
        What it turns the right answer into: one of :data:`descent.exercises.slips.SLIPS`, or a
        function of the chapter's that returns the wrong answer.
    hint
        What to say to a reader who made it.
    """

    answer: str
    hint: str


@dataclass(frozen=True)
class Exercise:
    """What is known of an exercise that checks itself.

    Parameters
    ----------
    number
        Of the chapter and of the exercise in it, ``"3.2"``.
    chapter
        Stem of its notebook.
    asks
        What an answer is, in a few words: ``"the step size"``.
    answer
        The chapter's function that computes the right one.
    hint
        What to say to a wrong answer.
    choices
        Words among which to choose, if it asks for one.
    tries
        The chapter's function that lists the arguments, in tuples, at which a function is tried.
    accepts
        The chapter's function that says whether an answer is right, where many are.
    tolerance, relative
        How far an answer may lie from the right one, and by what share of it.
    tolerance_why
        Why that is wider than rounding.
    slips
        Mistakes that are easily made.
    """

    number: str
    chapter: str
    asks: str
    answer: str
    hint: str
    choices: tuple[str, ...] = ()
    tries: str = ""
    accepts: str = ""
    tolerance: float = 0.0
    relative: float = ROUNDING
    tolerance_why: str = ""
    slips: tuple[Slip, ...] = ()

    def function(self, name: str) -> Callable[..., Any]:
        """Return a function of the chapter's module of exercises."""
        found: Callable[..., Any] = getattr(import_module(module_of(self.chapter)), name)
        return found

    def right(self) -> Any:
        """Compute the right answer, once."""
        return _computed(self)

    def trials(self) -> list[tuple[Any, ...]]:
        """Return the arguments at which a function is tried."""
        tries: list[tuple[Any, ...]] = self.function(self.tries)()
        return tries

    def wrong(self, slip: Slip, right: Any) -> Any:
        """Return what a slip makes of the right answer."""
        made = SLIPS.get(slip.answer)
        return made(right) if made else self.function(slip.answer)()

    def near(self, answer: float, right: float) -> bool:
        """Whether a number lies as near to the right one as it must."""
        return abs(answer - right) <= self.tolerance + self.relative * abs(right)


def module_of(chapter: str) -> str:
    """Return the name of the module that computes the answers of a chapter.

    Examples
    --------
    >>> module_of("05-three-worlds")
    'descent.chapters.three_worlds.exercises'
    """
    return f"descent.chapters.{chapter.partition('-')[2].replace('-', '_')}.exercises"


@cache
def _computed(exercise: Exercise) -> Any:
    return exercise.function(exercise.answer)()


def load(folder: Path | None = None) -> list[Exercise]:
    """Return all exercises that check themselves, in the order of the book.

    Parameters
    ----------
    folder
        Where the ``.yml`` files are; by default those of the book.

    Returns
    -------
    list of Exercise

    Raises
    ------
    FileNotFoundError
        If there are none.
    ValueError
        If an entry lacks a field, has an unknown one, or gives it what it cannot be.

    Examples
    --------
    >>> load()[0].number
    '1.1'
    """
    folder = folder or book_folder("exercises", "DESCENT_EXERCISES")
    paths = sorted(folder.glob("*.yml"))
    if not paths:
        raise FileNotFoundError(
            f"no exercises at {folder}: set DESCENT_EXERCISES to the folder book/exercises "
            "of a checkout of the book"
        )
    found = [exercise for path in paths for exercise in _read(path, path.stat().st_mtime_ns)]
    numbers = [exercise.number for exercise in found]
    if repeated := sorted({number for number in numbers if numbers.count(number) > 1}):
        raise ValueError(f"numbers of exercises must differ; got {', '.join(repeated)} twice")
    return found


def exercise(number: str) -> Exercise:
    """Return the exercise with a number.

    Parameters
    ----------
    number
        Of the chapter and of the exercise in it, ``"3.2"``.

    Returns
    -------
    Exercise

    Raises
    ------
    TypeError
        If the number is no text.
    ValueError
        If no exercise has the number, or it is one that does not check itself.

    Examples
    --------
    >>> exercise("3.1").asks
    'the share $a$'
    """
    if not isinstance(number, str):
        raise TypeError(f'number must be a text such as "3.2"; got {came(number)}')
    known = {exercise.number: exercise for exercise in load()}
    if number not in known:
        chapter = number.partition(".")[0]
        same = [one for one in known if one.partition(".")[0] == chapter]
        there = f"; in chapter {chapter} these do: {', '.join(same)}" if same else ""
        raise ValueError(
            f"number must be that of an exercise that checks itself{there}; "
            f"got {number!r}{did_you_mean(number, known) if not same else ''}"
        )
    return known[number]


@cache
def _read(path: Path, modified: int) -> tuple[Exercise, ...]:
    """Return the exercises of a file, which is parsed again only once it was modified."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    return tuple(_parse(entry, path) for entry in entries)


def _parse(entry: Any, path: Path) -> Exercise:
    if not isinstance(entry, Mapping):
        raise ValueError(f"{path.name}: each exercise must be a mapping; got {came(entry)}")
    where = f"{path.name}: exercise {entry.get('number')!r}"
    missing, unknown = _REQUIRED - entry.keys(), entry.keys() - _REQUIRED - _OPTIONAL
    if missing or unknown:
        raise ValueError(f"{where} lacks {sorted(missing)} and has unknown {sorted(unknown)}")
    number = entry["number"]
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"{where}: number must be that within the chapter, 1 or more")
    for field in _WORDS:
        text = entry.get(field, "none")
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{where}: {field} must be a text that is not empty; got {text!r}")
    for field in ("tolerance", "relative"):
        share = entry.get(field, 0)
        real = isinstance(share, int | float) and not isinstance(share, bool)
        if not real or not math.isfinite(share) or share < 0:
            raise ValueError(f"{where}: {field} must be zero or positive; got {share!r}")
    slips = entry.get("slips", [])
    for slip in slips:
        if not isinstance(slip, Mapping) or set(slip) != {"answer", "hint"}:
            raise ValueError(f"{where}: a slip must have answer and hint; got {slip!r}")
    wide = entry.get("tolerance", 0) or entry.get("relative", 0) > ROUNDING
    if wide and "tolerance_why" not in entry:
        raise ValueError(f"{where}: say in tolerance_why why it is wider than rounding")
    return Exercise(
        number=f"{int(path.stem.partition('-')[0])}.{number}",
        chapter=path.stem,
        asks=entry["asks"].strip(),
        answer=entry["answer"],
        hint=entry["hint"].strip(),
        choices=tuple(entry.get("choices", ())),
        tries=entry.get("tries", ""),
        accepts=entry.get("accepts", ""),
        tolerance=float(entry.get("tolerance", 0)),
        relative=float(entry.get("relative", ROUNDING)),
        tolerance_why=entry.get("tolerance_why", "").strip(),
        slips=tuple(Slip(slip["answer"], slip["hint"].strip()) for slip in slips),
    )
