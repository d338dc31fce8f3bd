"""Relations of optimizers and searches, and of rules that make one step of several losses."""

import numpy as np
import torch
from relation import relation, same

from descent import adam, aggregation, search_distributions, zeroth_order
from descent.aggregation import RULES
from descent.zeroth_order import REGISTRY

SHIFT = torch.tensor([4.0, -2.0, 8.0], dtype=torch.float64)
START = torch.tensor([1.0, -1.5, 0.5], dtype=torch.float64)


@relation("adam.adam_step")
def adam_does_not_see_the_scale_of_the_loss():
    gradients = np.random.default_rng(0).normal(size=(9, 3))

    def path(factor, kind=np.asarray):
        moments, steps = adam.FRESH, []
        for g in gradients:
            step, moments = adam.adam_step(kind(factor * g), moments, 0.1, epsilon=0.0)
            steps.append(step.tolist())
        return np.array(steps)

    plain = path(1.0)
    for factor in (1e-30, 1e30):
        same(path(factor), plain)
    same(path(1.0, torch.as_tensor), plain)
    same(path(-1.0), -plain)


# Rules for several losses


LOSSES = np.array([1.0, 0.5, 0.25])
GRADIENTS = np.random.default_rng(1).normal(size=(3, 4))
TURN = np.linalg.qr(np.random.default_rng(2).normal(size=(4, 4)))[0]


def answer(name, losses, gradients):
    """Return the second answer of a rule, so that those with a memory have one."""
    rule = getattr(aggregation, name)
    options = {"weights": [0.2, 0.3, 0.5]} if name == "fixed_weights" else {}
    state = None if "deterministic" in RULES[name].properties else np.random.default_rng(0)
    state = rule(losses * [2.0, 3.0, 1.5], gradients, state, **options).state
    return rule(losses, gradients, state, **options)


@relation(*(f"aggregation.{name}" for name in RULES))
def rules_turn_with_the_parameters_and_see_no_scale():
    for name in RULES:
        plain = answer(name, LOSSES, GRADIENTS)
        turned = answer(name, LOSSES, GRADIENTS @ TURN)
        same(turned.gradient, plain.gradient @ TURN, rtol=1e-9, atol=1e-12)
        same(turned.weights, plain.weights, rtol=1e-9, atol=1e-12)
        if "scale does not matter" in RULES[name].properties:
            for factor in (1e-30, 1e30):
                large = answer(name, factor * LOSSES, factor * GRADIENTS)
                same(large.weights, plain.weights, rtol=1e-9, atol=1e-12)
        if "order does not matter" in RULES[name].properties and name != "fixed_weights":
            order = [2, 0, 1]
            moved = getattr(aggregation, name)(LOSSES[order], GRADIENTS[order])
            first = getattr(aggregation, name)(LOSSES, GRADIENTS)
            same(moved.weights, first.weights[order], rtol=1e-9, atol=1e-12)


@relation("aggregation.Rule", "aggregation.Rule.backward")
def backward_adds_what_the_rule_answers():
    def losses(x):
        return [(x**2).sum(), (x * torch.tensor([1.0, -3.0])).sum(), x.sin().sum()]

    x = torch.tensor([0.5, -1.0], requires_grad=True)
    for name in ("mgda", "upgrad", "equal_sum"):
        rule = getattr(aggregation, name)
        x.grad = None
        (expected,) = rule(losses(x), x).gradient
        found = RULES[name].backward(losses(x), x)
        same(x.grad.numpy(), expected.numpy(), rtol=1e-6)
        same(found.gradient[0].numpy(), expected.numpy(), rtol=1e-6)


@relation("aggregation.AccumulatedLoss", "aggregation.AccumulatedLoss.add")
def an_accumulated_loss_adds_up():
    first, both = aggregation.AccumulatedLoss(), aggregation.AccumulatedLoss()
    weights = torch.tensor([0.25, 0.75])
    path = torch.tensor([[4.0, 2.0], [2.0, 3.0], [1.0, 0.5]])
    ends = [float(first.add(losses, weights)) for losses in path]
    scaled = [float(both.add(4 * losses, weights)) for losses in path]
    same(scaled, 4 * np.array(ends), rtol=1e-6)
    same(np.diff(ends), np.diff((path @ weights).numpy()), rtol=1e-6)


# Search distributions


def hill(x):
    return -((x - [1.0, -0.5]) ** 2 @ [1.0, 2.0])


ASCENT = dict(mean=[2.0, 1.0], n_steps=8, n_samples=20)


@relation("search_distributions.leave_one_out", "search_distributions.rank_utilities")
def baselines_see_no_offset_and_ranks_no_scale():
    values = np.array([3.0, 1.0, -2.0, 7.5])
    same(
        search_distributions.leave_one_out(values + 64), search_distributions.leave_one_out(values)
    )
    same(search_distributions.leave_one_out(4 * values).sum(), 0, atol=1e-12)
    plain = search_distributions.rank_utilities(values)
    for other in (values * 1e30, values * 1e-30, np.arctan(values)):
        same(search_distributions.rank_utilities(other), plain)
    same(search_distributions.rank_utilities(values[::-1]), plain[::-1])


@relation("search_distributions.score_function_gradient", "search_distributions.sampled_gradient")
def gradients_by_samples_change_their_unit():
    def gradient(a):
        return search_distributions.sampled_gradient(
            lambda x: hill(x / a),
            np.array([2.0, 1.0]) * a,
            np.array([[1.0, 0.3], [0.3, 0.5]]) * a**2,
            n_samples=64,
            rng=np.random.default_rng(0),
        )

    plain, large = gradient(1.0), gradient(4.0)
    for one, other, power in zip(plain, large, (1, 2), strict=True):
        same(4.0**power * np.asarray(other), one, rtol=1e-8, atol=1e-12)
    samples = np.random.default_rng(3).normal(size=(30, 2))
    values = hill(samples)
    score = search_distributions.score_function_gradient
    for one, other, power in zip(
        score(values, samples, np.zeros(2), np.eye(2)),
        score(values, 4 * samples, np.zeros(2), 16 * np.eye(2)),
        (1, 2),
        strict=True,
    ):
        same(4.0**power * other, one, rtol=1e-9, atol=1e-12)


@relation(
    "search_distributions.xnes",
    "search_distributions.log_cholesky_ascent",
    "search_distributions.score_function_ascent",
    "search_distributions.Clipping",
)
def ascents_move_with_their_objective():
    s, moved = search_distributions, np.array([4.0, -8.0])
    for run, options in (
        (s.xnes, {}),
        (s.log_cholesky_ascent, dict(step_size=0.05, natural=True)),
        (s.score_function_ascent, dict(step_size=0.01, baseline=True, clipping=s.Clipping())),
    ):

        def end(shift, run=run, options=options):
            return run(
                lambda x: hill(x - shift),
                covariance=np.eye(2),
                rng=np.random.default_rng(0),
                **ASCENT | dict(mean=np.array([2.0, 1.0]) + shift),
                **options,
            )

        plain, other = end(0.0), end(moved)
        same(other.means - moved, plain.means, rtol=1e-7, atol=1e-9)
        same(other.covariances, plain.covariances, rtol=1e-7, atol=1e-9)


# Optimizers that only evaluate the loss


def path(name, shift, parts=1, n_steps=6, factor=1.0):
    """Return parameters and returned losses of a run whose valley is shifted."""
    x = (START + shift).clone()
    tensors = [x] if parts == 1 else list(x.split(1))
    search = REGISTRY[name].optimizer(tensors, 0)
    population = getattr(search, "population", None)

    def closure():
        residuals = torch.cat([t.reshape(-1) for t in tensors]) - shift
        residuals = residuals * torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)
        return (
            residuals
            if getattr(population, "residuals", False)
            else factor * residuals.square().sum()
        )

    rows = []
    for _ in range(n_steps):
        loss = search.step(closure)
        rows.append([*(torch.cat([t.reshape(-1) for t in tensors]) - shift).tolist(), loss])
    return np.array(rows)


@relation(
    "zeroth_order.RandomGrad",
    "zeroth_order.SPSA",
    "zeroth_order.AveragedGrad",
    "zeroth_order.RandomBestGrad",
    "zeroth_order.MeZO",
    "zeroth_order.ForwardGradient",
    "zeroth_order.SmoothedGrad",
    "zeroth_order.LineParabola",
    "zeroth_order.OrderWalk",
    "zeroth_order.VariableOrderWalk",
    "zeroth_order.SimulatedAnnealing",
    "zeroth_order.Accumulated",
    "zeroth_order.AfterStepGrad",
    "zeroth_order.BestMomentum",
    "zeroth_order.SeveralRates",
    "zeroth_order.UndoIncrease",
    "zeroth_order.BreedOptimizers",
    "zeroth_order.Driven",
    "zeroth_order.Population",
    "zeroth_order.ParticleSwarm",
    "zeroth_order.EvolutionStrategy",
    "zeroth_order.CovarianceAdaptation",
    "zeroth_order.NaturalEvolution",
    "zeroth_order.SpallSPSA",
    "zeroth_order.SecondOrderSPSA",
    "zeroth_order.GuidedEvolution",
    "zeroth_order.GravitationalSearch",
    "zeroth_order.SwarmGradient",
    "zeroth_order.Consensus",
    "zeroth_order.EnsembleKalman",
    "zeroth_order.Gravity",
    "zeroth_order.GradientGravity",
    "zeroth_order.ParticleGradient",
    "zeroth_order.ParameterVector",
    "zeroth_order.ZerothOrder.step",
    "zeroth_order.Idea.optimizer",
)
def searches_move_with_their_valley_and_do_not_see_how_parameters_are_cut():
    for name in REGISTRY:
        if name == "particle-swarm-apart":  # its starts are drawn around 0
            continue
        plain = path(name, torch.zeros(3, dtype=torch.float64))
        same(path(name, SHIFT), plain, rtol=1e-6, atol=1e-8)
        same(path(name, torch.zeros(3, dtype=torch.float64), parts=3), plain, rtol=1e-6, atol=1e-8)


@relation("zeroth_order.Population.tell", "zeroth_order.Idea.population")
def what_sees_only_ranks_sees_no_scale():
    def end(factor):
        population = REGISTRY["evolution"].population(START.numpy(), 0)
        for _ in range(6):
            x = population.ask()
            population.tell(factor * (x**2).sum(axis=1))
        return population.ask()

    plain = end(1.0)
    for factor in (1e-30, 1e30):
        same(end(factor), plain)


@relation("zeroth_order.swarm_gradient")
def a_swarms_gradient_knows_no_origin():
    x, best, shift = np.array([1.0, 2.0]), np.array([0.5, -1.0]), np.array([8.0, -4.0])
    estimate = zeroth_order.swarm_gradient
    same(estimate(x + shift, best + shift, 0.5, 0.1), estimate(x, best, 0.5, 0.1))
    same(estimate(x, best, 1.0, 0.1), 2 * estimate(x, best, 0.5, 0.1))
    same(estimate(best, x, 0.5, 0.2), -estimate(x, best, 0.5, 0.1) / 2)


@relation("zeroth_order.separate_starts")
def separate_starts_draw_each_tensor_by_its_own_spread():
    def starts(factor):
        tensors = [torch.randn(500, generator=torch.Generator().manual_seed(0)) * factor]
        return zeroth_order.separate_starts(tensors, 4, np.random.default_rng(0))

    same(starts(4.0), 4 * starts(1.0), rtol=1e-5)
