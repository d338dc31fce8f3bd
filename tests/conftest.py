"""Every test runs with floating-point errors raised and with a fixed choice of examples."""

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("descent", derandomize=True, max_examples=30, deadline=None)
settings.load_profile("descent")


@pytest.fixture(autouse=True)
def floating_point_errors_raise():
    """Underflow to zero is harmless; overflow, division by zero and NaN are not."""
    with np.errstate(all="raise", under="ignore"):
        yield
