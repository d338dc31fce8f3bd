"""Explorers: a figure with sliders, from one draw function.

An explorer is a picture with native controls. In the rendered book its states have
all been drawn in advance: no kernel, no network, and nothing shared between two
explorers of a page. In a live kernel the same front end asks for the states that
the reader comes to, and the kernel calls the draw function.
"""

import base64
import importlib
import json
import pkgutil
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from descent import figures
from descent.explorer import page
from descent.explorer.controls import Value
from descent.explorer.grab import Handle, Place
from descent.explorer.live_model import LiveModel
from descent.explorer.states import Draw, States
from descent.kept.store import fetch, keep, place_of

__all__ = ["BudgetError", "Explorer", "explore", "live_models", "registry"]

Kind = TypeVar("Kind", "Explorer", LiveModel)

FORMER = 4
"""How many versions of an explorer a build keeps."""
MAX_BYTES = 1_500_000
"""Largest HTML of an explorer."""


class BudgetError(ValueError):
    """An explorer is larger than a page can carry."""


def explore(
    *draw: Draw,
    name: str,
    caption: Callable[..., str] | None = None,
    labels: Mapping[str, str] | None = None,
    default: Mapping[str, Value] | None = None,
    play: str | None = None,
    format: Mapping[str, str | Callable[[Any], str]] | None = None,
    render: str = "auto",
    grab: Mapping[str | tuple[str, ...], Handle | Place] | None = None,
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
    caption : callable, needed
        From controls to the text alternative of the picture, for every state. May
        hold formulas between dollar signs.
    labels : mapping, optional
        What the reader sees for a control, with its unit; may hold formulas between
        dollar signs.
    default : mapping, optional
        Values shown first; otherwise the first of each list.
    play : str, optional
        A time-like control that gets a play button.
    format : mapping, optional
        Format string (``"{:.2f} s"``) or function for the values of a control.
    render : {"auto", "curves", "frames"}
        Curves are drawn as SVG and stay sharp; frames are images. Automatic: curves
        where the drawing allows it and its size is moderate.
    grab : mapping, optional
        What can be taken hold of in the picture: from a control, or two, to the place of its
        handle in the data of the first axes, a function of controls that its draw function
        takes: ``grab={"start": lambda start: (start, height(start))}``, and with two controls
        ``grab={("x", "y"): lambda x, y: (x, y)}``. A `Handle` names other axes, or another
        draw function.
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
            *(
                draw,
                name,
                caption,
                controls,
                labels or {},
                default or {},
                play,
                format or {},
                render,
            ),
            grab or {},
        )
    except (TypeError, ValueError) as error:
        raise type(error)(f"explorer {name}: {error}") from None


class Explorer(States):
    """A figure with controls over finite lists. Made by `explore`."""

    def __repr__(self) -> str:
        return f"<Explorer {self.name}: {len(self.states())} states>"

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
        """Return a live widget: the front end of the page, with drawings from this kernel."""
        from descent.explorer.widget import LiveExplorer  # needs no notebook until it is shown

        return LiveExplorer(self)

    def static(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what a page shows by media type, and its metadata; drawn once for each source."""
        functions = [self.caption_of, *(function for function, _ in self.panels)]
        place = place_of(self.name, functions, vars(self))
        if (drawn := fetch(place)) is not None:
            bundle, metadata = json.loads(drawn)
            bundle["image/png"] = base64.b64decode(bundle["image/png"])
            return bundle, metadata
        bundle, metadata = self._drawn()
        if place is not None:
            image = base64.b64encode(bundle["image/png"]).decode()
            text = json.dumps([{**bundle, "image/png": image}, metadata])
            keep(place, text.encode(), FORMER)
        return bundle, metadata

    def _drawn(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Draw all states, and say what that took."""
        start = time.process_time()
        html = self.html()
        seconds = time.process_time() - start
        facts = {
            "explorer": self.name,
            "states": len(self.states()),
            "bytes": len(html.encode()),
            "seconds": round(seconds, 3),
        }
        return {"text/html": html, **self.without_script()}, {"descent": facts}


def registry() -> list[Explorer]:
    """Return every explorer of every chapter.

    Raises
    ------
    ValueError
        When two explorers share a name.
    """
    return _by_name(_shown(Explorer))


def live_models() -> list[LiveModel]:
    """Return every live model of every chapter.

    Raises
    ------
    ValueError
        When two of them share a name.
    """
    return _by_name(_shown(LiveModel))


def _by_name(shown: Iterator[Kind]) -> list[Kind]:
    found: dict[str, Kind] = {}
    for one in shown:
        other = found.setdefault(one.name, one)
        if other is not one:
            raise ValueError(
                f"two explorers are named {one.name}: in {other.chapter} and in {one.chapter}"
            )
    return list(found.values())


def _shown(kind: type[Kind]) -> Iterator[Kind]:
    package = importlib.import_module("descent.chapters")
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, kind):
                yield value
