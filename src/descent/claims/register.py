"""The register of claims: what each source states, what is right, and how we know."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from descent.arguments import did_you_mean
from descent.book_folder import book_folder

VERDICTS = {
    "reproduced": "holds: a number to the digits that the source gives, words as they suit it best",
    "corrected": "the idea holds with another formula or number",
    "refuted": "does not hold",
    "undetermined": "the source leaves out what would be needed",
}
DOCUMENTS = {
    "000": "ExamDay",
    "001": "N. Pfaff",
    "002": "inikishev",
    "003": "J. Bostock",
    "004": "V. D. Warmerdam",
    "own": "this book",
}
"""Who wrote the sources. What the book concludes on its own is held to the same register."""
OWN = "own"
_REQUIRED = {"id", "source", "statement", "stated", "expected", "tolerance", "verdict", "why"}
_OPTIONAL = {"tolerance_why", "quantity", "unit", "control", "read", "in_our_copy"}
_WORDS = ("id", "statement", "stated", "verdict", "why", "quantity", "control", "read")
FIELDS = _REQUIRED | _OPTIONAL
_NUMBER = re.compile(r"[-−+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?")
_FRACTION = re.compile(r"([-−+]?\d+)/(\d+)")
_FORMULA = re.compile(r"\$[^$]*\$")


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
        Where the source states it; the document ``own`` is the book.
    statement
        The claim in our words.
    stated
        The source's value, verbatim (``"81 %"``, ``"1.004"``, ``"2/9"``, ``"stuck"``); a formula
        between dollar signs counts as words, like all formulas of the texts.
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
    quantity
        What is computed, where the statement does not say it; else empty.
    control
        The rival explanation that was tried, and what it gave, where a cause or an effect is
        claimed; else empty.
    read
        What to read in place of `stated`; empty where that is the computed value, or nothing.
    in_our_copy
        Whether `stated` stands in a formula or a table that our copy may have garbled.
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
    quantity: str = ""
    control: str = ""
    read: str = ""
    in_our_copy: bool = False

    @property
    def stated_in(self) -> str:
        """Where it is stated, in words: ``J. Bostock, source 003, post 1, opening``."""
        source = "" if self.document == OWN else f", source {self.document}"
        return f"{DOCUMENTS[self.document]}{source}, {self.section}"

    def _number(self) -> re.Match[str] | None:
        return _NUMBER.search(_FORMULA.sub(lambda formula: " " * len(formula[0]), self.stated))

    def stated_value(self) -> float | None:
        """Return the number in `stated` in the units of `expected`, or None if it is words."""
        fraction = self.stated_fraction()
        if fraction is not None:
            return float(fraction)
        match = self._number()
        if match is None:
            return None
        value = float(match.group().replace(",", "").replace("−", "-"))
        return value / 100 if "%" in self.stated else value

    def stated_fraction(self) -> Fraction | None:
        """Return the first number in `stated` if it is a fraction such as ``"2/9"``, else None."""
        number = self._number()
        match = number and _FRACTION.match(self.stated, number.start())
        return Fraction(int(match[1].replace("−", "-")), int(match[2])) if match else None

    def rounds_to_stated(self, value: float) -> bool:
        """Whether `value`, rounded to the digits that the source gives, is what it states."""
        stated, match = self.stated_value(), self._number()
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
    """Return the folder of the register: ``DESCENT_CLAIMS``, else the book's own.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    """
    path = book_folder("claims", "DESCENT_CLAIMS")
    if not path.is_dir():
        raise FileNotFoundError(
            f"no claims register at {path}: set DESCENT_CLAIMS to the folder book/claims "
            "of a checkout of the book"
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
        raise ClaimError(
            f"no claim {claim_id!r} in the register{did_you_mean(claim_id, claims)}\n"
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
    for field in _WORDS:
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
            f"{where}: document must be one of {tuple(DOCUMENTS)}, got {source['document']!r}"
        )
    if entry["verdict"] not in VERDICTS:
        raise ClaimError(f"{where}: verdict must be one of {tuple(VERDICTS)}")
    if source["document"] == OWN and entry["verdict"] != "reproduced":
        raise ClaimError(
            f"{where}: the book states what it has computed, so its verdict must be reproduced; "
            f"got {entry['verdict']!r}: change the statement"
        )
    if not isinstance(entry.get("in_our_copy", False), bool):
        raise ClaimError(f"{where}: in_our_copy must be true or false")
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
        quantity=entry.get("quantity", "").strip(),
        control=entry.get("control", "").strip(),
        read=entry.get("read", "").strip(),
        in_our_copy=entry.get("in_our_copy", False),
    )
    agrees = claim.rounds_to_stated(claim.expected)
    in_digits = claim.stated_value() is not None
    if claim.verdict == "reproduced" and in_digits and not agrees:
        raise ClaimError(f"{where} is reproduced, but {claim.expected} is not {claim.stated!r}")
    if claim.verdict in ("corrected", "refuted"):
        if agrees:
            raise ClaimError(
                f"{where} is {claim.verdict}, but {claim.expected} is {claim.stated!r}"
            )
        if not (in_digits or claim.read):
            raise ClaimError(f"{where} is {claim.verdict}: say in `read` what to read instead")
    elif claim.read:
        raise ClaimError(f"{where} is {claim.verdict}, so nothing is to be read instead")
    return claim
