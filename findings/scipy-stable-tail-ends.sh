#!/usr/bin/env bash
# The tail of SciPy's stable distribution follows its power law, and then is exactly zero.
#
# Question: is the chance of a large draw from a stable law right as far out as it can be written?
# Guess: yes; a heavy tail is what these laws are for, and 2e-6 is no small number. Seen with SciPy
# 1.17.1, for alpha = 1.9 and beta = 0: at 150 the chance is 3.514e-6, 0.04 % above the leading
# term of its power law; at 200 sf is 0.0 and cdf is 1.0 where the law has 2.03e-6, and so it stays.
# For alpha = 1.5 the end comes between 200 and 500, at a chance of 1.8e-5. No warning.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$place" scipy==1.17.1 numpy==2.4.6
PYTHONPATH="$place" python3 - <<'CODE'
import math

import scipy
from scipy.stats import levy_stable

print(f"scipy {scipy.__version__}: alpha, x, sf, cdf, leading term of the tail")
for alpha, x, there in ((1.9, 150, True), (1.9, 200, False), (1.5, 200, True), (1.5, 500, False)):
    leading = math.sin(math.pi * alpha / 2) * math.gamma(alpha) / math.pi * x**-alpha
    sf, cdf = float(levy_stable.sf(x, alpha, 0)), float(levy_stable.cdf(x, alpha, 0))
    print(f"{alpha} {x:4d} {sf:.4g} {cdf!r} {leading:.4g}")
    if there:
        assert abs(sf / leading - 1) < 2e-3, "the tail is otherwise now"
    else:
        assert sf == 0.0 and cdf == 1.0, "the tail goes on now"
CODE
