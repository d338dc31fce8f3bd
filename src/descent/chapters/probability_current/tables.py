"""Chapter 2: its tables."""

from collections.abc import Iterable

from descent import prose
from descent.chapters.probability_current import numbers

CURRENTS = {
    (0.5, 0.0): "$\\tfrac12 S^2 P'$",
    (0.5, 0.5): "$\\tfrac12 S\\,(S P)'$",
    (0.5, 1.0): "$\\tfrac12 (S^2 P)'$",
    (1.0, 1.0): "$\\tfrac12 S^2 P' + \\tfrac12 (S^2 P)'$",
}
"""The current of the noise by the exponents of a version."""
CALCULI = {0.0: "Fick", 1.0: "Stratonovich", 2.0: "Itô"}


def versions() -> str:
    """Return a Markdown table of the source's versions: current, stationary law, calculus."""
    rows = []
    for v in numbers.VERSIONS:
        law = f"$S^{{-{v.exponent:g}}}$" if v.exponent else "$1$"
        rows.append([v.name, CURRENTS[v.alpha, v.beta], law, CALCULI[v.exponent]])
    return prose.table(["Version", "$-J/T^2$ at $G = 0$", "$P \\propto$", "Calculus"], rows, "llll")


def _cells(rates: Iterable[float]) -> list[str]:
    return [prose.fixed(rate, 4) if abs(rate) > 1e-9 else "0" for rate in rates]


def rates() -> str:
    """Return a Markdown table of how moments change in a step, for the chain and each version."""
    rows = [["**the chain**", *_cells(numbers.chain_rates())]]
    for v in numbers.VERSIONS:
        rows.append([f"{v.name}: current", *_cells(numbers.rates(v, printed=False))])
        if v.equation is not None:
            rows.append([f"{v.name}: equation", *_cells(numbers.rates(v, printed=True))])
    return prose.table(["Rate per step, over $T^2$", "mass", "mean", "mean square"], rows, "lrrr")
