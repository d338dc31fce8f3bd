#!/usr/bin/env bash
# In py-pde, walls where the derivative vanishes do not keep the mass of a drifting density.
#
# Question: does an Ornstein-Uhlenbeck density between walls with zero derivative keep its mass?
# Guess: to rounding, as for the heat equation. Seen with py-pde 0.59.0: the mass grows, since the
# drift carries a flux through a wall of zero derivative; without a drift it stays 1.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --no-compile --disable-pip-version-check --target "$place" py-pde==0.59.0
PYTHONPATH="$place" python3 - <<'CODE'
import numpy as np
import pde

grid = pde.CartesianGrid([[-2, 2]], 20)
x = grid.axes_coords[0]
start = np.exp(-2 * x**2)
state = pde.ScalarField(grid, start / (start.sum() * grid.typical_discretization))
mass = {}
for name, rate in (("drift", "laplace(c) + d_dx(x * c)"), ("no drift", "laplace(c)")):
    law = pde.PDE({"c": rate}, bc={"derivative": 0})
    end = law.solve(state, t_range=1, dt=1e-2, tracker=None, backend="numpy")
    mass[name] = float(end.integral)
print(f"py-pde {pde.__version__}: mass at the time 1: {mass}")
assert abs(mass["no drift"] - 1) < 1e-9
assert abs(mass["drift"] - 1) > 0.02, "these walls keep the mass now"
CODE
