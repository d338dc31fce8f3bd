"""What a page loads before a reader sees it: as little as there need be.

On a slow line the first screen waits for the styles alone. Scripts wait until the page is read,
the style of the pictures is told once, and the states of all explorers but the first lie in files
beside the page, which come when a reader comes near.
"""

from __future__ import annotations

import re
from pathlib import Path

from descent.figures import stylesheet
from descent.files import write_whole

__all__ = ["lighter"]

_SOURCE = re.compile(r"<script(?![^>]*\b(?:defer|async|type)\b)([^>]*\bsrc=\"[^\"]+\"[^>]*)>")
# A line of each page's own asks for what this one defines.
_FIRST = "documentation_options.js"
_SEARCH = "searchtools.js"
_PRELOAD = re.compile(r"[ \t]*<link rel=\"preload\" as=\"script\"[^>]*>\n?")
# The packed states of an explorer, and the script that takes them.
_STATES = re.compile(
    r"<script type='application/octet-stream' data-of='([^']+)' class='descent-data'>([^<]*)"
    r"</script>\s*<script>(\(\(\) => \{.*?\}\)\(\);)</script>",
    re.DOTALL,
)
_FIGURE = r"<figure\b[^>]*\bdata-name='{}'"
_LOADER = Path(__file__).with_name("late_states.js")


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


def states_beside(page: str, folder: Path, address: str) -> str:
    """Return a page whose explorers but the first find their states in files beside it.

    Scripts they are, since a page on a disk may read nothing else from there.

    Parameters
    ----------
    page
        The page with all states in it.
    folder
        Where the files go, one for each explorer, under its name.
    address
        The folder as the page calls it.
    """
    late = list(_STATES.finditer(page))[1:]
    for states in late:
        name, packed, front_end = states.groups()
        kept = (
            "{const data = document.createElement('script');"
            "data.type = 'application/octet-stream';"
            f"data.className = 'descent-data'; data.dataset.of = '{name}';"
            f"data.textContent = '{packed}'; document.body.append(data);}}\n{front_end}\n"
        )
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / f"{name}.js", kept)
        page = page.replace(states[0], "", 1)
        figure = re.search(_FIGURE.format(name), page)
        if figure is None:
            raise ValueError(f"the states of {name} belong to no explorer of their page")
        page = f"{page[: figure.end()]} data-states='{address}/{name}.js'{page[figure.end() :]}"
    if not late:
        return page
    body, end, rest = page.rpartition("</body>")
    return f"{body}<script>{_LOADER.read_text(encoding='utf-8')}</script>{end}{rest}"


def lighter(page: str, folder: Path, address: str) -> str:
    """Return a page that a reader sees sooner; the parameters are those of `states_beside`."""
    return states_beside(styled_once(deferred(page)), folder, address)
