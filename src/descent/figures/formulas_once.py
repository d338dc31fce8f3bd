"""Each formula of a figure is parsed once, whatever renderer asks for its size.

Matplotlib remembers the formulas that it has parsed for one renderer, and takes a new
renderer for each layout and each drawing. Every number at a tick is a formula, so that most
of a drawing's time would go into parsing the same dozens again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import matplotlib as mpl
from matplotlib.mathtext import MathTextParser

__all__ = ["formulas_once"]

MOST = 4096
"""How many parsed formulas are remembered."""
KINDS = {"vector": "path", "raster": "agg"}
"""What a parser returns, and what it was made with."""

_parse: Any = MathTextParser.parse


def _settings() -> tuple[Any, ...]:
    """Return what a parsed formula depends on beside its own arguments."""
    names = ("font.sans-serif", "font.serif", "mathtext.default", "mathtext.fallback")
    settings: Any = mpl.rcParams
    return tuple(str(settings[name]) for name in (*names, "text.hinting"))


@lru_cache(maxsize=MOST)
def _parsed(kind: str, s: str, dpi: float, prop: Any, antialiased: bool, *_: Any) -> Any:
    parser: Any = MathTextParser
    return _parse(parser(KINDS[kind]), s, dpi, prop, antialiased=antialiased)


def _remembered(
    self: Any, s: str, dpi: float = 72, prop: Any = None, *, antialiased: bool | None = None
) -> Any:
    """Parse a formula as `MathTextParser.parse` does, or return what it returned before."""
    kind = getattr(self, "_output_type", None)
    if kind not in KINDS:
        return _parse(self, s, dpi, prop, antialiased=antialiased)
    if antialiased is None:
        antialiased = mpl.rcParams["text.antialiased"]
    font = None if prop is None else prop.copy()  # hashed by what it holds, which may change
    return _parsed(kind, s, dpi, font, antialiased, *_settings())


@contextmanager
def formulas_once() -> Iterator[None]:
    """Share parsed formulas between the renderers of a ``with`` block.

    Examples
    --------
    >>> from descent.figures import figure, pixels
    >>> with formulas_once():
    ...     small = pixels(figure()[0], dpi=10)
    >>> small.shape
    (30, 48, 3)
    """
    parser: Any = MathTextParser
    before, parser.parse = parser.parse, _remembered
    try:
        yield
    finally:
        parser.parse = before
