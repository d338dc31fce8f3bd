#!/usr/bin/env bash
# cma calls a plateau convergence after one generation; cmaes goes on.
#
# Question: how long does CMA-ES drift where all values are equal?
# Guess: some generations, until its spread is out of bounds, and alike in both packages.
# Seen with cma 4.5.0 and cmaes 0.13.1: cma stops after its first 6 evaluations by "tolfun",
# the range of the values; cmaes goes on for 21 generations.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$place" cma==4.5.0 cmaes==0.13.1 numpy==2.4.6
PYTHONPATH="$place" python3 - <<'CODE'
import cma
import cmaes
import numpy as np

search = cma.CMAEvolutionStrategy([1.0, 1.0], 0.1, {"seed": 1, "verbose": -9})
while not search.stop():
    points = search.ask()
    search.tell(points, [0.0] * len(points))
other = cmaes.CMA(mean=np.ones(2), sigma=0.1, seed=1)
generations = 0
while not other.should_stop() and generations < 500:
    other.tell([(other.ask(), 0.0) for _ in range(other.population_size)])
    generations += 1
print(f"cma {cma.__version__}: {search.countevals} evaluations, {dict(search.stop())}; "
      f"cmaes {cmaes.__version__}: {generations} generations")
assert search.countevals == 6 and "tolfun" in search.stop(), "cma goes on now"
assert 10 < generations < 500, "cmaes stops at another time"
CODE
