"""Every test runs with floating-point errors raised and with a fixed choice of examples."""

import os

# Before numpy and torch are loaded: one thread a process, as in the book's kernels and sweeps,
# unless a trial of other roundings asks for more. Sums are then taken in another order.
for library in ("MKL", "OMP", "OPENBLAS"):
    os.environ[f"{library}_NUM_THREADS"] = os.environ.get("DESCENT_THREADS", "1")

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

settings.register_profile("descent", derandomize=True, max_examples=30, deadline=None)
settings.load_profile("descent")


@pytest.fixture(autouse=True)
def floating_point_errors_raise():
    """Underflow to zero is harmless; overflow, division by zero and NaN are not."""
    with np.errstate(all="raise", under="ignore"):
        yield
