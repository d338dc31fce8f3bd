#!/usr/bin/env bash
# pyitlib takes the value -1 for a missing observation.
#
# Question: what is the entropy of a fair series of -1 and +1?
# Guess: one bit. Seen with pyitlib 0.3.1: 0, without a word, since -1 marks missing data unless
# fill_value says otherwise; the same series as 0 and 1 has one bit.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --no-compile --disable-pip-version-check --target "$place" pyitlib==0.3.1
PYTHONPATH="$place" python3 - <<'CODE'
from importlib.metadata import version

import numpy as np
from pyitlib import discrete_random_variable as drv

spins = np.array([-1, 1] * 50)
found = {
    "-1 and 1": float(drv.entropy(spins)),
    "0 and 1": float(drv.entropy((spins + 1) // 2)),
    "-1 and 1, fill_value=-9": float(drv.entropy(spins, fill_value=-9)),
}
print(f"pyitlib {version('pyitlib')}: bits {found}")
assert found == {"-1 and 1": 0, "0 and 1": 1, "-1 and 1, fill_value=-9": 1}, "it is read otherwise"
CODE
