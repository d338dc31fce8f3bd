"""Many figures of one kind as one picture and its changing parts.

A figure is recorded as its display list: the markup of its artists, in the
order in which they are drawn.  Over the states of an explorer most entries
never change; those make the picture.  The others become slots, and every
distinct content of a slot is stored once.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Any, NamedTuple

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from descent.figures.formulas_once import formulas_once
from descent.figures.path_data import GRID, dots_of
from descent.figures.svg import UnsupportedError, renderer_for

__all__ = ["Entry", "Picture", "Recorder", "Tile", "combine", "drawing", "tiles"]


class Entry(NamedTuple):
    """One artist of a figure: the index of its axes (-1: the figure's own) and its markup."""

    axes: int
    markup: str


class Tile(NamedTuple):
    """A column of a figure, in points, that may move below its neighbour on a narrow screen."""

    left: float
    width: float
    height: float
    axes: frozenset[int]


class Recorder:
    """Record figures of one kind: same size, same axes, the layout of the first one."""

    def __init__(self) -> None:
        self._positions: list[Bbox] | None = None
        self._size: tuple[float, float] | None = None
        self._axis_markup: dict[tuple[object, ...], str] = {}
        self.tiles: list[Tile] = []

    def record(self, figure: Figure) -> list[Entry]:
        """Return the display list of a figure.

        Raises
        ------
        UnsupportedError
            When the figure has other axes or another size than the first one,
            or holds something that the page renderer does not draw.
        """
        with formulas_once():
            return self._recorded(figure)

    def _recorded(self, figure: Figure) -> list[Entry]:
        bare, renderer = renderer_for(figure)
        size = (bare.width, bare.height)
        if self._positions is None:
            if (layout := figure.get_layout_engine()) is not None:
                layout.execute(figure)
            self._positions = [ax.get_position(original=True).frozen() for ax in figure.axes]
            self._size = size
            self.tiles = tiles(figure)
        elif size != self._size or len(figure.axes) != len(self._positions):
            raise UnsupportedError("the size or the number of axes differs between the states")
        else:
            figure.set_layout_engine("none")
            for ax, position in zip(figure.axes, self._positions, strict=True):
                ax.set_position(position)  # a colour bar's locator starts from it, an inset's not
        entries = []
        for index, artist in _artists(figure, renderer):
            key = _axis_key(index, artist) if isinstance(artist, Axis) else None
            markup = self._axis_markup.get(key) if key is not None else None
            if markup is None:
                try:
                    artist.draw(renderer)
                except UnsupportedError as error:
                    raise UnsupportedError(f"{artist}: {error}") from None
                _finish_image(renderer)
                markup = bare.take()
                if key is not None:
                    self._axis_markup[key] = markup
            if markup:
                entries.append(Entry(index, markup))
        return entries

    def tile(self, axes: int) -> int:
        """Return the index of the tile that holds some axes of the figures."""
        return next(i for i, tile in enumerate(self.tiles) if axes in tile.axes)


def _finish_image(renderer: Any) -> None:
    """Write out a rasterized artist: matplotlib would wait for the next one and give it that."""
    if renderer._rasterizing:
        renderer.stop_rasterizing()
        renderer._rasterizing = False


def _artists(figure: Figure, renderer: RendererBase) -> Iterator[tuple[int, Artist]]:
    """Yield the visible artists of a figure in the order of drawing."""
    indices = {id(ax): index for index, ax in enumerate(figure.axes)}
    for child in sorted(figure.get_children(), key=attrgetter("zorder")):
        if child is figure.patch or not child.get_visible():
            continue
        if not isinstance(child, Axes):
            yield -1, child
        elif type(child).draw is not Axes.draw:  # three dimensions: all at once
            yield indices[id(child)], child
        else:
            for artist in _axes_artists(child, renderer):
                yield indices[id(child)], artist


def _axes_artists(ax: Axes, renderer: RendererBase) -> list[Artist]:
    locator: Any = ax.get_axes_locator()  # None for ordinary axes
    ax.apply_aspect(None if locator is None else locator(ax, renderer))
    ax.get_xlim(), ax.get_ylim()  # settles automatic limits
    if any(ax.get_title(side) for side in ("left", "center", "right")):
        ax._update_title_position(renderer)  # type: ignore[attr-defined]
    hidden: set[int] = set()
    white = tuple(ax.patch.get_facecolor()[:3]) == (1.0, 1.0, 1.0)
    if white or not (ax.axison and ax.get_frame_on()):
        hidden.add(id(ax.patch))  # the page is the paper
    if not (ax.axison and ax.get_frame_on()):
        hidden |= {id(spine) for spine in ax.spines.values()}
    if not ax.axison:
        hidden |= {id(ax.xaxis), id(ax.yaxis)}
    patch: list[Artist] = [] if id(ax.patch) in hidden else [ax.patch]
    hidden.add(id(ax.patch))
    shown = [a for a in ax.get_children() if a.get_visible() and id(a) not in hidden]
    return patch + sorted(shown, key=attrgetter("zorder"))


def _axis_key(index: int, axis: Any) -> tuple[object, ...]:
    """Tell when two axis drawings agree: same limits, scale, ticks, texts and style.

    Drawing ticks costs more than all the rest of a simple figure, and over the
    states of an explorer they hardly ever change.
    """
    places = axis.get_majorticklocs()
    return (
        index,
        axis.axis_name,
        tuple(axis.get_view_interval()),
        axis.get_scale(),
        axis.get_label_text(),
        axis.label.get_color(),
        tuple(places),
        tuple(axis.get_major_formatter().format_ticks(list(places))),
        tuple(axis.get_minorticklocs()),
        axis.get_ticks_position(),
        axis.get_label_position(),
        repr(sorted(axis.get_tick_params().items())),
    )


def tiles(figure: Figure) -> list[Tile]:
    """Cut a figure into columns of axes that share no horizontal range.

    A figure with artists of its own (a title or a legend over several axes)
    stays in one piece.
    """
    width, height = 72 * figure.get_size_inches()
    every = frozenset(range(-1, len(figure.axes)))
    whole = [Tile(0.0, float(width), float(height), every)]
    own = [c for c in figure.get_children() if c is not figure.patch and not isinstance(c, Axes)]
    if any(artist.get_visible() for artist in own) or len(figure.axes) < 2:
        return whole
    extents = []
    for index, ax in enumerate(figure.axes):
        box = ax.get_tightbbox()
        if box is not None and ax.get_visible():
            extents.append((box.x0, box.x1, index))
    columns: list[tuple[float, float, set[int]]] = []
    for x0, x1, index in sorted(extents):
        if columns and x0 < columns[-1][1]:
            last = columns[-1]
            columns[-1] = (last[0], max(last[1], x1), last[2] | {index})
        else:
            columns.append((x0, x1, {index}))
    if len(columns) < 2:
        return whole
    columns[0][2].update(every - {index for column in columns for index in column[2]})
    cuts = [(a[1] + b[0]) / 2 for a, b in pairwise(columns)]
    edges = [0.0, *cuts, float(width)]
    return [
        Tile(edges[i], edges[i + 1] - edges[i], float(height), frozenset(column[2]))
        for i, column in enumerate(columns)
    ]


_DATA = re.compile(r"(?<= d=')[^']*")


class Picture(NamedTuple):
    """A picture with slots, and what the slots hold in each state.

    Attributes
    ----------
    markup : str
        Tiles of SVG; slots are ``<g data-slot>`` and hold the first state.
    templates : list of list of str
        Markup around path data: one piece more than there are paths in it.
    contents : list of list
        Distinct contents: index of a template, then the data of its paths; empty for
        dots at the vertices of the path before.
    states : list of list of int
        For each state and slot, an index into `contents`.
    """

    markup: str
    templates: list[list[str]]
    contents: list[list[int | str]]
    states: list[list[int]]


def combine(lists: Sequence[list[Entry]], columns: Sequence[Tile], default: int = 0) -> Picture:
    """Split display lists into what is common to all and what changes.

    Parameters
    ----------
    lists : sequence of list of Entry
        One display list a state.
    columns : sequence of Tile
        Where to cut the picture.
    default : int
        The state that the markup itself shows.
    """
    templates: dict[tuple[str, ...], int] = {}
    contents: dict[str, int] = {}
    rows: list[list[int | str]] = []
    states: list[list[int]] = [[] for _ in lists]

    def store(markup: str) -> int:
        if markup not in contents:
            pieces = tuple(_DATA.split(markup))
            template = templates.setdefault(pieces, len(templates))
            contents[markup] = len(rows)
            data = _DATA.findall(markup)
            # Dots at the vertices of the line before them need no data of their own.
            lean = ["" if dots == dots_of(line) else dots for line, dots in pairwise(data)]
            rows.append([template, *data[:1], *lean])
        return contents[markup]

    drawn = []
    for column in columns:
        # Per axes, so that one more artist in one of them moves no slot of another.
        parts = []
        for axes in sorted({entry.axes for entries in lists for entry in entries} & column.axes):
            slots = [[entry.markup for entry in entries if entry.axes == axes] for entries in lists]
            for position in range(max(map(len, slots))):
                shown = [slot[position] if position < len(slot) else "" for slot in slots]
                if len(set(shown)) == 1:
                    parts.append(shown[0])
                    continue
                parts.append(f"<g data-slot=''>{shown[default]}</g>")
                for state, markup in zip(states, shown, strict=True):
                    state.append(store(markup))
        drawn.append(_tile(column, "".join(parts)))
    return Picture("".join(drawn), [list(pieces) for pieces in templates], rows, states)


def _tile(tile: Tile, content: str) -> str:
    left, width, height = (round(GRID * value) for value in tile[:3])
    # How much text must grow for a telephone's width: a column of 267 pt needs nothing.
    narrow = min(1.6, max(1.0, tile.width / 267))
    return (
        f"<div class='descent-tile' style='--w:{tile.width:.0f};--box:{width}/{height};"
        f"--narrow:{narrow:.2f}'>"
        f"<svg viewBox='{left} 0 {width} {height}' aria-hidden='true'>{content}</svg></div>"
    )


def drawing(figure: Figure) -> str:
    """Draw one figure as tiles of SVG."""
    recorder = Recorder()
    entries = recorder.record(figure)
    return combine([entries], recorder.tiles).markup
