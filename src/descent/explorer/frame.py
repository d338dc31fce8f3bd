"""What stands around the picture of an explorer: its controls, its caption, its front end.

The front end (front.js) is one for the pages of the book and for notebooks; what differs is
where it gets its drawings from (page.js, kernel.js).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Protocol

from descent import figures
from descent.explorer.controls import Control
from descent.figures import inline_math

__all__ = [
    "Framed",
    "controls",
    "facts",
    "frame",
    "handle",
    "longest",
    "plain",
    "plain_caption",
    "script",
]

plain = inline_math.to_plain
MOST_FORMS = 12
"""How many captions are tried for the room that the longest needs."""


class Framed(Protocol):
    """What has a frame: controls, a caption for each state, and a way to play one of them."""

    name: str
    play: str | None
    pace: int
    controls: list[Control]

    def caption(self, **state: Any) -> str:
        """Return the caption of a state."""
        ...


def plain_caption(explorer: Framed, state: Mapping[str, Any]) -> str:
    """Return the caption of a state as plain text."""
    return plain(explorer.caption(**state))


@cache
def script(*sources: str) -> str:
    """Return the front end with some sources of drawings."""
    here = Path(__file__).parent
    return "\n".join((here / f"{name}.js").read_text(encoding="utf-8") for name in sources)


def longest(captions: Iterable[str]) -> list[str]:
    """Return the captions that may take the most lines, whatever the width: those of most letters.

    Of captions that differ in digits alone one is enough.

    Examples
    --------
    >>> longest(["A 1.", "A 2.", "A long one, 3."])
    ['A long one, 3.', 'A 1.']
    """
    forms: dict[str, str] = {}
    for caption in captions:
        forms.setdefault(re.sub(r"\d", "0", plain(caption)), caption)
    return [forms[form] for form in sorted(forms, key=len, reverse=True)[:MOST_FORMS]]


def frame(
    explorer: Framed,
    state: Mapping[str, Any],
    above: str,
    panels: str,
    below: str = "",
    captions: Iterable[str] = (),
) -> str:
    """Return an explorer as HTML: what stands above and below its picture, and the picture.

    The caption has the room of the longest of all captions, so that nothing below it moves.
    """
    caption = explorer.caption(**state)
    room = "".join(
        f"<span class='descent-room' aria-hidden='true'>{inline_math.to_html(text)}</span>"
        for text in longest(captions)
    )
    return (
        f"<figure class='descent-explorer' data-name='{explorer.name}'>"
        f"<style>{figures.stylesheet()}</style>{above}<div class='descent-stage'>"
        f"<div class='descent-panels' role='img' aria-label=\"{escape(plain(caption))}\">{panels}"
        f"</div></div><figcaption><span class='descent-said'>{inline_math.to_html(caption)}</span>"
        f"{room}</figcaption>{below}</figure>"
    )


def controls(explorer: Framed, more: str = "") -> str:
    """Return the controls, hidden until a script is there, and the announcer of captions."""
    alone: Sequence[str] = getattr(explorer, "in_picture", ())
    each = "".join(
        _control(control, explorer.play, explorer.pace, control.name in alone)
        for control in explorer.controls
    )
    return (
        f"<div class='descent-controls' hidden>{each}{more}</div>"
        "<div class='descent-announcer' aria-live='polite'></div>"
    )


def facts(explorer: Framed, handles: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the front end knows of the controls and of the handles."""
    return {
        "name": explorer.name,
        "names": {control.name: plain(control.label) for control in explorer.controls},
        "texts": {c.name: [plain(text) for text in c.texts] for c in explorer.controls},
        "values": {c.name: c.values for c in explorer.controls if c.numeric},
        "handles": handles,
    }


def handle(explorer: Framed, held: Sequence[str], panel: int, tile: int) -> dict[str, Any]:
    """Return what the front end knows of a handle of some controls, in a tile of a panel."""
    labels = {control.name: plain(control.label) for control in explorer.controls}
    label = " and ".join(labels[key] for key in held)
    return {"controls": held, "label": label, "panel": panel, "tile": tile}


def _control(control: Control, play: str | None, pace: int, hidden: bool) -> str:
    label = inline_math.to_html(control.label)
    name = escape(plain(control.label))
    box = f"<div class='descent-control'{' hidden' if hidden else ''}>"
    own = f"data-control='{control.name}' data-lm-suppress-shortcuts='true' aria-label=\"{name}\""
    if not control.numeric:
        options = "".join(
            f"<option value='{i}'{' selected' if i == control.default else ''}>"
            f"{escape(plain(text), quote=False)}</option>"
            for i, text in enumerate(control.texts)
        )
        return (
            f"{box}<label><span>{label}</span>"
            f"<select {own} autocomplete='off'>{options}</select></label></div>"
        )
    text = escape(plain(control.texts[control.default]), quote=False)
    last = len(control.values) - 1
    interval = max(pace, min(600, 6000 // (last + 1)))
    player = (
        f"<button type='button' class='descent-play' data-interval='{interval}'"
        f' aria-label="Play {name}"></button>'
        if control.name == play
        else ""
    )
    # The value is no live region of its own: the slider announces it.
    return (
        f"{box}{player}<label><span>{label}</span>"
        f"<input type='range' min='0' max='{last}' step='1' value='{control.default}' {own}"
        f" aria-valuetext=\"{escape(text)}\" autocomplete='off'></label>"
        f"<output aria-live='off'>{text}</output></div>"
    )
