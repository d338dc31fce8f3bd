"""Where the commands begin: they say what to install if a package is missing."""

import importlib
import sys

from descent.extras import DISTRIBUTION, EXTRA_OF_ROOM


def train() -> None:
    """Run `descent-train`."""
    _run("train")


def viz_loss() -> None:
    """Run `descent-viz-loss`."""
    _run("viz_loss")


def _run(command: str) -> None:
    """Call the command's main function; exit with a message if a package is missing."""
    try:
        module = importlib.import_module(f"descent.commands.{command}")
    except ModuleNotFoundError as error:
        sys.exit(
            f"this command needs {error.name}, which is not installed: "
            f"pip install '{DISTRIBUTION}[{EXTRA_OF_ROOM['commands']}]'"
        )
    module.main()
