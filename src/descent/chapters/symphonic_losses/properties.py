"""Chapter 9: which property holds for which rule."""

from descent import prose
from descent.aggregation import RULES, Rule
from descent.chapters.symphonic_losses.pictures import plain_name

HEADS = {
    "non-conflicting": "raises no loss",
    "descends on every loss": "downhill for each",
    "sums to one": "$\\sum w = 1$",
    "not negative": "$w \\geq 0$",
    "order does not matter": "any order",
    "linear under scaling": "linear",
    "rests only in balance": "rests in balance",
}
"""Titles of the columns; what else `descent.aggregation.PROPERTIES` names is in the last one."""


def reads(rule: Rule) -> str:
    """Say what a rule looks at besides its own constants."""
    seen = [
        *(["gradients"] if rule.needs_gradients else []),
        *([] if "memoryless" in rule.properties else ["earlier losses"]),
        *([] if "deterministic" in rule.properties else ["the lot"]),
    ]
    return prose.listed(seen) if seen else "nothing"


def properties_table() -> str:
    """Return a Markdown table of the rules and their properties."""
    rows = [
        [
            plain_name(name),
            *("yes" if title in rule.properties else "–" for title in HEADS),
            reads(rule),
        ]
        for name, rule in RULES.items()
    ]
    return prose.table(["rule", *HEADS.values(), "reads"], rows, "l" * (len(HEADS) + 2))
