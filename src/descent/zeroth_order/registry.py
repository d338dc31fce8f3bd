"""Every idea of source 002, once: a module and a row here are all that an idea takes.

The book's list, its race, its explorers and its tables are made from these rows.
"""

from descent.zeroth_order.accumulated import Accumulated
from descent.zeroth_order.after_step import AfterStepGrad
from descent.zeroth_order.annealing import SimulatedAnnealing
from descent.zeroth_order.averaged import AveragedGrad
from descent.zeroth_order.best_momentum import BestMomentum
from descent.zeroth_order.best_of_n import RandomBestGrad
from descent.zeroth_order.breeding import BreedOptimizers
from descent.zeroth_order.builders import (
    around_adam,
    around_momentum,
    around_random_grad,
    inside_random_grad,
    of_adams,
    with_adam,
)
from descent.zeroth_order.consensus import Consensus
from descent.zeroth_order.covariance_adaptation import CovarianceAdaptation
from descent.zeroth_order.ensemble_kalman import EnsembleKalman
from descent.zeroth_order.evolution import EvolutionStrategy
from descent.zeroth_order.forward_gradient import ForwardGradient
from descent.zeroth_order.gradient_gravity import GradientGravity
from descent.zeroth_order.gravitational_search import GravitationalSearch
from descent.zeroth_order.gravity import Gravity
from descent.zeroth_order.guided import GuidedEvolution
from descent.zeroth_order.idea import Idea, Line, Trials
from descent.zeroth_order.line_parabola import LineParabola
from descent.zeroth_order.mezo import MeZO
from descent.zeroth_order.natural_evolution import NaturalEvolution
from descent.zeroth_order.order_walk import OrderWalk
from descent.zeroth_order.parameters import ParameterVector
from descent.zeroth_order.particle_gradients import ParticleGradient
from descent.zeroth_order.random_grad import RandomGrad
from descent.zeroth_order.second_order import SecondOrderSPSA
from descent.zeroth_order.several_rates import SeveralRates
from descent.zeroth_order.smoothed import SmoothedGrad
from descent.zeroth_order.spall import SpallSPSA
from descent.zeroth_order.spsa import SPSA
from descent.zeroth_order.swarm import ParticleSwarm
from descent.zeroth_order.swarm_gradient import SwarmGradient
from descent.zeroth_order.undo import UndoIncrease
from descent.zeroth_order.variable_order import VariableOrderWalk

__all__ = ["IDEAS", "REGISTRY", "Idea"]

# What is tried: six settings for every idea.
NEAR = (0.01,)
RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
STEPS = {"lr": RATES, "h": NEAR}
WIDE = {"lr": (0.01, 0.03, 0.1, 0.3, 1.0, 3.0), "h": NEAR}
SHORT = {"lr": (0.001, 0.003, 0.01, 0.03, 0.1, 0.3), "h": NEAR}
RISING = {"lr": (0.01, 0.03, 0.1), "retries": (2, 5)}
BRED = {"lr": (0.03, 0.1, 0.3), "period": (5, 20)}
SPREADS = (0.1, 0.5, 2.0)
CLOUDS = {"spread": SPREADS, "decay": (0.95, 0.99)}
KALMAN = {"spread": (0.5, 2.0, 5.0), "noise": (0.1, 0.5), "regularization": (1e-3,)}


def _near(lr: float) -> dict[str, float]:
    return {"lr": lr, "h": 0.01}


def _kalman(spread: float, noise: float) -> dict[str, float]:
    return {"spread": spread, "noise": noise, "regularization": 1e-3}


# A table: its rows are packed by hand, so that one sees many at once.
# fmt: off
IDEAS: tuple[Idea, ...] = (
    # Bases that the source takes for granted, and what stands beside them
    Idea("random-grad", "RandomGrad", RandomGrad, "estimator", "2",
        trials=Trials(STEPS, _near(0.1), _near(0.03))),
    Idea("random-grad-adam", "RandomGrad, Adam", RandomGrad, "estimator", "2",
        trials=Trials(STEPS, _near(0.1), _near(0.03)), made=with_adam),
    Idea("averaged-differences", "ten differences", AveragedGrad, "estimator", "n + 1",
        options={"bits": False, "lr": 0.02}),
    Idea("averaged-differences-adam", "ten differences, Adam", AveragedGrad, "estimator", "n + 1",
        trials=Trials(STEPS, _near(0.3), _near(0.3)), made=with_adam, options={"bits": False}),
    Idea("best-of-n", "best of ten", RandomBestGrad, "estimator", "n + 1",
        trials=Trials(STEPS, _near(0.3), _near(0.1))),
    Idea("mezo", "MeZO", MeZO, "estimator", "2", options={"keep_best": True, "lr": 0.01}),
    Idea("order-walk", "walk of order 1", OrderWalk, "walk", "1 or 2",
        trials=Trials({"lr": RATES}, {"lr": 0.03}, {"lr": 0.03}), options={"order": 1}),
    # The lines of the source, in its order
    Idea("variable-order", "walk of rising order", VariableOrderWalk, "walk", "1 or 2",
        Line("random walk",
             "raise the order of the walk while the loss falls, lower it after m failures", "none",
             "order-walk"), Trials(RISING, {"lr": 0.03, "retries": 2}, {"lr": 0.1, "retries": 2})),
    Idea("convex-order", "walk of rising order, convex", VariableOrderWalk, "walk", "1 or 2",
        Line("random walk", "raise the order only while the highest derivative shrinks", "none",
             "order-walk"), Trials(RISING, {"lr": 0.01, "retries": 2}, {"lr": 0.01, "retries": 5}),
        options={"convex": True}),
    Idea("order-walk-2", "walk of order 2", OrderWalk, "walk", "1 or 2",
        Line("random walk", "take moves back in the reverse order of the integration",
             "inverse of a chain of shears", "order-walk", library="order_walk.undo", cost="0"),
        Trials({"lr": RATES}, {"lr": 0.01}, {"lr": 0.003}), options={"order": 2}),
    Idea("order-walk-3", "walk of order 3", OrderWalk, "walk", "1 or 2", "order-walk-2",
        Trials({"lr": RATES}, {"lr": 0.01}, {"lr": 0.01}), options={"order": 3}),
    Idea("simplex-gradient", "simplex gradient", ParticleGradient, "population", "n",
        Line("particle-based gradients", "differences between particles as a gradient",
             "simplex gradient; covariance gradient; consensus-based optimization", "averaged"),
        Trials(CLOUDS, {"spread": 2.0, "decay": 0.95}, {"spread": 0.1, "decay": 0.99})),
    Idea("covariance-gradient", "covariance gradient", ParticleGradient, "population", "n",
        "simplex-gradient",
        Trials(CLOUDS, {"spread": 2.0, "decay": 0.95}, {"spread": 0.5, "decay": 0.95}),
        options={"form": "covariance"}),
    Idea("consensus", "consensus", Consensus, "population", "n", "simplex-gradient",
        Trials({"spread": (0.5, 2.0, 5.0), "sharpness": (1.0, 30.0)},
               {"spread": 5.0, "sharpness": 30.0}, {"spread": 0.5, "sharpness": 30.0})),
    Idea("ensemble-kalman", "ensemble Kalman, redrawn", EnsembleKalman, "population", "n",
        Line("swarms",
             "ensemble Kalman inversion, noise at each step or an ensemble redrawn around its mean",
             "ensemble Kalman inversion", "best-of-n"),
        Trials(KALMAN, _kalman(5.0, 0.5), _kalman(2.0, 0.5))),
    Idea("ensemble-kalman-noise", "ensemble Kalman, noise", EnsembleKalman, "population", "n",
        "ensemble-kalman", Trials(KALMAN, _kalman(2.0, 0.1), _kalman(0.5, 0.5)),
        options={"explore": "noise", "decay": 0.95}),
    Idea("ensemble-kalman-growing", "ensemble Kalman, growing", EnsembleKalman, "population",
        "n, rising",
        Line("swarms", "an ensemble that grows", "population size schedule", "ensemble-kalman"),
        Trials(KALMAN, _kalman(0.5, 0.5), _kalman(2.0, 0.5)), options={"size": 8, "growth": 4}),
    Idea("gradient-gravity", "gravity on gradients", GradientGravity, "population", "2n",
        Line("swarms", "gravity between the particles' gradients (or their positions)",
             "gravitational search, for the positions", "order-walk"),
        Trials({"spread": (0.1, 1.0), "lr": (0.01, 0.1, 0.5)}, {"spread": 1.0, "lr": 0.1},
               {"spread": 0.1, "lr": 0.1})),
    Idea("gravity", "gravity", Gravity, "population", "n", "gradient-gravity",
        Trials({"spread": (0.5, 2.0, 5.0), "power": (0.5, 1.0)}, {"spread": 2.0, "power": 0.5},
               {"spread": 0.5, "power": 0.5})),
    Idea("particle-swarm-apart", "particle swarm, own starts", ParticleSwarm, "population", "n",
        Line("swarms", "a start of its own for each individual", "independent initialization",
             "particle-swarm", library="separate_starts", cost="0"),
        Trials({"size": (10, 15, 20, 30, 40, 60)}, {"size": 10}, {"size": 10}), own_starts=True),
    Idea("best-momentum", "RandomGrad, momentum to the best", BestMomentum, "wrapper", "1 more",
        Line("momentum", "momentum that always points to the best point so far", "none",
             "random-grad"), Trials({"lr": RATES, "h": NEAR}, _near(0.03), _near(0.01)),
        made=around_random_grad),
    Idea("accumulated", "never zeroed", Accumulated, "estimator", "0 more",
        Line("momentum", "gradients that are never set to zero", "heavy ball without friction",
             "random-grad"),
        Trials({"lr": (0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003), "h": NEAR}, _near(0.0001),
               _near(0.0003)), made=inside_random_grad),
    Idea("after-momentum-step", "judged after a step with momentum", AfterStepGrad, "wrapper", "2",
        Line("gradient approximation",
             "judge a random gradient by the loss after the optimizer's step", "none",
             "random-grad"), Trials({"lr": RATES}, {"lr": 0.01}, {"lr": 0.003}),
        made=around_momentum),
    Idea("after-adam-step", "judged after a step of Adam", AfterStepGrad, "wrapper", "2",
        "after-momentum-step", made=around_adam),
    Idea("spsa", "SPSA", SPSA, "estimator", "2",
        Line("gradient approximation", "SPSA", "simultaneous perturbation stochastic approximation",
             "random-grad-adam"),
        Trials(SHORT, _near(0.1), _near(0.03)), options={"lr": 0.01}),
    Idea("spsa-adam", "SPSA, Adam", SPSA, "estimator", "2", "spsa",
        Trials(STEPS, _near(0.1), _near(0.1)), made=with_adam),
    Idea("line-parabola", "parabola on a line", LineParabola, "walk", "3",
        Line("gradient approximation", "three points on a line, for the curvature",
             "parabolic interpolation on random lines", "random-grad"),
        Trials({"h": (0.02, 0.1, 0.5), "reach": (2.0, 10.0)}, {"h": 0.02, "reach": 10.0},
               {"h": 0.02, "reach": 2.0})),
    Idea("undo", "RandomGrad, undo", UndoIncrease, "wrapper", "1 more",
        Line("optimizer wrappers", "undo a step that raised the loss, or make its opposite",
             "greedy acceptance", "random-grad", cost="1 or 2 more"),
        Trials(STEPS, _near(0.3), _near(0.1)), made=around_random_grad),
    Idea("reverse", "RandomGrad, undo or reverse", UndoIncrease, "wrapper", "1 or 2 more", "undo",
        Trials(STEPS, _near(0.1), _near(0.1)),
        made=around_random_grad, options={"otherwise": "reverse"}),
    Idea("several-rates", "RandomGrad, several rates", SeveralRates, "wrapper", "one more a rate",
        Line("optimizer wrappers", "several step sizes for each update", "line search on a grid",
             "random-grad"), Trials(STEPS, _near(0.1), _near(0.3)), made=around_random_grad),
    Idea("breeding", "breeding", BreedOptimizers, "wrapper", "2n",
        Line("evolution", "breed and mutate optimizers with their state",
             "population-based training", "random-grad-adam"),
        Trials(BRED, {"lr": 0.1, "period": 5}, {"lr": 0.03, "period": 5}), made=of_adams),
    Idea("rebirth", "breeding, initial state", BreedOptimizers, "wrapper", "2n",
        Line("evolution", "give a reborn optimizer its initial state", "none", "breeding"),
        Trials(BRED, {"lr": 0.1, "period": 20}, {"lr": 0.1, "period": 5}),
        made=of_adams, options={"rebirth": "initial"}),
    Idea("evolution", "evolution strategy", EvolutionStrategy, "population", "n",
        Line("evolution", "a plain evolutionary algorithm",
             "evolution strategy with step-size adaptation", "order-walk"),
        Trials({"spread": SPREADS, "size": (10, 20)}, {"spread": 0.1, "size": 10},
               {"spread": 0.1, "size": 10})),
    Idea("particle-swarm", "particle swarm", ParticleSwarm, "population", "n",
        Line("particle swarm", "particle swarm", "particle swarm optimization", "order-walk"),
        Trials({"spread": SPREADS, "size": (10, 30)}, {"spread": 0.5, "size": 10},
               {"spread": 0.5, "size": 10})),
    Idea("annealing", "simulated annealing", SimulatedAnnealing, "walk", "1",
        Line("simulated annealing",
             "simulated annealing (all that the line says is that it is extremely simple)",
             "simulated annealing", "order-walk"),
        Trials({"lr": (0.01, 0.03, 0.1), "temperature": (0.01, 0.1)},
               {"lr": 0.03, "temperature": 0.01}, {"lr": 0.1, "temperature": 0.01}),
        options={"cooling": 0.995}),
    Idea("integer-boolean", "integer and boolean tensors", ParameterVector, "tensors", "0",
        Line("other", "integer and boolean tensors", "relaxation by rounding",
             note="shown above: torch gives them no gradient, and a search needs none")),
    Idea("smoothed", "smoothed estimate", SmoothedGrad, "estimator", "2",
        Line("other", "smoothed random gradients, other random generators",
             "exponential average; Rademacher noise", "random-grad"),
        Trials(WIDE, _near(0.1), _near(0.03))),
    Idea("smoothed-direction", "smoothed direction", SmoothedGrad, "estimator", "2", "smoothed",
        Trials(STEPS, _near(0.1), _near(0.03)), options={"smooth": "direction"}),
    Idea("smoothed-noise", "signs of ±1 noise", SmoothedGrad, "estimator", "2", "smoothed",
        Trials(STEPS, _near(0.1), _near(0.03)), options={"decay": 0.0, "noise": "rademacher"}),
    Idea("averaged", "ten signs", AveragedGrad, "estimator", "n + 1", "smoothed",
        Trials(WIDE, _near(1.0), _near(0.1))),
    # What the list leaves out, or only links to: in the library and not in the race
    Idea("covariance-adaptation", "CMA-ES", CovarianceAdaptation, "population", "n"),
    Idea("natural-evolution", "separable natural evolution", NaturalEvolution, "population", "n"),
    Idea("mezo-sparse", "MeZO, sparse", MeZO, "estimator", "2",
        options={"keep_best": True, "lr": 0.01, "directions": "sparse"}),
    Idea("mezo-low-rank", "MeZO, low rank", MeZO, "estimator", "2",
        options={"keep_best": True, "lr": 0.01, "directions": "low-rank"}),
    Idea("forward-gradient", "forward gradient", ForwardGradient, "estimator", "1",
        options={"lr": 0.01}),
    Idea("spall", "SPSA, Spall's gains", SpallSPSA, "estimator", "2"),
    Idea("second-order", "SPSA of second order", SecondOrderSPSA, "estimator", "4"),
    Idea("guided", "guided evolution strategy", GuidedEvolution, "estimator", "2"),
    Idea("gravitational-search", "gravitational search", GravitationalSearch, "population", "n"),
    Idea("swarm-gradient", "gradient of a swarm", SwarmGradient, "population", "n"),
)
# fmt: on
"""The rows: first the bases, then the lines of the source with their readings."""

REGISTRY: dict[str, Idea] = {idea.slug: idea for idea in IDEAS if idea.kind != "tensors"}
"""What searches, by slug."""
