#!/usr/bin/env bash
# The same tolerance means errors three decades apart in SciPy's and heyoka's integrators.
#
# Question: how far apart do solvers end on the Lorenz system at the time 10, all at 1e-6?
# Guess: within a factor of 100 of each other. Seen with SciPy 1.17.1 and heyoka 7.13.2: LSODA
# ends 2.7e-3 off, RK45 1.4e-3, DOP853 5.1e-4, Radau 1.2e-5 and heyoka 1.2e-6, which is a factor
# of 2,200. heyoka's tolerance bounds a relative error; SciPy's is met by an estimate in each step.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$place" heyoka==7.13.2 scipy==1.17.1 numpy==2.4.6
PYTHONPATH="$place" python3 - <<'CODE'
import heyoka
import numpy as np
import scipy
from scipy.integrate import solve_ivp

S, R, B = 10.0, 28.0, 8 / 3
START, END = [1.0, 1.0, 1.0], 10.0
x, y, z = heyoka.make_vars("x", "y", "z")
EQUATIONS = [(x, S * (y - x)), (y, x * (R - z) - y), (z, x * y - B * z)]


def taylor(**options):
    flow = heyoka.taylor_adaptive(EQUATIONS, START, **options)
    flow.propagate_until(END)
    return flow.state.copy()


def rate(t, u):
    return [S * (u[1] - u[0]), u[0] * (R - u[2]) - u[1], u[0] * u[1] - B * u[2]]


exact = taylor()
errors = {"heyoka": float(np.abs(taylor(tol=1e-6) - exact).max())}
for method in ("RK45", "DOP853", "LSODA", "Radau"):
    end = solve_ivp(rate, (0, END), START, method=method, rtol=1e-6, atol=1e-6).y[:, -1]
    errors[method] = float(np.abs(end - exact).max())
close = solve_ivp(rate, (0, END), START, method="DOP853", rtol=3e-14, atol=1e-14).y[:, -1]
print(f"heyoka {heyoka.__version__}, scipy {scipy.__version__}: errors at tolerance 1e-6:",
      {name: f"{error:.1e}" for name, error in errors.items()})
assert np.abs(close - exact).max() < 1e-9, "the two packages disagree on the exact end"
assert max(errors.values()) > 500 * min(errors.values()), "equal tolerances are closer now"
assert min(errors, key=errors.get) == "heyoka"
CODE
