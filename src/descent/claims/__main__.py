"""Print every claim of the register with its verdict: ``python -m descent.claims``."""

from descent.claims.register import load
from descent.figures.inline_math import to_plain


def main() -> None:
    """Print every claim of the register with its verdict."""
    for claim in load():
        read = f"; read {claim.read}" if claim.read else ""
        print(f"{claim.verdict:>12}  {claim.chapter}  {claim.id}: {to_plain(claim.statement)}")
        print(
            f"{'':>14}stated {to_plain(claim.stated + read)}; "
            f"expected {claim.format(claim.expected)}"
        )


if __name__ == "__main__":
    main()
