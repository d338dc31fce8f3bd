#!/usr/bin/env bash
# fplanck's stationary law depends on the drag, as Itô's does.
#
# Question: where do walkers gather on a circle without a force, where the drag varies?
# Guess: nowhere, by exp(-U/kT) with U = 0. Seen with fplanck 0.2.2: in proportion to the drag,
# which is the Itô reading of kT/drag. It needs numpy 1.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$place" fplanck==0.2.2 'numpy<2' 'scipy<1.14'
PYTHONPATH="$place" python3 - <<'CODE'
from importlib.metadata import version

import numpy as np
from fplanck import boundary, fokker_planck


def drag(x):
    return 1 + 0.5 * np.sin(x * np.pi / 2)


model = fokker_planck(temperature=1 / 1.380649e-23, drag=drag, extent=4.0, resolution=0.02,
                      boundary=boundary.periodic)
law, x = model.steady_state(), model.grid[0]
by_drag = np.ptp(law / drag(x)) / np.mean(law / drag(x))
flat = np.ptp(law) / np.mean(law)
print(f"fplanck {version('fplanck')}: density over drag varies by {by_drag:.0e}, density by {flat:.2f}")
assert by_drag < 1e-9, "another reading of the drag now"
assert flat > 0.9
CODE
