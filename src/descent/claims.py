"""The register of claims: what each source states, what is right, and how we know.

A claim lives in ``book/claims/<chapter>.yml``. Its chapter computes the value
and hands it to :func:`check`, which compares it with the expected value and
returns a card for the reader.
"""

from __future__ import annotations

import html
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from descent.arguments import nearest

VERDICTS = {
    "reproduced": "holds to the digits that the source gives",
    "corrected": "the idea holds with another formula or number",
    "refuted": "does not hold",
    "undetermined": "the source leaves out what would be needed",
}
DOCUMENTS = ("000", "001", "002", "003", "004")
_REQUIRED = {"id", "source", "statement", "stated", "expected", "tolerance", "verdict", "why"}
_OPTIONAL = {"tolerance_why", "unit", "control"}
FIELDS = _REQUIRED | _OPTIONAL
_NUMBER = re.compile(r"[-−+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?")
_FRACTION = re.compile(r"([-−+]?\d+)/(\d+)")


class ClaimError(ValueError):
    """A claim in the register is malformed, or no claim has the id asked for."""


class ClaimMismatch(AssertionError):
    """A computed value differs from the value that the register expects."""


@dataclass(frozen=True)
class Claim:
    """One numbered statement of a source, with the right value beside it.

    Parameters
    ----------
    id
        Unique name, kebab-case.
    chapter
        Stem of the notebook that checks it.
    document, section
        Where the source states it.
    statement
        The claim in our words.
    stated
        The source's value, verbatim (``"81 %"``, ``"1.004"``, ``"2/9"``, ``"stuck"``).
    expected
        The right value, as a plain number (``0.81`` for 81 %).
    tolerance
        How far a computed value may lie from `expected`.
    tolerance_why
        Why it is that wide; empty when it is rounding alone.
    verdict
        One of :data:`VERDICTS`.
    why
        The reason for the verdict.
    unit
        Unit of `expected`, for the card.
    control
        The rival explanation that was tried, and what it gave, where a cause or an effect is
        claimed; else empty.
    """

    id: str
    chapter: str
    document: str
    section: str
    statement: str
    stated: str
    expected: float
    tolerance: float
    tolerance_why: str
    verdict: str
    why: str
    unit: str = ""
    control: str = ""

    def stated_value(self) -> float | None:
        """Return the number in `stated` in the units of `expected`, or None if it is words."""
        fraction = self.stated_fraction()
        if fraction is not None:
            return float(fraction)
        match = _NUMBER.search(self.stated)
        if match is None:
            return None
        value = float(match.group().replace(",", "").replace("−", "-"))
        return value / 100 if "%" in self.stated else value

    def stated_fraction(self) -> Fraction | None:
        """Return the first number in `stated` if it is a fraction such as ``"2/9"``, else None."""
        number = _NUMBER.search(self.stated)
        match = number and _FRACTION.match(self.stated, number.start())
        return Fraction(int(match[1].replace("−", "-")), int(match[2])) if match else None

    def rounds_to_stated(self, value: float) -> bool:
        """Whether `value`, rounded to the digits that the source gives, is what it states."""
        stated, match = self.stated_value(), _NUMBER.search(self.stated)
        if stated is None or match is None:
            return False
        if self.stated_fraction() is not None:
            return abs(value - stated) <= self.tolerance  # exact: it has no last digit
        mantissa, _, exponent = match.group().lower().partition("e")
        decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
        half_unit = 0.5 * 10.0 ** -(decimals + (2 if "%" in self.stated else 0))
        return abs(value - stated) <= half_unit * (1 + 1e-9)

    def verify(self, value: float) -> None:
        """Raise :class:`ClaimMismatch` unless `value` is the expected one.

        Raises
        ------
        TypeError
            If `value` is not a real number.
        ClaimMismatch
            If `value` lies further from `expected` than `tolerance`, or, for a
            reproduced claim, does not round to what the source states.
        """
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise TypeError(
                f"value of claim {self.id!r} must be a real number, got {value!r}"
            ) from None
        if not abs(number - self.expected) <= self.tolerance:
            raise ClaimMismatch(
                f"claim {self.id!r}: computed {number!r}, expected {self.expected!r} "
                f"within {self.tolerance!r}"
            )
        in_digits = self.stated_value() is not None
        if self.verdict == "reproduced" and in_digits and not self.rounds_to_stated(number):
            raise ClaimMismatch(
                f"claim {self.id!r} counts as reproduced, but {number!r} does not round "
                f"to the stated {self.stated!r}"
            )

    def format(self, value: float) -> str:
        """Return `value` with the digits that the tolerance leaves meaningful, and the unit."""
        if self.stated_fraction() is not None:
            nearest = Fraction(value).limit_denominator(999)
            if abs(value - nearest) <= self.tolerance:
                return f"{nearest} {self.unit}".strip().replace("-", "−")
        percent = "%" in self.stated
        scale = 100 if percent else 1
        decimals = max(0, -math.floor(math.log10(self.tolerance * scale)))
        text = f"{value * scale:,.{decimals}f}"
        if decimals:
            text = text.rstrip("0").rstrip(".")
        text = text.replace("-", "−")
        return f"{text} %" if percent else f"{text} {self.unit}".strip()


def register_path() -> Path:
    """Return the folder of the register: ``DESCENT_CLAIMS``, else ``book/claims`` of the checkout.

    Raises
    ------
    FileNotFoundError
        If neither is there.
    """
    named = os.environ.get("DESCENT_CLAIMS")
    path = Path(named) if named else Path(__file__).parents[2] / "book" / "claims"
    if not path.is_dir():
        raise FileNotFoundError(
            f"no claims register at {path}: run from a checkout of the book, "
            "or set DESCENT_CLAIMS to its book/claims folder"
        )
    return path


def load(folder: Path | None = None) -> list[Claim]:
    """Return every claim of the register, in the order of the files.

    Parameters
    ----------
    folder
        Where the ``.yml`` files are; by default :func:`register_path`.

    Returns
    -------
    list of Claim

    Raises
    ------
    ClaimError
        If a claim lacks a field, has an unknown one, repeats an id, or
        contradicts itself: a reproduced claim whose expected value does not
        round to the stated one, or a corrected or refuted one whose value does.

    Examples
    --------
    >>> load()[0].chapter
    '01-modelling-sgd'
    """
    claims: dict[str, Claim] = {}
    for path in sorted((folder or register_path()).glob("*.yml")):
        for claim in _read(path, path.stat().st_mtime_ns):
            if claim.id in claims:
                raise ClaimError(f"{path.name}: claim id {claim.id!r} appears twice")
            claims[claim.id] = claim
    return list(claims.values())


@cache
def _read(path: Path, modified: int) -> tuple[Claim, ...]:
    """Return the claims of a file, which is parsed again only once it was modified."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    return tuple(_parse(entry, path) for entry in entries)


def claim(claim_id: str) -> Claim:
    """Return the claim of the register with this id.

    Raises
    ------
    ClaimError
        If there is none.

    Examples
    --------
    >>> claim("stationary-point-of-the-pit").verdict
    'reproduced'
    """
    claims = {claim.id: claim for claim in load()}
    if claim_id not in claims:
        near = nearest(claim_id, claims)
        meant = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise ClaimError(
            f"no claim {claim_id!r} in the register{meant}\n"
            f"its {len(claims)} ids stand in {register_path()}; a new claim needs an entry there"
        )
    return claims[claim_id]


def _parse(entry: Any, path: Path) -> Claim:
    if not isinstance(entry, Mapping):
        raise ClaimError(f"{path.name}: each claim must be a mapping, got {entry!r}")
    where = f"{path.name}: claim {entry.get('id')!r}"
    missing, unknown = _REQUIRED - entry.keys(), entry.keys() - _REQUIRED - _OPTIONAL
    if missing or unknown:
        raise ClaimError(f"{where} lacks {sorted(missing)} and has unknown {sorted(unknown)}")
    source = entry["source"]
    if not isinstance(source, Mapping) or set(source) != {"document", "section"}:
        raise ClaimError(f"{where}: source must have document and section, got {source!r}")
    for field in ("id", "statement", "stated", "verdict", "why", "control"):
        text = entry.get(field, "none" if field in _OPTIONAL else None)
        if not isinstance(text, str) or not text.strip():
            raise ClaimError(f"{where}: {field} must be a non-empty text, got {text!r}")
    for field in ("expected", "tolerance"):
        value = entry[field]
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise ClaimError(f"{where}: {field} must be a finite number, got {value!r}")
    if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry["id"]) is None:
        raise ClaimError(f"{where}: an id is words in lower case joined by hyphens")
    if source["document"] not in DOCUMENTS:
        raise ClaimError(
            f"{where}: document must be one of {DOCUMENTS}, got {source['document']!r}"
        )
    if entry["verdict"] not in VERDICTS:
        raise ClaimError(f"{where}: verdict must be one of {tuple(VERDICTS)}")
    if entry["tolerance"] <= 0:
        raise ClaimError(f"{where}: tolerance must be positive, got {entry['tolerance']!r}")
    claim = Claim(
        id=entry["id"],
        chapter=path.stem,
        document=source["document"],
        section=source["section"],
        statement=entry["statement"].strip(),
        stated=entry["stated"].strip(),
        expected=float(entry["expected"]),
        tolerance=float(entry["tolerance"]),
        tolerance_why=entry.get("tolerance_why", "").strip(),
        verdict=entry["verdict"],
        why=entry["why"].strip(),
        unit=entry.get("unit", ""),
        control=entry.get("control", "").strip(),
    )
    agrees = claim.rounds_to_stated(claim.expected)
    in_digits = claim.stated_value() is not None
    if claim.verdict == "reproduced" and in_digits and not agrees:
        raise ClaimError(f"{where} is reproduced, but {claim.expected} is not {claim.stated!r}")
    if claim.verdict in ("corrected", "refuted") and agrees:
        raise ClaimError(f"{where} is {claim.verdict}, but {claim.expected} is {claim.stated!r}")
    return claim


class Card:
    """What the reader sees of a checked claim: stated, computed, verdict, reason."""

    def __init__(self, claim: Claim, value: float) -> None:
        self.claim, self.value = claim, float(value)

    def __repr__(self) -> str:
        claim = self.claim
        return (
            f"{claim.statement}\n  the source says: {claim.stated}\n"
            f"  we get: {claim.format(self.value)}\n  {claim.verdict}: {claim.why}"
            + (f"\n  control: {claim.control}" if claim.control else "")
        )

    def _repr_html_(self) -> str:
        claim = self.claim
        text = {name: html.escape(str(value)) for name, value in vars(claim).items()}
        control = f'<p class="descent-claim-control">Control: {text["control"]}</p>'
        return (
            f'<div class="descent-claim" data-verdict="{text["verdict"]}" id="claim-{text["id"]}">'
            f'<p class="descent-claim-statement">{text["statement"]}</p>'
            '<dl class="descent-claim-values">'
            f"<div><dt>The source says</dt><dd>{text['stated']}</dd></div>"
            f"<div><dt>We get</dt><dd>{html.escape(claim.format(self.value))}</dd></div>"
            f'<div><dt>Verdict</dt><dd class="descent-verdict">{text["verdict"]}</dd></div></dl>'
            f'<p class="descent-claim-why">{text["why"]} '
            f'<span class="descent-claim-source">Source {text["document"]}, {text["section"]}.'
            f"</span></p>{control if claim.control else ''}</div>"
        )

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        page = self._repr_html_()
        if os.environ.get("DESCENT_RENDER") != "static":
            page = f"<style>{_STYLE.read_text(encoding='utf-8')}</style>{page}"
        return (
            {"text/html": page, "text/plain": repr(self)},
            {"descent": {"claim": self.claim.id, "value": self.value}},
        )


_STYLE = Path(__file__).with_name("claims.css")


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
    The loss l1 has a stationary point at the bottom of the pit.
      the source says: 1.004
      we get: 1.0036974
      reproduced: ...
    """
    checked = claim(claim_id)
    checked.verify(value)
    return Card(checked, value)


def main() -> None:
    """Print every claim of the register with its verdict."""
    for claim in load():
        print(f"{claim.verdict:>12}  {claim.chapter}  {claim.id}: {claim.statement}")
        print(f"{'':>14}stated {claim.stated}; expected {claim.format(claim.expected)}")


if __name__ == "__main__":
    main()
