#!/usr/bin/env bash
# COCO counts no evaluation at a point with an entry that is infinite or not a number.
#
# Question: does problem.evaluations rise at each call?
# Guess: yes, also at such a point. Seen with coco-experiment 2.8.2: it rises by one at a point
# outside the box and not at all where an entry is NaN or infinite; these come back as they are.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --no-compile --disable-pip-version-check --target "$place" coco-experiment==2.8.2
PYTHONPATH="$place" python3 - <<'CODE'
from importlib.metadata import version

import cocoex
import numpy as np

suite = cocoex.Suite("bbob", "", "dimensions: 2 function_indices: 1 instance_indices: 1")
problem = suite[0]
counted = {}
for name, x in (("inside", [1, 2]), ("outside", [6, 0]), ("NaN", [np.nan, 0]), ("inf", [np.inf, 0])):
    before = problem.evaluations
    value = problem(np.array(x, float))
    counted[name] = problem.evaluations - before
    print(f"{name:8} value {value:8.3f}, counted {counted[name]}")
print(f"coco-experiment {version('coco-experiment')}: {counted}")
assert counted == {"inside": 1, "outside": 1, "NaN": 0, "inf": 0}, "it counts otherwise now"
CODE
