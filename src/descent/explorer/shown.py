"""What a notebook shows of a picture with controls."""

import os
from abc import abstractmethod
from typing import Any

from descent.explorer.controls import Value
from descent.explorer.frame import Framed, plain_caption

__all__ = ["Shown"]


class Shown(Framed):
    """A picture with controls: live where a kernel is, and as it stands in a page or on paper.

    The environment variable DESCENT_RENDER says which: "live", or "static" for the page.
    """

    @property
    def default(self) -> dict[str, Value]:
        """The state shown first."""
        return {control.name: control.values[control.default] for control in self.controls}

    @abstractmethod
    def still(self) -> bytes:
        """Return the default state as PNG."""

    @abstractmethod
    def widget(self) -> Any:
        """Return a live widget: the front end of the page, beside a kernel."""

    @abstractmethod
    def static(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what a page shows by media type, and its metadata."""

    def without_script(self, still: bytes | None = None) -> dict[str, Any]:
        """Return what shows a saved notebook where no kernel is: the picture and its caption."""
        return {
            "image/png": self.still() if still is None else still,
            "text/plain": plain_caption(self, self.default),
        }

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        mode = os.environ.get("DESCENT_RENDER", "live")
        if mode == "live":
            widget = self.widget()
            shown, metadata = widget._repr_mimebundle_(include=include, exclude=exclude)
            return {**shown, **self.without_script(widget.still())}, metadata
        if mode != "static":
            raise ValueError(f"DESCENT_RENDER must be static or live, got {mode!r}")
        return self.static()
