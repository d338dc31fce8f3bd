"""Every notebook runs from top to bottom, and its explorers keep to their budgets.

A notebook that has run unchanged is not run again: the rendered book and these
tests share one execution.
"""

import base64
from collections import Counter

import pytest
from matplotlib.figure import Figure
from nbconvert import MarkdownExporter
from traitlets.config import Config

from descent import explorer
from descent.publish import pages, paths
from descent.publish.execute import execute, execute_all

NOTEBOOKS = paths.notebooks()
EXPLORERS = {made.name: made for made in explorer.registry()}
SECONDS = 20


@pytest.fixture(scope="module")
def runs():
    return execute_all(NOTEBOOKS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path):
    run = execute(path)
    codes = [cell for cell in run.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in codes] == list(range(1, len(codes) + 1))


def test_every_claim_is_recorded_where_it_is_checked(runs):
    checked = pages.checked_claims(runs)
    assert checked
    assert all(chapter == claim.chapter for chapter, claim, _ in checked)


def test_every_explorer_is_shown_once_and_every_shown_one_is_registered(runs):
    shown = Counter(mark["explorer"] for _, mark in pages.explorers(runs))
    assert shown == Counter(EXPLORERS.keys())


def test_explorers_keep_to_their_budgets(runs):
    for _, mark in pages.explorers(runs):
        assert mark["bytes"] <= explorer.MAX_BYTES, mark
        assert mark["seconds"] <= SECONDS, mark
        assert mark["states"] == len(EXPLORERS[mark["explorer"]].states()), mark


@pytest.mark.parametrize("name", EXPLORERS)
def test_explorer_draws_at_every_corner_and_says_what_it_shows(name):
    shown = EXPLORERS[name]
    corners = shown.corners()
    assert corners
    for state in corners:
        drawn = shown.draw(**state)
        for figure in drawn if isinstance(drawn, tuple) else (drawn,):
            assert isinstance(figure, Figure)
            for axes in figure.axes:
                labels = [axes.get_xlabel(), axes.get_ylabel()]
                # A colour bar has one axis.
                enough = any if axes.get_label() == "<colorbar>" else all
                assert enough(labels), f"{name} has an axis without a label"
        assert shown.caption(**state)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_explorers_degrade_to_a_still_where_scripts_do_not_run(path):
    """On paper, and where HTML is not shown, the default state stands as an image."""
    stills = [
        base64.b64decode(output["data"]["image/png"])
        for cell in execute(path).cells
        for output in cell.get("outputs", [])
        if "explorer" in output.get("metadata", {}).get("descent", {})
    ]
    priority = {"NbConvertBase": {"display_data_priority": ["image/png", "text/plain"]}}
    exporter = MarkdownExporter(config=Config(priority))
    paper, resources = exporter.from_notebook_node(execute(path))
    assert stills
    assert all(still in resources["outputs"].values() for still in stills)
    assert "DecompressionStream" not in paper


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_figure_of_a_page_has_a_text_alternative(path):
    for cell in execute(path).cells:
        for output in cell.get("outputs", []):
            html = output.get("data", {}).get("text/html", "")
            if "image/png" in output.get("data", {}):
                assert "aria-label" in html, f"a bare image in {path.stem}: {cell.source}"
