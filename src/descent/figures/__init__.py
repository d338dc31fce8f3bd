"""The book's figures: one style, colours with fixed meanings, captions that state the finding."""

from descent.figures.shown import (
    COLOURS,
    STYLE,
    Shown,
    figure,
    image_html,
    pixels,
    png,
    scientific,
    show,
    stacked,
    style,
    stylesheet,
    use_style,
)

__all__ = [
    "COLOURS",
    "STYLE",
    "Shown",
    "figure",
    "image_html",
    "pixels",
    "png",
    "scientific",
    "show",
    "stacked",
    "style",
    "stylesheet",
    "use_style",
]
