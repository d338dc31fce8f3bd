#!/usr/bin/env bash
# perlin-noise has a period, and its seed 0 is no seed.
#
# Question: does PerlinNoise repeat, and does a seed fix it?
# Guess: it does not repeat, and every integer seed fixes it. Seen with perlin-noise 1.14: the
# noise at (x + 10, y - 1) is that at (x, y) for positive coordinates and seeds 1, 2 and 3; and
# two objects with seed=0 differ, as 0 counts as no seed.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$place" perlin-noise==1.14
PYTHONPATH="$place" python3 - <<'CODE'
from perlin_noise import PerlinNoise

places = [(0.3, 1.7), (1.2, 2.9), (4.4, 5.1)]
gap = 0.0
for seed in (1, 2, 3):
    noise = PerlinNoise(seed=seed)
    gap = max([gap, *(abs(noise([x + 10, y - 1]) - noise([x, y])) for x, y in places)])
fixed = {seed: len({PerlinNoise(seed=seed)([0.3, 0.7]) for _ in range(3)}) == 1 for seed in (0, 1)}
print(f"perlin-noise 1.14: shifted by (10, -1) it differs by {gap:.1e}; seed fixes it: {fixed}")
assert gap < 1e-12, "it has another period now, or none"
assert fixed == {0: False, 1: True}, "seed 0 is a seed now"
CODE
