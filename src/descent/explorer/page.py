"""An explorer in the rendered book: its states drawn in advance, as HTML.

The HTML shows the default state without any script.  The script (explorer.js)
uncovers the controls and swaps the contents of the picture's slots.
"""

import base64
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from descent import figures
from descent.explorer.controls import Control
from descent.explorer.states import States
from descent.figures import inline_math
from descent.figures.display_list import Picture, Recorder, combine, drawing
from descent.figures.svg import UnsupportedError, data_uri

__all__ = ["page", "plain", "plain_caption", "state_html"]

MODERATE_BYTES = 1_000_000
"""Size of a panel's curves from which frames are tried as well."""
MOST_FRAMES = 200

plain = inline_math.to_plain


def plain_caption(explorer: States, state: Mapping[str, Any]) -> str:
    """Return the caption of a state as plain text."""
    return plain(explorer.caption(**state))


@cache
def _script() -> str:
    return (Path(__file__).parent / "explorer.js").read_text(encoding="utf-8")


def page(explorer: States) -> str:
    """Return the self-contained HTML of an explorer."""
    drawn, data = [], []
    for index in range(len(explorer.panels)):
        markup, panel = _panel(explorer, index)
        drawn.append(f"<div class='descent-panel'>{markup}</div>")
        data.append(panel)
    captions = _captions(explorer)
    payload = {
        "controls": [control.name for control in explorer.controls],
        "texts": {c.name: [plain(text) for text in c.texts] for c in explorer.controls},
        "panels": data,
        "captions": captions,
    }
    # The paths of neighbouring states are alike: deflated they take a tenth of the room.
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    encoded = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    controls = "".join(_control(control, explorer.play) for control in explorer.controls)
    return _frame(
        explorer,
        explorer.default,
        f"<div class='descent-controls' hidden>{controls}</div>",
        "".join(drawn),
        "<div class='descent-announcer' aria-live='polite'></div>"
        f"<script type='application/octet-stream' class='descent-data'>{encoded}</script>"
        f"<script>{_script()}</script>",
    )


def state_html(explorer: States, state: Mapping[str, Any]) -> str:
    """Return a single state as HTML: what a live kernel shows."""
    drawn = []
    for index in range(len(explorer.panels)):
        figure = explorer.panel_figure(index, state)
        drawn.append(f"<div class='descent-panel'>{_one(figure, explorer.render)}</div>")
    return _frame(explorer, state, "", "".join(drawn), "")


def _one(figure: Any, render: str) -> str:
    if render != "frames":
        try:
            with figures.style():
                return drawing(figure)
        except UnsupportedError:
            if render == "curves":
                raise
    return figures.image_html(figures.pixels(figure))


def _frame(
    explorer: States, state: Mapping[str, Any], controls: str, panels: str, scripts: str
) -> str:
    caption = explorer.caption(**state)
    alt = escape(plain(caption))
    return (
        f"<figure class='descent-explorer' data-name='{explorer.name}'>"
        f"<style>{figures.stylesheet()}</style>{controls}"
        f"<div class='descent-panels' role='img' aria-label=\"{alt}\">{panels}</div>"
        f"<figcaption>{inline_math.to_html(caption)}</figcaption>{scripts}</figure>"
    )


def _control(control: Control, play: str | None) -> str:
    label = inline_math.to_html(control.label)
    name = escape(plain(control.label))
    own = f"data-control='{control.name}' data-lm-suppress-shortcuts='true' aria-label=\"{name}\""
    if not control.numeric:
        options = "".join(
            f"<option value='{i}'{' selected' if i == control.default else ''}>"
            f"{escape(plain(text), quote=False)}</option>"
            for i, text in enumerate(control.texts)
        )
        return (
            f"<div class='descent-control'><label><span>{label}</span>"
            f"<select {own} autocomplete='off'>{options}</select></label></div>"
        )
    text = escape(plain(control.texts[control.default]), quote=False)
    last = len(control.values) - 1
    interval = max(60, min(600, 6000 // (last + 1)))
    player = (
        f"<button type='button' class='descent-play' data-interval='{interval}'"
        f' aria-label="Play {name}"></button>'
        if control.name == play
        else ""
    )
    # The value is no live region of its own: the slider announces it.
    return (
        f"<div class='descent-control'>{player}<label><span>{label}</span>"
        f"<input type='range' min='0' max='{last}' step='1' value='{control.default}' {own}"
        f" aria-valuetext=\"{escape(text)}\" autocomplete='off'></label>"
        f"<output aria-live='off'>{text}</output></div>"
    )


def _captions(explorer: States) -> dict[str, Any]:
    """Return every caption once; the script takes the plain text from the HTML."""
    takes = explorer.caption_takes
    distinct: dict[str, int] = {}
    states = [
        distinct.setdefault(explorer.caption(**state), len(distinct))
        for state in explorer.grid(takes)
    ]
    rows = [inline_math.to_html(text) for text in distinct]
    return {**_radix(explorer, takes), "rows": rows, "states": states}


def _radix(explorer: States, takes: Sequence[str]) -> dict[str, Any]:
    """Return the controls that number the states of a panel, and their strides."""
    sizes = [len(explorer.control(key).values) for key in takes]
    strides = [math.prod(sizes[i + 1 :]) for i in range(len(sizes))]
    return {"takes": list(takes), "strides": strides}


def _default_index(explorer: States, takes: Sequence[str]) -> int:
    radix = _radix(explorer, takes)["strides"]
    return sum(
        explorer.control(key).default * stride for key, stride in zip(takes, radix, strict=True)
    )


def _panel(explorer: States, index: int) -> tuple[str, dict[str, Any]]:
    """Draw all states of a panel, as curves or as frames, whichever serves."""
    _, takes = explorer.panels[index]
    facts = _radix(explorer, takes)
    if explorer.render == "frames":
        markup, data = _frames(explorer, index)
        return markup, {**facts, **data}
    try:
        picture = _curves(explorer, index)
    except UnsupportedError as error:
        if explorer.render == "curves":
            raise ValueError(
                f"explorer {explorer.name} cannot be drawn as curves: {error}"
            ) from None
        markup, data = _frames(explorer, index)
        return markup, {**facts, **data}
    data = {
        "templates": picture.templates,
        "contents": picture.contents,
        "states": picture.states,
    }
    chosen = picture.markup, data
    few = len(picture.states) <= MOST_FRAMES
    if explorer.render == "auto" and few and _size(chosen) > MODERATE_BYTES:
        frames = _frames(explorer, index)
        if _size(frames) < _size(chosen):
            chosen = frames
    return chosen[0], {**facts, **chosen[1]}


def _size(panel: tuple[str, dict[str, Any]]) -> int:
    return len(panel[0]) + len(json.dumps(panel[1], ensure_ascii=False))


def _curves(explorer: States, index: int) -> Picture:
    _, takes = explorer.panels[index]
    states = explorer.grid(takes)
    default = _default_index(explorer, takes)
    recorder = Recorder()
    with figures.style():  # once: entering a style takes as long as a small drawing
        first = recorder.record(explorer.panel_figure(index, states[default]))
        lists = [
            first if at == default else recorder.record(explorer.panel_figure(index, state))
            for at, state in enumerate(states)
        ]
    return combine(lists, recorder.tiles, default)


def _frames(explorer: States, index: int) -> tuple[str, dict[str, Any]]:
    _, takes = explorer.panels[index]
    states = explorer.grid(takes)
    distinct: dict[str, int] = {}
    shown = []
    sizes = set()
    for state in states:
        image = figures.pixels(explorer.panel_figure(index, state))
        sizes.add(image.shape)
        shown.append(distinct.setdefault(data_uri(image, quality=80), len(distinct)))
    if len(sizes) > 1:
        raise ValueError(f"explorer {explorer.name}: the size of the figure differs between states")
    default = states[_default_index(explorer, takes)]
    markup = figures.image_html(figures.pixels(explorer.panel_figure(index, default)), quality=80)
    return markup, {"frames": list(distinct), "states": shown}
