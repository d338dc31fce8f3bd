"""Handles: places in the picture that a reader takes hold of to set controls."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from descent.figures.path_data import GRID

__all__ = ["Grab", "Handle", "Place", "check_apart", "settled", "spot", "spots_along"]

Place = Callable[..., tuple[float, float]]


class Handle(NamedTuple):
    """A place in the picture that follows one control or two, and sets them when it is dragged.

    The reader drags it by mouse or touch, or moves it by keys; the state whose place is nearest
    answers. No two values of its controls may share a place.

    Attributes
    ----------
    place : callable
        From controls, by name, to (x, y) in the data of the axes. It takes only controls that
        its picture takes.
    axes : int
        Which axes of the figure, in the order in which they were made.
    panel : int
        Which of the explorer's draw functions.

    Examples
    --------
    >>> Handle(lambda start: (start, start**2)).place(start=2.0)
    (2.0, 4.0)
    """

    place: Place
    axes: int = 0
    panel: int = 0


class Grab(NamedTuple):
    """A handle with the controls that it sets and those that its place depends on."""

    explorer: str
    controls: tuple[str, ...]
    handle: Handle
    takes: tuple[str, ...]


def settled(
    explorer: str,
    grab: Mapping[str | tuple[str, ...], Handle | Place],
    panels: Sequence[tuple[Callable[..., Any], Sequence[str]]],
    takes_of: Callable[[Callable[..., Any]], Sequence[str]],
) -> list[Grab]:
    """Return the handles of an explorer by panel, checked against the controls of their panels."""
    found = []
    for key, entry in grab.items():
        controls = (key,) if isinstance(key, str) else tuple(key)
        what = ", ".join(map(str, controls))
        handle = entry if isinstance(entry, Handle) else Handle(entry)
        if not callable(handle.place):
            raise TypeError(f"grab of {what} must be a function or a Handle, got {entry!r}")
        if not 1 <= len(controls) <= 2:
            raise ValueError(f"grab must name one control or two, got {key!r}")
        if not 0 <= handle.panel < len(panels):
            raise ValueError(f"grab of {what}: panel {handle.panel} of {len(panels)}")
        takes, drawn = takes_of(handle.place), panels[handle.panel][1]
        for name in (*controls, *takes):
            if name not in drawn:
                raise ValueError(f"grab of {what}: its picture does not take {name!r}")
        found.append(Grab(explorer, controls, handle, tuple(takes)))
    return sorted(found, key=lambda grab: grab.handle.panel)


def spot(grab: Grab, figure: Figure, state: Mapping[str, Any]) -> list[int]:
    """Return where the handle stands in a figure that is drawn: x and y in units, y downwards.

    Raises
    ------
    ValueError
        If the place is not within the figure.
    """
    what = _named(grab)
    if not 0 <= grab.handle.axes < len(figure.axes):
        raise ValueError(f"{what}: axes {grab.handle.axes} of {len(figure.axes)}")
    at = grab.handle.place(**{key: state[key] for key in grab.takes})
    x, y = figure.axes[grab.handle.axes].transData.transform(at)
    width, height = figure.bbox.size
    if not (math.isfinite(x) and math.isfinite(y) and 0 <= x <= width and 0 <= y <= height):
        raise ValueError(f"{what}: its place {at} lies outside of the picture at {state}")
    return [round(GRID * x), round(GRID * (height - y))]


def _named(grab: Grab) -> str:
    return f"explorer {grab.explorer}: grab of {', '.join(grab.controls)}"


def check_apart(grab: Grab, states: Sequence[Mapping[str, Any]], spots: Sequence[Any]) -> None:
    """Raise if two values of a handle's controls have the same place, all else being equal."""
    seen: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for state, place in zip(states, spots, strict=True):
        others = tuple(value for key, value in state.items() if key not in grab.controls)
        other = seen.setdefault((*others, *place), state)
        if other is not state:
            raise ValueError(f"{_named(grab)}: one place at {other} and {state}")


def spots_along(
    grab: Grab, figure: Figure, state: Mapping[str, Any], lists: Mapping[str, Sequence[Any]]
) -> list[list[int]]:
    """Return the places of a handle for all values of its controls, as the axes are now."""
    chosen = itertools.product(*(lists[key] for key in grab.controls))
    return [
        spot(grab, figure, {**state, **dict(zip(grab.controls, values, strict=True))})
        for values in chosen
    ]
