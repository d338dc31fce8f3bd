#!/usr/bin/env bash
# The Griewank function of cma is that of 120 times its argument.
#
# Question: is cma.ff.griewank the textbook function?
# Guess: yes. Seen with cma 4.5.0: it is the textbook function at 120 x, 18.187 for .917 at (1, 2).
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$place" cma==4.5.0 numpy==2.4.6
PYTHONPATH="$place" python3 - <<'CODE'
import cma
import numpy as np


def textbook(x):
    return 1 + np.sum(x**2) / 4000 - np.prod(np.cos(x / np.sqrt(np.arange(1, len(x) + 1))))


x = np.array([1.0, 2.0])
print(f"cma {cma.__version__}: {cma.ff.griewank(x):.6f}, textbook {textbook(x):.6f}, "
      f"textbook at 120 x {textbook(120 * x):.6f}")
assert abs(cma.ff.griewank(x) - textbook(120 * x)) < 1e-9, "it is another function now"
assert abs(cma.ff.griewank(x) - textbook(x)) > 17
CODE
