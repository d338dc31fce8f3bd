#!/usr/bin/env bash
# With AVX-512, NumPy's power of an array is not the power of its entries one by one.
#
# Question: is (x**2.5)[i] the same float as x[i]**2.5?
# Guess: yes, bit for bit; both are NumPy's power of the same double. Seen with NumPy 2.4.6 on a
# processor with AVX-512: 210 of 4,001 differ in the last bit, and all agree once these
# instructions are switched off. A processor without them shows the second half alone.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$place" numpy==2.4.6
cat > "$place/powers.py" <<'CODE'
import numpy as np
from numpy._core._multiarray_umath import __cpu_features__ as features

x = np.random.default_rng(0).uniform(0.1, 5, 4001)
one_by_one = np.array([value**2.5 for value in x])
unequal = int((x**2.5 != one_by_one).sum())
apart = float(np.abs(x**2.5 / one_by_one - 1).max())
print(f"numpy {np.__version__}, AVX-512 {features['AVX512_SKX']}: {unequal} of {len(x)} differ, "
      f"by {apart:.1e} at most")
assert apart < 1e-15
assert (unequal > 0) == bool(features["AVX512_SKX"]), "powers agree otherwise now"
CODE
PYTHONPATH="$place" python3 "$place/powers.py"
off=$(PYTHONPATH="$place" python3 -c '
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
print(",".join(n for n in __cpu_dispatch__ if ("512" in n or n == "X86_V4") and __cpu_features__[n]))')
NPY_DISABLE_CPU_FEATURES="$off" PYTHONPATH="$place" python3 "$place/powers.py"
