"""Speed of the Fokker-Planck solver against py-pde and fplanck, at equal error.

Run it as ``python benchmarks/fokker_planck.py``. It solves two problems of one source
(003, post 2) with growing numbers of cells: the third validation, T = 0.5 for 10 steps,
and the two-datapoint model, T = 0.02 for 100 steps. Every result is held against a fine
reference by its Wasserstein distance. Our solver takes even cells, and for the second problem
also uneven ones, which the peers do not offer: narrow in the pit, W = 1 + a sinh(u), a = 0.05.
For each run of a peer the table names the fastest
run of `descent.fokker_planck.solve` that has no larger error, and the ratio of the times.

The peers live in environments of their own, since fplanck needs numpy 1::

    python -m venv /tmp/py-pde
    /tmp/py-pde/bin/pip install py-pde==0.59.0
    python -m venv /tmp/fplanck
    /tmp/fplanck/bin/pip install fplanck==0.2.2 'numpy<2' 'scipy<1.14'
    PY_PDE_PYTHON=/tmp/py-pde/bin/python FPLANCK_PYTHON=/tmp/fplanck/bin/python \\
        python benchmarks/fokker_planck.py

A peer that cannot be imported is skipped, and the table says so. All may choose among several
tolerances. A peer's error is the smaller of two: of its density as it is, and with negative
values set to zero. Its time is given twice: "stepping" leaves out building matrices and
compiling, "whole call" is what a first call costs. Our time is always the whole call. The
reference agrees with an Euler-Maruyama sample of the same equation. The table and a plot go
to benchmarks/results/.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
from row import RESULTS, show

PEERS = {"py-pde": "PY_PDE_PYTHON", "fplanck": "FPLANCK_PYTHON"}


class Linear:
    """Validation 3: g = 1.2 W - 2 and 0.8 W - 2."""

    name, low, high, time = "linear chain, T = 0.5", 0.0, 5.0, 10.0
    peer_cells = (100, 200, 400, 800)
    own_cells = (100, 200, 400, 800, 1600, 3200)
    focus = None

    def drift(self, w):
        return -0.5 * (w - 2)

    def variance(self, w):
        return 0.25 * 0.04 * w**2


class TwoDatapoint:
    """The two-datapoint model: a well at 2, a narrow pit at 1 in one of two samples."""

    name, low, high, time = "two-datapoint model, T = 0.02", -0.5, 3.5, 100.0
    peer_cells = (200, 400, 800, 1600)
    own_cells = (200, 400, 800, 1600, 3200, 6400)
    focus = 1.0

    def drift(self, w):
        return -0.02 * (2 * (w - 2) * np.exp(-((w - 2) ** 2)) + self.deviation(w))

    def deviation(self, w):
        return 100 * (w - 1) * np.exp(-100 * (w - 1) ** 2)

    def variance(self, w):
        return (0.02 * self.deviation(w)) ** 2


CASES = {"linear": Linear(), "two-datapoint": TwoDatapoint()}


def start(edges):
    """Mean over each cell of a normal law with mean 0.5 and deviation 0.175."""
    cdf = np.array([math.erf((x - 0.5) / 0.175 / math.sqrt(2)) for x in edges]) / 2
    mass = np.diff(cdf)
    return mass / mass.sum() / np.diff(edges)


def cells(case, n, uneven):
    """Edges of n cells, even, or narrow around the focus of the problem."""
    if not uneven:
        return np.linspace(case.low, case.high, n + 1)
    ends = np.arcsinh((np.array([case.low, case.high]) - case.focus) / 0.05)
    return case.focus + 0.05 * np.sinh(np.linspace(*ends, n + 1))


def distribution(edges, p):
    """Mass to the left of each edge."""
    return np.concatenate([[0.0], np.cumsum(p * np.diff(edges))])


def best_of_three(run):
    """Shortest wall time of three runs, and the last result."""
    best = math.inf
    for _ in range(3):
        begin = time.perf_counter()
        result = run()
        best = min(best, time.perf_counter() - begin)
        if best > 2:
            break
    return best, result


def run_py_pde(case, n):
    """Yield (method, stepping, whole call, density): central differences, three integrators."""
    import pde

    grid = pde.CartesianGrid([[case.low, case.high]], n)
    w = grid.axes_coords[0]
    # No flux: the density vanishes at both ends of either problem.
    equation = pde.PDE(
        {"p": "laplace(D * p) / 2 - d_dx(m * p)"},
        consts={
            "D": pde.ScalarField(grid, case.variance(w)),
            "m": pde.ScalarField(grid, case.drift(w)),
        },
        bc={"value": 0},
    )
    p0 = pde.ScalarField(grid, start(np.linspace(case.low, case.high, n + 1)))
    for method, options in {
        "LSODA 1e-5": {"solver": "scipy", "method": "LSODA", "rtol": 1e-5, "atol": 1e-7},
        "BDF 1e-5": {"solver": "scipy", "method": "BDF", "rtol": 1e-5, "atol": 1e-7},
        "BDF 1e-3": {"solver": "scipy", "method": "BDF", "rtol": 1e-3, "atol": 1e-5},
        "explicit 1e-3": {"solver": "explicit", "adaptive": True, "dt": 1e-3, "tolerance": 1e-3},
        "explicit 1e-5": {"solver": "explicit", "adaptive": True, "dt": 1e-3, "tolerance": 1e-5},
    }.items():
        walls, steppings = [], []
        # The first call compiles; the scipy integrators count that as stepping.
        for _ in range(3):
            begin = time.perf_counter()
            result = equation.solve(p0, t_range=case.time, tracker=None, **options)
            walls.append(time.perf_counter() - begin)
            steppings.append(equation.diagnostics["controller"]["profiler"]["solver"])
            if len(walls) > 1 and steppings[-1] > 2:
                break
        yield method, min(steppings[1:]), walls[0], result.data


def run_fplanck(case, n):
    """Yield (method, stepping, whole call, density): sparse and dense exponential."""
    import fplanck
    from scipy.constants import k as boltzmann

    width, middle = (case.high - case.low) / n, (case.low + case.high) / 2

    # Its rates out of a cell take the diffusion of that cell: the Itô reading. Its
    # exponentials overflow where the variance vanishes, so that some is added there.
    def variance(x):
        return np.maximum(case.variance(x + middle), np.abs(case.drift(x + middle)) * width + 1e-12)

    begin = time.perf_counter()
    solver = fplanck.fokker_planck(
        temperature=1 / boltzmann,
        drag=lambda x: 2 / variance(x),
        force=lambda x: 2 * case.drift(x + middle) / variance(x),
        extent=(case.high - case.low) * (1 - 1e-12),
        resolution=width,
        boundary=fplanck.boundary.reflecting,
    )
    building = time.perf_counter() - begin
    p0 = start(np.linspace(case.low, case.high, n + 1))
    methods = {"sparse": False, "dense": True} if n <= 400 else {"sparse": False}
    for method, dense in methods.items():
        seconds, mass = best_of_three(
            lambda dense=dense: solver.propagate(lambda x: p0.copy(), case.time, dense=dense)
        )
        yield method, seconds, building + seconds, mass / width


def peer_main(peer, key, folder):
    """Run one peer on one problem, in its own interpreter; write the densities."""
    run, case = {"py-pde": run_py_pde, "fplanck": run_fplanck}[peer], CASES[key]
    begin = time.perf_counter()
    for n in case.peer_cells:
        if time.perf_counter() - begin > 90:
            break
        for method, stepping, whole, density in run(case, n):
            path = f"{folder}/{peer}-{key}-{n}-{method.replace(' ', '-')}.npy"
            np.save(path, density)
            print(json.dumps([method, n, stepping, whole, path]), flush=True)


def run_peer(peer, key, folder):
    """Return (method, n, stepping, whole call, density) of each run, or why there is none."""
    python = os.environ.get(PEERS[peer], sys.executable)
    module = {"py-pde": "pde"}.get(peer, peer)
    found = subprocess.run([python, "-c", f"import {module}"], capture_output=True, text=True)
    if found.returncode:
        reason = (found.stderr.strip().splitlines() or ["no reason given"])[-1]
        return f"{peer} skipped: {reason}; set {PEERS[peer]} (see the top of this file)"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [python, "-W", "ignore", __file__, "--peer", peer, key, folder]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        return f"{peer} failed: {done.stderr.strip().splitlines()[-1]}"
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    return [(*row[:-1], np.load(row[-1])) for row in rows]


def main():
    """Measure, print and write the table and the plot."""
    import matplotlib.pyplot as plt

    from descent.fokker_planck import CoarseGridWarning, solve

    warnings.simplefilter("ignore", CoarseGridWarning)
    lines = [
        "| problem | solver | cells | stepping (s) | whole call (s) | W1 error "
        "| ours: cells, tolerance | seconds | ratio, stepping | ratio, whole call |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: |",
    ]
    figure, axes = plt.subplots(1, len(CASES), figsize=(9, 4), sharey=True, layout="constrained")
    with tempfile.TemporaryDirectory() as folder:
        for axis, (key, case) in zip(axes, CASES.items(), strict=True):

            def own(edges, tolerance, case=case):
                p0 = start(edges)
                return solve(
                    case.drift, case.variance, edges, p0, [case.time], tolerance=tolerance
                )[0]

            fine = cells(case, 8 * max(case.own_cells), uneven=False)
            reference = distribution(fine, own(fine, 1e-8))

            def error(edges, p, fine=fine, reference=reference):
                p = np.nan_to_num(p)
                distances = []
                for density in (p, np.maximum(p, 0)):
                    cdf = np.interp(fine, edges, distribution(edges, density))
                    distances.append(np.trapezoid(np.abs(cdf / cdf[-1] - reference), fine))
                return float(min(distances))

            ours = []
            for uneven in (False, True) if case.focus else (False,):
                label = "descent, uneven cells" if uneven else "descent"
                best = []
                for n in case.own_cells:
                    edges = cells(case, n, uneven)
                    for tolerance in (1e-3, 1e-4, 1e-6):
                        seconds, p = best_of_three(lambda e=edges, t=tolerance, own=own: own(e, t))
                        which = f"{n}{' uneven' if uneven else ''}, {tolerance:.0e}"
                        best.append((error(edges, p), seconds, which))
                        lines.append(
                            f"| {case.name} | {label}, {tolerance:.0e} | {n} | | {seconds:.4f} "
                            f"| {best[-1][0]:.2e} | | | | |"
                        )
                ours += best
                axis.loglog(*np.array([run[:2] for run in best[1::3]]).T, "o-", label=label)
            for peer in PEERS:
                rows = run_peer(peer, key, folder)
                if isinstance(rows, str):
                    print(rows)
                    lines.append(f"| {case.name} | {rows} | | | | | | | | |")
                    continue
                runs = {}
                for method, n, stepping, whole, p in rows:
                    distance = error(cells(case, n, uneven=False), p)
                    runs.setdefault(method, []).append((distance, stepping))
                    fit = [run for run in ours if run[0] <= distance]
                    _, fast, which = min(fit, key=lambda run: run[1], default=(0, math.nan, "none"))
                    lines.append(
                        f"| {case.name} | {peer}, {method} | {n} | {stepping:.4f} | {whole:.4f} "
                        f"| {distance:.2e} | {which} | {fast:.4f} | {stepping / fast:.1f} "
                        f"| {whole / fast:.0f} |"
                    )
                for method, points in runs.items():
                    axis.loglog(*np.array(points).T, "s--", label=f"{peer}, {method}")
            axis.set(xlabel="Wasserstein error (units of W)", title=case.name)
    axes[0].set_ylabel("time (s); peers: stepping only")
    axes[1].legend(fontsize="small")
    show("fokker_planck", lines)
    figure.savefig(RESULTS / "fokker_planck.svg")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        peer_main(*sys.argv[2:])
    else:
        main()
