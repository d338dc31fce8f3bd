#!/usr/bin/env bash
# nolds finds no chaos in the logistic map unless it is told how to embed it.
#
# Question: what does nolds.lyap_r say of the logistic map at 4, whose exponent is ln 2 = .693?
# Guess: .69 to a few per cent by default. Seen with nolds 0.6.2: .019; with two-dimensional
# embedding and lag 1 it is .399 on the same 2,000 points.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$place" nolds==0.6.2 numpy==2.4.6
PYTHONPATH="$place" python3 - <<'CODE'
import warnings

import nolds
import numpy as np

x = np.empty(2000)
x[0] = 0.31
for i in range(len(x) - 1):
    x[i + 1] = 4 * x[i] * (1 - x[i])
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    plain = nolds.lyap_r(x)
    embedded = nolds.lyap_r(x, emb_dim=2, lag=1, min_tsep=1)
print(f"nolds 0.6.2: {plain:.3f} by default, {embedded:.3f} with emb_dim=2, lag=1; ln 2 = .693")
assert abs(plain) < 0.1, "the default finds the exponent now"
assert embedded > 0.3
CODE
