"""What the reader sees of the reproduced claims of one table or section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from descent.claims.card import bundle
from descent.claims.register import OWN, Claim, ClaimError, claim
from descent.figures.inline_math import to_html, to_plain


class Ledger:
    """What the reader sees of the reproduced values of one table: a row each, folded."""

    def __init__(self, values: Mapping[Claim, float]) -> None:
        self.values = {claim: float(value) for claim, value in values.items()}

    def __repr__(self) -> str:
        rows = (
            f"  {claim.statement} {claim.stated}; {claim.format(value)}"
            for claim, value in self.values.items()
        )
        return to_plain("\n".join([f"{self.title()}:", *rows]))

    def title(self) -> str:
        """Return the line that stands over the folded rows."""
        n = len(self.values)
        if all(claim.document == OWN for claim in self.values):
            return f"Computed anew: {n} conclusions" if n > 1 else "Computed anew: one conclusion"
        what = f"{n} statements of the source" if n > 1 else "one statement of the source"
        return f"Reproduced: {what}"

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr id="claim-{claim.id}"><td>{to_html(claim.statement)}'
            f'<span class="descent-claim-source"> {to_html(claim.why)} '
            f"{to_html(claim.stated_in)}."
            f"{f' Control: {to_html(claim.control)}' if claim.control else ''}</span></td>"
            f"<td>{to_html(claim.stated)}</td><td>{to_html(claim.format(value))}"
            f'<span class="descent-claim-quantity"> {to_html(claim.quantity)}</span></td></tr>'
            for claim, value in self.values.items()
        )
        return (
            f'<details class="descent-ledger"><summary>{self.title()}</summary><table>'
            '<thead><tr><th scope="col">Statement</th><th scope="col">Stated</th>'
            f'<th scope="col">We get</th></tr></thead><tbody>{rows}</tbody></table></details>'
        )

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        values = {claim.id: value for claim, value in self.values.items()}
        return bundle(self._repr_html_(), repr(self), values)


def ledger(values: Mapping[str, float]) -> Ledger:
    """Compare several computed values with the register and return the rows that show them.

    It is for what the source states and what is found again: the values of a table or a
    figure. What is corrected, refuted or undetermined gets a card by :func:`check`.

    Parameters
    ----------
    values
        Computed values by the ids of their claims, in the units of their `expected`.

    Returns
    -------
    Ledger
        Rich output: a folded table with a row for each claim.

    Raises
    ------
    TypeError
        If `values` is no mapping, or a value is no real number.
    ValueError
        If there are no values.
    ClaimError
        If no claim has one of the ids, or a claim is not reproduced.
    ClaimMismatch
        If a value is not the expected one (see :meth:`Claim.verify`).

    Examples
    --------
    >>> ledger({"stationary-point-of-the-pit": 1.0036974})
    Reproduced: one statement of the source:
      The loss l_1 has a stationary point at the bottom of the pit. 1.004; 1.0036974
    """
    if not isinstance(values, Mapping):
        raise TypeError(f"values must map ids of claims to numbers, got {values!r}")
    if not values:
        raise ValueError("values must name at least one claim, got none")
    checked = {claim(claim_id): value for claim_id, value in values.items()}
    for one, value in checked.items():
        if one.verdict != "reproduced":
            raise ClaimError(
                f"claim {one.id!r} is {one.verdict}, and a ledger holds reproduced claims: "
                "show it by check"
            )
        one.verify(value)
    return Ledger(checked)
