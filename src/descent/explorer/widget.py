"""An explorer in a live kernel: the front end of the page, with drawings from the kernel.

The front end asks for one position at a time (kernel.js): here is what answers.
"""

import json
import traceback
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any

import anywidget
import traitlets
from matplotlib.figure import Figure

from descent import figures
from descent.explorer import frame
from descent.explorer.grab import spots_along
from descent.explorer.live_model import SOURCES, LiveModel
from descent.explorer.states import States
from descent.figures import inline_math
from descent.figures.display_list import Recorder, combine
from descent.figures.svg import UnsupportedError

__all__ = ["LiveExplorer", "LiveModelWidget"]

KEPT = 200
"""Panels whose drawings the kernel keeps: where a panel does not take a control, it stays."""


class LiveExplorer(anywidget.AnyWidget):
    """The widget of an explorer.

    Attributes
    ----------
    html : str
        The frame with its controls and the default state.
    facts, first : dict
        What the front end knows of the controls, and the drawing of the default state.
    """

    _esm = frame.script("front", "kernel")
    html = traitlets.Unicode().tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)
    first = traitlets.Dict().tag(sync=True)

    def __init__(self, explorer: States) -> None:
        self._explorer = explorer
        self._recorders = [Recorder() for _ in explorer.panels]
        self._panel = lru_cache(maxsize=KEPT)(self._drawn)
        self._first: list[Figure] = []  # figures of the default state, until a still is made
        self._begun = False
        default = {control.name: control.default for control in explorer.controls}
        first = self.answer(json.dumps(default, separators=(",", ":")))
        self._begun = True
        panels = "".join(f"<div class='descent-panel'>{panel}</div>" for panel in first["panels"])
        above = frame.controls(explorer)
        tiles = [self._recorders[g.handle.panel].tile(g.handle.axes) for g in explorer.grabs]
        handles = [
            frame.handle(explorer, grab.controls, grab.handle.panel, tile)
            for grab, tile in zip(explorer.grabs, tiles, strict=True)
        ]
        super().__init__(
            html=frame.frame(explorer, explorer.default, above, panels),
            facts=frame.facts(explorer, handles),
            first=first,
        )
        self.on_msg(self.reply)

    def still(self) -> bytes:
        """Return the default state as PNG, from the figures that the page's drawing left."""
        first, self._first = self._first, []
        return _still(first) if first else self._explorer.still()

    def answer(self, at: str) -> dict[str, Any]:
        """Draw a position, a JSON object of indices by control."""
        indices = json.loads(at)
        state = {c.name: c.values[indices[c.name]] for c in self._explorer.controls}
        drawn = [
            self._panel(index, *(state[key] for key in takes))
            for index, (_, takes) in enumerate(self._explorer.panels)
        ]
        return {
            "at": at,
            "caption": inline_math.to_html(self._explorer.caption(**state)),
            "panels": [markup for markup, _ in drawn],
            "places": [place for _, held in drawn for place in held],
        }

    def reply(self, _: Any, asked: Mapping[str, str], __: Any = None) -> None:
        """Send the drawing that the front end asks for, or the error that it meets."""
        try:
            self.send(self.answer(asked["at"]))
        except Exception:
            trouble = f"<pre class='descent-error'>{escape(traceback.format_exc())}</pre>"
            self.send({"at": asked["at"], "trouble": trouble})

    def _drawn(self, index: int, *values: Any) -> tuple[str, list[list[list[int]]]]:
        """Return the markup of a panel, and the places of each of its handles."""
        explorer, recorder = self._explorer, self._recorders[index]
        state = dict(zip(explorer.panels[index][1], values, strict=True))
        lists = {control.name: control.values for control in explorer.controls}
        with figures.style():
            figure = explorer.panel_figure(index, state)
            if not self._begun:
                self._first.append(figure)
            if explorer.render != "frames":
                try:
                    markup = combine([recorder.record(figure)], recorder.tiles).markup
                    return markup, [
                        spots_along(grab, figure, state, lists)
                        for grab in explorer.grabs
                        if grab.handle.panel == index
                    ]
                except UnsupportedError:
                    if explorer.render == "curves" or explorer.grabs:
                        raise
            return figures.image_html(figures.pixels(figure)), []


class LiveModelWidget(anywidget.AnyWidget):
    """The widget of a live model: the script of the page computes here too.

    Attributes
    ----------
    html : str
        The frame with its controls and the still.
    facts : dict
        What the front end knows of the controls, the handles and the axes.
    """

    _esm = frame.script(*SOURCES, "live/notebook")
    html = traitlets.Unicode().tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)

    def __init__(self, model: LiveModel) -> None:
        figure = model.figure()
        html = model.shown(frame.controls(model), figure=figure)
        super().__init__(html=html, facts=model.facts())
        self._model, self._first = model, [figure]

    def still(self) -> bytes:
        """Return the default state as PNG, from the figure that the page's drawing left."""
        first, self._first = self._first, []
        return _still(first) if first else self._model.still()


def _still(drawn: Sequence[Figure]) -> bytes:
    images = [figures.pixels(figure, laid_out=True) for figure in drawn]
    return figures.png(figures.stacked(images))
