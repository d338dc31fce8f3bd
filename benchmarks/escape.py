"""Speed of the chance to escape from any start, against the library as it was."""

from collections.abc import Iterator

from row import Row, earlier, processor_seconds

from descent import markov
from descent.landscapes import two_datapoint

ASKED = "step_size=0.02, n_steps=1000, start=1.05, threshold=1.19596"


def rows() -> Iterator[Row]:
    """Yield the row of the table of speed."""
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
