"""An explorer in the rendered book: its states drawn in advance, as HTML.

The HTML shows the default state without any script.  The script uncovers the controls
and swaps the contents of the picture's slots.
"""

import base64
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from descent import figures
from descent.explorer.frame import controls, facts, frame, handle, script
from descent.explorer.grab import check_apart, spot
from descent.explorer.states import States
from descent.figures import inline_math
from descent.figures.display_list import Entry, Picture, Recorder, combine, drawing
from descent.figures.svg import UnsupportedError, data_uri

__all__ = ["LINK", "page", "scripts", "state_html"]

MODERATE_BYTES = 1_000_000
"""Size of a panel's curves from which frames are tried as well."""
MOST_FRAMES = 200
LINK = (
    "<button type='button' class='descent-link' aria-label='Copy link' title='Copy link'>"
    "<svg viewBox='0 0 16 16' aria-hidden='true'><path d='M6.2 9.8l3.6-3.6M7 4.6l1.6-1.6a3.1 3.1 0"
    " 0 1 4.4 4.4L11.4 9M9 11.4L7.4 13A3.1 3.1 0 0 1 3 8.6L4.6 7'/></svg></button>"
)
"""Beside the controls: it copies the address of the state."""


def page(explorer: States) -> str:
    """Return the self-contained HTML of an explorer."""
    drawn, data, handles = [], [], []
    for index in range(len(explorer.panels)):
        markup, panel, held = _panel(explorer, index)
        drawn.append(f"<div class='descent-panel'>{markup}</div>")
        data.append(panel)
        handles += held
    takes = explorer.caption_takes
    captions = [explorer.caption(**state) for state in explorer.grid(takes)]
    said = _radix(explorer, takes) | _captions(captions)
    payload = facts(explorer, handles) | {"panels": data, "captions": said}
    return frame(
        explorer,
        explorer.default,
        controls(explorer, LINK),
        "".join(drawn),
        scripts(payload, "front", "page"),
        captions,
    )


def scripts(payload: Mapping[str, Any], *sources: str) -> str:
    """Return what the page carries for its script, and the script, of some sources."""
    # The paths of neighbouring states are alike: deflated they take a tenth of the room.
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    encoded = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    return (
        f"<script type='application/octet-stream' data-of='{payload['name']}' "
        f"class='descent-data'>{encoded}</script>"
        f'<script>(() => {{\n"use strict";\n{script(*sources)}}})();</script>'
    )


def state_html(explorer: States, state: Mapping[str, Any]) -> str:
    """Return a single state as HTML: what a live kernel shows."""
    drawn = []
    for index in range(len(explorer.panels)):
        figure = explorer.panel_figure(index, state)
        drawn.append(f"<div class='descent-panel'>{_one(figure, explorer.render)}</div>")
    return frame(explorer, state, "", "".join(drawn))


def _one(figure: Any, render: str) -> str:
    if render != "frames":
        try:
            with figures.style():
                return drawing(figure)
        except UnsupportedError:
            if render == "curves":
                raise
    return figures.image_html(figures.pixels(figure))


def _captions(captions: Sequence[str]) -> dict[str, Any]:
    """Return every caption once; the script takes the plain text from the HTML."""
    distinct: dict[str, int] = {}
    states = [distinct.setdefault(text, len(distinct)) for text in captions]
    return {"rows": [inline_math.to_html(text) for text in distinct], "states": states}


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


def _panel(explorer: States, index: int) -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
    """Draw all states of a panel, as curves or as frames, whichever serves, with its handles."""
    _, takes = explorer.panels[index]
    facts = _radix(explorer, takes)
    by_frames = explorer.render == "frames"
    by_curves = explorer.render == "curves" or any(g.handle.panel == index for g in explorer.grabs)
    handles: list[dict[str, Any]] = []
    if not by_frames:
        try:
            picture, handles = _curves(explorer, index)
        except UnsupportedError as error:
            if by_curves:
                raise ValueError(
                    f"explorer {explorer.name} cannot be drawn as curves: {error}"
                ) from None
            by_frames = True
    if by_frames:
        markup, data = _frames(explorer, index)
        return markup, facts | data, []
    data = {
        "templates": picture.templates,
        "contents": picture.contents,
        "states": picture.states,
    }
    chosen = picture.markup, data
    few = len(picture.states) <= MOST_FRAMES
    if not by_curves and few and _size(chosen) > MODERATE_BYTES:
        frames = _frames(explorer, index)
        if _size(frames) < _size(chosen):
            chosen = frames
    return chosen[0], facts | chosen[1], handles


def _size(panel: tuple[str, dict[str, Any]]) -> int:
    return len(panel[0]) + len(json.dumps(panel[1], ensure_ascii=False))


def _curves(explorer: States, index: int) -> tuple[Picture, list[dict[str, Any]]]:
    """Draw all states of a panel as curves; its handles with their place in each."""
    _, takes = explorer.panels[index]
    states = explorer.grid(takes)
    default = _default_index(explorer, takes)
    grabs = [grab for grab in explorer.grabs if grab.handle.panel == index]
    recorder = Recorder()
    lists: list[list[Entry]] = [[] for _ in states]
    spots = {grab: [[0, 0] for _ in states] for grab in grabs}
    with figures.style():  # once: entering a style takes as long as a small drawing
        for at in sorted(range(len(states)), key=lambda at: at != default):  # the default first
            figure = explorer.panel_figure(index, states[at])
            lists[at] = recorder.record(figure)
            for grab in grabs:
                spots[grab][at] = spot(grab, figure, states[at])
    handles = []
    for grab, places in spots.items():
        check_apart(grab, states, places)
        tile = recorder.tile(grab.handle.axes)
        own = handle(explorer, grab.controls, grab.handle.panel, tile)
        handles.append(own | {"places": places})
    return combine(lists, recorder.tiles, default), handles


def _frames(explorer: States, index: int) -> tuple[str, dict[str, Any]]:
    _, takes = explorer.panels[index]
    states = explorer.grid(takes)
    distinct: dict[str, int] = {}
    shown = []
    sizes = set()
    for state in states:
        image = figures.pixels(explorer.panel_figure(index, state))
        sizes.add(image.shape)
        shown.append(distinct.setdefault(data_uri(image), len(distinct)))
    if len(sizes) > 1:
        raise ValueError(f"explorer {explorer.name}: the size of the figure differs between states")
    default = states[_default_index(explorer, takes)]
    markup = figures.image_html(figures.pixels(explorer.panel_figure(index, default)))
    return markup, {"frames": list(distinct), "states": shown}
