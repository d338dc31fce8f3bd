"""Relations of chains on a landscape and of their densities: units, mirror images, halves."""

import numpy as np
from relation import relation, same

from descent import fokker_planck, large_deviations, markov, minimum_action, rare_events
from descent.fokker_planck import diffusion_limit
from descent.landscapes import FiniteSum, stationary_points, two_datapoint
from descent.markov import chain_density, stable_noise, state_reduction, transfer_operator

WELLS = two_datapoint()
THRESHOLD = 1.19596
UNIT = 8.0  # W → 8 W, and T → 64 T, which no rounding sees


def in_units(model, a):
    """Return the same objective in the unit w / a; -1 is its mirror image."""
    return FiniteSum(
        losses=lambda w: model.losses(np.asarray(w) / a),
        gradients=lambda w: model.gradients(np.asarray(w) / a) / a,
        curvatures=lambda w: model.curvatures(np.asarray(w) / a) / a**2,
        weights=model.weights,
    )


LARGE, MIRROR = in_units(WELLS, UNIT), in_units(WELLS, -1.0)
WALK = dict(step_size=0.02, start=1.0, threshold=THRESHOLD)
LARGE_WALK = dict(step_size=0.02 * UNIT**2, start=UNIT, threshold=UNIT * THRESHOLD)
MIRROR_WALK = dict(step_size=0.02, start=-1.0, threshold=-THRESHOLD)


def three(function, **arguments):
    """Return what a function says of a walk, of the same in other units, and in the mirror."""
    return (
        function(WELLS, **WALK, **arguments),
        function(LARGE, **LARGE_WALK, **arguments),
        function(MIRROR, **MIRROR_WALK, **arguments),
    )


def operator(a=1.0, nodes=301):
    ends = np.array([0.8, 1.2]) * a
    return markov.TransferOperator(
        in_units(WELLS, a), step_size=0.02 * a**2, grid=np.linspace(*ends, nodes)
    )


@relation("markov.escape_curve", "markov.escape_probability")
def escapes_know_no_unit_and_no_side():
    plain, large, mirror = three(markov.escape_curve, n_steps=60, nodes=2000)
    same(large, plain)
    same(mirror, plain, rtol=1e-3)
    end = markov.escape_probability(WELLS, n_steps=60, **WALK)
    same(end, markov.escape_probability(LARGE, n_steps=60, **LARGE_WALK), rtol=1e-8)
    same(end, plain[-1], rtol=1e-3)


@relation("markov.mean_first_passage_time", "markov.log_mean_first_passage_time")
def mean_times_know_no_unit_and_no_side():
    walks = (
        (WELLS, WALK | dict(step_size=0.04)),
        (LARGE, LARGE_WALK | dict(step_size=0.04 * UNIT**2)),
        (MIRROR, MIRROR_WALK | dict(step_size=0.04)),
    )
    logs = [markov.log_mean_first_passage_time(model, **walk) for model, walk in walks]
    same(logs, [logs[0]] * 3, rtol=1e-3)
    times = [markov.mean_first_passage_time(model, **walk) for model, walk in walks[:2]]
    same(times, [np.exp(logs[0])] * 2, rtol=1e-6)


@relation("markov.first_passage_times")
def the_same_draws_escape_at_the_same_steps_in_any_unit():
    def sample(model, walk):
        rng = np.random.default_rng(0)
        return markov.first_passage_times(model, n_steps=80, n_particles=400, rng=rng, **walk)

    same(sample(LARGE, LARGE_WALK), sample(WELLS, WALK), rtol=0)


@relation("markov.reshuffled_escape_curve", "markov.log_mean_reshuffled_time")
def dealt_samples_know_no_unit_no_side_and_no_order_of_the_data():
    fast, large_fast = dict(step_size=0.024), dict(step_size=0.024 * UNIT**2)
    walks = (
        (WELLS, WALK | fast),
        (LARGE, LARGE_WALK | large_fast),
        (MIRROR, MIRROR_WALK | fast),
        (turned(WELLS), WALK | fast),
    )
    curves = [
        markov.reshuffled_escape_curve(model, n_steps=60, tolerance=1e-2, **walk)
        for model, walk in walks
    ]
    for curve in curves[1:]:
        same(curve, curves[0], atol=1e-2)
    same(curves[3], curves[0], rtol=1e-9, atol=1e-12)
    logs = [
        markov.log_mean_reshuffled_time(model, tolerance=0.05, **walk) for model, walk in walks[:2]
    ]
    same(logs[1], logs[0], rtol=1e-6)


def turned(model):
    """Return the same samples in the opposite order."""
    return FiniteSum(
        losses=lambda w: model.losses(w)[::-1],
        gradients=lambda w: model.gradients(w)[::-1],
        curvatures=lambda w: model.curvatures(w)[::-1],
    )


@relation(
    "markov.momentum_escape_curve",
    "markov.log_mean_momentum_time",
    "markov.momentum_passage_times",
)
def momentum_knows_no_unit_no_side_and_is_nothing_where_it_is_zero():
    def on(function, **arguments):
        return [
            function(model, **walk | dict(step_size=0.02 * a**2), **arguments)
            for model, walk, a in (
                (WELLS, WALK, 1.0),
                (LARGE, LARGE_WALK, UNIT),
                (MIRROR, MIRROR_WALK, 1.0),
            )
        ]

    curves = on(markov.momentum_escape_curve, momentum=0.5, n_steps=40, tolerance=0.05)
    times = on(markov.log_mean_momentum_time, momentum=0.5)
    for other in (1, 2):
        same(curves[other], curves[0], atol=1e-6)
        same(times[other], times[0], rtol=1e-6)
    rest = markov.momentum_escape_curve(WELLS, momentum=0.0, n_steps=60, tolerance=0.05, **WALK)
    same(rest[-1], markov.escape_curve(WELLS, n_steps=60, **WALK)[-1], atol=2e-2)
    samples = [
        function(momentum=0.5, n_steps=60, n_particles=200, rng=np.random.default_rng(0))
        for function in (
            lambda **a: markov.momentum_passage_times(WELLS, **WALK, **a),
            lambda **a: markov.momentum_passage_times(LARGE, **LARGE_WALK, **a),
        )
    ]
    same(samples[1], samples[0], rtol=0)


@relation(
    "markov.stable_noise.stable_cdf",
    "markov.stable_noise.stable_draws",
    "markov.stable_noise.log_mean_exit_time",
    "markov.stable_noise.log_jump_time",
)
def stable_laws_add_up_and_exits_know_no_unit_and_no_side():
    x = np.array([0.3, 2.0, 30.0, 60.0])
    for alpha in (1.0, 1.5, 2.0):
        same(stable_noise.stable_cdf(-x, alpha), 1 - stable_noise.stable_cdf(x, alpha), atol=1e-12)
        # The mean of n draws has the law of one of them times n^(1/α - 1).
        draws = stable_noise.stable_draws(300_000, alpha, np.random.default_rng(0))
        mean = draws.reshape(-1, 3).mean(axis=1) * 3 ** (1 - 1 / alpha)
        same(np.mean(mean <= 1.0), stable_noise.stable_cdf(1.0, alpha), atol=0.006)

        def exit(a, ends=(-1.0, 2.0), alpha=alpha):
            return stable_noise.log_mean_exit_time(
                lambda w: w / a**2, step_size=0.2 * a**2, alpha=alpha, noise=1 / a, start=0.3 * a,
                ends=tuple(sorted(a * end for end in ends)),
            )  # fmt: skip

        same(exit(UNIT), exit(1.0), rtol=1e-6)
    # At α = 2 the formula of Chambers, Mallows and Stuck is that of Box and Muller.
    rng = np.random.default_rng(3)
    u, e = np.pi * (rng.random(50) - 0.5), rng.standard_exponential(50)
    normal = stable_noise.stable_draws(50, 2.0, np.random.default_rng(3))
    same(normal, 2 * np.sin(u) * np.sqrt(e))
    law = dict(step_size=0.01, alpha=1.5, noise=1.0)
    one = stable_noise.log_jump_time(**law, distances=(1.0, 2.0))
    same(stable_noise.log_jump_time(**law, distances=(2.0, 1.0)), one)
    wide = stable_noise.log_jump_time(**law, distances=(2.0, 4.0))
    same(wide - one, 1.5 * np.log(2))


@relation("markov.reshuffled_reach")
def the_reach_of_dealt_samples_scales_and_mirrors():
    plain, large, mirror = three(markov.reshuffled_reach)
    same(large, UNIT * plain)
    same(mirror, -plain, rtol=1e-3)
    assert plain < markov.reshuffled_reach(WELLS, copies=2, **WALK) == THRESHOLD


@relation("markov.reshuffled_quasi_potential")
def long_epochs_cost_little_more_than_independent_draws_in_any_unit():
    ends = *stationary_points(WELLS.mean_gradient, 0.9, 1.3), THRESHOLD
    free = large_deviations.quasi_potential(WELLS, *ends[:2])
    plain = markov.reshuffled_quasi_potential(WELLS, *ends, epoch=2.0)
    assert free < plain < 1.1 * free
    large = markov.reshuffled_quasi_potential(LARGE, *(UNIT * w for w in ends), epoch=2.0 * UNIT**2)
    same(large, UNIT**2 * plain, rtol=1e-4)


@relation("markov.reshuffled_passage_times")
def the_same_orders_escape_at_the_same_steps_in_any_unit():
    def sample(model, walk, a=1.0):
        rng = np.random.default_rng(0)
        walk = walk | dict(step_size=0.023 * a**2)
        return markov.reshuffled_passage_times(model, n_steps=200, n_particles=60, rng=rng, **walk)

    # In steps that are chaotic one way of computing a gradient must serve both.
    same(sample(LARGE, LARGE_WALK, UNIT), sample(in_units(WELLS, 1.0), WALK), rtol=0)


@relation("markov.simulate", "markov.gradient_descent")
def paths_scale_and_compose():
    def walk(a, n_steps, rng, start=(0.0, 1.0, 4.0)):
        start = a * np.asarray(start)
        return markov.simulate(
            in_units(WELLS, a), step_size=0.3 * a**2, n_steps=n_steps, start=start, rng=rng
        )

    plain = walk(1.0, 20, np.random.default_rng(0))
    same(walk(UNIT, 20, np.random.default_rng(0)), UNIT * plain)

    def descend(n_steps, start):
        return markov.gradient_descent(
            WELLS.mean_gradient, step_size=0.5, n_steps=n_steps, start=start
        )

    first = descend(7, [0.0, 1.0])
    same(np.concatenate([first, descend(5, first[-1])[1:]]), descend(12, [0.0, 1.0]))


@relation("markov.reachable_interval")
def the_reachable_interval_scales_and_mirrors():
    plain, large, mirror = three(markov.reachable_interval)
    same(large, UNIT * np.array(plain))
    same(mirror[::-1], -np.array(plain), rtol=1e-6)


@relation("markov.TransferOperator", "markov.transfer_operator.covering_operator")
def operators_know_no_unit():
    def covering(a):
        ends = 0.9 * a, THRESHOLD * a
        return transfer_operator.covering_operator(
            in_units(WELLS, a), step_size=0.02 * a**2, ends=ends, nodes=200
        )

    for make in (operator, covering):
        plain, large = make(1.0), make(UNIT)
        same(large.grid, UNIT * plain.grid)
        same(large.matrix.toarray(), plain.matrix.toarray(), atol=1e-9)
        same(large.escape, plain.escape)


@relation(
    "markov.TransferOperator.deposit",
    "markov.TransferOperator.step",
    "markov.TransferOperator.escaping",
)
def masses_add_and_nothing_is_lost():
    chain = operator()
    masses = [chain.deposit([w], [q]) for w, q in ((0.9, 0.25), (1.17, 0.75))]
    both = chain.deposit([0.9, 1.17], [0.25, 0.75])
    same(masses[0] + masses[1], both, atol=1e-15)
    same(both @ chain.grid, 0.25 * 0.9 + 0.75 * 1.17)
    for _ in range(3):
        after = chain.step(both)
        same(after.sum() + chain.escaping(both), both.sum())
        both = after
    assert chain.escaping(both) > 0.01


@relation("markov.laws")
def laws_compose():
    chain = operator()
    first, last = markov.laws(chain, start=1.0, steps=[4, 9])
    same(last, np.linalg.matrix_power(chain.matrix.toarray().T, 5) @ first, atol=1e-15)


@relation("markov.quasi_stationary")
def the_lasting_law_knows_no_unit():
    (law, rate), (large, large_rate) = (markov.quasi_stationary(operator(a)) for a in (1.0, UNIT))
    same(large, law, atol=1e-9)
    same(large_rate, rate)


@relation("markov.state_reduction.log_mean_absorption_time")
def mean_times_average_over_the_starts():
    chain = operator()
    left, right = (chain.deposit([w], [1.0]) for w in (0.95, 1.1))

    def time(mass):
        return np.exp(state_reduction.log_mean_absorption_time(chain, mass))

    same(time(0.3 * left + 0.7 * right), 0.3 * time(left) + 0.7 * time(right))


# Densities


def cells(low, high, n=240):
    edges = np.linspace(low, high, n + 1)
    return edges, (edges[1:] + edges[:-1]) / 2


EDGES, CENTRES = cells(-3.0, 5.0)
BELL = np.exp(-((CENTRES - 0.5) ** 2))
BELL /= BELL @ np.diff(EDGES)


def in_ito_or(calculus):
    """Return the density at two times of a walk with a drift and a variance that turn."""
    return fokker_planck.solve(
        lambda w: -w, lambda w: 0.3 + 0.1 * np.sin(w), EDGES, BELL, [0.4, 1.0], calculus
    )


@relation("fokker_planck.solve")
def densities_change_their_unit_and_clock_and_compose():
    a, c = 4.0, 0.5
    for calculus in ("ito", "stratonovich"):
        early, late = in_ito_or(calculus)
        other = fokker_planck.solve(
            lambda w: -w / c,
            lambda w: a**2 * (0.3 + 0.1 * np.sin(w / a)) / c,
            a * EDGES,
            BELL / a,
            [0.4 * c, 1.0 * c],
            calculus,
        )
        same(a * other, [early, late], rtol=1e-5, atol=1e-7)
        mirror = fokker_planck.solve(
            lambda w: -w,
            lambda w: 0.3 - 0.1 * np.sin(w),
            -EDGES[::-1],
            BELL[::-1],
            [0.4, 1.0],
            calculus,
        )
        same(mirror[:, ::-1], [early, late], rtol=1e-5, atol=1e-7)
        second_half = fokker_planck.solve(
            lambda w: -w, lambda w: 0.3 + 0.1 * np.sin(w), EDGES, early, [0.6], calculus
        )
        same(second_half[0], late, rtol=1e-5, atol=1e-7)


@relation("fokker_planck.stationary_density", "fokker_planck.probability_current")
def at_rest_nothing_flows_and_nothing_changes():
    def drift(w):
        return -(w - 1.0)

    def variance(w):
        return 0.5 + 0.1 * np.cos(w)

    for calculus in ("ito", "stratonovich", "fick"):
        rest = fokker_planck.stationary_density(drift, variance, EDGES, calculus)
        flow = fokker_planck.probability_current(drift, variance, EDGES, rest, calculus)
        moving = fokker_planck.probability_current(drift, variance, EDGES, BELL, calculus)
        assert np.abs(flow).max() < 1e-3 * np.abs(moving).max()
        large = fokker_planck.probability_current(
            lambda w: UNIT * drift(w / UNIT),
            lambda w: UNIT**2 * variance(w / UNIT),
            UNIT * EDGES,
            BELL / UNIT,
            calculus,
        )
        same(large, moving, rtol=1e-7, atol=1e-9)
        later = fokker_planck.solve(drift, variance, EDGES, rest, [2.0], calculus)[0]
        same(later, rest, atol=1e-3 * rest.max())
        finer = fokker_planck.stationary_density(drift, variance, cells(-3, 5, 480)[0], calculus)
        same(finer.reshape(-1, 2).mean(axis=1), rest, atol=2e-4 * rest.max())


@relation("fokker_planck.wasserstein_1", "fokker_planck.total_variation")
def distances_are_distances():
    other = np.roll(BELL, 12)
    moved = 12 * (EDGES[1] - EDGES[0])
    same(fokker_planck.wasserstein_1(BELL, other, EDGES), moved, rtol=1e-3)
    for distance, power in ((fokker_planck.wasserstein_1, 1), (fokker_planck.total_variation, 0)):
        plain = distance(BELL, other, EDGES)
        same(distance(other, BELL, EDGES), plain)
        same(distance(BELL / 4, other / 4, 4 * EDGES), 4**power * plain)
        halfway = (BELL + other) / 2
        same(distance(BELL, halfway, EDGES) * 2, plain)


@relation(
    "fokker_planck.diffusion_limit.diffusion_limit",
    "fokker_planck.diffusion_limit.modified_equation",
)
def diffusions_change_their_unit():
    w = np.linspace(0.2, 2.5, 30)
    for make in (
        diffusion_limit.diffusion_limit,
        diffusion_limit.modified_equation,
        lambda *model: diffusion_limit.modified_equation(*model, noise=True),
    ):
        plain, large = make(WELLS, 0.02), make(LARGE, 0.02 * UNIT**2)
        same(large.drift(UNIT * w), UNIT * plain.drift(w), rtol=1e-9, atol=1e-12)
        same(large.variance(UNIT * w), UNIT**2 * plain.variance(w), rtol=1e-9, atol=1e-12)
    # The correction is of the order of the square of the step size.
    first, next_ = (diffusion_limit.diffusion_limit, diffusion_limit.modified_equation)
    gap = [np.abs(next_(WELLS, T).drift(w) - first(WELLS, T).drift(w)).max() for T in (0.01, 0.02)]
    same(gap[1] / gap[0], 4.0)


@relation(
    "fokker_planck.diffusion_limit.linear_moments",
    "fokker_planck.diffusion_limit.linear",
    "markov.chain_density.chain_densities",
)
def moments_of_a_linear_chain_compose_and_are_those_of_its_density():
    slopes, intercepts = [1.2, 0.8], [-2.0, -2.4]

    def moments(mean, variance, n_steps):
        return diffusion_limit.linear_moments(slopes, intercepts, 0.3, mean, variance, n_steps)

    mean, variance = moments(0.5, 0.2, 6)
    same(moments(mean[2], variance[2], 4), (mean[2:], variance[2:]))
    edges, centres = cells(-6, 8, 700)
    p0 = np.exp(-((centres - 0.5) ** 2) / 0.4)
    p0 /= p0 @ np.diff(edges)
    model = diffusion_limit.linear(slopes, intercepts)
    chain = dict(step_size=0.3, edges=edges)
    two, five = chain_density.chain_densities(model, p0=p0, steps=[2, 5], **chain)
    (again,) = chain_density.chain_densities(model, p0=two, steps=[3], **chain)
    same(again, five, atol=1e-6)
    same(five @ (centres * np.diff(edges)), mean[5], rtol=1e-4)
    same(five @ ((centres - mean[5]) ** 2 * np.diff(edges)), variance[5], rtol=1e-2)


@relation("fokker_planck.diffusion_limit.with_small_steps")
def small_steps_are_the_steps_of_the_full_draw():
    w, T = np.linspace(0.5, 1.5, 7), 0.02
    fine = diffusion_limit.with_small_steps(WELLS, T, 3)
    by_hand = np.stack([w, w])
    for _ in range(3):
        by_hand = np.stack([by_hand[j] - T / 3 * WELLS.gradients(by_hand[j])[j] for j in (0, 1)])
    same(w - T * fine.gradients(w), by_hand)


@relation("markov.chain_density.circle_law")
def the_law_of_a_circle_turns_with_it():
    model = FiniteSum(
        losses=lambda w: np.stack([np.sin(w), -np.sin(w)]),
        gradients=lambda w: np.stack([np.cos(w) - 0.3, -np.cos(w) - 0.2]),
        curvatures=lambda w: np.stack([-np.sin(w), np.sin(w)]),
    )
    edges = np.linspace(0, 2 * np.pi, 121)
    plain = chain_density.circle_law(model, step_size=0.4, edges=edges)
    turned = chain_density.circle_law(model, step_size=0.4, edges=edges + edges[30])
    same(turned, np.roll(plain, -30), rtol=1e-7)


# The limit of small steps


@relation(
    "large_deviations.tilt",
    "large_deviations.quasi_potential",
    "large_deviations.diffusion_exponent",
    "large_deviations.prefactor",
    "large_deviations.log_escape_time",
)
def the_law_of_small_steps_knows_no_unit_and_no_side():
    w = np.linspace(1.02, 1.15, 9)
    plain = large_deviations.tilt(WELLS, w)
    same(large_deviations.tilt(LARGE, UNIT * w), plain * UNIT)
    same(large_deviations.tilt(MIRROR, -w), -plain, rtol=1e-9)
    pit, saddle = stationary_points(WELLS.mean_gradient, 0.9, 1.3)
    for function, power in (
        (large_deviations.quasi_potential, 2),
        (large_deviations.diffusion_exponent, 2),
        (large_deviations.prefactor, 2),
    ):
        value = function(WELLS, pit, saddle)
        same(function(LARGE, UNIT * pit, UNIT * saddle), UNIT**power * value, rtol=1e-6)
        same(function(MIRROR, -pit, -saddle), value, rtol=1e-6)
    time = large_deviations.log_escape_time(WELLS, step_size=0.01, minimum=pit, saddle=saddle)
    large = large_deviations.log_escape_time(
        LARGE, step_size=0.01 * UNIT**2, minimum=UNIT * pit, saddle=UNIT * saddle
    )
    same(large, time, rtol=1e-6)


def current(unit=1.0, turn=1.0):
    """Return a linear flow with a current around its bottom, and noise, in a unit."""
    matrix = np.array([[-1.0, turn], [-turn, -1.0]])
    return minimum_action.of_diffusion(lambda x: x @ matrix.T, unit**2)


@relation(
    "minimum_action.minimum_action",
    "minimum_action.action",
    "minimum_action.momentum",
    "minimum_action.of_diffusion",
    "minimum_action.Hamiltonian",
)
def a_cheapest_path_knows_no_unit_and_no_side():
    def found(hamiltonian, end):
        return minimum_action.minimum_action(hamiltonian, [0.0, 0.0], end, n_pieces=20)

    plain, large = found(current(), [1.0, 0.0]), found(current(UNIT), [UNIT, 0.0])
    mirrored = found(current(turn=-1.0), [1.0, 0.0])
    same(large.action, plain.action, rtol=1e-6)
    same(large.path, UNIT * plain.path, rtol=1e-3, atol=1e-3)
    same(mirrored.path, plain.path * [1, -1], rtol=1e-3, atol=1e-3)
    half = len(plain.path) // 2
    parts = [plain.path[: half + 1], plain.path[half:]]
    whole = minimum_action.action(current(), plain.path)
    same(sum(minimum_action.action(current(), part) for part in parts), whole, rtol=1e-12)
    places, moves = plain.path[1:4], np.diff(plain.path[1:5], axis=0)
    p = minimum_action.momentum(current(), places, moves)
    same(minimum_action.momentum(current(UNIT), UNIT * places, UNIT * moves), p / UNIT, rtol=1e-9)


@relation("minimum_action.of_draws")
def draws_twice_as_likely_are_draws_named_twice():
    def gradients(x):
        return np.stack([x - 1, x + 2])

    twice = minimum_action.of_draws(lambda x: np.concatenate([gradients(x), gradients(x)[:1]]))
    weighed = minimum_action.of_draws(gradients, [2 / 3, 1 / 3])
    x, p = np.array([[0.3]]), np.array([[0.7]])
    for one, other in zip(twice.moments(x, p), weighed.moments(x, p), strict=True):
        same(one, other, rtol=1e-12)


@relation("rare_events.rare_chance", "rare_events.rare_time")
def the_same_draws_are_as_rare_in_any_unit():
    def step(states, rng):
        return states + np.where(rng.random(states.shape) < 0.3, 1.0, -1.0)

    def large(states, rng):
        return UNIT * step(states / UNIT, rng)

    def ask(step, unit):
        common = dict(low=0.5 * unit, high=5 * unit, max_steps=10_000, repeats=3)
        score, seed = (lambda states: states[:, 0]), np.random.default_rng
        chance = rare_events.rare_chance(step, score, np.full((20, 1), unit), rng=seed(0), **common)
        walls = dict(common, low=0.5 * unit)
        time = rare_events.rare_time(
            lambda states, rng: np.maximum(step(states, rng), 0.0),
            score,
            [0.0],
            rng=seed(1),
            n=20,
            loops=100,
            **walls,
        )
        return [chance.value, time.value]

    same(ask(large, UNIT), ask(step, 1.0), rtol=1e-12)
