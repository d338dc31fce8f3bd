"""What the reader sees of a claim that a notebook has checked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from descent.claims.register import OWN, Claim, claim
from descent.figures.inline_math import to_html, to_plain

_STYLE = Path(__file__).with_name("claims.css")


class Card:
    """What the reader sees of a checked claim: stated, computed, verdict, reason."""

    def __init__(self, claim: Claim, value: float) -> None:
        self.claim, self.value = claim, float(value)

    def _values(self) -> list[tuple[str, str]]:
        """Return what stands side by side, with its headings."""
        claim = self.claim
        said = "Our copy says" if claim.in_our_copy else "The source says"
        said = "The page says" if claim.document == OWN else said
        read = [("Read", claim.read)] if claim.read else []
        return [(said, claim.stated), *read, ("We get", claim.format(self.value))]

    def _quantity(self, head: str) -> str:
        words = self.claim.quantity.rstrip(".")
        return f" ({words})" if words and head == "We get" else ""

    def __repr__(self) -> str:
        claim = self.claim
        values = "".join(
            f"  {head.lower()}: {value}{self._quantity(head)}\n" for head, value in self._values()
        )
        control = f"\n  control: {claim.control}" if claim.control else ""
        return to_plain(f"{claim.statement}\n{values}  {claim.verdict}: {claim.why}{control}")

    def _repr_html_(self) -> str:
        claim = self.claim
        values = "".join(
            f"<div><dt>{head}</dt><dd>{to_html(value)}"
            f'<span class="descent-claim-quantity">{to_html(self._quantity(head))}</span>'
            "</dd></div>"
            for head, value in self._values()
        )
        control = f'<p class="descent-claim-control">Control: {to_html(claim.control)}</p>'
        return (
            f'<div class="descent-claim" data-verdict="{claim.verdict}" id="claim-{claim.id}">'
            f'<p class="descent-claim-statement">{to_html(claim.statement)}</p>'
            f'<dl class="descent-claim-values">{values}'
            f'<div><dt>Verdict</dt><dd class="descent-verdict">{claim.verdict}</dd></div></dl>'
            f'<p class="descent-claim-why">{to_html(claim.why)} '
            f'<span class="descent-claim-source">{to_html(claim.stated_in)}.</span></p>'
            f"{control if claim.control else ''}</div>"
        )

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        return bundle(self._repr_html_(), repr(self), {self.claim.id: self.value})


def bundle(
    page: str, text: str, values: Mapping[str, float]
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the output that shows checked values, with its style, which the book has already."""
    if os.environ.get("DESCENT_RENDER") != "static":
        page = f"<style>{_STYLE.read_text(encoding='utf-8')}</style>{page}"
    return {"text/html": page, "text/plain": text}, {"descent": {"claims": dict(values)}}


def check(claim_id: str, value: float) -> Card:
    """Compare a computed value with the register and return the card that shows it.

    Parameters
    ----------
    claim_id
        Id of a claim in the register.
    value
        The computed value, in the units of the claim's `expected`.

    Returns
    -------
    Card
        Rich output: what the source says, what we get, the verdict.

    Raises
    ------
    ClaimError
        If no claim has this id.
    ClaimMismatch
        If the value is not the expected one (see :meth:`Claim.verify`).

    Examples
    --------
    >>> check("stationary-point-of-the-pit", 1.0036974)
    The loss l_1 has a stationary point at the bottom of the pit.
      the source says: 1.004
      we get: 1.0036974
      reproduced: ...
    """
    checked = claim(claim_id)
    checked.verify(value)
    return Card(checked, value)
