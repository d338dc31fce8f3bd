"""The stored tables belong to a sweep and are whole; a sample of rows comes out again."""

import numpy as np
import pytest

from descent.chapters.overparameterization import sweeps as overparameterization
from descent.publish import paths
from descent.sweeps import NotCompared, registry, table

SWEEPS = registry()
BY_HAND = ("cocoex",)
"""Packages that a sweep needs and no extra brings; other tests recompute some of its rows."""
PROBES = [(sweep, index) for sweep in SWEEPS for index in sweep.probes]


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.name)
def test_the_table_is_whole(sweep):
    path = table.folder() / f"{sweep.name}.jsonl"
    head = table.header(path)
    assert head is not None, f"{path} is missing: make sweeps"
    assert head["version"] == sweep.version
    assert head["run"] == f"{sweep.run.__module__}.{sweep.run.__qualname__}"
    assert [table.key(row["point"]) for row in table.rows(path)] == sweep.keys
    assert path.stat().st_size <= 400_000
    assert sweep.probes, "at least one row is computed anew"
    assert sweep.rtol <= 1e-2


def test_every_table_belongs_to_a_sweep_and_every_sweep_to_a_chapter():
    names = {sweep.name for sweep in SWEEPS}
    assert {path.stem for path in table.folder().glob("*.jsonl")} == names
    chapters = {path.name[:2] for path in paths.notebooks()}
    assert {name[:2] for name in names} <= chapters


@pytest.mark.parametrize(
    ("sweep", "index"), PROBES, ids=[f"{sweep.name}-{index}" for sweep, index in PROBES]
)
def test_a_stored_row_comes_out_again(sweep, index):
    try:
        with np.errstate(all="warn", under="ignore"):
            new = sweep.compute(index)
    except FileNotFoundError as missing:
        pytest.skip(f"its data are not here: {missing}")
    except ModuleNotFoundError as missing:
        if missing.name not in BY_HAND:
            raise
        pytest.skip(f"its functions are not here: {missing}")
    assert sweep.differences(stored(sweep)[index], new) == []


def stored(sweep):
    """Return the results of a stored table, in the order of its points."""
    return [row["result"] for row in table.rows(table.folder() / f"{sweep.name}.jsonl")]


WRONG = [
    ("08-reach-found", {"learning_rate": 7e-4}),
    ("08-reach-found", {"hidden_ch": 24}),
    ("08-shifted-optimum", {"shift": 3.0}),
    ("08-shifted-optimum", {"learning_rate": 2e-3}),
    ("08-other-objectives", {"learning_rate": 7e-4}),
    ("08-rivals", {"objective": "six_hump_camel"}),
    ("08-source-networks", {"learning_rate": 6e-4}),
    ("09-success", {"m": 2}),
    ("10-scale", {"lr": 9e-3}),
    ("10-scale", {"method": "sparse"}),
    ("10-scale-first-steps", {"lr": 0.08}),
    ("10-scale-rank", {"seed": 1}),
]
"""Other settings than a probe's, which give other results."""


@pytest.mark.parametrize(("name", "other"), WRONG, ids=lambda value: str(value))
def test_what_survives_another_processor_notices_a_wrong_result(name, other):
    sweep = next(sweep for sweep in SWEEPS if sweep.name == name)
    index = sweep.probes[0]
    wrong = table.results(sweep.run, sweep.points[index] | other)
    assert sweep.differences(stored(sweep)[index], wrong) != []


def test_where_a_search_stops_is_told_from_where_it_stops_on_another_function():
    sweep = next(sweep for sweep in SWEEPS if sweep.name == "07-search-race")
    ackley, other = (stored(sweep)[index] for index in (128, 132))
    assert any(line.startswith("evaluations") for line in sweep.differences(ackley, other))


REDRAWS = 2000
"""Draws of a repeated row, each network's repeats drawn anew from its own."""


def missed(comparison, repeated):
    """Return how often two such draws differ by more than the comparison allows."""
    rng = np.random.default_rng(0)
    old, new = (
        np.take_along_axis(repeated[None], rng.integers(repeated.shape[1], size=size), axis=2)
        for size in [(REDRAWS, *repeated.shape)] * 2
    )
    pairs = zip(old, new, strict=True)
    return np.mean([comparison.difference(*pair) is not None for pair in pairs])


REPEATED = [
    pytest.param(sweep, index, name, id=f"{sweep.name}-{index}-{name}")
    for sweep, index in PROBES
    if sweep.name.startswith("08-")
    for name, comparison in sweep.compare.items()
    if not isinstance(comparison, NotCompared) and np.ndim(stored(sweep)[index][name]) == 2
]


@pytest.mark.parametrize(("sweep", "index", "name"), REPEATED)
def test_a_bound_leaves_room_for_what_rounding_does_to_the_repeats(sweep, index, name):
    assert missed(sweep.compare[name], np.array(stored(sweep)[index][name])) <= 0.001


def test_a_median_of_steps_that_span_decades_is_a_draw():
    row = stored(overparameterization.SHIFTED)[3]
    steps = np.array(row["longest_step"])
    assert missed(overparameterization.SURVIVES["longest_step"], steps) > 0.1
