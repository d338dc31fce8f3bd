"""Overhead of the optimizers without gradients against other libraries, per evaluation.

Run it as ``python benchmarks/zeroth_order.py``. The loss is a sphere, one dot product, in 10
and in 1000 dimensions; what is left of the time per evaluation after the loss itself is taken
off is the method's own. Methods are compared within a family, all in this run and on one
thread: the smallest processor time of several blocks, blocks of all methods taking turns, so
that a busy machine slows all alike.

torchzero lives in an environment of its own::

    python -m venv torchzero
    torchzero/bin/pip install torchzero==0.4.4 torch==2.13.0 numpy
    TORCHZERO_PYTHON=torchzero/bin/python python benchmarks/zeroth_order.py

A peer that cannot be imported is skipped, and the table says so. The table goes to
benchmarks/results/.
"""

import json
import math
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from row import Row, show

BLOCKS = 3
# Evaluations a block; full covariance matrices take longer.
BUDGET = {10: 1000, 1000: 400}
SLOW = {10: 1000, 1000: 60}
POPULATIONS = {"evolution strategy", "particle swarm", "simplex", "annealing"}


class Sphere:
    """A dot product that counts how often it is taken."""

    def __init__(self):
        self.evaluations = 0

    def __call__(self, x):
        self.evaluations += 1
        return x.dot(x)


def by_ask_and_tell(search):
    """Return a block of evaluations of one of our populations, or of cma's strategy."""

    def block(f, budget):
        while f.evaluations < budget:
            x = search.ask()
            search.tell([f(point) for point in x])

    return block


def by_cma(strategy):
    def block(f, budget):
        while f.evaluations < budget:
            x = strategy.ask()
            strategy.tell(x, [f(point) for point in x])

    return block


def by_cmaes(strategy):
    def block(f, budget):
        while f.evaluations < budget:
            points = [strategy.ask() for _ in range(strategy.population_size)]
            strategy.tell([(point, f(point)) for point in points])

    return block


def by_nevergrad(strategy):
    def block(f, budget):
        while f.evaluations < budget:
            candidate = strategy.ask()
            strategy.tell(candidate, f(candidate.value))

    return block


def by_scipy(run):
    """Return a block of a method that keeps its loop to itself."""

    def block(f, budget):
        while f.evaluations < budget:
            run(f, budget)

    return block


def by_steps(search, tensor):
    """Return a block of a torch optimizer whose closure needs no gradient."""

    def block(f, budget):
        def closure(backward=True):  # torchzero's closures take an argument
            return f(tensor)

        while f.evaluations < budget:
            search.step(closure)

    return block


def ours(d):
    """Return our methods: family, name, block, evaluations of a block, whether in torch."""
    import torch

    from descent.zeroth_order import REGISTRY

    rows = {
        "evolution": ("evolution strategy", {}),
        "particle-swarm": ("particle swarm", {"size": 40}),
        "simplex-gradient": ("simplex", {"size": d + 1}),
        "annealing": ("annealing", {}),
        "line-parabola": ("line search", {}),
        "spsa": ("SPSA", {}),
        "averaged-differences": ("ten random directions", {}),
        "random-grad": ("one random direction", {}),
    }
    for name, (family, options) in rows.items():
        idea = REGISTRY[name]
        if idea.kind == "population":
            block = by_ask_and_tell(idea.population(np.ones(d), 0, **options))
        else:
            x = torch.ones(d, dtype=torch.float64)
            block = by_steps(idea.optimizer([x], 0, **options), x)
        yield family, f"descent, {name}", block, BUDGET[d], idea.kind != "population"


def peers(d):
    """Return the methods of other libraries."""
    start, bounds = np.ones(d), [(-5.0, 5.0)] * d
    try:
        import cma

        quiet = {"verbose": -9, "seed": 1}
        diagonal = cma.CMAEvolutionStrategy(start, 1.0, quiet | {"CMA_diagonal": True})
        yield "evolution strategy", "cma, diagonal", by_cma(diagonal), BUDGET[d], False
        full = cma.CMAEvolutionStrategy(start, 1.0, quiet)
        yield "evolution strategy", "cma, full", by_cma(full), SLOW[d], False
    except ImportError:
        yield "evolution strategy", "cma", None, 0, False
    try:
        import cmaes

        separable = cmaes.SepCMA(mean=start, sigma=1.0, seed=1)
        yield "evolution strategy", "cmaes, SepCMA", by_cmaes(separable), BUDGET[d], False
        full = cmaes.CMA(mean=start, sigma=1.0, seed=1)
        yield "evolution strategy", "cmaes, CMA", by_cmaes(full), SLOW[d], False
    except ImportError:
        yield "evolution strategy", "cmaes", None, 0, False
    try:
        import nevergrad

        for family, name in [
            ("evolution strategy", "DiagonalCMA"),
            ("evolution strategy", "ES"),
            ("particle swarm", "PSO"),
            ("simplex", "NelderMead"),
            ("annealing", "OnePlusOne"),
            ("SPSA", "SPSA"),
        ]:
            space = nevergrad.p.Array(init=start)
            strategy = nevergrad.optimizers.registry[name](space, budget=10**6)
            yield family, f"nevergrad, {name}", by_nevergrad(strategy), BUDGET[d] // 2, False
    except ImportError:
        yield "evolution strategy", "nevergrad", None, 0, False

    from scipy import optimize

    def evolve(f, budget):
        swarm = np.random.default_rng(1).uniform(-5, 5, (20, d))
        rounds = budget // 20 - 1
        optimize.differential_evolution(
            f, bounds, maxiter=rounds, init=swarm, polish=False, tol=0, rng=1
        )

    def anneal(f, budget):
        optimize.dual_annealing(f, bounds, maxfun=budget, no_local_search=True, rng=1, x0=start)

    def simplex(f, budget):
        optimize.minimize(f, start, method="Nelder-Mead", options={"maxfev": budget, "fatol": 0})

    def powell(f, budget):
        # A start that is not symmetric, or the first line search ends at the minimum.
        steep = np.linspace(1, 2, d)
        optimize.minimize(f, steep, method="Powell", options={"maxfev": budget, "ftol": 0})

    yield "evolution strategy", "SciPy, differential evolution", by_scipy(evolve), BUDGET[d], False
    yield "particle swarm", "SciPy, differential evolution", by_scipy(evolve), BUDGET[d], False
    yield "annealing", "SciPy, dual annealing", by_scipy(anneal), BUDGET[d], False
    yield "simplex", "SciPy, Nelder-Mead", by_scipy(simplex), SLOW[d] + d, False
    yield "line search", "SciPy, Powell", by_scipy(powell), BUDGET[d], False


def torchzero(d):
    """Return torchzero's methods, in its own interpreter."""
    import torch
    import torchzero

    for family, name, options in [
        ("SPSA", "SPSA", {"h": 0.01}),
        ("one random direction", "RDSA", {"h": 0.01}),
        ("one random direction", "MeZO", {"h": 0.01}),
        ("ten random directions", "GaussianSmoothing", {"h": 0.01, "n_samples": 10}),
    ]:
        x = torch.ones(d, dtype=torch.float64, requires_grad=True)
        module = getattr(torchzero.m, name)(**options)
        search = torchzero.Optimizer([x], module, torchzero.m.LR(1e-4))
        yield family, f"torchzero, {name}", by_steps(search, x), BUDGET[d] // 2, True


def bare(d, in_torch):
    """Return the processor time of the loss alone, and of the loop around it."""
    x = np.ones(d)
    if in_torch:
        import torch

        x = torch.ones(d, dtype=torch.float64)
    f = Sphere()
    begin = time.process_time()
    for _ in range(2000):
        f(x)
    return (time.process_time() - begin) / 2000


def measure(rows, d):
    """Return {(family, name): microseconds of overhead per evaluation}."""
    warnings.simplefilter("ignore")
    best, loss, failed = {}, {False: math.inf, True: math.inf}, {}
    for _ in range(BLOCKS):
        for family, name, block, budget, in_torch in rows:
            if block is None or (family, name) in failed:
                continue
            loss[in_torch] = min(loss[in_torch], bare(d, in_torch))
            f = Sphere()
            begin = time.process_time()
            try:
                block(f, budget)
            except Exception as error:
                failed[family, name] = f"{type(error).__name__}: {error}"
                continue
            seconds = (time.process_time() - begin) / f.evaluations - loss[in_torch]
            best[family, name] = min(best.get((family, name), math.inf), 1e6 * seconds)
    for family, name, block, *_ in rows:
        if block is None:
            failed[family, name] = "not installed"
    return best, failed


def torchzero_rows(d):
    """Return what `measure` finds for torchzero, and why there is nothing if so."""
    python = os.environ.get("TORCHZERO_PYTHON", sys.executable)
    command = [python, "-W", "ignore", __file__, "--torchzero", str(d)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return {}, {("SPSA", "torchzero"): f"{reason}; set TORCHZERO_PYTHON"}
    best, failed = json.loads(done.stdout.splitlines()[-1])
    return {tuple(k): v for k, v in best}, {tuple(k): v for k, v in failed}


def measured(d):
    """Return the overheads of all methods, and why the others have none."""
    best, failed = measure([*ours(d), *peers(d)], d)
    more, missing = torchzero_rows(d)
    return best | more, failed | missing


def rows() -> Iterator[Row]:
    """Yield the rows of the table of speed: ours against the fastest peer of each family."""
    for d in BUDGET:
        best, _ = measured(d)
        for (family, name), us in best.items():
            if not name.startswith("descent"):
                continue
            rivals = {n: t for (f, n), t in best.items() if f == family and n != name}
            fastest = min(rivals, key=rivals.__getitem__, default="")
            times = 5 if family in POPULATIONS else 1
            work = f"{family}, d = {d}: an evaluation beside the loss"
            yield Row(work, "µs", us, fastest.replace(",", ""), rivals.get(fastest), times=times)


def main():
    """Measure, print and write the table."""
    lines = [
        "| d | family | method | overhead per evaluation (µs) | ours (µs) | ratio |",
        "| ---: | --- | --- | ---: | ---: | ---: |",
    ]
    for d in map(int, sys.argv[1:] or BUDGET):
        best, failed = measured(d)
        own = {family: us for (family, name), us in best.items() if name.startswith("descent")}
        for (family, name), us in sorted(best.items()):
            ratio = "" if name.startswith("descent") else f"{us / own[family]:.1f}"
            lines.append(f"| {d} | {family} | {name} | {us:.1f} | {own[family]:.1f} | {ratio} |")
        for (family, name), reason in failed.items():
            lines.append(f"| {d} | {family} | {name} skipped: {reason} | | | |")
    show("zeroth_order", lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--torchzero"]:
        d = int(sys.argv[2])
        measured, skipped = measure(list(torchzero(d)), d)
        print(json.dumps([list(measured.items()), list(skipped.items())]))
    else:
        main()
