#!/usr/bin/env bash
# The path of cma's step size forgets its steps sooner than that of the tutorial of its author.
#
# Question: is the constant by which cma forgets the path of its step size, c_sigma, that of
#   Hansen's tutorial (arXiv 1604.00772, equation 55), (mu + 2)/(n + mu + 5)?
# Guess: yes. Seen with cma 4.5.0: it is (mu + 2)/(n + mu + 3) and at most .5, with the same mu:
#   .500 for .415 in 3 dimensions, .320 for .284 in 10, .214 for .199 in 20.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$place" cma==4.5.0 numpy==2.4.6
PYTHONPATH="$place" python3 - <<'CODE'
import cma

for n in (3, 10, 20):
    es = cma.CMAEvolutionStrategy(n * [1.0], 0.3, {"verbose": -9, "seed": 1})
    es.tell(*(lambda asked: (asked, [float(x @ x) for x in asked]))(es.ask()))
    mu = es.sp.weights.mueff
    tutorial, other = (mu + 2) / (n + mu + 5), min(0.5, (mu + 2) / (n + mu + 3))
    print(f"cma {cma.__version__}, n = {n}: c_sigma {es.adapt_sigma.cs:.6f}, "
          f"tutorial {tutorial:.6f}, (mu + 2)/(n + mu + 3) up to .5 {other:.6f}")
    assert abs(es.adapt_sigma.cs - other) < 1e-12, "it is another constant now"
    assert es.adapt_sigma.cs > 1.05 * tutorial
CODE
