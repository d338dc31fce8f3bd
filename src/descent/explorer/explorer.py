"""Explorers: a figure with sliders, from one draw function.

In a live kernel an explorer is a box of widgets that call the draw function.
In the rendered book it is a picture with native controls whose states have all
been drawn in advance: no kernel, no network, and nothing shared between two
explorers of a page.
"""

import importlib
import inspect
import itertools
import math
import os
import pkgutil
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from descent import figures
from descent.explorer import page
from descent.explorer.controls import Control, Value

__all__ = ["BudgetError", "Explorer", "explore", "registry"]

MAX_BYTES = 1_500_000
"""Largest HTML of an explorer."""
MAX_STATES = 5_000
"""Largest number of states of a panel, of a caption, and of an explorer."""

Draw = Callable[..., Figure]


class BudgetError(ValueError):
    """An explorer is larger than a page can carry."""


def explore(
    *draw: Draw,
    name: str,
    caption: Callable[..., str],
    labels: Mapping[str, str] | None = None,
    default: Mapping[str, Value] | None = None,
    play: str | None = None,
    format: Mapping[str, str | Callable[[Any], str]] | None = None,
    render: str = "auto",
    **controls: Sequence[Value],
) -> "Explorer":
    """Make an explorer of one or several draw functions.

    Parameters
    ----------
    *draw : callable
        Pure module-level functions that return a `matplotlib.figure.Figure`. Each
        takes the controls named in its signature and is drawn in advance over
        those alone. Fix the limits of the axes: they should not move.
    name : str
        Unique in the book: lower-case words joined by hyphens.
    caption : callable
        From controls to the text alternative of the picture, for every state. May
        hold formulas between dollar signs.
    labels : mapping, optional
        What the reader sees for a control, with its unit, such as ``"step size $T$"``.
    default : mapping, optional
        Values shown first; otherwise the first of each list.
    play : str, optional
        A time-like control that gets a play button.
    format : mapping, optional
        Format string (``"{:.2f} s"``) or function for the values of a control.
    render : {"auto", "curves", "frames"}
        Curves are drawn as SVG and stay sharp; frames are images. Automatic: curves
        where the drawing allows it and its size is moderate.
    **controls : sequence
        Finite lists: numbers (a slider) or texts (a drop-down list).

    Returns
    -------
    Explorer

    Raises
    ------
    TypeError, ValueError
        For arguments that do not fit together; each message names the explorer.

    Examples
    --------
    >>> def parabola(a):
    ...     fig, ax = figures.figure()
    ...     ax.plot([-1, 0, 1], [a, 0, a])
    ...     ax.set(xlim=(-1, 1), ylim=(0, 2))
    ...     return fig
    >>> bowl = explore(parabola, name="bowl", caption=lambda a: f"Height {a}.", a=[1, 2])
    >>> bowl.states()
    [{'a': 1}, {'a': 2}]
    """
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ValueError(f"name must be lower-case words joined by hyphens, got {name!r}")
    try:
        return Explorer(
            draw, name, caption, controls, labels or {}, default or {}, play, format or {}, render
        )
    except (TypeError, ValueError) as error:
        raise type(error)(f"explorer {name}: {error}") from None


class Explorer:
    """A figure with controls over finite lists. Made by `explore`."""

    def __init__(
        self,
        draw: Sequence[Draw],
        name: str,
        caption: Callable[..., str],
        controls: Mapping[str, Sequence[Value]],
        labels: Mapping[str, str],
        default: Mapping[str, Value],
        play: str | None,
        formats: Mapping[str, str | Callable[[Any], str]],
        render: str,
    ) -> None:
        if not draw:
            raise TypeError("needs at least one draw function")
        if not callable(caption):
            raise TypeError(f"caption must be a function of the controls, got {caption!r}")
        for function in draw:
            if not callable(function):
                raise TypeError(f"draw must be a function, got {function!r}")
        if not controls:
            raise ValueError("needs at least one control, such as T=[0.1, 0.2]")
        named = {"labels": labels, "default": default, "format": formats}
        for argument, mapping in named.items():
            unknown = sorted(set(mapping) - set(controls))
            if unknown:
                raise ValueError(f"{argument} names {unknown}, the controls are {sorted(controls)}")
        if play is not None and play not in controls:
            raise ValueError(f"play names {play!r}, the controls are {sorted(controls)}")
        if render not in ("auto", "curves", "frames"):
            raise ValueError(f"render must be auto, curves or frames, got {render!r}")
        self.name, self.play, self.render = name, play, render
        self.chapter = draw[0].__module__
        self.caption_of = caption
        self.controls = [
            Control(key, values, labels.get(key, key), formats.get(key), default.get(key))
            for key, values in controls.items()
        ]
        self.panels = [(function, _takes(function, controls)) for function in draw]
        self.caption_takes = _takes(caption, controls)
        unused = set(controls) - {key for _, takes in self.panels for key in takes}
        if unused:
            raise ValueError(f"no draw function takes {sorted(unused)}")
        count = math.prod(len(control.values) for control in self.controls)
        if count > MAX_STATES:
            raise ValueError(f"has {count} states, allowed are {MAX_STATES}")
        if play is not None and not self.control(play).numeric:
            raise TypeError(f"play needs a control with numbers, {play} has texts")

    def __repr__(self) -> str:
        return f"<Explorer {self.name}: {len(self.states())} states>"

    def control(self, key: str) -> Control:
        """Return a control by name."""
        return next(control for control in self.controls if control.name == key)

    def grid(self, takes: Sequence[str]) -> list[dict[str, Value]]:
        """Return all combinations of some controls, the last one varying fastest."""
        lists = [self.control(key).values for key in takes]
        return [dict(zip(takes, chosen, strict=True)) for chosen in itertools.product(*lists)]

    def states(self) -> list[dict[str, Value]]:
        """Return every state: a value for each control."""
        return self.grid([control.name for control in self.controls])

    def corners(self) -> list[dict[str, Value]]:
        """Return the states at the ends of the sliders, with every entry of the lists of texts."""
        keys = [control.name for control in self.controls]
        ends = [
            [control.values[0], control.values[-1]][: len(control.values)]
            if control.numeric
            else control.values
            for control in self.controls
        ]
        return [dict(zip(keys, chosen, strict=True)) for chosen in itertools.product(*ends)]

    @property
    def default(self) -> dict[str, Value]:
        """The state shown first."""
        return {control.name: control.values[control.default] for control in self.controls}

    def draw(self, **state: Value) -> Figure | tuple[Figure, ...]:
        """Draw a state: one figure, or a tuple of figures when there are several panels.

        Controls that are left out take their default value.
        """
        chosen = self._settled(state)
        drawn = tuple(self.panel_figure(panel, chosen) for panel in range(len(self.panels)))
        return drawn[0] if len(drawn) == 1 else drawn

    def caption(self, **state: Value) -> str:
        """Return the caption of a state, formulas still between dollar signs."""
        chosen = self._settled(state)
        text = self.caption_of(**{key: chosen[key] for key in self.caption_takes})
        if not isinstance(text, str) or not text.strip():
            raise TypeError(
                f"explorer {self.name}: caption must return a text, got {text!r} at {chosen}"
            )
        return text

    def _settled(self, state: Mapping[str, Value]) -> dict[str, Value]:
        unknown = sorted(set(state) - set(self.default))
        if unknown:
            raise ValueError(f"explorer {self.name} has no control {unknown}")
        chosen = self.default
        for key, value in state.items():
            control = self.control(key)
            chosen[key] = control.values[control.index(value)]
        return chosen

    def panel_figure(self, panel: int, state: Mapping[str, Value]) -> Figure:
        """Draw one panel; the state may hold more than the panel takes."""
        function, takes = self.panels[panel]
        with figures.style():
            figure = function(**{key: state[key] for key in takes})
        if not isinstance(figure, Figure):
            raise TypeError(
                f"explorer {self.name}: {function.__name__} must return a matplotlib Figure,"
                f" got {type(figure).__name__}"
            )
        return figure

    # Display.

    def html(self) -> str:
        """Return the self-contained HTML with every state.

        Raises
        ------
        BudgetError
            When it is larger than a page can carry.
        """
        html = page.page(self)
        size = len(html.encode())
        if size > MAX_BYTES:
            raise BudgetError(
                f"explorer {self.name}: {size} bytes of HTML, allowed are {MAX_BYTES};"
                " use fewer states, fewer points, or several draw functions"
                " that take fewer controls each"
            )
        return html

    def still(self) -> bytes:
        """Return the default state as PNG."""
        drawn = [
            figures.pixels(self.panel_figure(i, self.default)) for i in range(len(self.panels))
        ]
        return figures.png(figures.stacked(drawn))

    def widget(self) -> Any:
        """Return a box of live widgets that call the draw functions."""
        from descent.explorer.widget import widget

        return widget(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        mode = os.environ.get("DESCENT_RENDER", "live")
        if mode == "live":
            return self.widget()._repr_mimebundle_(include=include, exclude=exclude)
        if mode != "static":
            raise ValueError(f"DESCENT_RENDER must be static or live, got {mode!r}")
        start = time.process_time()
        html = self.html()
        seconds = time.process_time() - start
        bundle = {
            "text/html": html,
            "image/png": self.still(),
            "text/plain": page.plain_caption(self, self.default),
        }
        facts = {
            "explorer": self.name,
            "states": len(self.states()),
            "bytes": len(html.encode()),
            "seconds": round(seconds, 3),
        }
        return bundle, {"descent": facts}


def _takes(function: Callable[..., Any], controls: Mapping[str, Any]) -> list[str]:
    """Return the controls that a function takes, in the order of the explorer."""
    name = getattr(function, "__name__", repr(function))
    takes = []
    for key, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(f"{name} must name its arguments, not take *{key}")
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise TypeError(f"{name}: argument {key} must be usable by name")
        if key in controls:
            takes.append(key)
        elif parameter.default is parameter.empty:
            raise ValueError(f"{name} takes {key}, the controls are {sorted(controls)}")
    return [key for key in controls if key in takes]


def registry() -> list[Explorer]:
    """Return every explorer of every chapter.

    Raises
    ------
    ValueError
        When two explorers share a name.
    """
    found: dict[str, Explorer] = {}
    for explorer in _explorers():
        other = found.setdefault(explorer.name, explorer)
        if other is not explorer:
            raise ValueError(
                f"two explorers are named {explorer.name}:"
                f" in {other.chapter} and in {explorer.chapter}"
            )
    return list(found.values())


def _explorers() -> Iterator[Explorer]:
    package = importlib.import_module("descent.chapters")
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Explorer):
                yield value
