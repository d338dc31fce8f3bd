"""What a page loads before a reader sees it: as little as there need be.

On a slow line the first screen waits for the styles alone. Scripts wait until the page is read,
the style of the pictures is told once, and the states of all explorers but the first come after
the words.
"""

from __future__ import annotations

import re

from descent.figures import stylesheet

__all__ = ["lighter"]

_SOURCE = re.compile(r"<script(?![^>]*\b(?:defer|async|type)\b)([^>]*\bsrc=\"[^\"]+\"[^>]*)>")
# A line of each page's own asks for what this one defines.
_FIRST = "documentation_options.js"
_SEARCH = "searchtools.js"
_PRELOAD = re.compile(r"[ \t]*<link rel=\"preload\" as=\"script\"[^>]*>\n?")
# The packed states of an explorer, and the script that takes them.
_STATES = re.compile(
    r"<script type='application/octet-stream'[^>]*class='descent-data'>[^<]*</script>\s*"
    r"<script>\(\(\) => \{.*?\}\)\(\);</script>",
    re.DOTALL,
)


def deferred(page: str) -> str:
    """Return a page whose scripts are loaded beside it, and run when it is read.

    Not that of the search, whose scripts would begin before the last of them is there.

    Examples
    --------
    >>> deferred('<script src="a.js"></script><script>a()</script>')
    '<script defer src="a.js"></script><script>a()</script>'
    """
    if _SEARCH in page:
        return page

    def wait(script: re.Match[str]) -> str:
        return script[0] if _FIRST in script[1] else f"<script defer{script[1]}>"

    return _PRELOAD.sub("", _SOURCE.sub(wait, page))


def styled_once(page: str) -> str:
    """Return a page that tells the style of pictures once, before all of them."""
    style = f"<style>{stylesheet()}</style>"
    if style not in page:
        return page
    return page.replace(style, "").replace("</head>", f"{style}</head>", 1)


def states_last(page: str) -> str:
    """Return a page that has the states of all explorers but the first at its end."""
    late = [found[0] for found in _STATES.finditer(page)][1:]
    for states in late:
        page = page.replace(states, "", 1)
    body, end, rest = page.rpartition("</body>")
    return f"{body}{''.join(late)}{end}{rest}" if late else page


def lighter(page: str) -> str:
    """Return a page that a reader sees sooner."""
    return states_last(styled_once(deferred(page)))
