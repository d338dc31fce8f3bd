"""`descent-viz-loss`: draw a test function, as a curve or as a surface."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from descent.arguments import check_real
from descent.files import reason
from descent.landscapes import OBJECTIVES

MOST_SAMPLES = {1: 1_000_000, 2: 1_000}


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the function that the arguments name, and say where the figure is."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    objective = OBJECTIVES[chosen.function_name]
    d = 1 if chosen.one_dim or objective.dimension == 1 else 2
    path = chosen.output or Path("outputs") / f"{objective.name}_{d}d.png"
    try:
        check_real("--range", chosen.range, above=0)
        check_real("--num_samples", chosen.num_samples, least=2, most=MOST_SAMPLES[d])
        try:
            objective.check_dimension(d)
        except ValueError as error:
            raise ValueError(f"{error}; leave out --one_dim") from None
        # matplotlib takes a while to load; what is printed is read by people, what is returned
        # on stdout by programs, too.
        where = f"[{-chosen.range:g}, {chosen.range:g}]{'²' if d == 2 else ''}"
        print(f"drawing {objective.name} on {where} …", file=sys.stderr, flush=True)
        from descent.commands import pictures

        draw = pictures.line if d == 1 else pictures.surface
        image = pictures.png(draw(objective, chosen.range, chosen.num_samples))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image)
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"--output {path}: {reason(error)}")
    print(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="descent-viz-loss",
        description="Draw a test function, as a surface over two variables or as a curve over one.",
    )
    add = parser.add_argument
    add(
        "--function_name",
        choices=list(OBJECTIVES),
        default="ackley",
        metavar="FUNCTION",
        help="%(choices)s; %(default)s without it",
    )
    add(
        "--range",
        type=float,
        default=40.0,
        metavar="R",
        help="draw each variable from -R to R; %(default)g without it",
    )
    add(
        "--num_samples",
        type=int,
        default=500,
        metavar="N",
        help="samples for each variable; %(default)s without it",
    )
    add("--one_dim", action="store_true", help="draw the function of a single variable")
    add(
        "--output",
        type=Path,
        metavar="FILE",
        help="PNG file to write; outputs/FUNCTION_1d.png or outputs/FUNCTION_2d.png without it",
    )
    return parser
