"""The book's figures: one style, colours with fixed meanings, captions that state the finding.

A chapter calls `use_style` once, makes its figures with `figure`, and ends a
cell with `show`, which gives the page a drawing with the page's own font and
colours, in light and dark mode alike.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from descent.figures import inline_math
from descent.figures.display_list import drawing
from descent.figures.formulas_once import formulas_once
from descent.figures.svg import UnsupportedError, data_uri

_HERE = Path(__file__).parent
STYLE = _HERE / "descent.mplstyle"

_DPI = 144


@contextmanager
def style() -> Iterator[None]:
    """Use the book's style inside a ``with`` block."""
    if all(mpl.rcParams[name] == value for name, value in _settings().items()):
        yield  # to enter it anew takes as long as a small drawing
        return
    with mpl.rc_context(_settings()):
        yield


@cache
def _settings() -> Any:
    return mpl.rc_params_from_file(STYLE, use_default_template=False)


def use_style() -> None:
    """Use the book's style from here on: the first line of a chapter."""
    mpl.rcParams.update(_settings())


def figure(
    nrows: int = 1,
    ncols: int = 1,
    *,
    width: float | None = None,
    height: float | None = None,
    **subplots: Any,
) -> tuple[Figure, Any]:
    """Make a figure with axes, outside of pyplot, so that nothing lingers.

    Parameters
    ----------
    nrows, ncols : int
        Rows and columns of axes. Columns move below each other on a narrow screen.
    width, height : float, optional
        Size in inches; about 4.8 by 3 for one axes, and 3.6 by 2.8 for each of
        several. A column fills a telephone's screen, so keep columns below 5 inches.
    **subplots
        Passed to `matplotlib.figure.Figure.subplots`.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : matplotlib.axes.Axes or numpy.ndarray of them

    Examples
    --------
    >>> fig, ax = figure()
    >>> _ = ax.plot([0, 1], [0, 1])
    """
    size = (
        width if width is not None else (4.8 if ncols == 1 else 3.6 * ncols),
        height if height is not None else (3.0 if nrows * ncols == 1 else 2.8 * nrows),
    )
    with style():
        made = Figure(figsize=size, layout="constrained")
        axes = made.subplots(nrows, ncols, **subplots)
    return made, axes


def pixels(figure: Figure, dpi: float = _DPI, *, laid_out: bool = False) -> NDArray[np.uint8]:
    """Draw a figure on white paper as an image, (height, width, 3).

    A figure that has just been drawn for the page may keep its layout, which takes as long
    to find as the drawing itself.
    """
    figure.set_dpi(dpi)
    figure.set_facecolor("white")
    canvas: Any = FigureCanvasAgg(figure)  # untyped
    engine = figure.get_layout_engine() if laid_out else None
    if engine is not None:
        figure.set_layout_engine("none")
    with formulas_once():
        canvas.draw()
    if engine is not None:
        figure.set_layout_engine(engine)
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def png(image: NDArray[np.uint8]) -> bytes:
    """Encode an image as PNG."""
    buffer = io.BytesIO()
    # With optimize=True it would be smaller by a fiftieth, and take five times as long.
    Image.fromarray(image).save(buffer, "png")
    return buffer.getvalue()


@cache
def stylesheet() -> str:
    """Return the style sheet that travels with every figure and explorer."""
    return (_HERE / "drawing.css").read_text(encoding="utf-8")


def stacked(images: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Put images below each other on white, each in the middle."""
    width = max(image.shape[1] for image in images)
    padded = []
    for image in images:
        card = np.full((image.shape[0], width, 3), 255, dtype=np.uint8)
        left = (width - image.shape[1]) // 2
        card[:, left : left + image.shape[1]] = image
        padded.append(card)
    return np.concatenate(padded)


def image_html(image: NDArray[np.uint8], quality: int = 80) -> str:
    """Return an image as a white card, for what cannot be drawn as SVG."""
    height, width = image.shape[:2]
    return (
        f"<img class='descent-card dark-light' alt='' width='{width * 72 // _DPI}'"
        f" height='{height * 72 // _DPI}' src='{data_uri(image, quality=quality)}'>"
    )


class Shown:
    """A figure with its caption and its text alternative, as rich output of a cell."""

    def __init__(self, figure: Figure, caption: str, alt: str) -> None:
        self.figure, self.caption, self.alt = figure, caption, alt

    def html(self) -> str:
        """Return self-contained HTML."""
        with style():
            try:
                body = drawing(self.figure)
            except UnsupportedError:
                body = image_html(pixels(self.figure))
        alt = escape(inline_math.to_plain(self.alt))
        return (
            f"<figure class='descent-figure'><style>{stylesheet()}</style>"
            f"<div class='descent-panels' role='img' aria-label=\"{alt}\">{body}</div>"
            f"<figcaption>{inline_math.to_html(self.caption)}</figcaption></figure>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        html = self.html()
        with style():
            still = png(pixels(self.figure, laid_out=True))
        return {
            "text/html": html,
            "image/png": still,
            "text/plain": inline_math.to_plain(self.caption),
        }


def show(figure: Figure, *, caption: str, alt: str) -> Shown:
    r"""Show a figure at the end of a cell.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Without a title: the caption takes its place.
    caption : str
        States the finding. May hold computed numbers, and formulas between
        dollar signs; what needs fractions or large roots goes into the text.
    alt : str
        What a reader who does not see the figure needs to know: axes, shapes, values.

    Raises
    ------
    TypeError
        When `figure` is no figure.
    ValueError
        When the caption or the alternative text is empty, or they are the same.
    """
    if not isinstance(figure, Figure):
        raise TypeError(f"figure must be a matplotlib Figure, got {type(figure).__name__}")
    for name, text in (("caption", caption), ("alt", alt)):
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{name} must be a text that is not empty, got {text!r}")
    if caption.strip() == alt.strip():
        raise ValueError("alt must describe the figure, not repeat the caption")
    return Shown(figure, caption, alt)
