"""What a browser lets a page load: nothing from another place.

The policy stands in the page itself, so that it holds from disk and from any server, and
whatever a cell has put into the page. One document may ask another host, that of Pyodide; it
is not there until a reader presses the button.
"""

from __future__ import annotations

import re

__all__ = ["PAGE", "frame", "with_policy"]

# Scripts and styles may stand in the page, as those of the explorers do; what they ask for
# comes from beside the page. Pictures of matplotlib and states of explorers are data in it.
PAGE = (
    "default-src 'none'; "
    "script-src 'self' 'unsafe-inline'; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; "
    "media-src 'self' data: blob:; "
    "font-src 'self' data:; "
    "connect-src 'self'; "
    "frame-src 'self'; "
    "manifest-src 'self'; "
    "base-uri 'none'; "
    "form-action 'self'"
)
_HEAD = re.compile(r"<head\b[^>]*>")


def frame(home: str) -> str:
    """Return the policy of the document that runs Python, which may load from a folder.

    Parameters
    ----------
    home
        The address of the folder, with a slash at its end.
    """
    return (
        "default-src 'none'; "
        f"script-src 'self' 'wasm-unsafe-eval' {home}; "
        f"connect-src {home}; "
        "worker-src data: blob:; "
        "base-uri 'none'; "
        "form-action 'none'"
    )


def with_policy(page: str, policy: str = PAGE) -> str:
    """Return a page that has a policy before all that could load something.

    Examples
    --------
    >>> with_policy("<html><head><title>T</title></head></html>", "default-src 'none'")[:40]
    '<html><head><meta http-equiv="Content-Se'
    """
    tag = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    head = _HEAD.search(page)
    place = head.end() if head else 0  # a page that only leads to another has no head
    return f"{page[:place]}{tag}{page[place:]}"
