"""Whether an answer to an exercise is right, and what to say to the reader."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from descent.arguments import (
    check_array,
    check_callable,
    check_choice,
    check_count,
    check_numbers,
    check_real,
    check_shape,
)
from descent.exercises.register import Exercise, exercise
from descent.figures.inline_math import to_html, to_plain
from descent.prose import listed


class Verdict:
    """What the reader sees of an answer: one line, and whether it is right."""

    def __init__(self, exercise: Exercise, right: bool, said: str) -> None:
        self.exercise, self.right, self.said = exercise, right, said

    def __bool__(self) -> bool:
        return self.right

    def _head(self) -> str:
        return f"Exercise {self.exercise.number}: {'right' if self.right else 'not yet'}."

    def __repr__(self) -> str:
        return to_plain(f"{self._head()} {self.said}")

    def _repr_html_(self) -> str:
        return f"<p><strong>{self._head()}</strong> {to_html(self.said)}</p>"

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        shown = {"text/html": self._repr_html_(), "text/plain": repr(self)}
        return shown, {"descent": {"exercises": {self.exercise.number: self.right}}}


def check(number: str, answer: Any) -> Verdict:
    r"""Say whether an answer to an exercise is right, and give a hint if it is not yet.

    .. math:: |\text{answer} - \text{right}| \le
              \text{tolerance} + \text{relative} \cdot |\text{right}|

    for a number, for each of several, and for what a function returns at each of its trials.

    Parameters
    ----------
    number
        Of the chapter and of the exercise in it, ``"3.2"``.
    answer
        A number, several in a sequence, a word, or a function, as the exercise asks for.

    Returns
    -------
    Verdict
        One line, which a notebook shows; true if the answer is right.

    Raises
    ------
    TypeError
        If the answer is of another kind than the exercise asks for.
    ValueError
        If no exercise has the number; if the answer is not finite, of another length, or none
        of the words to choose from.

    Examples
    --------
    >>> check("11.2", 1 / 3)
    Exercise 11.2: right. 0.3333 is the limit of the share.
    >>> check("11.2", 3.0)
    Exercise 11.2: not yet. That is its inverse...
    """
    asked = exercise(number)
    right = asked.right()
    same = _comparison(asked, right)
    if same(answer):
        return Verdict(asked, True, _praise(asked, answer, right))
    for slip in asked.slips:
        if _comparison(asked, asked.wrong(slip, right), accepts=False)(answer):
            return Verdict(asked, False, slip.hint)
    return Verdict(asked, False, asked.hint)


def _comparison(asked: Exercise, right: Any, accepts: bool = True) -> Callable[[Any], bool]:
    """Return what compares an answer with a right one, and refuses one of another kind."""
    name = f"answer to exercise {asked.number}, {to_plain(asked.asks)},"
    if asked.choices:
        return lambda answer: check_choice(name, answer, asked.choices) == right
    if callable(right):
        return lambda answer: _same_function(name, asked, answer, right)
    if isinstance(right, int):
        return lambda answer: check_count(name, answer, least=-(10**12)) == right
    if isinstance(right, float):
        return lambda answer: asked.near(check_real(name, _scalar(answer)), right)
    wanted = np.asarray(right, float)

    def close(answer: Any) -> bool:
        if isinstance(answer, str | bytes) or not np.iterable(answer):
            raise TypeError(f"{name} must be {wanted.size} numbers; got {answer!r}")
        came = check_array(name, cast(npt.ArrayLike, answer))
        check_shape(name, came.shape, wanted.shape)
        if asked.accepts and accepts:
            return bool(asked.function(asked.accepts)(came))
        return all(asked.near(*pair) for pair in zip(came.flat, wanted.flat, strict=True))

    return close


def _same_function(name: str, asked: Exercise, answer: Any, right: Callable[..., Any]) -> bool:
    """Whether two functions return the same at all arguments at which they are tried."""
    check_callable(name, answer)
    for arguments in asked.trials():
        try:
            value = answer(*arguments)
        except TypeError as error:
            raise TypeError(
                f"{name} must be a function of {len(arguments)} arguments; at "
                f"{arguments!r} it says: {error}"
            ) from error
        got, wanted = check_numbers(name, value), np.asarray(right(*arguments), float)
        check_shape(name, got.shape, wanted.shape)
        if not all(asked.near(*pair) for pair in zip(got.flat, wanted.flat, strict=True)):
            return False
    return True


def _scalar(answer: Any) -> Any:
    """Return what stands in an array without axes, or a fraction as a float."""
    if isinstance(answer, np.ndarray) and answer.ndim == 0:
        return answer[()]
    return float(answer) if isinstance(answer, Fraction) else answer


def _praise(asked: Exercise, answer: Any, right: Any) -> str:
    """Return what to say to a right answer."""
    if callable(right):
        return "It was tried at several places."
    if asked.accepts:
        return "It does what it must."
    verb = "are" if isinstance(right, tuple) else "is"
    return f"{_shown(answer)} {verb} {asked.asks}."


def _shown(answer: Any) -> str:
    """Return an answer, if it is a number with four digits."""
    if isinstance(answer, str):
        return f"“{answer}”"
    if not np.iterable(answer):
        return f"{float(answer) + 0.0:.4g}".replace("-", "−")
    return listed(_shown(one) for one in np.asarray(answer, float).flat)
