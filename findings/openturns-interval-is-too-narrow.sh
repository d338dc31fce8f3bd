#!/usr/bin/env bash
# The 95 % interval of OpenTURNS' subset sampling holds the truth in four of five runs.
#
# Question: how often does the interval of SubsetSampling hold a probability of one in a million?
# Guess: in at least 90 of 100 runs. Seen with OpenTURNS 1.27.post1: in 48 of 60; the estimates
# scatter by .64 of their mean, where the runs say .38, as the levels depend on each other.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --no-compile --disable-pip-version-check --target "$place" openturns==1.27.post1 numpy==2.4.6
PYTHONPATH="$place" python3 - <<'CODE'
import numpy as np
import openturns as ot

ot.Log.Show(ot.Log.NONE)
TRUTH, THRESHOLD, RUNS = 1e-6, 4.753424, 60  # of a normal number of unit variance
sum_of_two = ot.SymbolicFunction(["x", "y"], ["(x + y) / sqrt(2)"])
value = ot.CompositeRandomVector(sum_of_two, ot.RandomVector(ot.Normal(2)))
event = ot.ThresholdEvent(value, ot.Greater(), THRESHOLD)
inside, estimates, said = 0, [], []
for seed in range(RUNS):
    ot.RandomGenerator.SetSeed(seed)
    run = ot.SubsetSampling(event)
    run.setMaximumOuterSampling(1000)
    run.run()
    result = run.getResult()
    estimates.append(result.getProbabilityEstimate())
    said.append(result.getCoefficientOfVariation())
    inside += abs(estimates[-1] - TRUTH) <= result.getConfidenceLength(0.95) / 2
scatter = np.std(estimates) / np.mean(estimates)
print(f"openturns {ot.__version__}: the interval holds the truth in {inside} of {RUNS} runs; "
      f"scatter {scatter:.2f}, said {np.mean(said):.2f}")
assert inside < 54, "the interval is wide enough now"
assert scatter > 1.3 * np.mean(said)
assert 0.8e-6 < np.mean(estimates) < 1.4e-6, "the estimates are off"
CODE
