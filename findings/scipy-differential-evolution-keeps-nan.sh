#!/usr/bin/env bash
# One NaN at the start leads SciPy's differential evolution to the end.
#
# Question: what does a single NaN among the first values do to differential_evolution?
# Guess: it counts as worst and is replaced. Seen with SciPy 1.17.1: it stays the best for good;
# the answer is NaN while the population holds a point of value .0027.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$place" scipy==1.17.1 numpy==2.4.6
PYTHONPATH="$place" python3 - <<'CODE'
import numpy as np
import scipy
from scipy.optimize import differential_evolution

calls = 0


def sphere(x):
    global calls
    calls += 1
    return float("nan") if calls == 3 else float(np.sum(x**2))


found = differential_evolution(sphere, [(-5, 5)] * 2, seed=1, maxiter=200, polish=False)
best = float(np.nanmin(found.population_energies))
print(f"scipy {scipy.__version__}: fun = {found.fun}, best of the population {best:.4f}")
assert np.isnan(found.fun), "the NaN is replaced now"
assert best < 0.01
CODE
