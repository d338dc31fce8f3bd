"""What a command line of `descent-train` asks for, read before anything slow is loaded.

PyTorch and Hydra take seconds. A reader sees a line before that, and a name that there is not
is answered without them.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from descent.arguments import check_choice

CONFIGURATION = Path(__file__).parent / "configuration"
HELP = {"--help", "-h", "--hydra-help"}
#: What Hydra answers by itself, some of it for other programs to read.
HYDRAS = HELP | {"--cfg", "-c", "--info", "-i", "--version", "-sc"}
HYDRAS |= {"--shell-completion"}


def answer(arguments: Sequence[str]) -> None:
    """Say in a line what the arguments ask for; stop with another if there is no such thing.

    Only plain choices are read, ``model=mlp9`` or ``lossfun=ackley,griewank``. All else is left
    to Hydra, and a configuration of the reader's own as well.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config-name", "-cn", default="config")
    parser.add_argument("--config-path", "-cp", "--config-dir", "-cd", dest="elsewhere")
    chosen, overrides = parser.parse_known_args(arguments)
    if chosen.elsewhere is not None:
        return
    name = chosen.config_name.removesuffix(".yaml")
    try:
        check_choice("--config-name", name, _stems(CONFIGURATION))
        models = _chosen("model", overrides) or ["mlp9"]
        for model in models:
            check_choice("model", model, _stems(CONFIGURATION / "model"))
        functions = _chosen("lossfun", overrides) or ["ackley"]
        if HELP.intersection(overrides):  # beside the answer, which programs may read
            print("descent-train: loading PyTorch to list the settings …", file=sys.stderr)
        if not any(argument.split("=")[0] in HYDRAS for argument in overrides):
            what, through = ", ".join(functions), ", ".join(models)
            print(f"descent-train: {what} through {through}; loading PyTorch …", flush=True)
        if _chosen("lossfun", overrides):
            from descent.landscapes import OBJECTIVES

            for function in functions:
                check_choice("lossfun", function, OBJECTIVES)
    except ValueError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def _stems(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.yaml"))


def _chosen(name: str, overrides: Sequence[str]) -> list[str]:
    """Return the plain words that the last override of a name chooses, [] if it has none."""
    chosen = [text.partition("=")[2] for text in overrides if text.startswith(f"{name}=")]
    return chosen[-1].split(",") if chosen and re.fullmatch(r"[\w,]+", chosen[-1]) else []
