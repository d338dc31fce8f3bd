"""Chapter 10: the list, line by line: who races for each line of the registry, and against whom."""

from collections.abc import Mapping
from dataclasses import dataclass

from descent.chapters.without_gradients.informed import LEAST_SQUARES
from descent.zeroth_order.idea import Idea, Line
from descent.zeroth_order.registry import IDEAS


@dataclass(frozen=True)
class Bullet:
    """One line of source 002.

    Parameters
    ----------
    line : Line
    readings : tuple of Idea
        The ideas that read it.
    base : str
        The name of the method that they are to improve; empty where nothing is raced.
    """

    line: Line
    readings: tuple[Idea, ...]
    base: str

    @property
    def methods(self) -> tuple[str, ...]:
        """The names of its racers."""
        return tuple(idea.name for idea in self.readings if idea.trials)

    @property
    def library(self) -> tuple[str, ...]:
        """What implements it in `descent.zeroth_order`."""
        classes = dict.fromkeys(idea.method.__name__ for idea in self.readings)
        return (self.line.library,) if self.line.library else tuple(classes)

    @property
    def cost(self) -> str:
        """Evaluations per step; n directions or particles."""
        costs = dict.fromkeys(idea.cost for idea in self.readings)
        return self.line.cost or ", or ".join(costs)


def bullets(ideas: tuple[Idea, ...]) -> tuple[Bullet, ...]:
    """Return the lines of the source in their order, each with the ideas that read it."""
    names: Mapping[str, str] = {idea.slug: idea.name for idea in ideas}
    informed = {idea.slug for idea in ideas if idea.told == "residuals"}

    def base(idea: Idea, line: Line) -> str:
        # Who is told residuals meets who is told them, too.
        if idea.slug in informed and line.base not in informed:
            return LEAST_SQUARES
        return names[line.base] if line.base else ""

    return tuple(
        Bullet(
            first.line,
            (first, *(idea for idea in ideas if idea.line == first.slug)),
            base(first, first.line),
        )
        for first in ideas
        if isinstance(first.line, Line)
    )


BULLETS = bullets(IDEAS)
"""The 22 lines of the source, in its order."""
