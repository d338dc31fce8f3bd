"""Live models: pictures that the page computes itself, for any value of their controls.

The arithmetic is written twice, in the library and in ``live/models.js``, and a test in a
browser holds one to the other. The axes are drawn by matplotlib like every figure's; what moves
on them the page draws (``live/pictures.js``). A reader needs no kernel and no network.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from descent import figures
from descent.explorer.controls import Control, Value
from descent.explorer.frame import controls, facts, frame, handle
from descent.explorer.page import LINK, scripts
from descent.explorer.shown import Shown
from descent.figures import COLOURS
from descent.figures.display_list import Recorder, combine
from descent.figures.path_data import GRID

__all__ = ["MOVING", "LiveModel", "live", "span"]

MOVING = "moving"
"""The ``gid`` of an artist that stands on paper alone: in the page the model draws in its place."""
SOURCES = ("front", "live/models", "live/plot", "live/pictures", "live/computed")


def span(low: float, high: float, count: int = 401, *, log: bool = False) -> list[float]:
    """Return values so close that a slider stops nowhere between them.

    Parameters
    ----------
    low, high : float
        Ends, both included; positive for ``log``.
    count : int
        How many at most. They are rounded to what a reader can say, at least three digits.
    log : bool
        Equal ratios in place of equal distances, and besides all values of one digit.

    Returns
    -------
    list of float

    Examples
    --------
    >>> span(0, 1, 5)
    [0.0, 0.25, 0.5, 0.75, 1.0]
    >>> span(0.05, 0.2, 3, log=True)
    [0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.2]
    """
    values = np.geomspace(low, high, count) if log else np.linspace(low, high, count)
    if log:
        tens = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
        plain = [float(f"{digit}e{ten}") for ten in tens for digit in range(1, 10)]
        near = [float(f"{value:.3g}") for value in values]
        return sorted({*near, *(value for value in plain if low <= value <= high)})
    places = int(np.ceil(-np.log10((high - low) / (count - 1)))) + 1
    return list(dict.fromkeys(float(round(value, places)) + 0.0 for value in values))


def _scale(axis: Axis) -> tuple[str, float]:
    """Return what the front end must know of a scale: its kind, and the width of an asinh."""
    transform = axis.get_transform()
    kind = axis.get_scale()
    if kind not in ("linear", "log", "asinh"):
        raise ValueError(f"a live model draws on linear, log or asinh axes; got {kind!r}")
    return kind, float(getattr(transform, "linear_width", 1.0))


def live(
    draw: Callable[..., Figure],
    *,
    model: str,
    name: str,
    caption: Callable[..., str],
    labels: Mapping[str, str] | None = None,
    default: Mapping[str, Value] | None = None,
    play: str | None = None,
    format: Mapping[str, str | Callable[[Any], str]] | None = None,
    grab: Sequence[tuple[str | tuple[str, ...], int]] = (),
    constants: Mapping[str, Any] | Callable[[], Mapping[str, Any]] | None = None,
    in_picture: bool = False,
    **controls: Sequence[Value],
) -> "LiveModel":
    """Make a picture that the page computes.

    Parameters
    ----------
    draw : callable
        From the controls to a figure of the default state, which stands on paper. Artists with
        the ``gid`` `MOVING` give way in the page to what the model draws.
    model : str
        The name of the picture in ``live/pictures.js``.
    name : str
        Unique in the book: lower-case words joined by hyphens.
    caption : callable
        From the controls to the caption of the still.
    labels, default, play, format
        As `explore` takes them.
    grab : sequence of (controls, axes)
        For each handle of the picture the controls that it sets, and the axes it stands in. That
        of a control whose values are 0 and 1 is a switch, which a click turns.
    constants : mapping or callable, optional
        Numbers and names that the picture is given, or what computes them when it is shown.
    in_picture : bool
        Whether controls that have a handle stand in the picture alone, without a row above it.
    **controls : sequence
        Values: many numbers, as of `span`, or texts. A default number is put among them.

    Returns
    -------
    LiveModel

    Raises
    ------
    ValueError
        If labels, default, format, play or grab name what is no control.
    """
    labels, default, format = labels or {}, default or {}, format or {}
    handles = [((held,) if isinstance(held, str) else tuple(held), axes) for held, axes in grab]
    named = {
        "labels": labels,
        "default": default,
        "format": format,
        "play": [play] if play else [],
        "grab": [key for held, _ in handles for key in held],
    }
    for argument, keys in named.items():
        if unknown := sorted(set(keys) - set(controls)):
            raise ValueError(
                f"live model {name}: {argument} names {unknown}, "
                f"the controls are {sorted(controls)}"
            )
    made = []
    for key, values in controls.items():
        first = default.get(key)
        if isinstance(first, int | float):
            values = sorted({*values, first})
        made.append(Control(key, values, labels.get(key, key), format.get(key), first))
    alone = [*named["grab"]] if in_picture else []
    return LiveModel(draw, model, name, caption, made, play, handles, constants or {}, alone)


class LiveModel(Shown):
    """A figure that the page computes. Made by `live`."""

    pace = 16
    """Milliseconds between two values while it plays: as often as a screen is drawn."""

    def __init__(
        self,
        draw: Callable[..., Figure],
        model: str,
        name: str,
        caption: Callable[..., str],
        controls: Sequence[Control],
        play: str | None,
        handles: Sequence[tuple[tuple[str, ...], int]],
        constants: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
        in_picture: Sequence[str] = (),
    ) -> None:
        self.name, self.model, self.play = name, model, play
        self.in_picture = tuple(in_picture)
        self.chapter = draw.__module__
        self.controls = list(controls)
        self._draw, self._caption, self._handles = draw, caption, handles
        self._constants = constants

    def __repr__(self) -> str:
        return f"<LiveModel {self.name}>"

    def caption(self, **state: Value) -> str:
        """Return the caption of a state, formulas still between dollar signs."""
        return self._caption(**{**self.default, **state})

    def figure(self) -> Figure:
        """Draw the default state, as it stands on paper."""
        with figures.style():
            return self._draw(**self.default)

    def facts(self) -> dict[str, Any]:
        """Return what the front end knows: controls, handles, axes, colours and constants."""
        figure, recorder = self.figure(), Recorder()
        for artist in figure.findobj(lambda artist: artist.get_gid() == MOVING):
            artist.remove()
        with figures.style():
            entries = recorder.record(figure)
        markup = combine([entries], recorder.tiles).markup
        axes = []
        for index, ax in enumerate(figure.axes):
            (left, low), (right, high) = ax.transAxes.transform([(0, 0), (1, 1)])
            top = figure.bbox.height
            axes.append(
                {
                    "tile": recorder.tile(index),
                    "box": [round(GRID * v) for v in (left, top - high, right, top - low)],
                    "xlim": ax.get_xlim(),
                    "ylim": ax.get_ylim(),
                    "xscale": _scale(ax.xaxis),
                    "yscale": _scale(ax.yaxis),
                }
            )
        switches = {control.name for control in self.controls if control.values == [0, 1]}
        handles = [
            handle(self, held, 0, recorder.tile(index))
            | {"axes": index, "switch": switches.issuperset(held)}
            for held, index in self._handles
        ]
        return facts(self, handles) | {
            "model": self.model,
            "frame": f"<div class='descent-panel'>{markup}</div>",
            "axes": axes,
            "unit": GRID,
            "colours": COLOURS,
            "constants": dict(given() if callable(given := self._constants) else given),
        }

    def shown(self, above: str, below: str = "", figure: Figure | None = None) -> str:
        """Return the HTML with the still, for the script to take over; of a figure, if given."""
        drawn = figures.drawing(self.figure() if figure is None else figure)
        panel = f"<div class='descent-panel'>{drawn}</div>"
        return frame(self, self.default, above, panel, below)

    def html(self) -> str:
        """Return the self-contained HTML."""
        return self.shown(controls(self, LINK), scripts(self.facts(), *SOURCES, "page"))

    def still(self) -> bytes:
        """Return the default state as PNG."""
        return figures.png(figures.pixels(self.figure()))

    def widget(self) -> Any:
        """Return a widget: the same script, in a notebook."""
        from descent.explorer.widget import LiveModelWidget  # needs no notebook until it is shown

        return LiveModelWidget(self)

    def static(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what a page shows by media type, and its metadata."""
        html = self.html()
        facts = {"live": self.name, "bytes": len(html.encode())}
        return {"text/html": html, **self.without_script()}, {"descent": facts}
