"""Chapter 10: the list, bullet by bullet: what became of it, and what it is judged against."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bullet:
    """One bullet of source 002, in its order.

    Parameters
    ----------
    heading : str
        What this book sorts it under; the source has lost its headings.
    idea : str
        The bullet in our words.
    library : str
        What implements it in `descent.zeroth_order`; empty if nothing does.
    cost : str
        Evaluations per step; n directions or particles.
    standard : str
        The field's name for it.
    methods : tuple of str
        Its racers.
    base : str
        The method that the idea is to improve.
    note : str
        Where it is not raced: why, and what is shown in place of a race.
    """

    heading: str
    idea: str
    library: str
    cost: str
    standard: str
    methods: tuple[str, ...] = ()
    base: str = ""
    note: str = ""


BULLETS = (
    Bullet(
        "random walk",
        "raise the order of the walk while the loss falls, lower it after m failures",
        "VariableOrderWalk",
        "1 or 2",
        "none",
        ("walk of rising order",),
        "walk of order 1",
    ),
    Bullet(
        "random walk",
        "raise the order only while the highest derivative shrinks",
        "VariableOrderWalk",
        "1 or 2",
        "none",
        ("walk of rising order, convex",),
        "walk of order 1",
    ),
    Bullet(
        "random walk",
        "take moves back in the reverse order of the integration",
        "order_walk.undo",
        "0",
        "inverse of a chain of shears",
        ("walk of order 2", "walk of order 3"),
        "walk of order 1",
    ),
    Bullet(
        "particles",
        "differences between particles as a gradient",
        "ParticleGradient, Consensus",
        "n",
        "simplex gradient; covariance gradient; consensus-based optimization",
        ("covariance gradient", "simplex gradient", "consensus"),
        "ten signs",
    ),
    Bullet(
        "swarms",
        "ensemble Kalman inversion, noise at each step or an ensemble redrawn around its mean",
        "EnsembleKalman",
        "n",
        "ensemble Kalman inversion",
        ("ensemble Kalman, noise", "ensemble Kalman, redrawn"),
        "best of ten",
    ),
    Bullet(
        "swarms",
        "an ensemble that grows",
        "EnsembleKalman",
        "n, rising",
        "population size schedule",
        ("ensemble Kalman, growing",),
        "ensemble Kalman, redrawn",
    ),
    Bullet(
        "swarms",
        "gravity between the particles' gradients (or their positions)",
        "GradientGravity, Gravity",
        "2n or n",
        "none",
        ("gravity on gradients", "gravity"),
        "walk of order 1",
    ),
    Bullet(
        "swarms",
        "a start of its own for each individual",
        "separate_starts",
        "0",
        "independent initialization",
        ("particle swarm, own starts",),
        "particle swarm",
    ),
    Bullet(
        "momentum",
        "momentum that always points to the best point so far",
        "BestMomentum",
        "1 more",
        "none",
        ("momentum to the best",),
        "RandomGrad",
    ),
    Bullet(
        "momentum",
        "gradients that are never set to zero",
        "Accumulated",
        "0 more",
        "heavy ball without friction",
        ("never zeroed",),
        "RandomGrad",
    ),
    Bullet(
        "gradient approximation",
        "judge a random gradient by the loss after the optimizer's step",
        "AfterStepGrad",
        "2",
        "none",
        ("judged after the step",),
        "RandomGrad",
    ),
    Bullet(
        "gradient approximation",
        "SPSA",
        "SPSA",
        "2",
        "simultaneous perturbation stochastic approximation",
        ("SPSA, Adam", "SPSA"),
        "RandomGrad, Adam",
    ),
    Bullet(
        "gradient approximation",
        "three points on a line, for the curvature",
        "LineParabola",
        "3",
        "parabolic interpolation on random lines",
        ("parabola on a line",),
        "RandomGrad",
    ),
    Bullet(
        "wrappers",
        "undo a step that raised the loss, or make its opposite",
        "UndoIncrease",
        "1 or 2 more",
        "greedy acceptance",
        ("undo", "undo or reverse"),
        "RandomGrad",
    ),
    Bullet(
        "wrappers",
        "several step sizes for each update",
        "SeveralRates",
        "one more a rate",
        "line search on a grid",
        ("several rates",),
        "RandomGrad",
    ),
    Bullet(
        "evolution",
        "breed and mutate optimizers with their state",
        "BreedOptimizers",
        "2n",
        "population-based training",
        ("breeding",),
        "RandomGrad, Adam",
    ),
    Bullet(
        "evolution",
        "give a reborn optimizer its initial state",
        "BreedOptimizers",
        "2n",
        "none",
        ("breeding, initial state",),
        "breeding",
    ),
    Bullet(
        "evolution",
        "a plain evolutionary algorithm",
        "EvolutionStrategy",
        "n",
        "evolution strategy with step-size adaptation",
        ("evolution strategy",),
        "walk of order 1",
    ),
    Bullet(
        "particle swarm",
        "particle swarm",
        "ParticleSwarm",
        "n",
        "particle swarm optimization",
        ("particle swarm",),
        "walk of order 1",
    ),
    Bullet(
        "simulated annealing",
        "simulated annealing (all that the line says is that it is extremely simple)",
        "SimulatedAnnealing",
        "1",
        "simulated annealing",
        ("simulated annealing",),
        "walk of order 1",
    ),
    Bullet(
        "other",
        "integer and boolean tensors",
        "ParameterVector",
        "0",
        "relaxation by rounding",
        note="shown above: torch gives them no gradient, and a search needs none",
    ),
    Bullet(
        "other",
        "smoothed random gradients, other random generators",
        "SmoothedGrad, AveragedGrad",
        "2, or n + 1",
        "exponential average; Rademacher noise",
        ("smoothed estimate", "smoothed direction", "signs of ±1 noise", "ten signs"),
        "RandomGrad",
    ),
)
"""The 22 bullets of the source, in its order."""
