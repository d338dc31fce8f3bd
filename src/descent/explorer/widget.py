"""An explorer in a live kernel: widgets that call the draw functions."""

import traceback
from html import escape
from typing import Any

from descent import figures
from descent.explorer import page
from descent.explorer.states import States

__all__ = ["widget"]


def widget(explorer: States) -> Any:
    """Return a box with the controls of an explorer and its picture.

    The picture is drawn as on the page. An error while drawing is shown in its
    place, with the traceback.
    """
    import ipywidgets

    controls: dict[str, Any] = {}
    rows = []
    for control in explorer.controls:
        kind = ipywidgets.SelectionSlider if control.numeric else ipywidgets.Dropdown
        chooser = kind(
            options=list(zip(control.texts, control.values, strict=True)),
            value=control.values[control.default],
            description=page.plain(control.label),
            style={"description_width": "initial"},
            layout={"width": "min(100%, 22em)"},
        )
        controls[control.name] = chooser
        rows.append(chooser)
        if control.name == explorer.play:
            last = len(control.values) - 1
            player = ipywidgets.Play(min=0, max=last, interval=max(60, 6000 // (last + 1)))
            ipywidgets.link((player, "value"), (chooser, "index"))
            rows.append(player)
    picture = ipywidgets.HTML()

    def redraw(_: object = None) -> None:
        state = {name: chooser.value for name, chooser in controls.items()}
        try:
            picture.value = page.state_html(explorer, state)
        except Exception:
            picture.value = f"<pre class='descent-error'>{escape(traceback.format_exc())}</pre>"

    for chooser in controls.values():
        chooser.observe(redraw, names="value")
    redraw()
    sheet = ipywidgets.HTML(f"<style>{figures.stylesheet()}</style>")
    return ipywidgets.VBox(
        [sheet, ipywidgets.HBox(rows, layout={"flex_flow": "row wrap"}), picture]
    )
