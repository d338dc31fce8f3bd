"""Chapter 3: the answers to its exercises, and what comes of mistakes."""

import itertools

import numpy as np
from scipy.optimize import minimize_scalar

from descent import information
from descent.arguments import Array
from descent.chapters.joint_distributions import numbers
from descent.systems import dumb_thermostat, smart_thermostat


def best_share() -> float:
    """Return the share a of each outer start that gives the smart thermostat most."""
    smart = smart_thermostat()

    def loss(a: float) -> float:
        start = np.array([[0, 0, a], [0, 1 - 2 * a, 0], [a, 0, 0]])
        return -float(information.optimizing_strength(start, smart))

    return float(minimize_scalar(loss, bounds=(0.05, 0.45), method="bounded").x)


def even_share() -> float:
    """Return the share in the source's start."""
    return 1 / 3


def of_a_shuffle() -> object:
    """Return what the strength of a shuffle is, as a function of the joint distribution."""
    return information.mutual_information


def entropy_of_the_start() -> object:
    """Return the entropy of the start instead."""
    return information.entropy


def random_starts() -> list[tuple[Array]]:
    """Return joint distributions on which the function of exercise 2 is tried."""
    rng = np.random.default_rng(1)
    return [(rng.dirichlet(np.ones(9)).reshape(3, 3),) for _ in range(20)]


def share_of_negative_strengths() -> float:
    """Return how often a start drawn at random has a negative strength under the dumb one."""
    rng, dumb = np.random.default_rng(0), dumb_thermostat()
    draws = rng.dirichlet(np.ones(9), size=4000).reshape(-1, 3, 3)
    return float(np.mean([information.optimizing_strength(joint, dumb) < 0 for joint in draws]))


def _reached(strictly: bool) -> int:
    """Count the maps to a setting with at least the strength of the smart thermostat."""
    start, smart = numbers.CORRELATED, smart_thermostat()
    target = float(information.optimizing_strength(start, smart))
    tight = start.astype(float).ravel()
    loose = information.decorrelate(start).astype(float).ravel()
    rooms = smart.step_room.ravel()
    settings = np.array(list(itertools.product(range(3), repeat=9)))
    images = 3 * settings + rooms

    def entropies(weights: Array) -> Array:
        mass = np.zeros((len(images), 9))
        for state in range(9):
            np.add.at(mass, (np.arange(len(images)), images[:, state]), weights[state])
        logs = np.log2(mass, where=mass > 0, out=np.zeros_like(mass))
        return np.asarray(-(mass * logs).sum(axis=1))

    margin = entropies(loose) - entropies(tight) - target
    return int((margin > 1e-9 if strictly else margin >= -1e-9).sum())


def maps_as_strong() -> int:
    """Return how many maps have at least the strength of the smart thermostat."""
    return _reached(strictly=False)


def maps_that_are_stronger() -> int:
    """Return how many have more."""
    return _reached(strictly=True)
