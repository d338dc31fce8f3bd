"""Exercises that check themselves.

An exercise stands in a chapter's notebook, and what is asked, the hint and the tolerance in
``book/exercises/<chapter>.yml``. The right answer is computed, by a function of the chapter's
``exercises`` module.
"""

from descent.exercises.register import FIELDS, Exercise, Slip, exercise, load, module_of
from descent.exercises.verdict import Verdict, check

__all__ = ["FIELDS", "Exercise", "Slip", "Verdict", "check", "exercise", "load", "module_of"]
