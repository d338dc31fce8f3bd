#!/usr/bin/env bash
# Which of equal values numpy's argsort puts first hangs on the processor.
#
# Question: does numpy.argsort order one and the same array of floats the same way on every
#   processor? No value of it is rounded, so that nothing but comparisons can matter.
# Guess: yes; the order of equal values is not promised, but it follows from the algorithm. Seen
#   with numpy 2.4.6: no. Of 2,560 floats with 64 values, 2,491 come at other places once the
#   processor's vector instructions are off; kind="stable" orders all the same. Where numpy has no
#   vector code for the processor there is nothing to turn off, and the script says so.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$place" numpy==2.4.6
export PYTHONPATH="$place"
cat > "$place/order.py" <<'CODE'
import sys

import numpy as np

values = np.random.default_rng(0).integers(0, 64, 2560).astype(float)
np.save(sys.argv[1], [values.argsort(), values.argsort(kind="stable")])
CODE
features=$(python3 -c '
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
print(*[name for name in __cpu_dispatch__ if __cpu_features__.get(name)])')
python3 "$place/order.py" "$place/with.npy"
NPY_DISABLE_CPU_FEATURES="$features" python3 "$place/order.py" "$place/without.npy"
python3 - "$place" "$features" <<'CODE'
import sys

import numpy as np

place, features = sys.argv[1:]
(plain, stable), (other, also) = (np.load(f"{place}/{name}.npy") for name in ("with", "without"))
print(f"numpy {np.__version__}, without {features or 'nothing'}: {(plain != other).sum()} of "
      f"{len(plain)} places differ, {(stable != also).sum()} of the stable order")
assert (stable == also).all()
if "AVX512_SKX" in features or "AVX2" in features or "X86_V" in features:
    assert (plain != other).sum() > len(plain) / 2, "the order is the same now"
CODE
