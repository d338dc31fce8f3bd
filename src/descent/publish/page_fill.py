"""How far down the pages of a print are filled: what a reader sees as half-empty pages.

A block that is not torn leaves the rest of a page empty when it does not fit there. Each block
ends in words, so the lowest line of text says how far a page is filled.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence

MARGIN, HEIGHT = 62.36, 841.89  # 22 mm above and below, and the height of A4, in points
LEAST = 0.6
_STEP = re.compile(rb"^(?:(q)|(Q)|([-+\d. ]+) (cm|Tm))$", re.MULTILINE)
_CAPTION = re.compile(r"\bFigure (\d+)\.(\d+)\. ")


def _lowest_lines(content: bytes) -> Iterable[float]:
    """Yield the heights of the lines of a page, in points from its foot."""
    # Of a matrix only what maps heights matters: (x, y) lies at b x + d y + f.
    matrix, kept = (0.0, 1.0, 0.0), []
    for step in _STEP.finditer(content):
        if step[1]:
            kept.append(matrix)
        elif step[2]:
            matrix = kept.pop()
        else:
            a, b, c, d, e, f = (float(number) for number in step[3].split())
            across, up, offset = matrix
            height = across * e + up * f + offset
            if step[4] == b"Tm":
                yield height
            else:
                matrix = (across * a + up * b, across * c + up * d, height)


def filled(printed: bytes) -> list[float]:
    """Return how far down each page of a print is filled: 1 to its last line, 0 if it is empty.

    Parameters
    ----------
    printed
        A PDF, as Chromium prints it.

    Examples
    --------
    >>> from pypdf import PdfWriter
    >>> writer = PdfWriter()
    >>> page, place = writer.add_blank_page(595, 842), io.BytesIO()
    >>> _ = writer.write(place)
    >>> filled(place.getvalue())
    [0.0]
    """
    from pypdf import PdfReader

    found = []
    for page in PdfReader(io.BytesIO(printed)).pages:
        content = page.get_contents()
        lines = _lowest_lines(content.get_data()) if content is not None else ()
        # Running heads and the numbers of pages stand in the margins.
        inside = [line for line in lines if MARGIN < line < HEIGHT - MARGIN]
        lowest = min(inside, default=HEIGHT - MARGIN)
        found.append((HEIGHT - MARGIN - lowest) / (HEIGHT - 2 * MARGIN))
    return found


def within(fills: Sequence[float], firsts: Iterable[int]) -> dict[int, float]:
    """Return how far those pages are filled after which a chapter goes on, by their numbers.

    Parameters
    ----------
    fills
        Of all pages, in their order.
    firsts
        The numbers of the pages on which something begins; the one before may end anywhere.

    Examples
    --------
    >>> within([0.3, 1.0, 0.2, 0.9], [2, 4])
    {2: 1.0}
    """
    last = {first - 1 for first in firsts} | {len(fills)}
    return {number: fill for number, fill in enumerate(fills, 1) if number not in last}


def figure_at_the_top(printed: bytes, number: int) -> str | None:
    """Return the id of the first figure on a page of a print, or None."""
    from pypdf import PdfReader

    text = PdfReader(io.BytesIO(printed)).pages[number - 1].extract_text()
    caption = _CAPTION.search(text)
    return f"figure-{caption[1]}-{caption[2]}" if caption else None


def report(pages: Mapping[int, float], count: int) -> str:
    """Say how many pages there are, and which one inside a chapter is the emptiest.

    Examples
    --------
    >>> report({1: 0.9, 2: 0.75}, 3)
    '3 pages; the emptiest before the end of a chapter, page 2, is filled to 75 %'
    """
    if not pages:
        return f"{count} pages"
    number = min(pages, key=pages.__getitem__)
    return (
        f"{count} pages; the emptiest before the end of a chapter, page {number}, is filled "
        f"to {100 * pages[number]:.0f} %"
    )
