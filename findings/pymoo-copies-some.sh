#!/usr/bin/env bash
# Some algorithms of pymoo can be copied while they run, and some cannot.
#
# Question: does a deep copy of a running algorithm go on with the same run, and can it be saved?
# Guess: both, for each of them. Seen with pymoo 0.6.2: copies of DE, PSO, ES and GA go on alike;
# a running Nelder-Mead or pattern search is refused, as it holds a generator of Python; and GA,
# which can be copied, cannot be pickled.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --no-compile --disable-pip-version-check --target "$place" pymoo==0.6.2
PYTHONPATH="$place" python3 - <<'CODE'
import copy
import pickle

import numpy as np
import pymoo
from pymoo.algorithms.soo.nonconvex.de import DE
from pymoo.algorithms.soo.nonconvex.es import ES
from pymoo.algorithms.soo.nonconvex.ga import GA
from pymoo.algorithms.soo.nonconvex.nelder import NelderMead
from pymoo.algorithms.soo.nonconvex.pattern import PatternSearch
from pymoo.algorithms.soo.nonconvex.pso import PSO
from pymoo.problems import get_problem

PROBLEM = get_problem("rastrigin", n_var=3)


def outcome(kind):
    run = kind()
    run.setup(PROBLEM, termination=("n_gen", 50), seed=1, verbose=False)
    for _ in range(4):
        run.next()
    try:
        other = copy.deepcopy(run)
    except TypeError:
        return "not copied"
    for _ in range(4):
        run.next()
        other.next()
    alike = np.array_equal(run.pop.get("X"), other.pop.get("X"))
    try:
        pickle.dumps(other)
    except AttributeError:
        return "alike, not pickled" if alike else "unlike"
    return "alike" if alike else "unlike"


found = {kind.__name__: outcome(kind) for kind in (DE, PSO, ES, GA, NelderMead, PatternSearch)}
print(f"pymoo {pymoo.__version__}: {found}")
assert found == {
    "DE": "alike",
    "PSO": "alike",
    "ES": "alike",
    "GA": "alike, not pickled",
    "NelderMead": "not copied",
    "PatternSearch": "not copied",
}, "copies are made otherwise now"
CODE
