"""What programs write for a terminal: of its sequences a page knows the colours alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["for_page", "nearest_of_256"]

# Colours; commands such as "clear the line"; texts for the terminal, links among them; the rest.
_SEQUENCE = re.compile(
    r"\x1b\[(?P<colours>[\d;:]*)m"
    r"|\x1b\[[0-?]*[ -/]*[@-~]?"
    r"|\x1b[]PX^_].*?(?:\x07|\x1b\\|\Z)"
    r"|\x1b[ -/]*[0-~]?",
    re.DOTALL,
)
_FRONT, _BACK = 38, 48


def nearest_of_256(red: int, green: int, blue: int) -> int:
    """Return the number of a terminal's colour nearest to a true one.

    Of 256 colours, those from 16 to 231 are a cube of six levels a side.

    Examples
    --------
    >>> nearest_of_256(255, 0, 0)
    196
    """
    levels = (0, 95, 135, 175, 215, 255)
    r, g, b = (min(range(6), key=lambda i: abs(levels[i] - value)) for value in (red, green, blue))
    return 16 + 36 * r + 6 * g + b


def _numbers(colours: str) -> Iterator[int]:
    """Yield the numbers of a sequence, those with colons as if they were written without."""
    for part in colours.split(";"):
        first, *others = [int(number or 0) for number in part.split(":")]
        if not others:
            yield first
        elif first in (_FRONT, _BACK) and others[0] == 2:
            yield from (first, 2, *others[-3:])  # a number of the space of colours may come before
        elif first in (_FRONT, _BACK):
            yield from (first, *others)


def _known(colours: str) -> Iterator[int]:
    """Yield the numbers that pages know in place of those of a sequence."""
    waiting = list(_numbers(colours))
    while waiting:
        number = waiting.pop(0)
        if number in (_FRONT, _BACK) and waiting[:1] == [2] and len(waiting) >= 4:
            yield from (number, 5, nearest_of_256(*waiting[1:4]))
            del waiting[:4]
        elif number in (_FRONT, _BACK):
            yield from (number, *waiting[:2])
            del waiting[:2]
        elif 90 <= number < 98 or 100 <= number < 108:  # the bright ones of sixteen
            yield from (_FRONT if number < 98 else _BACK, 5, 8 + number % 10)
        else:
            yield number


def for_page(text: str) -> str:
    r"""Return a text whose colours are of the 256 that pages know, without other sequences.

    Examples
    --------
    >>> for_page("\x1b[2K\x1b[38;2;255;0;0mred\x1b[0m")
    '\x1b[38;5;196mred\x1b[0m'
    """

    def known(found: re.Match[str]) -> str:
        if found["colours"] is None:
            return ""
        return f"\x1b[{';'.join(map(str, _known(found['colours'])))}m"

    return _SEQUENCE.sub(known, text)
