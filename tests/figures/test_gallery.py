"""The gallery of matplotlib's artists, each drawn both ways: as a page draws it, and by Agg."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.patches import Circle, Ellipse, FancyArrowPatch, FancyBboxPatch, Polygon, Wedge

from descent import figures
from descent.figures.display_list import drawing
from descent.figures.svg import UnsupportedError

X = np.linspace(0.05, 0.95, 12)
Y = X**2
GRID = np.add.outer(X, Y)
BOX = dict(xlim=(0, 1), ylim=(0, 1))


def filtered(ax):
    (line,) = ax.plot(X, Y)
    line.set_agg_filter(lambda image, dpi: (image[::-1], 0, 0))


DRAWN = {
    "annotation": lambda ax: ax.annotate("here", (0.2, 0.2), (0.6, 0.7), arrowprops={}),
    "arrow": lambda ax: ax.add_patch(FancyArrowPatch((0, 0), (1, 1), mutation_scale=9)),
    "bars": lambda ax: ax.bar(X, Y, width=0.05),
    "box": lambda ax: ax.add_patch(FancyBboxPatch((0.2, 0.2), 0.5, 0.5)),
    "boxplot": lambda ax: ax.boxplot([X, Y], positions=[0.3, 0.6]),
    "contours": lambda ax: ax.contour(X, X, GRID),
    "ellipse": lambda ax: ax.add_patch(Ellipse((0.5, 0.5), 0.4, 0.2, angle=30)),
    "error bars": lambda ax: ax.errorbar(X, Y, yerr=0.1),
    "events": lambda ax: ax.eventplot([X]),
    "filled contours": lambda ax: ax.contourf(X, X, GRID),
    "filled": lambda ax: ax.fill_between(X, Y, Y + 0.1),
    "hexagons": lambda ax: ax.hexbin(np.tile(X, 9), np.tile(Y, 9), gridsize=6),
    "histogram": lambda ax: ax.hist(X),
    "histogram, log": lambda ax: (ax.hist(X), ax.set(yscale="log", ylim=(0.1, 30))),
    "image": lambda ax: ax.imshow(GRID, extent=(0, 1, 0, 1), aspect="auto"),
    "legend": lambda ax: (ax.plot(X, Y, label="y"), ax.legend()),
    "lines": lambda ax: ax.plot(X, Y, "--o"),
    "log": lambda ax: (ax.plot(X, Y + 0.1), ax.set_yscale("log")),
    "mesh": lambda ax: ax.pcolormesh(X, X, GRID),
    "pie": lambda ax: ax.pie([1, 2, 3]),
    "polygon": lambda ax: ax.add_patch(Polygon([(0, 0), (1, 0), (0.5, 1)])),
    "quiver": lambda ax: ax.quiver(X, Y, X, -Y),
    "shaded mesh": lambda ax: ax.pcolormesh(X, X, GRID, shading="gouraud"),
    "scatter": lambda ax: ax.scatter(X, Y, c=X, s=20 * X),
    "spans": lambda ax: (ax.axvspan(0.2, 0.4), ax.axhline(0.5)),
    "stairs": lambda ax: ax.stairs(Y[:-1], X),
    "stems": lambda ax: ax.stem(X, Y),
    "steps": lambda ax: ax.step(X, Y),
    "streams": lambda ax: ax.streamplot(X, X, GRID, -GRID),
    "table": lambda ax: ax.table([["1", "2"]], loc="center"),
    "triangles": lambda ax: ax.triplot(X, Y * RNG.random(12)),
    "violins": lambda ax: ax.violinplot([X, Y], positions=[0.3, 0.6], widths=0.2),
    "wedge": lambda ax: ax.add_patch(Wedge((0.5, 0.5), 0.4, 10, 200)),
}
AS_IMAGE = {
    "clipped by a circle": lambda ax: ax.plot(X, Y)[0].set_clip_path(
        Circle((0.5, 0.5), 0.2, transform=ax.transData)
    ),
    "filter of pixels": filtered,
    "image clipped by a circle": lambda ax: ax.imshow(
        GRID, extent=(0, 1, 0, 1), aspect="auto"
    ).set_clip_path(Circle((0.5, 0.5), 0.2, transform=ax.transData)),
    "hatches": lambda ax: ax.bar(X, Y, hatch="//"),
    "smooth triangles": lambda ax: ax.tripcolor(
        [0, 1, 0], [0, 0, 1], [0, 0.5, 1], shading="gouraud"
    ),
}
RNG = np.random.default_rng(1)


def drawn(draw):
    """Return a figure with an artist and the same axes without it."""
    made = []
    for artist in (draw, lambda ax: None):
        fig, ax = figures.figure()
        ax.set(**BOX, xlabel="x", ylabel="y")
        with mpl.rc_context({"path.sketch": None}):
            artist(ax)
        made.append(fig)
    return made


@pytest.mark.parametrize("name", DRAWN)
def test_an_artist_is_drawn_both_ways(name):
    fig, bare = drawn(DRAWN[name])
    assert (figures.pixels(fig) != figures.pixels(bare)).any(), "Agg shows it"
    assert drawing(fig) != drawing(bare), "the page shows it"
    shown = figures.show(fig, caption="An artist.", alt="Its picture.").html()
    assert "<svg" in shown


@pytest.mark.parametrize("name", AS_IMAGE)
def test_what_a_page_cannot_draw_is_an_image(name):
    fig, _ = drawn(AS_IMAGE[name])
    with pytest.raises(UnsupportedError, match=r"\w+ .*(page|upright)"):
        drawing(fig)
    shown = figures.show(fig, caption="An artist.", alt="Its picture.").html()
    assert "<img" in shown
    assert "data:image/" in shown


def test_every_way_of_drawing_is_defined_or_made_of_those_that_are():
    """A new way of matplotlib's is met here, rather than by a blank page."""
    from matplotlib.backend_bases import RendererBase

    from descent.figures.svg import PageRenderer

    ways = {name for name in vars(RendererBase) if name.startswith("draw_")}
    made_of_others = {"draw_path_collection", "draw_quad_mesh", "draw_tex"}
    assert ways - made_of_others <= vars(PageRenderer).keys()
