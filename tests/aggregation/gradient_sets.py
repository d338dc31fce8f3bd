"""Typical sets of gradients (m, d): of each kind, of any scale, with rows that coincide."""

import numpy as np
from hypothesis import strategies as st

KINDS = (
    "full",
    "low rank",
    "strongly stationary",
    "weakly stationary",
    "no conflict",
    "duplicates",
    "opposites",
    "with zeros",
    "of many lengths",
    "small integers",
)


def gradients(kind, m, d, rng):
    """Return m gradients in d dimensions."""
    rows = rng.standard_normal((m, d))
    if kind == "low rank":
        rank = rng.integers(1, min(m, d) + 1)
        rows = rows[:, :rank] @ rng.standard_normal((rank, d))
    elif kind == "strongly stationary":  # a positive combination of all vanishes
        weights = rng.uniform(0.2, 1, m)
        rows -= (weights @ rows) / weights.sum()
    elif kind == "weakly stationary":  # a positive combination of some vanishes
        weights = rng.uniform(0.2, 2, rng.integers(min(m, 2), m + 1))
        rows[-1] = -weights[1:] @ rows[: len(weights) - 1] / weights[0]
    elif kind == "no conflict":
        rows = np.abs(rows)
    elif kind == "duplicates":
        rows = rows[rng.integers(0, max(1, m // 2), m)]
    elif kind == "opposites":
        rows = np.sign(rng.standard_normal((m, 1))) * rows[rng.integers(0, max(1, m // 2), m)]
    elif kind == "with zeros":
        rows *= rng.integers(0, 2, (m, 1))
    elif kind == "of many lengths":
        rows *= 10.0 ** rng.uniform(-15, 15, (m, 1))
    elif kind == "small integers":
        rows = rng.integers(-2, 3, (m, d)).astype(float)
    return rows


@st.composite
def sets_of_gradients(draw, most=8, least=1, scales=(-30, 30)):
    """Draw losses (m,) and gradients (m, d) of one kind and scale."""
    m, d = draw(st.integers(least, most)), draw(st.integers(1, 10))
    kind, scale = draw(st.sampled_from(KINDS)), draw(st.integers(*scales))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.uniform(0.1, 1, m) * 10.0**scale, gradients(kind, m, d, rng) * 10.0**scale
