#!/usr/bin/env bash
# SciPy's nnls can return a point that is no solution, without a word.
#
# Question: is the answer of scipy.optimize.nnls for two unit columns a minimizer?
# Guess: yes, to rounding. It is an active-set method, exact in finitely many steps.
# Seen with SciPy 1.17.1 on x86-64: no. For the columns (-1,-1,-1)/sqrt 3 and (1,1,2)/sqrt 6 and
# b = (1,-1,0)/sqrt 2, which is orthogonal to the second column, it returns (0, 0.305) with
# the residual norm .874. The residual of the returned point has norm 1.046, more than that of the
# right answer (0, 0), which is 1; and the reported norm belongs to neither. No error is raised.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1
"$place/env/bin/python" - <<'CODE'
import numpy as np
import scipy
from scipy.optimize import nnls

A = np.stack([np.array([-1, -1, -1]) / np.sqrt(3), np.array([1, 1, 2]) / np.sqrt(6)], axis=1)
b = np.array([1, -1, 0]) / np.sqrt(2)
x, reported = nnls(A, b)
norm = float(np.linalg.norm(A @ x - b))
print(f"scipy {scipy.__version__}: x = {x.round(6)}, reported residual {reported:.6f}, "
      f"residual {norm:.6f}, residual of x = 0 {np.linalg.norm(b):.6f}")
assert norm > 1.04, "nnls answers rightly now"
assert abs(reported - norm) > 0.1, "the reported residual is now that of the answer"
CODE
