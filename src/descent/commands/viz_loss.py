"""`descent-viz-loss`: draw a test function, as a curve or as a surface."""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from descent.commands import pictures
from descent.landscapes import OBJECTIVES

LEAST_SAMPLES, MOST_SAMPLES = 2, {1: 1_000_000, 2: 1_000}


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the function that the arguments name, and say where the figure is."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    d = 1 if chosen.one_dim else 2
    objective = OBJECTIVES[chosen.function_name]
    if not LEAST_SAMPLES <= chosen.num_samples <= MOST_SAMPLES[d]:
        parser.error(
            f"--num_samples must be from {LEAST_SAMPLES} to {MOST_SAMPLES[d]} "
            f"in {d} dimension{'s' if d > 1 else ''}; got {chosen.num_samples}"
        )
    try:
        objective.check_dimension(d)
    except ValueError as error:
        hint = "leave out --one_dim" if chosen.one_dim else "add --one_dim"
        parser.error(f"{error}; {hint}")
    draw = pictures.line if chosen.one_dim else pictures.surface
    image = pictures.png(draw(objective, chosen.range, chosen.num_samples))
    path = chosen.output or Path("outputs") / f"{objective.name}_{d}d.png"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image)
    except OSError as error:
        parser.error(f"cannot write --output {path}: {error.strerror}")
    print(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="descent-viz-loss",
        description="Draw a test function, as a surface over two variables or as a curve over one.",
    )
    parser.add_argument(
        "--function_name",
        choices=list(OBJECTIVES),
        default="ackley",
        metavar="FUNCTION",
        help="%(choices)s; %(default)s without it",
    )
    parser.add_argument(
        "--range",
        type=_positive,
        default=40.0,
        metavar="R",
        help="draw each variable from -R to R; %(default)g without it",
    )
    parser.add_argument(
        "--num_samples",
        type=int,
        default=500,
        metavar="N",
        help="samples for each variable; %(default)s without it",
    )
    parser.add_argument(
        "--one_dim", action="store_true", help="draw the function of a single variable"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="PNG file to write; outputs/FUNCTION_1d.png or outputs/FUNCTION_2d.png without it",
    )
    return parser


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"must be a positive number; got {text!r}")
    return value
