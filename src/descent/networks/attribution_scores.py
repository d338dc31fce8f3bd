"""How well scores of images tell what training without them gives: by rank, and in groups."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from descent.arguments import Array, check_array

__all__ = ["linear_datamodeling_score", "rank_correlations"]


def rank_correlations(first: ArrayLike, second: ArrayLike) -> Array:
    """Return Spearman's correlation of two tables, column by column, shape (m,).

    Equal numbers share their mean rank. NaN for a column in which one of the two does not vary.

    Parameters
    ----------
    first, second : array_like, shape (n, m)
        n ≥ 2.

    Examples
    --------
    >>> rank_correlations([[0.0], [1.0], [5.0]], [[0.0], [10.0], [11.0]])
    array([1.])
    """
    first = check_array("first", first, ("n", "m"))
    second = check_array("second", second, first.shape)
    if len(first) < 2:
        raise ValueError(f"first must have at least two rows; got {len(first)}")
    x, y = (rankdata(v, axis=0) - (len(v) + 1) / 2 for v in (first, second))
    norm = np.sqrt((x**2).sum(axis=0) * (y**2).sum(axis=0))
    found = np.full(norm.shape, np.nan)
    np.divide((x * y).sum(axis=0), norm, out=found, where=norm > 0)
    return found


def linear_datamodeling_score(scores: ArrayLike, left_out: ArrayLike, outcomes: ArrayLike) -> Array:
    r"""Return how well sums of scores order the outcomes of trainings without groups of images.

    .. math:: \mathrm{LDS}_j = \operatorname{rank\,correlation}_S\Bigl(
        \sum_{i \notin S} \tau_{ij},\; l_j(\theta_S) \Bigr)

    Parameters
    ----------
    scores : array_like, shape (n, m)
        τ: what leaving out each image is said to add to each loss.
    left_out : array_like, shape (S, n)
        1 where an image was left out, 0 where it was not.
    outcomes : array_like, shape (S, m)
        The losses, or how much they changed; a constant in a column does not matter.

    Returns
    -------
    ndarray, shape (m,)
        Its mean over the losses is what is usually told. NaN where all sums are equal.

    Notes
    -----
    Park and others (2023), after the datamodels of Ilyas and others (2022). It is
    not `rank_correlations` with single images: errors of many small scores cancel in
    a sum, and what is not additive counts against every method.

    Examples
    --------
    >>> scores, left_out = np.array([[1.0], [2.0], [4.0]]), np.eye(3)
    >>> linear_datamodeling_score(scores, left_out, left_out @ scores + 7)
    array([1.])
    """
    scores = check_array("scores", scores, ("n", "m"))
    left_out = check_array("left_out", left_out, ("S", len(scores)))
    outcomes = check_array("outcomes", outcomes, (len(left_out), scores.shape[1]))
    if not np.isin(left_out, (0, 1)).all():
        raise ValueError("left_out must hold 0 and 1 alone; got other numbers")
    return rank_correlations(left_out @ scores, outcomes)
