"""Valid calls: landscapes, chains on them, their densities, and smoothed ascent."""

import math
from inspect import signature

import numpy as np
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
)

from descent import minimum_action, smoothing
from descent.fokker_planck.diffusion_limit import linear
from descent.landscapes import FINITE_SUMS, ackley, six_hump_camel, stationary_points, two_datapoint
from descent.markov.transfer_operator import TransferOperator
from descent.perlin import random_layers

WELLS, LINE = two_datapoint(), linear([1.2, 0.8], [-2.0, -2.0])
EDGE = 1.1959565136502515
PIT, SADDLE = stationary_points(WELLS.mean_gradient, 0.9, 1.3)
POINTWISE = "a pointwise function of an inner loop: NaN goes through"
EDGES = np.linspace(-4.0, 4.0, 41)
CENTRES = (EDGES[1:] + EDGES[:-1]) / 2
BELL = np.exp(-((CENTRES - 1) ** 2) / 2)
BELL /= BELL @ np.diff(EDGES)
CIRCLE = np.linspace(0.0, 1.0, 31)


BOWL = minimum_action.of_diffusion(lambda x: -x)


def draws(x):
    """Return the gradients of two data points, (2, m, d)."""
    return np.stack([x - 1, x + 1])


def one_up_or_down(states, rng):
    return np.maximum(states + np.where(rng.random(states.shape) < 0.4, 1.0, -1.0), 0.0)


STEPS = dict(
    step=function(one_up_or_down, lambda states, rng: states[:1, :0]),
    score=function(lambda states: states[:, 0], lambda states: states),
    low=real(0.5, below=3.0),
    high=real(3.0, above=0.5),
    rng=rng(),
    max_steps=count(100_000, least=1),
)


def rows():
    """Return a function of two samples; others return no row for each sample."""
    return function(
        lambda w: np.stack([np.square(w), np.square(w)]),
        np.square,
        lambda w: [np.square(w)],
        lambda w: np.float64(1.0),
    )


def wells():
    return instance(lambda: WELLS)


def operator():
    return TransferOperator(WELLS, step_size=0.02, grid=np.linspace(0.8, 1.196, 201))


def edges(value=EDGES):
    return array(value, value[::-1].copy(), value[:2])


def density(value=BELL):
    return array(value, -value, 2 * value, value[:-1])


def points(value=(0.5, 1.5)):
    """Return points of any number; NaN is an error, too."""
    return array(value, free=True)


def through(value=(0.5, 1.5)):
    """Return points of a function that lets NaN through."""
    return array(value, free=True, nan=True)


def drift():
    return function(lambda w: -w, lambda w: np.nan * w, lambda w: w[:-1], lambda w: "x")


def variance():
    return function(lambda w: 2 + 0 * w, lambda w: 0 * w - 1, lambda w: np.nan * w)


def calculus():
    return choice("ito")


def rising(*value):
    """Return rising numbers of steps."""
    return given(
        lambda: list(value), [], [3, 3], [5, 2], [-1, 2], [0.5], 5, None, "12", [True, 2], [np.nan]
    )


ONE = dict(model=wells(), step_size=positive(0.05))
WALK = dict(start=real(1.0, most=SADDLE), step_size=positive(0.05), n_steps=count(20))
LONG = ONE | dict(step_size=positive(0.3))  # one step is enough to escape
EXIT = given(
    lambda: SADDLE, np.nan, math.inf, (1.1, 0.9), (1.05, 1.1), (1.0, np.nan), "x", None, (1.0,),
    (-math.inf, math.inf),
)  # fmt: skip
ESCAPE = dict(start=real(1.0), threshold=EXIT)
ONE_PIT = dict(model=wells(), minimum=real(PIT))
DEALT = LONG | dict(start=real(1.0), threshold=real(SADDLE), copies=count(1, least=1))
PUSHED = ONE | dict(momentum=real(0.5, least=0, below=1), start=real(1.0), threshold=real(SADDLE))
CONTROL = dict(tolerance=positive(1e-2), return_error=flag())
GAUSS = dict(x=points(), sigma=array([0.0, 1.0], [-1.0, 1.0], free=True))
WIDE = array([0.5, 1.0], [0.0, 1.0], free=True)
ASCENT = function(smoothing.smoothed_sinc, lambda x, sigma: x, lambda x, sigma: (x * np.nan, x, x))
ENDS = dict(minimum=real(PIT), saddle=real(SADDLE))


FIELDS = dict(drift=drift(), variance=variance(), edges=edges(), calculus=calculus())

CASES = {
    "landscapes.FiniteSum": case(
        losses=rows(),
        gradients=rows(),
        curvatures=rows(),
        in_place_gradient=function(np.square),
        weights=array([1.0, 3.0], [1.0], [0.0, 0.0], [-1.0, 2.0]),
    ),
    **{
        f"landscapes.FiniteSum.{name}": case(of=lambda: WELLS, w=through())
        for name in ("loss", "mean_gradient", "mean_curvature", "gradient_variance")
    },
    "landscapes.FiniteSum.average": case(
        of=lambda: WELLS, values=array(np.ones((2, 3)), np.ones((3, 2)), 1.0, nan=True, free=True)
    ),
    "landscapes.FiniteSum.batches": case(
        of=lambda: WELLS, size=count(2, least=1), replacement=flag()
    ),
    # A model of numbers has its case from its signature; one that takes others needs a row.
    **{
        f"landscapes.{name}": case(
            **{key: real(p.default) for key, p in signature(model).parameters.items()}
        )
        for name, model in FINITE_SUMS.items()
    },
    "landscapes.two_datapoint": case(depth=real(1.0, least=0)),
    "landscapes.stationary_points": case(
        gradient=function(np.sin, lambda w: np.nan * w, lambda w: 1.0),
        low=real(-4.0, below=4.0),
        high=real(4.0, above=-4.0),
        n=count(201, least=2),
    ),
    "landscapes.Objective.check_dimension": case(
        of=lambda: six_hump_camel,
        d=given(lambda: 2, 1, 3, 0, -1),
        shape=anything(None, "for the message alone"),
    ),
    "landscapes.Shifted": case(
        objective=instance(lambda: ackley),
        offset=given(lambda: [1.0, 2.0], *array([1.0, 2.0], np.ones((2, 2)), free=True).refused),
    ),
    "landscapes.sinc": case(x=through()),
    "landscapes.floored_sinc": case(x=through()),
    **{
        f"landscapes.{name}": case(x=array([0.5, 0.25], np.float64(1.0), nan=True, free=True))
        for name in ["ackley", "griewank", "rastrigin", "sphere"]
    },
    **{
        f"landscapes.{name}": case(x=array([0.5, 0.25], [0.5], 1.0, nan=True, free=True))
        for name in ["himmelblau", "rosenbrock", "six_hump_camel"]
    },
    "landscapes.qubic_1d": case(x=array([0.5], [0.5, 0.5], nan=True, free=True)),
    "fokker_planck.diffusion_limit.diffusion_limit": case(**ONE),
    "fokker_planck.diffusion_limit.modified_equation": case(**ONE, noise=flag()),
    "fokker_planck.diffusion_limit.linear": case(
        slopes=array([1.2, 0.8]), intercepts=array([-2.0, 2.0], [1.0])
    ),
    "fokker_planck.diffusion_limit.linear_moments": case(
        slopes=array([1.2, 0.8]),
        intercepts=array([-2.0, 2.0], [1.0]),
        step_size=positive(0.5),
        mean=real(0.5),
        variance=real(0.1, least=0),
        n_steps=count(5),
    ),
    "fokker_planck.diffusion_limit.with_small_steps": case(**ONE, n=count(2, least=1)),
    "markov.chain_density.chain_densities": case(
        model=instance(lambda: LINE),
        step_size=positive(0.3),
        edges=edges(np.linspace(-4, 20, 121)),
        p0=density(np.append(BELL, np.zeros(80))),
        steps=rising(0, 1),
        periodic=flag(),
    ),
    "markov.chain_density.circle_law": case(
        model=instance(lambda: linear([0.0, 0.0], [-1.0, 1.0])),
        step_size=positive(0.31),
        edges=edges(CIRCLE),
    ),
    "fokker_planck.wasserstein_1": case(p=density(), q=density(), edges=edges()),
    "fokker_planck.total_variation": case(p=density(), q=density(), edges=edges()),
    "fokker_planck.solve": case(
        **FIELDS,
        p0=density(),
        times=array([0.1, 0.2], [0.2, 0.1], [-1.0, 0.1]),
        scheme=choice("finite-volume"),
        boundary=given(
            lambda: "no-flux", "nonsense", None, 1, ("no-flux", "periodic"), ("no-flux",), 2.5
        ),
        tolerance=positive(1e-6),
        time_step=positive(1.0),
        return_absorbed=flag(),
    ),
    "fokker_planck.probability_current": case(
        **FIELDS, density=density(), boundary=choice("no-flux")
    ),
    "fokker_planck.stationary_density": case(**FIELDS, boundary=choice("no-flux")),
    "markov.escape_curve": case(
        **ONE, n_steps=count(20), **ESCAPE, **CONTROL, nodes=count(200, least=2)
    ),
    "markov.escape_probability": case(**ONE, n_steps=count(5), **ESCAPE, **CONTROL),
    "markov.laws": case(
        operator=instance(operator), start=real(1.0, most=1.196), steps=rising(0, 3)
    ),
    "markov.quasi_stationary": case(
        operator=instance(operator),
        max_steps=count(10_000, least=1),
        tolerance=real(0.1, above=0, inf=True),
        return_error=flag(),
    ),
    "markov.log_mean_first_passage_time": case(**LONG, **ESCAPE, **CONTROL),
    "markov.mean_first_passage_time": case(**LONG, **ESCAPE, **CONTROL),
    "markov.gradient_descent": case(
        gradient=function(lambda w: 2 * w, lambda w: np.ones(7), lambda w: "x"),
        start=points(),
        step_size=positive(0.25),
        n_steps=count(3),
    ),
    "markov.simulate": case(**ONE, start=points(), n_steps=count(3), rng=rng()),
    "markov.momentum_escape_curve": case(
        **PUSHED, n_steps=count(5), **(CONTROL | dict(tolerance=positive(0.1)))
    ),
    "markov.log_mean_momentum_time": case(**PUSHED, tolerance=positive(0.1)),
    "markov.momentum_passage_times": case(
        **PUSHED, n_steps=count(5), n_particles=count(5), rng=rng()
    ),
    "markov.stable_noise.stable_cdf": case(x=points(), alpha=real(1.5, least=1, most=2)),
    "markov.stable_noise.stable_draws": case(
        size=count(5), alpha=real(1.5, least=1, most=2), rng=rng()
    ),
    "markov.stable_noise.log_mean_exit_time": case(
        gradient=function(np.sin, lambda w: np.nan * w, lambda w: 1.0),
        step_size=positive(0.3),
        alpha=real(1.5, least=1, most=2),
        noise=positive(1.0),
        start=real(0.0, least=-1.0, most=1.0),
        ends=array([-1.0, 1.0], [1.0, -1.0], [1.0]),
        tolerance=positive(1e-2),
    ),
    "markov.stable_noise.log_jump_time": case(
        step_size=positive(0.01),
        alpha=real(1.5, least=1, below=2),
        noise=positive(1.0),
        distances=array([1.0, 2.0], [0.0, 1.0], [1.0]),
    ),
    "markov.reshuffled_reach": case(**DEALT),
    "markov.reshuffled_escape_curve": case(**DEALT, n_steps=count(20), **CONTROL),
    "markov.reshuffled_quasi_potential": case(
        **ONE_PIT,
        saddle=real(SADDLE),
        threshold=real(EDGE),
        epoch=positive(1.5),
    ),
    "markov.log_mean_reshuffled_time": case(**DEALT, tolerance=positive(1e-2)),
    "markov.reshuffled_passage_times": case(
        **DEALT, n_steps=count(20), n_particles=count(5), rng=rng()
    ),
    "markov.first_passage_times": case(
        **ONE, **ESCAPE, n_steps=count(20), n_particles=count(10), rng=rng()
    ),
    "markov.reachable_interval": case(**ONE, **ESCAPE, n=count(401, least=2)),
    "markov.TransferOperator": case(
        model=wells(),
        step_size=positive(0.02),
        grid=array(np.linspace(0.8, 1.196, 51), [1.0, 0.5]),
        absorbing=choice("right"),
        fitted=flag(),
    ),
    "markov.TransferOperator.deposit": case(
        of=operator, points=array([1.0], [0.5], empty=True), weights=array([1.0], empty=True)
    ),
    "markov.TransferOperator.step": case(
        of=operator, mass=array(np.ones(201), np.ones(5), nan=True)
    ),
    "markov.TransferOperator.escaping": case(
        of=operator, mass=array(np.ones(201), np.ones(5), nan=True)
    ),
    "markov.transfer_operator.covering_operator": case(
        **ONE,
        ends=array([0.8, 1.196], [1.196, 0.8]),
        nodes=count(51, least=2),
        absorbing=choice("right"),
        fitted=flag(),
    ),
    "markov.state_reduction.log_mean_absorption_time": case(
        operator=instance(operator),
        mass=array(np.ones(201) / 201, np.ones(5), -np.ones(201), np.zeros(201)),
    ),
    "large_deviations.tilt": case(model=wells(), w=array([1.1, 1.15], free=True)),
    "large_deviations.quasi_potential": case(
        model=wells(), start=real(1.05), end=real(1.1), batch_size=count(2, least=1)
    ),
    "large_deviations.diffusion_exponent": case(
        model=wells(), start=real(1.05), end=real(1.1), batch_size=count(2, least=1)
    ),
    "large_deviations.prefactor": case(model=wells(), **ENDS),
    "large_deviations.log_escape_time": case(**ONE, **ENDS),
    "minimum_action.Hamiltonian": case(moments=function(BOWL.moments)),
    "minimum_action.of_draws": case(
        gradients=function(draws), chances=array([0.5, 0.5], [0.5, 0.6], [-0.5, 1.5])
    ),
    "minimum_action.of_diffusion": case(
        drift=function(lambda x: -x), covariance=anything(1.0, "a number, a matrix or a function")
    ),
    "minimum_action.momentum": case(
        hamiltonian=instance(lambda: BOWL),
        places=array([[1.0, 0.5]]),
        moves=array([[1.0, 0.0]], [[0.0, 0.0]]),
    ),
    "minimum_action.action": case(
        hamiltonian=instance(lambda: BOWL), path=array([[0.0, 0.0], [1.0, 0.0]], [[0.0, 0.0]])
    ),
    "minimum_action.minimum_action": case(
        hamiltonian=instance(lambda: BOWL),
        start=array([0.0, 0.0], [1.0, 0.0]),
        end=array([1.0, 0.0], [0.0, 0.0]),
        path=array([[0.0, 0.0], [0.5, 0.1], [1.0, 0.0]], [[0.0, 0.0], [2.0, 0.0]]),
        n_pieces=given(lambda: 8, 7, 2, 2.5, "8", None),
        tolerance=positive(1e-4),
        rounds=count(50, least=1),
    ),
    "rare_events.rare_chance": case(
        **STEPS,
        starts=array(np.ones((10, 1)), np.zeros((10, 1))),
        kill=given(lambda: 1, 0, 10, 1.5, "1", None),
        repeats=count(2, least=2),
    ),
    "rare_events.rare_time": case(
        **STEPS,
        start=array([0.0], [1.0]),
        n=count(20, least=2),
        loops=count(100, least=100),
        kill=given(lambda: 1, 0, 20, 1.5, "1", None),
        repeats=count(2, least=2),
    ),
    "smoothing.smooth": case(
        f=function(np.square),
        dimension=given(lambda: 2, 0, 2.5, "2", np.nan),
        tolerance=real(1e-9, least=1e-13, below=1),
        n_samples=given(lambda: 10, 3, 5, 2.5, "4", None),
        generator=rng(),
        return_error=flag(),
    ),
    "smoothing.smoothed_sinc": case(**GAUSS),
    "smoothing.smoothed_sinc_faddeeva": case(x=points(), sigma=WIDE),
    "smoothing.smoothed_steps": case(
        x=points(),
        sigma=WIDE,
        jumps=array([0.0, 1.0], empty=True),
        heights=array([1.0, -1.0], [1.0]),
        left=real(0.0),
    ),
    "smoothing.smoothed_floored_sinc": case(**GAUSS),
    "smoothing.ascent.ascend": case(
        smoothed=ASCENT,
        x=points(),
        sigma=WIDE,
        max_step=real(0.5, above=0, most=0.5),
        tolerance=real(1e-4, least=1e-6, below=1),
        least_sigma=positive(1e-3),
        n_steps=count(5000),
        hold_sigma=flag(),
    ),
    "smoothing.ascent.graduated_ascent": case(
        smoothed=ASCENT,
        x=points(),
        sigmas=given(
            lambda: [2.0, 1.0], [], [1.0, 2.0], [1.0, -1.0], [1.0, np.nan], None, 1.0, "x"
        ),
        options=given(lambda: {"n_steps": 300}, {"n_steps": 2.5}, {"max_step": -1.0}),
    ),
    "perlin.fade": case(t=through()),
    "perlin.Perlin": case(
        lattice=array([[[1.0], [-1.0]]], np.ones((1, 2, 3, 2))),
        offsets=array([[0.0]], [[0.0, 0.0]]),
        floors=array([0.0], [0.0, 0.0]),
    ),
    "perlin.Perlin.layers": case(
        of=lambda: noise(), chosen=given(lambda: slice(0, 1), 0, None, "x", [0])
    ),
    **{
        f"perlin.Perlin.{name}": case(
            of=lambda: noise(), x=array([0.2, 0.3], [0.2], 0.5, np.ones(3), free=True)
        )
        for name in ("value", "gradient", "value_and_gradient", "hessian")
    },
    "perlin.Perlin.each": case(
        of=lambda: noise(), x=array(np.ones((2, 2)), np.ones((3, 2)), 0.5, np.ones(2), free=True)
    ),
    "perlin.random_layers": case(
        n_layers=count(2, least=1), cells=count(3, least=2), dimension=count(2, least=1), rng=rng()
    ),
    "perlin.aligned_layers": case(
        n_layers=count(1, least=1), cells=count(2, least=2), dimension=count(1, least=1), rng=rng()
    ),
    "perlin.global_minima": case(
        layers=instance(lambda: noise()),
        points_per_cell=count(4),
        candidates=count(2, least=1),
    ),
}


def noise():
    return random_layers(2, 3, 2, np.random.default_rng(0))


EXEMPT = {
    "markov.cloud.*": "the inner loop of escapes, whose arguments they check",
    "markov.epochs.*": "the inner loop of dealt samples, whose arguments are checked there",
    "markov.escape.*": "the arguments are checked where the package hands the function on",
    "markov.intervals.*": "the same",
    "markov.killed_plane.*": "a part of times with momentum, whose arguments they check",
    "markov.lasting.*": "a part of mean times, whose arguments they check",
    "markov.laws.*": "the same",
    "markov.phases.*": "a part of mean times, whose arguments they check",
    "markov.refined_clouds.*": "a part of escapes, whose arguments they check",
    "markov.state_reduction.sojourns": "a part of the mean time, whose operator is checked",
    "markov.state_reduction.never_escaping": "a part of the mean time, whose operator is checked",
    "markov.walk.*": "the inner loop of first passages, whose arguments they check",
    "landscapes.Objective": "a row of OBJECTIVES, made in the module that holds it",
    "landscapes.FiniteSum.sample_gradient": "the inner loop of every chain",
}
