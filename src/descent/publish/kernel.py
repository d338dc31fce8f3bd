"""A kernel, and the client that executes a notebook in it: neither harms the driver or its page."""

from __future__ import annotations

import os
from queue import Empty
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete

__all__ = ["Client", "Manager"]

# How long, in seconds, a notebook's last outputs may take to come after its end.
LATE_SECONDS = 0.3
_SHOWN = {"display_data", "error", "execute_result", "stream"}


class Manager(AsyncKernelManager):
    """Never takes the process group of this process for that of its kernel."""

    async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
        await super()._async_launch_kernel(kernel_cmd, **kw)
        # An interruption of the group also kills a child that has not left it yet; to end such a
        # kernel by its group would kill the driver and whatever started it.
        kernel = self.provisioner
        if isinstance(kernel, LocalProvisioner) and kernel.pgid == os.getpgrp():
            kernel.pgid = None


class Client(NotebookClient):
    """Keeps what a cell shows after it has ended: its threads, tasks and children do.

    By itself nbclient overlooks each message of another cell than the one at work.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._places: dict[str, tuple[Any, int]] = {}

    async def async_execute_cell(self, cell: Any, cell_index: int, *args: Any, **kw: Any) -> Any:
        """Execute a cell, and after the last one wait for what is late."""
        done = await super().async_execute_cell(cell, cell_index, *args, **kw)
        assert self.kc is not None  # it executes
        while cell_index + 1 == len(self.nb["cells"]):
            try:
                self._take(await self.kc.iopub_channel.get_msg(timeout=LATE_SECONDS))
            except Empty:
                break
        return done

    async def _async_poll_output_msg(self, parent_msg_id: str, cell: Any, cell_index: int) -> None:
        assert self.kc is not None  # it executes
        self._places[parent_msg_id] = cell, cell_index
        while True:
            message = await self.kc.iopub_channel.get_msg(timeout=None)
            if message["parent_header"].get("msg_id") != parent_msg_id:
                self._take(message)
                continue
            try:
                self.process_message(message, cell, cell_index)
            except CellExecutionComplete:
                return

    def _take(self, message: Any) -> None:
        """Show a message that comes late below its cell."""
        place = self._places.get(message["parent_header"].get("msg_id"))
        if place is not None and message["msg_type"] in _SHOWN:
            self.process_message(message, *place)
