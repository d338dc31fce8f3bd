"""Where the commands begin: with a line, and with what to install if a package is missing."""

import importlib
import sys
from pathlib import Path

from descent.commands import asked
from descent.extras import DISTRIBUTION, EXTRA_OF_ROOM

#: The checkout, if this is one.
CHECKOUT = Path(__file__).resolve().parents[3]


def train() -> None:
    """Run `descent-train`."""
    asked.answer(sys.argv[1:])
    _run("train")


def viz_loss() -> None:
    """Run `descent-viz-loss`."""
    _run("viz_loss")


def _run(command: str) -> None:
    """Call the command's main function; exit with a message if a package is missing."""
    try:
        module = importlib.import_module(f"descent.commands.{command}")
    except ModuleNotFoundError as error:
        sys.exit(f"this command needs {error.name}, which is not installed: {_remedy()}")
    module.main()


def _remedy() -> str:
    """Return the line that installs what is missing: from the checkout, where there is one."""
    extras = f"[{EXTRA_OF_ROOM['commands']}]"
    if (CHECKOUT / "pyproject.toml").exists():
        return f"pip install -e '{CHECKOUT}{extras}'"
    return f"pip install '{DISTRIBUTION}{extras}'"
