"""Draw a matplotlib figure as SVG that belongs to the page around it.

`PageRenderer` differs from matplotlib's own SVG writer in four ways, each of
which the rendered book needs:

- no ``id`` anywhere, so that one figure may stand twice on a page;
- text is text in the font of the page, with simple formulas in it;
- neutral colours are mixtures of the page's ink (``currentColor``) and paper
  (``--descent-paper``): black is ink, white is paper, in light and dark alike;
- coordinates are whole twentieths of a point, written as differences, so that
  the same bytes come out on every machine and curves stay small.
"""

import base64
import io
from typing import Any, NamedTuple

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.transforms import Bbox, Transform
from numpy.typing import NDArray
from PIL import Image

from descent.figures.inline_math import to_svg
from descent.figures.path_data import (
    FARTHEST,
    GRID,
    box,
    circle,
    closed,
    codes,
    dots,
    path_data,
    simplified,
    vertices,
)

__all__ = ["PageRenderer", "UnsupportedError", "data_uri", "renderer_for"]

REACH = np.full(2, FARTHEST / GRID / 2)
"""How far in points from the origin a drawing may reach; what lies farther out is clipped."""
IMAGE_DPI = 180
_RASTERIZE_FROM = 400  # pieces of a collection from which an image is the smaller picture


class UnsupportedError(ValueError):
    """An artist asks for something that the page renderer does not draw."""


def data_uri(image: NDArray[np.uint8], *, quality: int = 80) -> str:
    """Encode an image, (height, width, 3 or 4), as a WebP data URI."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "webp", quality=quality, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


class _Paint(NamedTuple):
    """One colour as SVG attributes and as a style, which goes into a joint style attribute."""

    attributes: str = ""
    style: str = ""

    def __add__(self, other: Any) -> "_Paint":
        more = other if isinstance(other, _Paint) else _Paint(other)
        return _Paint(self.attributes + more.attributes, self.style + more.style)

    def __str__(self) -> str:
        return self.attributes + (f" style='{self.style}'" if self.style else "")


def _paint(attribute: str, rgb: Any, alpha: float) -> _Paint:
    """Write a colour: a neutral one as a share of ink on paper, others as they are."""
    red, green, blue = rgb[:3]
    opacity = "" if alpha >= 1 else f" {attribute}-opacity='{alpha:.3g}'"
    plain = f" {attribute}='{to_hex((red, green, blue))}'{opacity}"
    if max(red, green, blue) - min(red, green, blue) > 0.02:
        return _Paint(plain)
    ink = round(100 * (1 - (red + green + blue) / 3))
    if ink == 100:
        return _Paint(f" {attribute}='currentColor'{opacity}")
    paper = "var(--descent-paper,#fff)"
    mixed = f"color-mix(in srgb,currentColor {ink}%,{paper})" if ink else paper
    # The attribute serves readers without the style: GitHub, mail, print.
    return _Paint(plain, f"{attribute}:{mixed};")


def _units(points: float) -> str:
    return f"{points * GRID:.4g}"


def _clip_polygon(path: Path) -> Path:
    if np.isin(codes(path), (Path.CURVE3, Path.CURVE4)).any():
        return path  # clamped coordinate by coordinate
    return path.clip_to_bbox(Bbox([-REACH, REACH]))


class PageRenderer(RendererBase):
    """Collect a figure's drawing as SVG markup.

    Parameters
    ----------
    width, height : float
        Size of the figure in points; the figure's resolution must be 72 dpi.
    """

    def __init__(self, width: float, height: float) -> None:
        super().__init__()
        self.width, self.height = width, height
        self._parts: list[str] = []
        self._open: tuple[str, str] | None = None  # style and data of a path that may still grow

    def take(self) -> str:
        """Return the markup drawn since the last call, and forget it."""
        self._flush()
        markup = "".join(self._parts)
        self._parts = []
        return markup

    def _flush(self) -> None:
        if self._open is not None:
            before, data = self._open
            head, tail = before.split("\0")
            self._parts.append(f"{head}{data}{tail}")
            self._open = None

    # What matplotlib asks of a renderer.

    def get_canvas_width_height(self) -> tuple[float, float]:
        """Return the size in points."""
        return self.width, self.height

    def flipy(self) -> bool:
        """Tell that y points downwards."""
        return True

    def get_image_magnification(self) -> float:
        """Return the pixels of an image per point."""
        return IMAGE_DPI / 72

    def option_image_nocomposite(self) -> bool:
        """Keep images apart, so that one may change and another not."""
        return True

    def draw_path(
        self,
        gc: GraphicsContextBase,
        path: Path,
        transform: Transform,
        rgbFace: Any = None,
    ) -> None:
        """Draw a path: what lies very far outside of the canvas is clipped."""
        if gc.get_hatch():
            raise UnsupportedError("hatching is not drawn on pages; use a colour")
        cleaned = path.cleaned(
            transform,
            remove_nans=True,
            clip=(*-REACH, *REACH) if rgbFace is None else None,
            simplify=bool(path.should_simplify) and rgbFace is None,
            curves=True,
            sketch=gc.get_sketch_params(),
        )
        if len(vertices(cleaned)) < 2:  # the last one is STOP
            return
        cleaned = closed(Path(vertices(cleaned)[:-1], codes(cleaned)[:-1]))
        if rgbFace is not None and len(vertices(cleaned)) >= 128:
            cleaned = simplified(cleaned)
        points = vertices(cleaned)
        stroke = self._stroke(gc)
        fill = self._fill(gc, rgbFace) if len(points) > 2 else None
        round_one = circle(cleaned) if rgbFace is not None else None
        extent = box(points)
        if round_one is not None and (not stroke or gc.get_dashes()[1] is None):
            centre, radius = round_one
            if not stroke or np.allclose(gc.get_rgb()[:3], rgbFace[:3]):  # one round cap
                breadth = 2 * radius + (gc.get_linewidth() if stroke else 0)
                head = self._dot(breadth, rgbFace, self._alpha(gc, rgbFace))
                self._add(gc, head, dots(centre[None], self.height), extent, merge=True)
                return
            r = round(radius * GRID)
            move = path_data(Path([centre - (radius, 0)]), self.height)
            data = f"{move}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0-{2 * r} 0z"
        else:
            if rgbFace is not None and np.abs(points).max() > REACH[0]:
                cleaned = _clip_polygon(cleaned)
                if not len(vertices(cleaned)):  # all of it lies outside, as a bar of no height does
                    return
            data = path_data(cleaned, self.height)
        if stroke or fill:
            merge = not (stroke and fill)
            paint = (fill or _Paint(" fill='none'")) + (stroke or "")
            self._add(gc, f"<path{paint}", data, extent, merge=merge)

    def draw_markers(
        self,
        gc: GraphicsContextBase,
        marker_path: Path,
        marker_trans: Transform,
        path: Path,
        trans: Transform,
        rgbFace: Any = None,
    ) -> None:
        """Draw the same marker at every vertex; round ones of one colour as dots of a path."""
        round_one = circle(marker_path.transformed(marker_trans)) if rgbFace is not None else None
        stroke = self._stroke(gc)
        one_colour = not stroke or np.allclose(gc.get_rgb()[:3], rgbFace[:3])
        if round_one is None or not one_colour or self._alpha(gc, rgbFace) < 1:
            super().draw_markers(gc, marker_path, marker_trans, path, trans, rgbFace)
            return
        points = vertices(path.cleaned(trans, remove_nans=True))[:-1]
        points = points[(np.abs(points) < REACH).all(axis=1)]
        if not len(points):
            return
        radius = round_one[1] + (gc.get_linewidth() / 2 if stroke else 0)
        extent = box(np.concatenate([points - radius, points + radius]))
        head = self._dot(2 * radius, rgbFace, 1)
        self._add(gc, head, dots(points, self.height), extent, merge=True)

    def draw_image(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        im: Any,
        transform: Any = None,
    ) -> None:
        """Draw pixels, rows from the bottom upwards."""
        rows, columns = im.shape[:2]
        if transform is not None or not rows * columns:
            raise UnsupportedError("images must be drawn upright and not be empty")
        if gc.get_clip_path()[0] is not None:
            raise UnsupportedError("images clipped to a shape are not drawn on pages")
        width, height = columns * 72 / IMAGE_DPI, rows * 72 / IMAGE_DPI
        self._flush()
        self._parts.append(
            f"<image x='{_units(x)}' y='{_units(self.height - y - height)}'"
            f" width='{_units(width)}' height='{_units(height)}' preserveAspectRatio='none'"
            f" href='{data_uri(np.ascontiguousarray(im[::-1]))}'/>"
        )

    def draw_gouraud_triangles(self, gc: GraphicsContextBase, *_: Any) -> None:
        """Refuse triangles with a colour at each corner."""
        raise UnsupportedError("smoothly shaded triangles are not drawn on pages")

    def start_filter(self) -> None:
        """Refuse an artist whose pixels are to be filtered; the base class would leave that out."""
        raise UnsupportedError("filters of pixels are not drawn on pages")

    def draw_text(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        s: str,
        prop: Any,
        angle: float,
        ismath: Any = False,
        mtext: Any = None,
    ) -> None:
        """Draw a line of text at its anchor, so that another font keeps its place."""
        content = to_svg(s if ismath else s.replace("$", r"\$"))
        if content is None:
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)  # as outlines
            return
        anchor = ""
        if mtext is not None and (angle == 0 or mtext.get_rotation_mode() == "anchor"):
            place = mtext.get_transform().transform(mtext.get_unitless_position())
            turn = np.deg2rad(angle)
            across = np.array([np.sin(turn), np.cos(turn)])
            offset = across @ (np.array([x, y]) - (place[0], self.height - place[1]))
            x, y = np.array([place[0], self.height - place[1]]) + offset * across
            align = {"center": "middle", "right": "end"}.get(mtext.get_horizontalalignment())
            anchor = f" text-anchor='{align}'" if align else ""
        weight = prop.get_weight()
        bold = weight in ("bold", "heavy", "black", "semibold", "demibold") or (
            isinstance(weight, int | float) and weight >= 600
        )
        style = " font-weight='bold'" if bold else ""
        style += " font-style='italic'" if prop.get_style() != "normal" else ""
        style += " font-family='monospace'" if "monospace" in prop.get_family() else ""
        paint = _paint("fill", gc.get_rgb(), self._alpha(gc, gc.get_rgb()))
        self._flush()
        turned = f"rotate({-angle:.4g})" if angle else ""
        # The group carries the place, so that the style sheet can scale the text about it.
        self._parts.append(
            f"<g transform='translate({_units(x)} {_units(y)}){turned}'>"
            f"<text font-size='{_units(prop.get_size_in_points())}'{anchor}{style}"
            f"{paint}>{content}</text></g>"
        )

    # Pieces of the drawing.

    @staticmethod
    def _alpha(gc: GraphicsContextBase, rgba: Any) -> float:
        if gc.get_forced_alpha() or len(rgba) < 4:
            return float(gc.get_alpha())
        return float(rgba[3])

    def _fill(self, gc: GraphicsContextBase, face: Any) -> _Paint | None:
        if face is None or (len(face) == 4 and face[3] == 0):
            return None
        # Neighbouring fills without antialiasing show no seam.
        crisp = "" if gc.get_antialiased() else " shape-rendering='crispEdges'"
        return _paint("fill", face, self._alpha(gc, face)) + crisp

    def _stroke(self, gc: GraphicsContextBase) -> _Paint | None:
        rgb, breadth = gc.get_rgb(), gc.get_linewidth()
        alpha = self._alpha(gc, rgb)
        if not breadth or not alpha:
            return None
        markup = f" stroke-width='{_units(breadth)}'"
        offset, dashes = gc.get_dashes()
        if dashes is not None:
            lengths = " ".join(_units(length) for length in np.asarray(dashes, dtype=float))
            markup += f" stroke-dasharray='{lengths}'"
            markup += f" stroke-dashoffset='{_units(offset)}'" if offset else ""
        join, cap = gc.get_joinstyle(), gc.get_capstyle().replace("projecting", "square")
        markup += f" stroke-linejoin='{join}'" if join != "miter" else ""
        markup += f" stroke-linecap='{cap}'" if cap != "butt" else ""
        return _paint("stroke", rgb, alpha) + markup

    @staticmethod
    def _dot(breadth: float, rgb: Any, alpha: float) -> str:
        colour = _paint("stroke", rgb, alpha)
        cap = f" stroke-width='{_units(breadth)}' stroke-linecap='round'"
        return "<path fill='none'" + str(colour + cap)

    def _add(
        self,
        gc: GraphicsContextBase,
        head: str,
        data: str,
        extent: tuple[float, float, float, float],
        *,
        merge: bool,
    ) -> None:
        """Add a path; one that looks like the last joins it, unless that would show."""
        before, after = self._clip(gc, extent)
        template = f"{before}{head} d='\0'/>{after}"
        if (
            self._open is not None
            and self._open[0] == template
            and merge
            and "-opacity" not in head
        ):
            # A second subpath would count from the last position: start it absolutely.
            self._open = (template, self._open[1] + "M" + data[1:])
            return
        self._flush()
        self._open = (template, data)

    def _clip(
        self, gc: GraphicsContextBase, extent: tuple[float, float, float, float]
    ) -> tuple[str, str]:
        """Wrap what reaches out of its axes into a nested, clipping viewport."""
        if gc.get_clip_path()[0] is not None:
            raise UnsupportedError("clipping to a shape other than a box is not drawn on pages")
        clip = gc.get_clip_rectangle()
        if clip is None:
            return "", ""
        breadth = gc.get_linewidth()
        x0, y0, x1, y1 = clip.extents
        inner = (x0 + breadth, y0 + breadth, -x1 + breadth, -y1 + breadth)
        if all(a >= b for a, b in zip((*extent[:2], -extent[2], -extent[3]), inner, strict=True)):
            return "", ""
        x, y, w, h = map(_units, (x0, self.height - y1, x1 - x0, y1 - y0))
        return (
            f"<svg x='{x}' y='{y}' width='{w}' height='{h}' viewBox='{x} {y} {w} {h}'>",
            "</svg>",
        )


def renderer_for(figure: Figure) -> tuple[PageRenderer, RendererBase]:
    """Prepare a figure for a page and return its renderer, bare and with image parts.

    Collections of very many pieces are drawn as images.
    """
    figure.set_dpi(72)
    # (Figure.findobj would make every tick of every axis on its way.)
    for collection in [child for ax in figure.axes for child in ax.collections]:
        many = isinstance(collection, QuadMesh) or len(collection.get_paths()) > _RASTERIZE_FROM
        if many and not collection.get_rasterized():
            collection.set_rasterized(True)
    for line in [child for ax in figure.axes for child in ax.lines]:
        if line.get_marker() not in ("None", "none", "", " ", None):
            line.get_path().should_simplify = False  # the same vertices as its markers
    width, height = figure.get_size_inches()
    bare = PageRenderer(72 * width, 72 * height)
    mixed: Any = MixedModeRenderer  # untyped; passes all it does not draw itself to `bare`
    return bare, mixed(figure, width, height, IMAGE_DPI, bare)
