"""The register of claims, and the cards and ledgers that show them.

A claim lives in ``book/claims/<chapter>.yml``. Its chapter computes the value
and hands it to :func:`check`, which compares it with the expected value and
returns a card for the reader, or with others of its kind to :func:`ledger`.
"""

from descent.claims.card import Card, check
from descent.claims.ledger import Ledger, ledger
from descent.claims.register import (
    DOCUMENTS,
    FIELDS,
    OWN,
    VERDICTS,
    Claim,
    ClaimError,
    ClaimMismatch,
    claim,
    load,
    register_path,
)

__all__ = [
    "DOCUMENTS",
    "FIELDS",
    "OWN",
    "VERDICTS",
    "Card",
    "Claim",
    "ClaimError",
    "ClaimMismatch",
    "Ledger",
    "check",
    "claim",
    "ledger",
    "load",
    "register_path",
]
