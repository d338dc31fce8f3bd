"""Every notebook runs from top to bottom, and its explorers keep to their budgets.

A notebook that has run unchanged is not run again: the rendered book and these
tests share one execution.
"""

import base64
import re
import time
from collections import Counter

import numpy as np
import pytest
from matplotlib.figure import Figure
from nbconvert import MarkdownExporter
from traitlets.config import Config

from descent import explorer, figures
from descent.figures.display_list import Recorder
from descent.figures.svg import UnsupportedError
from descent.publish import pages, paths
from descent.publish.execute import execute, execute_all

NOTEBOOKS = paths.notebooks()
EXPLORERS = {made.name: made for made in explorer.registry()}
SECONDS = 20
"""CPU time of an explorer, on a machine that draws a plain figure in PLAIN of them."""
PLAIN = 0.008


@pytest.fixture(scope="module")
def runs():
    return execute_all(NOTEBOOKS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path):
    run = execute(path)
    codes = [cell for cell in run.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in codes] == list(range(1, len(codes) + 1))


TYPED = re.compile(r"\bnp\.(float|int|bool)\d*_?\(")
"""How NumPy writes a number that stands in a tuple or a list."""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_output_shows_the_type_of_a_number(path):
    assert TYPED.search("(np.float64(0.5), np.int64(3), np.True_)")
    for cell in execute(path).cells:
        for output in cell.get("outputs", []):
            text = output.get("data", {}).get("text/plain", "") or output.get("text", "")
            assert not TYPED.search(text), f"{cell['id']}: {text}"


def test_every_claim_is_recorded_where_it_is_checked(runs):
    checked = pages.checked_claims(runs)
    assert checked
    assert all(chapter == claim.chapter for chapter, claim, _ in checked)


def test_every_explorer_is_shown_once_and_every_shown_one_is_registered(runs):
    shown = Counter(mark["explorer"] for _, mark in pages.explorers(runs))
    for name, times in shown.items():
        assert times == 1, f"explorer {name} is shown {times} times in the notebooks, once is right"
    for name in EXPLORERS.keys() - shown.keys():
        chapter = EXPLORERS[name].chapter
        raise AssertionError(f"explorer {name} of {chapter} ends no cell of a notebook: show it")
    assert not shown.keys() - EXPLORERS.keys(), (
        "made in a notebook: its place is a chapter's module"
    )


def test_every_live_model_is_shown_once(runs):
    shown = Counter(mark["live"] for _, mark in pages.live_models(runs))
    assert shown == Counter(model.name for model in explorer.live_models())


def plain_figure(recorder):
    """Record a figure of one curve, as an explorer does, and return the CPU time of it."""
    begin = time.process_time()
    fig, ax = figures.figure()
    ax.plot(np.linspace(0, 1, 100), np.sin(np.linspace(0, 6, 100)))
    ax.set(xlabel="x", ylabel="y")
    recorder.record(fig)
    return time.process_time() - begin


def test_explorers_keep_to_their_budgets(runs):
    # Another machine, or one that is busy, takes longer for the plain figure too.
    recorder = Recorder()
    slowness = max(1, np.median([plain_figure(recorder) for _ in range(61)]) / PLAIN)
    for _, mark in pages.explorers(runs):
        assert mark["bytes"] <= explorer.MAX_BYTES, mark
        assert mark["seconds"] <= SECONDS * slowness, (mark, slowness)
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
                if not axes.axison:  # a diagram, whose places are no numbers
                    continue
                assert enough(labels), f"{name} has an axis without a label"
        assert shown.caption(**state)


@pytest.mark.parametrize("name", EXPLORERS)
def test_each_control_of_an_explorer_changes_its_picture_and_what_its_caption_says(name):
    assert idle(EXPLORERS[name]) == []


def test_a_control_that_does_nothing_is_found():
    def parabola(a, b):
        fig, ax = figures.figure()
        ax.plot([-1, 0, 1], [a, 0, a])
        return fig

    shown = explorer.explore(
        parabola,
        name="bowl",
        caption=lambda a: f"Height {['one', 'two'][a]}.",
        a=[0, 1],
        b=[0, 1],
    )
    assert idle(shown) == [
        "a: a caption without a number: Height one.",
        "a: a caption without a number: Height two.",
        "b: the caption says the same at every value",
        "b: a caption without a number: Height one.",
        "b: the picture is the same at the first value and at the last",
    ]


def idle(shown):
    """Return what the controls of an explorer fail to do."""
    found = []
    for control in shown.controls:
        states = [shown.default | {control.name: value} for value in control.values]
        captions = sorted({shown.caption(**state) for state in states})
        if len(captions) == 1:
            found.append(f"{control.name}: the caption says the same at every value")
        wordy = [caption for caption in captions if not re.search(r"\d", caption)]
        found += [f"{control.name}: a caption without a number: {caption}" for caption in wordy]
        if not any(
            drawn(shown, panel, states[0]) != drawn(shown, panel, states[-1])
            for panel, (_, takes) in enumerate(shown.panels)
            if control.name in takes
        ):
            found.append(
                f"{control.name}: the picture is the same at the first value and at the last"
            )
    return found


def drawn(shown, panel, state):
    """Return what a panel draws, so that it can be compared."""
    figure = shown.panel_figure(panel, state)
    try:
        return Recorder().record(figure)
    except UnsupportedError:
        return figures.pixels(figure).tobytes()


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
