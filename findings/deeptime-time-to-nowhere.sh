#!/usr/bin/env bash
# deeptime answers the time to a state that cannot be reached with a number of rounding.
#
# Question: what is the mean first passage time to a state that is not connected?
# Guess: infinite, or an error, alike for a dense and a sparse matrix. Seen with deeptime 0.5.0:
# about minus 1e17 for the dense one, and NaN for the sparse one; the linear system is singular,
# and only an exact zero in its elimination is noticed.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --no-compile --disable-pip-version-check --target "$place" deeptime==0.5.0 numpy==2.4.6 scipy==1.17.1
PYTHONPATH="$place" python3 - <<'CODE'
import warnings

import deeptime
import numpy as np
from deeptime.markov.tools.analysis import mfpt
from scipy.sparse import csr_matrix

P = np.array([[0.9, 0.1, 0], [0.3, 0.7, 0], [0.3, 0.3, 0.4]])
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    times = {"dense": mfpt(P, 2)[:2], "sparse": mfpt(csr_matrix(P), 2)[:2]}
print(f"deeptime {deeptime.__version__}: times to a state that nothing leads to: {times}")
assert not any(np.isinf(found).any() for found in times.values()), "they are infinite now"
assert (np.abs(times["dense"]) > 1e12).all()
CODE
