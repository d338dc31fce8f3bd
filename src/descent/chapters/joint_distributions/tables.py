"""Chapter 3: its tables."""

from collections.abc import Mapping

from descent import prose
from descent.chapters.joint_distributions.numbers import Strength
from descent.prose import fixed


def accounts(rows: Mapping[str, Strength]) -> str:
    """Return a Markdown table of strengths and where they come from, in bits."""
    head = ["system", "strength", "before", "erased of $P$", "erased of $P'$"]
    cells = [[name, *(fixed(value, 4) for value in account)] for name, account in rows.items()]
    return prose.table(head, cells, "lrrrr")
