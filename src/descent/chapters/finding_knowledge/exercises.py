"""Chapter 11: the answers to its exercises, and what comes of mistakes."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import norm

from descent.chapters.finding_knowledge import numbers, update_profiles


def limit_of_the_share() -> float:
    """Return the effective share at the quantiles of a normal variable."""
    z = norm.ppf((np.arange(10**6) + 0.5) / 10**6)
    return float(numbers.effective_share(z**2))


def neurons_that_find_themselves() -> int:
    """Return how many neurons of a shuffled network are matched with themselves."""
    run = update_profiles.history(20, 3)
    profile = run.profiles[:, 0] / run.profiles[:, 0].sum(axis=1, keepdims=True)
    order = np.random.default_rng(1).permutation(profile.shape[1])
    likeness = update_profiles.likeness(profile, profile[:, order])
    _, found = linear_sum_assignment(-likeness)
    return int((order[found] == np.arange(len(order))).sum())


def neurons_that_stay_in_their_place() -> int:
    """Return how many neurons the shuffle of the exercise leaves where they were."""
    order = np.random.default_rng(0).permutation(numbers.HIDDEN)
    return int((order == np.arange(numbers.HIDDEN)).sum())
