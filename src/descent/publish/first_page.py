"""What the first page shows: the pit with its walkers, and a picture of each chapter."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from descent import claims
from descent.chapters.modelling_sgd import numbers
from descent.landscapes import two_datapoint

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT = -0.2, 3.6
"""The parameters at the edges of the picture."""
THUMBNAIL = (440, 248)


def _place(w: Any, loss: Any) -> tuple[Any, Any]:
    """Return where in the picture a parameter with its loss is drawn."""
    return WIDTH * (np.asarray(w) - LEFT) / (RIGHT - LEFT), 20 - 220 * np.asarray(loss)


def pit() -> str:
    """Return the loss of chapter 1 as a drawing, on which a script lets walkers descend."""
    w = np.concatenate(
        [np.linspace(LEFT, 0.7, 40), np.linspace(0.7, 1.3, 90), np.linspace(1.3, RIGHT, 80)]
    )
    x, y = _place(w, two_datapoint().loss(w))
    line = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
    start_x, start_y = _place(1.0, two_datapoint().loss(1.0))
    return (
        f'<figure class="descent-pit" data-left="{LEFT}" data-right="{RIGHT}" '
        f'data-barrier="{numbers.pit().barrier:.4f}">'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="A curve with a narrow pit '
        f'and, to the right of it, a wide well. Dots start in the pit.">'
        f'<path d="M{line}"/><circle r="6" cx="{start_x:.1f}" cy="{start_y:.1f}"/></svg>'
        "<figcaption><p>A parameter lies in a narrow pit, and only the randomness of the data can "
        'carry it out: how soon does it?</p><div class="pst-js-only"><label>step size '
        '<input type="range" min="1" max="20" value="6" autocomplete="off"> <output></output>'
        '</label><button type="button">Start again</button><p class="descent-pit-count"></p>'
        "</div></figcaption></figure>"
    )


def leading_picture(run: Any) -> tuple[bytes, str] | None:
    """Return the still of a chapter's first explorer with its words, or None if it has none."""
    for cell in run.cells:
        for output in cell.get("outputs", []):
            if "explorer" in output.get("metadata", {}).get("descent", {}):
                data = output["data"]
                return base64.b64decode(data["image/png"]), data["text/plain"]
    return None


def thumbnail(still: bytes) -> bytes:
    """Return a picture as a small one on white, which has the same size for each chapter."""
    with Image.open(io.BytesIO(still)) as picture:
        width, height = picture.size
        # The upper part of what is tall: a page's width of it.
        part = picture.convert("RGB").crop((0, 0, width, min(height, round(width * 0.62))))
        part.thumbnail((THUMBNAIL[0] - 16, THUMBNAIL[1] - 16), Image.Resampling.LANCZOS)
        card = Image.new("RGB", THUMBNAIL, "white")
        card.paste(part, ((THUMBNAIL[0] - part.width) // 2, (THUMBNAIL[1] - part.height) // 2))
    buffer = io.BytesIO()
    card.quantize(64).save(buffer, "png", optimize=True)
    return buffer.getvalue()


def thumbnails(runs: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the pictures of the chapters by the names of their files."""
    found = {chapter: leading_picture(run) for chapter, run in runs.items()}
    return {f"{chapter}.png": thumbnail(one[0]) for chapter, one in found.items() if one}


def _named(source: str) -> str:
    known = source in claims.DOCUMENTS
    return (
        f"Source {source}, {claims.DOCUMENTS[source]}"
        if known
        else f"{source} sources".capitalize()
    )


def chapter_map(runs: Mapping[str, Any], chapters: Path) -> str:
    """Return the chapters with their pictures, as HTML; those that are built are links."""
    items = []
    for number, entry in enumerate(yaml.safe_load(chapters.read_text(encoding="utf-8")), start=1):
        chapter, title = entry["file"], escape(entry["title"])
        label = title if entry.get("closing") else f"{number}. {title}"
        picture = ""
        if chapter in runs:
            label = f'<a href="../notebooks/{chapter}.html">{label}</a>'
            if leading_picture(runs[chapter]):
                picture = (
                    f'<img src="../_static/chapters/{chapter}.png" alt="" loading="lazy" '
                    f'width="{THUMBNAIL[0]}" height="{THUMBNAIL[1]}">'
                )
        items.append(
            f"<li>{picture}<strong>{label}</strong><span>{escape(entry['teaser'])}</span>"
            f"<small>{escape(_named(entry['source']))}</small></li>"
        )
    return f'<ol class="descent-chapters">{"".join(items)}</ol>'
