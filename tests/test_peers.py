"""The page on peers: its rows are whole, something shows each, and our side is a test."""

import re

import pytest
import yaml

from descent.publish import pages, paths

ROWS = yaml.safe_load((paths.BOOK / "peers.yml").read_text(encoding="utf-8"))
FIELDS = {"about", "package", "version", "guess", "does", "we", "chapter", "shown", "ours"}
NAMES = [f"{row['package']}: {row['guess'][:30]}" for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_a_row_is_whole_and_in_sentences(row):
    assert set(row) == FIELDS
    assert all(isinstance(text, str) and text for text in row.values())
    for field in ("guess", "does", "we"):
        assert row[field][0].isupper()
        assert row[field].endswith(".")
    named = paths.ROOT / "notebooks" / f"{row['chapter']}.ipynb"
    assert row["chapter"] == "every" or named.exists()


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_what_shows_a_row_runs_the_version_that_it_names(row):
    shown = (paths.ROOT / row["shown"]).read_text(encoding="utf-8")
    assert "assert " in shown
    if row["shown"].startswith("findings/"):
        assert f"{row['package']}=={row['version']}" in shown
        assert "Guess:" in shown
    else:
        assert f'version("{row["package"]}") != "{row["version"]}"' in shown


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_our_side_is_a_test(row):
    path, _, name = row["ours"].partition("::")
    text = (paths.ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"^def {name}\(", text, re.MULTILINE)


def test_the_page_shows_every_row_below_its_heading():
    table = pages.peers_table(paths.BOOK / "peers.yml")
    headings = list(dict.fromkeys(row["about"] for row in ROWS))
    assert [row["about"] for row in ROWS] == sorted(
        (row["about"] for row in ROWS), key=headings.index
    )
    assert table.count("<tr>") == len(ROWS) + len(headings) + 1
    assert all(row["shown"] in table for row in ROWS)
    assert [table.index(f">{heading}<") for heading in headings] == sorted(
        table.index(f">{heading}<") for heading in headings
    )


def test_every_script_backs_a_row():
    scripts = {f"findings/{path.name}" for path in (paths.ROOT / "findings").iterdir()}
    assert scripts == {row["shown"] for row in ROWS if row["shown"].startswith("findings/")}
