"""The states of an explorer: every combination of its controls, drawn and described."""

import inspect
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from descent import figures
from descent.explorer.controls import Control, Value
from descent.explorer.grab import Handle, Place, settled
from descent.explorer.shown import Shown

__all__ = ["States"]

MAX_STATES = 5_000
"""Largest number of states of a panel, of a caption, and of an explorer."""

Draw = Callable[..., Figure]


class States(Shown):
    """Draw functions over finite lists of values, one list a control: every state can be drawn."""

    pace = 60
    """Milliseconds between two states while it plays, at least."""

    def __init__(
        self,
        draw: Sequence[Draw],
        name: str,
        caption: Callable[..., str] | None,
        controls: Mapping[str, Sequence[Value]],
        labels: Mapping[str, str],
        default: Mapping[str, Value],
        play: str | None,
        formats: Mapping[str, str | Callable[[Any], str]],
        render: str,
        grab: Mapping[str | tuple[str, ...], Handle | Place],
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
        self.grabs = settled(name, grab, self.panels, lambda place: _takes(place, controls))
        if self.grabs and render == "frames":
            raise ValueError("grab needs a picture of curves, render is 'frames'")
        unused = set(controls) - {key for _, takes in self.panels for key in takes}
        if unused:
            raise ValueError(f"no draw function takes {sorted(unused)}")
        count = math.prod(len(control.values) for control in self.controls)
        if count > MAX_STATES:
            raise ValueError(f"has {count} states, allowed are {MAX_STATES}")
        if play is not None and not self.control(play).numeric:
            raise TypeError(f"play needs a control with numbers, {play} has texts")

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
