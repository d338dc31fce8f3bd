"""How a recomputed result is compared with the stored one: by what another processor leaves.

Processors, libraries and thread counts add up numbers in different orders. A calm computation
keeps all digits but the last ones. A chaotic one amplifies the last ones until its end is a draw;
then counts and medians of many runs survive, within bounds, and single ends do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from descent.arguments import Array


class Comparison(Protocol):
    """One way to compare a column of results."""

    def difference(self, stored: Any, new: Any) -> str | None:
        """Return how the new result differs from the stored one, None if it does not."""


@dataclass(frozen=True)
class Close:
    """Every number agrees to a relative tolerance; what is no number agrees exactly.

    Examples
    --------
    >>> Close(1e-3).difference([1.0, 2.0], [1.0, 2.01])
    'differs by up to 0.005 of the stored numbers; 0.001 is allowed'
    """

    rtol: float
    atol: float = 1e-12

    def difference(self, stored: Any, new: Any) -> str | None:
        """Return how the new result differs from the stored one, None if it does not."""
        if not _numeric(stored) or not _numeric(new):
            return None if stored == new else f"is {new!r}; stored is {stored!r}"
        old, now = np.asarray(stored, float), np.asarray(new, float)
        if old.shape != now.shape:
            return f"has shape {now.shape}; stored is {old.shape}"
        if np.isclose(now, old, self.rtol, self.atol, equal_nan=True).all():
            return None
        with np.errstate(all="ignore"):
            off = np.nan_to_num(np.abs(now - old) / np.abs(old), nan=np.inf).max()
        return f"differs by up to {off:.2g} of the stored numbers; {self.rtol:g} is allowed"


@dataclass(frozen=True)
class ShareWithin:
    """The share of True among the outcomes differs by at most `most`.

    Parameters
    ----------
    most : float
        In (0, 1). About three standard errors of the difference of two draws.
    why : str
        What makes a single outcome a draw.

    Examples
    --------
    >>> ShareWithin(0.2, "chaotic").difference([True, True, False, False], [True, False] * 2)
    >>> ShareWithin(0.2, "chaotic").difference([True, True, False, False], [True] * 4)
    'has a share of 1; stored is 0.5, and 0.2 more or less is allowed'
    """

    most: float
    why: str

    def difference(self, stored: Any, new: Any) -> str | None:
        """Return how the new result differs from the stored one, None if it does not."""
        old, now = np.asarray(stored, float), np.asarray(new, float)
        if old.shape != now.shape:
            return f"has shape {now.shape}; stored is {old.shape}"
        if abs(now.mean() - old.mean()) <= self.most:
            return None
        return (
            f"has a share of {now.mean():.3g}; stored is {old.mean():.3g}, "
            f"and {self.most:g} more or less is allowed"
        )


@dataclass(frozen=True)
class MostAgree:
    """All but a few entries of a list agree, exactly or to a relative tolerance.

    Parameters
    ----------
    share : float
        In (0, 1]. At least this share of the entries agrees.
    why : str
        What makes the others draws.
    rtol : float
        Zero where entries agree exactly.

    Examples
    --------
    >>> MostAgree(0.6, "a few chaotic runs").difference([3, 0, 2], [3, 0, 1])
    >>> MostAgree(0.9, "a few chaotic runs").difference([3, 0, 2], [3, 0, 1])
    'agrees in a share of 0.667 of its entries; 0.9 is asked for'
    >>> MostAgree(0.6, "one jumps", rtol=0.1).difference([1.0, 2.0, 30.0], [1.0, 2.1, 900.0])
    """

    share: float
    why: str
    rtol: float = 0.0

    def difference(self, stored: Any, new: Any) -> str | None:
        """Return how the new result differs from the stored one, None if it does not."""
        old, now = np.asarray(stored), np.asarray(new)
        if old.shape != now.shape:
            return f"has shape {now.shape}; stored is {old.shape}"
        same = np.isclose(now, old, self.rtol, 0.0) if self.rtol else old == now
        agree = np.mean(same)
        if agree >= self.share:
            return None
        return f"agrees in a share of {agree:.3g} of its entries; {self.share:g} is asked for"


@dataclass(frozen=True)
class CountWithin:
    """A count of successes differs by at most `most`.

    Parameters
    ----------
    most : int
        About three standard errors of the difference of two draws.
    why : str
        What makes the count a draw.

    Examples
    --------
    >>> CountWithin(3, "chaotic").difference(17, 15)
    >>> CountWithin(3, "chaotic").difference(17, 3)
    'is 3; stored is 17, and 3 more or less is allowed'
    """

    most: int
    why: str

    def difference(self, stored: Any, new: Any) -> str | None:
        """Return how the new result differs from the stored one, None if it does not."""
        if abs(new - stored) <= self.most:
            return None
        return f"is {new}; stored is {stored}, and {self.most} more or less is allowed"


@dataclass(frozen=True)
class MedianWithin:
    """The median of the sizes of the numbers agrees to a relative tolerance.

    Parameters
    ----------
    rtol : float
    why : str
        What makes a single number a draw.

    Examples
    --------
    >>> MedianWithin(0.1, "chaotic").difference([1.0, -2.0, 3.0], [2.1, -90.0, 0.0])
    >>> MedianWithin(0.1, "chaotic").difference([1.0, -2.0, 3.0], [4.0, 4.0, 0.0])
    'has a median size of 4; stored is 2, and 0.1 of it more or less is allowed'
    """

    rtol: float
    why: str

    def difference(self, stored: Any, new: Any) -> str | None:
        """Return how the new result differs from the stored one, None if it does not."""
        if np.shape(stored) != np.shape(new):
            return f"has shape {np.shape(new)}; stored is {np.shape(stored)}"
        old, now = _median_size(stored), _median_size(new)
        if abs(now - old) <= self.rtol * old:
            return None
        return (
            f"has a median size of {now:.4g}; stored is {old:.4g}, "
            f"and {self.rtol:g} of it more or less is allowed"
        )


@dataclass(frozen=True)
class NotCompared:
    """Nothing of it survives another processor.

    Parameters
    ----------
    why : str
        What makes it a draw.
    """

    why: str

    def difference(self, stored: Any, new: Any) -> str | None:
        """Return None."""
        return None


def differences(
    stored: Mapping[str, Any],
    new: Mapping[str, Any],
    rtol: float,
    compare: Mapping[str, Comparison],
) -> list[str]:
    """Return how new results differ from the stored ones, a line a column.

    Parameters
    ----------
    stored, new : mapping
        Results by the name of their column.
    rtol : float
        For the columns that `compare` does not name.
    compare : mapping
        Comparisons by the name of their column.

    Raises
    ------
    ValueError
        If `compare` names what is no column, or nothing is compared at all.

    Examples
    --------
    >>> differences({"x": 1.0, "end": 3.0}, {"x": 1.1, "end": 9.0}, 1e-6,
    ...             {"end": NotCompared("chaotic")})
    ['x differs by up to 0.1 of the stored numbers; 1e-06 is allowed']
    """
    if stray := sorted(set(compare) - set(stored)):
        raise ValueError(f"compare names {stray}; the columns are {sorted(stored)}")
    if stored.keys() != new.keys():
        return [f"the columns are {sorted(new)}; stored are {sorted(stored)}"]
    how = {name: compare.get(name, Close(rtol)) for name in stored}
    if all(isinstance(way, NotCompared) for way in how.values()):
        raise ValueError("nothing is compared: a probe that cannot fail checks nothing")
    found = {name: way.difference(stored[name], new[name]) for name, way in how.items()}
    return [f"{name} {text}" for name, text in found.items() if text is not None]


def _numeric(value: Any) -> bool:
    """Return whether a result is made of numbers alone, truth values not among them."""
    return np.asarray(value).dtype.kind in "iuf"


def _median_size(values: Any) -> float:
    sizes: Array = np.abs(np.asarray(values, float))
    return float(np.median(sizes))
