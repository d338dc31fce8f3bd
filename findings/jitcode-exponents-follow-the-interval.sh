#!/usr/bin/env bash
# jitcode's Lyapunov exponents depend on the interval between two calls of integrate.
#
# Question: what is the third exponent of the Lorenz system, about -14.6, by jitcode_lyap?
# Guess: the same for any interval at which it is asked. Seen with jitcode 1.7.3: about -6.7 at an
# interval of 5 and -1.0 at 20, without a word; the directions are made orthogonal once a call,
# and over a longer interval they all turn into the first. A C compiler is needed.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --no-compile --disable-pip-version-check --target "$place" jitcode==1.7.3 sympy==1.14.0 setuptools==80.9.0 scipy==1.17.1 numpy==2.4.6
PYTHONPATH="$place" python3 - <<'CODE'
from importlib.metadata import version

import numpy as np
from jitcode import jitcode_lyap, y

LORENZ = [10 * (y(1) - y(0)), y(0) * (28 - y(2)) - y(1), y(0) * y(1) - 8 / 3 * y(2)]


def exponents(interval):
    flow = jitcode_lyap(LORENZ, n_lyap=3, verbose=False)
    flow.set_integrator("dopri5")
    flow.set_initial_value([1.0, 1.0, 1.0], 0.0)
    local = [flow.integrate(t)[1] for t in np.arange(interval, 201, interval)]
    return np.mean(local[len(local) // 5 :], axis=0)


third = {interval: float(exponents(interval)[2]) for interval in (1, 5, 20)}
print(f"jitcode {version('jitcode')}: third exponent by the interval:",
      {interval: round(value, 2) for interval, value in third.items()})
assert abs(third[1] + 14.57) < 0.3
assert third[5] > -9 and third[20] > -3, "the interval does not matter any more"
CODE
