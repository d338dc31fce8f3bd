"""The stored tables belong to a sweep and are whole; a sample of rows comes out again."""

import numpy as np
import pytest

from descent.publish import paths
from descent.sweeps import registry, table

SWEEPS = registry()
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


def assert_same(stored, new, rtol):
    """Compare results: numbers to rtol, all else exactly."""
    assert stored.keys() == new.keys()
    for name, value in stored.items():
        if isinstance(value, str | bool | None):
            assert new[name] == value, name
        else:
            np.testing.assert_allclose(new[name], value, rtol=rtol, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(
    ("sweep", "index"), PROBES, ids=[f"{sweep.name}-{index}" for sweep, index in PROBES]
)
def test_a_stored_row_comes_out_again(sweep, index):
    rows = list(table.rows(table.folder() / f"{sweep.name}.jsonl"))
    try:
        with np.errstate(all="warn", under="ignore"):
            new = sweep.compute(index)
    except FileNotFoundError as missing:
        pytest.skip(f"its data are not here: {missing}")
    assert_same(rows[index]["result"], new, sweep.rtol)


def test_a_changed_number_is_noticed():
    with pytest.raises(AssertionError, match="y"):
        assert_same({"y": 1.0}, {"y": 1.0 + 1e-6}, 1e-9)
    with pytest.raises(AssertionError):
        assert_same({"solved": True}, {"solved": False}, 1e-2)
