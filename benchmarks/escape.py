"""Speed of the chance to escape from any start, against the library as it was."""

from collections.abc import Iterator

from row import Row, earlier, processor_seconds

from descent import markov
from descent.landscapes import two_datapoint

SMALL = 1e-4
"""A step at which walkers arrive after more steps than anybody follows."""
NEVER = 1e-6
"""A step at which none can arrive within a thousand."""
ASKED = "step_size=0.02, n_steps=1000, start=1.05, threshold=1.19596"


def rows() -> Iterator[Row]:
    """Yield the rows of the table of speed."""
    how = {"step_size": 0.02, "n_steps": 1000, "start": 1.05, "threshold": 1.19596}
    (ours,) = processor_seconds(lambda: markov.escape_probability(two_datapoint(), **how))
    theirs = earlier(
        f"""
from descent import markov
from descent.landscapes import two_datapoint
print(seconds(lambda: markov.escape_probability(two_datapoint(), {ASKED})))
"""
    )
    work = "chance to escape within 1000 steps of T = 0.02 from W = 1.05"
    yield Row(work, "s", ours, "descent bfbe1bb", theirs, times=1)

    asked = {"start": 1.05, "threshold": 1.19596}

    def lasting() -> float:
        return markov.log_mean_first_passage_time(two_datapoint(), step_size=SMALL, **asked)

    def never() -> float:
        return markov.escape_probability(two_datapoint(), step_size=NEVER, n_steps=1000, **asked)

    long, none = processor_seconds(lasting, never)
    yield Row(f"mean time to escape at T = {SMALL:g} from W = 1.05", "s", long, at_most=1.0)
    yield Row(f"chance to escape at T = {NEVER:g}, where nobody can", "s", none, at_most=0.05)
