#!/usr/bin/env bash
# A pickled cmaes.CMA goes on with other random numbers; a pickled cmaes.XNES with the same.
#
# Question: does an optimizer that was pickled and loaded go on with the same run?
# Guess: yes, all of them keep their generator. Seen with cmaes 0.13.1: CMA and SepCMA draw
# another point next; XNES draws the same.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$place" cmaes==0.13.1 numpy==2.4.6
PYTHONPATH="$place" python3 - <<'CODE'
import pickle

import cmaes
import numpy as np

same = {}
for kind in (cmaes.CMA, cmaes.SepCMA, cmaes.XNES):
    search = kind(mean=np.ones(2), sigma=0.1, seed=1)
    loaded = pickle.loads(pickle.dumps(search))
    same[kind.__name__] = bool(np.array_equal(search.ask(), loaded.ask()))
print(f"cmaes {cmaes.__version__}: the loaded optimizer draws the same point: {same}")
assert same == {"CMA": False, "SepCMA": False, "XNES": True}, "another behaviour now"
CODE
