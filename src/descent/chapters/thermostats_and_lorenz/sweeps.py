"""Chapter 6: layers that learn digits, policies that balance a pole, heads that learn to copy."""

from descent.chapters.thermostats_and_lorenz import heads, layers, network_thermostat, policy
from descent.sweeps import Sweep

SEEDS = 12
BEGINS = (0, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000)
"""Steps of training before the disturbance."""

LAYERS = Sweep(
    "06-layers",
    layers.once,
    [{"seed": seed, "begin": begin} for seed in range(SEEDS) for begin in BEGINS],
    probes=[0, 15],
    rtol=1e-6,
)

POLICIES = Sweep(
    "06-policies",
    policy.once,
    [{"seed": seed} for seed in range(8)],
    probes=[0],
    rtol=1e-3,
)

HEADS = Sweep(
    "06-heads",
    heads.once,
    [{"seed": seed} for seed in range(8)],
    probes=[0],
    rtol=1e-3,
)

SWAPPED = Sweep(
    "06-swapped",
    network_thermostat.swapped,
    [{"seed": seed} for seed in range(8)],
    probes=[0],
    rtol=1e-3,
)
