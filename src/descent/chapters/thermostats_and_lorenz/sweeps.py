"""Chapter 6: what layers do to a disturbance of the outputs, computed once and kept as a table."""

from descent.chapters.thermostats_and_lorenz.layers import once
from descent.sweeps import Sweep

SEEDS = 12
BEGINS = (0, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000)
"""Steps of training before the disturbance."""

LAYERS = Sweep(
    "06-layers",
    once,
    [{"seed": seed, "begin": begin} for seed in range(SEEDS) for begin in BEGINS],
    probes=[0, 15],
    rtol=1e-6,
)
