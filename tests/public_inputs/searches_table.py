"""Valid calls: search distributions, and optimizers that only evaluate the loss."""

import numpy as np
import torch
from kinds import (
    anything,
    array,
    case,
    choice,
    count,
    flag,
    function,
    given,
    instance,
    positive,
    real,
    rng,
    tensor,
    torch_rng,
)

from descent import search_distributions
from descent.adam import FRESH, Moments
from descent.zeroth_order import REGISTRY, ParticleSwarm, RandomGrad


def hill(x):
    return -(x**2).sum(axis=1)


def positive_or_none(value):
    return given(lambda: value, *[bad for bad in positive(value).refused if bad is not None])


def weights():
    return torch.full((3,), 5.0)


def seeded():
    return torch.Generator().manual_seed(0)


POINTS = np.random.default_rng(0).standard_normal((6, 2))
INDEFINITE, SINGULAR = np.diag([1.0, -1.0]), np.ones((2, 2))
COVARIANCE = array(np.eye(2), INDEFINITE, SINGULAR, np.eye(3), np.array([[1.0, 0.5], [0.0, 1.0]]))
VALUES = function(hill, lambda x: 1.0, lambda x: np.full(len(x), np.nan), lambda x: "x")
ASCENT = dict(
    f=VALUES,
    mean=array([1.0, 1.0], [1.0]),
    covariance=COVARIANCE,
    n_steps=count(3),
    rng=rng(),
    n_samples=count(5, least=2),
    target=real(-1e-9),
)
STEP = dict(step_size=positive(0.01))
LIMIT = positive(2.0)

PARAMS = given(
    lambda: [weights()],
    [],
    None,
    5,
    "x",
    [1.0],
    [np.ones(3)],
    [torch.ones(2) + 1j],
    [torch.ones(0)],
)
ESTIMATOR = dict(
    params=PARAMS,
    lr=positive_or_none(0.1),
    h=positive(0.01),
    generator=torch_rng(),
    optimizer=instance(lambda: None),  # with one, params would not be looked at
)
WALK = {name: ESTIMATOR[name] for name in ("params", "generator")} | {"lr": positive(0.1)}
WRAPPED = instance(lambda: torch.optim.SGD([weights()], lr=0.1))
SWARM = dict(
    start=array([3.0, 3.0], 3.0, np.ones((2, 2, 2)), np.empty(0), np.ones((1, 2)), free=True),
    spread=positive(1.0),
    size=count(4, least=2),
    generator=rng(),
)
OFFSPRING = SWARM | {"size": given(lambda: 4, 1, 0, -1, 2.5, "x")}
POSITIVE_COUNT = count(3, least=1)
SPALL = {name: ESTIMATOR[name] for name in ("params", "generator")} | {
    "lr": positive(0.1),
    "stability": real(10.0, least=0),
    "fall": real(0.6, least=0),
    "narrowing": real(0.1, least=0),
}


def swarm():
    made = ParticleSwarm([3.0, 3.0], size=4, generator=np.random.default_rng(0))
    made.ask()
    return made


def search():
    return RandomGrad([weights()], generator=seeded())


CASES = {
    "adam.adam_step": case(
        gradient=anything(np.ones(3), "what is not finite is seen in the path"),
        moments=instance(lambda: FRESH, Moments(0.0, 0.0, -1), Moments(0.0, 0.0, 0.5)),
        size=anything(0.1, "any sizes that broadcast"),
        betas=array([0.9, 0.999], [0.9, 1.0], [-0.1, 0.5]),
        epsilon=real(1e-8, least=0),
    ),
    "search_distributions.leave_one_out": case(values=array([1.0, 2.0, 6.0], [1.0])),
    "search_distributions.rank_utilities": case(
        values=array([1.0, 2.0, 6.0], [1.0, np.nan], [1.0, np.inf], nan=True)
    ),
    "search_distributions.score_function_gradient": case(
        values=array(np.ones(6), np.ones(5)),
        samples=array(POINTS, POINTS[:, :1]),
        mean=array([0.0, 0.0], [1.0]),
        covariance=COVARIANCE,
    ),
    "search_distributions.sampled_gradient": case(
        f=VALUES,
        mean=array([0.0, 0.0], [1.0]),
        covariance=COVARIANCE,
        n_samples=count(20, least=16),
        rng=rng(),
        n_blocks=count(16, least=1),
        run=function(map),
    ),
    "search_distributions.Clipping": case(
        ceiling=positive_or_none(10.0),
        growth=positive_or_none(2.0),
        reset=positive(0.1),
        floor=positive_or_none(0.05),
    ),
    "search_distributions.score_function_ascent": case(
        **ASCENT, **STEP, baseline=flag(), clipping=instance(search_distributions.Clipping)
    ),
    "search_distributions.log_cholesky_ascent": case(**ASCENT, **STEP, natural=flag()),
    "search_distributions.xnes": case(**ASCENT, mean_rate=positive(1.0), shape_rate=positive(0.5)),
    "zeroth_order.RandomGrad": case(**ESTIMATOR),
    "zeroth_order.SPSA": case(**ESTIMATOR),
    "zeroth_order.MeZO": case(
        **ESTIMATOR,
        directions=choice("normal"),
        share=real(0.5, above=0, most=1),
        rank=POSITIVE_COUNT,
        keep_best=flag(False),
    ),
    "zeroth_order.ForwardGradient": case(
        **{name: kind for name, kind in ESTIMATOR.items() if name != "h"}, keep_best=flag(True)
    ),
    "zeroth_order.AveragedGrad": case(**ESTIMATOR, samples=POSITIVE_COUNT, bits=flag(True)),
    "zeroth_order.RandomBestGrad": case(**ESTIMATOR, samples=POSITIVE_COUNT),
    "zeroth_order.SmoothedGrad": case(
        **ESTIMATOR,
        decay=real(0.9, least=0, below=1),
        smooth=choice("estimate"),
        noise=choice("normal"),
    ),
    "zeroth_order.LineParabola": case(**WALK, h=positive(0.1), reach=positive(10.0)),
    "zeroth_order.OrderWalk": case(**WALK, order=count(2, least=1)),
    "zeroth_order.VariableOrderWalk": case(
        **WALK, retries=POSITIVE_COUNT, max_order=POSITIVE_COUNT, convex=flag()
    ),
    "zeroth_order.SimulatedAnnealing": case(
        **WALK, temperature=positive(1.0), cooling=real(0.9, above=0, most=1)
    ),
    "zeroth_order.Accumulated": case(optimizer=WRAPPED, decay=real(1.0, above=0, most=1)),
    "zeroth_order.AfterStepGrad": case(optimizer=WRAPPED, generator=torch_rng()),
    "zeroth_order.BestMomentum": case(optimizer=WRAPPED, momentum=real(0.9, least=0, below=1)),
    "zeroth_order.SeveralRates": case(
        optimizer=WRAPPED,
        factors=given(lambda: (0.1, 1.0), (), (np.nan,), ("x",), None, 5, "12", (1j,), (None, 1.0)),
    ),
    "zeroth_order.UndoIncrease": case(optimizer=WRAPPED, otherwise=choice("undo")),
    "zeroth_order.BreedOptimizers": case(
        params=PARAMS,
        factory=function(
            lambda params, generator: RandomGrad(params, generator=generator),
            lambda params, generator: 1.0,
        ),
        size=count(3, least=3),
        period=count(2, least=1),
        mutation=real(0.3, least=0),
        rebirth=choice("bred"),
        starts=tensor(torch.ones(3, 3), torch.ones(2, 3)),
        generator=torch_rng(),
    ),
    "zeroth_order.Driven": case(
        params=PARAMS,
        population=function(
            lambda x: ParticleSwarm(x, generator=np.random.default_rng(0)), lambda x: 1.0
        ),
    ),
    "zeroth_order.Population": case(**SWARM),
    "zeroth_order.Population.tell": case(
        of=swarm, losses=array([4.0, 3.0, 2.0, 1.0], [1.0, 2.0], nan=True)
    ),
    "zeroth_order.ParticleSwarm": case(
        **SWARM,
        inertia=real(0.7, least=0, below=1),
        own=real(1.5, least=0),
        social=real(1.5, least=0),
    ),
    "zeroth_order.EvolutionStrategy": case(**SWARM),
    "zeroth_order.CovarianceAdaptation": case(**OFFSPRING, active=flag(True)),
    "zeroth_order.NaturalEvolution": case(
        **OFFSPRING, mean_rate=positive(1.0), width_rate=positive_or_none(0.5)
    ),
    "zeroth_order.SpallSPSA": case(**SPALL, h=positive(0.01)),
    "zeroth_order.SecondOrderSPSA": case(
        **SPALL, h=positive_or_none(0.1), damping=positive(1e-3), reach=positive(1.0)
    ),
    "zeroth_order.GuidedEvolution": case(
        **ESTIMATOR,
        samples=POSITIVE_COUNT,
        guides=POSITIVE_COUNT,
        share=real(0.5, above=0, most=1),
        gain=positive(2.0),
        surrogate=function(lambda x: x),
    ),
    "zeroth_order.GravitationalSearch": case(
        **SWARM, strength=positive(1.7), decay=real(20.0, least=0), steps=POSITIVE_COUNT
    ),
    "zeroth_order.SwarmGradient": case(
        **SWARM,
        memory=real(0.9, least=0, below=1),
        own=real(0.8, least=0),
        social=real(0.9, least=0),
        rate=positive(0.1),
        lr=positive(0.05),
    ),
    "zeroth_order.swarm_gradient": case(
        x=array([1.0, 2.0]),
        best=array([0.0, 1.0], [1.0]),
        coefficient=real(0.5, least=0),
        rate=positive(0.1),
    ),
    "zeroth_order.Consensus": case(
        **SWARM,
        drift=real(0.2, above=0, most=1),
        noise=real(0.6, least=0),
        sharpness=positive(30.0),
    ),
    "zeroth_order.EnsembleKalman": case(
        **SWARM,
        regularization=positive(1e-3),
        explore=choice("noise"),
        noise=real(0.3, least=0),
        decay=real(0.8, above=0, most=1),
        epoch=count(3, least=1),
        growth=count(0),
    ),
    "zeroth_order.Gravity": case(
        **SWARM, pull=real(0.3), power=real(1.0), noise=real(0.5, least=0), centre=choice("best")
    ),
    "zeroth_order.GradientGravity": case(
        **SWARM, lr=positive(0.02), h=positive(0.01), pull=real(0.3), power=real(1.0)
    ),
    "zeroth_order.ParticleGradient": case(
        **SWARM, lr=positive(1.0), decay=real(0.9, above=0, most=1), form=choice("simplex")
    ),
    "zeroth_order.ParameterVector": case(
        groups=given(
            lambda: [{"params": [weights()]}],
            [],
            [{}],
            None,
            5,
            [{"params": [1.0]}],
            [{"params": [torch.ones(2) + 1j]}],
        )
    ),
    "zeroth_order.separate_starts": case(params=PARAMS, size=count(3), generator=rng()),
    "zeroth_order.ZerothOrder.step": case(of=search, closure=function(lambda: 1.0, lambda: "x")),
    "zeroth_order.Idea.optimizer": case(
        of=lambda: REGISTRY["random-grad"],
        params=PARAMS,
        seed=count(0),
        options=given(dict, {"lr": -1.0}),
    ),
    "zeroth_order.Idea.population": case(
        of=lambda: REGISTRY["particle-swarm"],
        start=SWARM["start"],
        seed=count(0),
        options=given(dict, {"spread": -1.0}),
    ),
}

HOOKS = [
    "attempt",
    "check_kept",
    "derivatives",
    "draw",
    "drawn",
    "draws_from",
    "each",
    "empty",
    "end",
    "estimate",
    "evaluate",
    "fill",
    "follow",
    "gradients",
    "has_gradients",
    "learn",
    "loss_at_end",
    "loss_of",
    "normal",
    "parts",
    "per_coordinate",
    "propose",
    "read",
    "restore_best",
    "scalar",
    "set_gradients",
    "shifted",
    "update",
    "weigh",
    "write",
]
EXEMPT = {
    "search_distributions.NO_CLIPPING": "called at each step of an ascent",
    "search_distributions.Run": "what an ascent returns",
    "zeroth_order.Accumulated.step": "ZerothOrder.step, or without a closure",
    "zeroth_order.Idea": "a row of REGISTRY, made in the module that holds it",
    "zeroth_order.Population.ask": "takes nothing",
    "zeroth_order.ZerothOrder": "a base; its subclasses are here",
    "zeroth_order.ZerothOrder.add_param_group": "called by torch, once for each group",
    "zeroth_order.*.state_dict": "takes nothing",
    "zeroth_order.*.load_state_dict": "tests/zeroth_order/test_contract.py has foreign states",
    "zeroth_order.*.check_state": "called by load_state_dict",
    "zeroth_order.*.load": "called by load_state_dict with a state that was checked",
    "zeroth_order.*.search": "takes nothing",
    "zeroth_order.*.retreat": "takes nothing",
    **{f"zeroth_order.*.{name}": "called inside a step with what the step made" for name in HOOKS},
}
