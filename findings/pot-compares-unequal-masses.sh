#!/usr/bin/env bash
# POT's wasserstein_1d answers for unequal masses.
#
# Question: what is the distance of a mass of 4 from a mass of 1?
# Guess: refused, as by ot.emd2, or normalised. Seen with POT 0.9.7.post1: 5.5, where the same
# shapes with equal masses have 1, without a word.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$place" POT==0.9.7.post1 scipy==1.17.1 numpy==2.4.6
PYTHONPATH="$place" python3 - <<'CODE'
import numpy as np
import ot

x = np.array([0.0, 1.0])
four, one = np.array([2.0, 2.0]), np.array([0.5, 0.5])
unequal = ot.wasserstein_1d(x, x + 1, four, one, p=1)
equal = ot.wasserstein_1d(x, x + 1, one, one, p=1)
try:
    ot.emd2(four, one, np.ones((2, 2)))
    refused = False
except AssertionError:
    refused = True
print(f"POT {ot.__version__}: {unequal:.3f} for masses 4 and 1, {equal:.3f} for 1 and 1; "
      f"emd2 refuses: {refused}")
assert abs(equal - 1) < 1e-12 and unequal > 5, "unequal masses are handled otherwise now"
assert refused
CODE
