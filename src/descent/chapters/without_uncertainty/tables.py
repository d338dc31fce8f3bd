"""Chapter 4: its tables."""

from collections.abc import Mapping
from fractions import Fraction

from descent import information, prose
from descent.chapters.joint_distributions.numbers import THERMOSTATS, account
from descent.chapters.without_uncertainty.numbers import instant_thermostat, narrow
from descent.information import Distribution
from descent.prose import fixed

PANELS = ("P_{t-1}", "P_t", "P_{t+1}", "P'_t", "P'_{t+1}")


def accounts(start: Distribution) -> str:
    """Return a Markdown table of both thermostats' strengths after a step from a start, in bits."""
    found = [
        account(information.push_forward(start, system), system) for system in THERMOSTATS.values()
    ]
    lines = {
        "optimizing strength": [a.strength for a in found],
        "mutual information before": [a.correlation for a in found],
        "erased of $P$": [a.erased for a in found],
        "erased of $P'$": [a.erased_decorrelated for a in found],
        "adjusted strength": [a.erased - a.erased_decorrelated for a in found],
    }
    rows = [[name, *(fixed(value, 4) for value in values)] for name, values in lines.items()]
    return prose.table(["", *THERMOSTATS], rows, "lrr")


def entropies(found: Mapping[str, float]) -> str:
    """Return a Markdown table of the entropies of the five panels, in nats."""
    rows = [[f"${p}$", fixed(h, 7)] for p, h in zip(PANELS, found.values(), strict=True)]
    return prose.table(["distribution", "entropy (nats)"], rows, "lr")


def narrow_limits(epsilon: Fraction = Fraction(1, 10**10)) -> str:
    """Return a Markdown table of adjusted strengths by the entropy of a very narrow start."""
    systems = {**THERMOSTATS, "instant": instant_thermostat()}
    found = {name: narrow(epsilon, system) for name, system in systems.items()}
    rows = [[name, fixed(abs(a.adjusted / a.start), 6)] for name, a in found.items()]
    return prose.table(["thermostat", "adjusted strength over entropy of the start"], rows, "lr")
