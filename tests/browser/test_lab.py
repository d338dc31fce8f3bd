"""An explorer in a real JupyterLab: the front end of the page, with drawings from a kernel."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from playwright.sync_api import expect

pytest.importorskip("jupyterlab")
pytestmark = pytest.mark.browser

CELL = """
from descent import figures
from descent.explorer import explore
drawn = []
def draw(a, kind):
    drawn.append((a, kind))
    fig, ax = figures.figure()
    ax.plot([0, 1], [0, a])
    ax.set(xlim=(0, 1), ylim=(0, 40), xlabel="x", ylabel="y")
    return fig
explore(draw, name="line", caption=lambda a, kind: f"Slope {a}, {kind}.", a=range(1, 41),
        kind=["straight", "bent"], labels={"a": "a name that is longer than the slider itself"},
        grab={"a": lambda a: (0.5, a / 2)})
"""
COUNT = "print(len(drawn), drawn[-1])"
LIVE = """
from descent.chapters.thermostats_and_lorenz.worlds_by_hand import room_by_hand
room_by_hand
"""


@pytest.fixture
def lab(tmp_path):
    """Start JupyterLab on a notebook; return its address and the notebook's path."""
    cells = [nbformat.v4.new_code_cell(code) for code in (CELL, COUNT, LIVE)]
    cells.append(nbformat.v4.new_markdown_cell("It was drawn {eval}`str(len(drawn))` times."))
    book = tmp_path / "book.ipynb"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), book)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    options = ["--no-browser", "--allow-root", "--IdentityProvider.token=", f"--port={port}"]
    command = [sys.executable, "-m", "jupyterlab", *options, "--ServerApp.port_retries=0"]
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(
            command, cwd=tmp_path, env=os.environ | own, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/api").close()
                break
            assert process.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.2)
        yield address, book
    finally:
        process.terminate()
        process.wait()


def test_an_explorer_in_jupyterlab(lab, visit):  # the page is closed before the server
    address, book = lab
    page = visit(f"{address}/lab/tree/book.ipynb", viewport={"width": 1300, "height": 900})
    page.set_default_timeout(120_000)
    page.get_by_text("| Idle").wait_for()  # a cell that is run sooner is not run
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    cells.first.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    explorer = page.locator(".descent-explorer")
    explorer.locator(".descent-controls").wait_for()
    caption = explorer.locator("figcaption")
    slider, handle = explorer.locator("input[type=range]"), explorer.locator(".descent-handle")

    # The controls have room and names.
    for control in (slider, explorer.locator("select")):
        assert control.bounding_box()["width"] >= 120
        assert control.get_attribute("aria-label")
    assert slider.get_attribute("aria-label") == "a name that is longer than the slider itself"
    assert explorer.locator(".descent-link").count() == 0, "a cell has no address"

    # Keys are the slider's, not Lab's.
    expect(caption).to_have_text("Slope 1, straight.")
    slider.focus()
    slider.press("ArrowRight")
    expect(caption).to_have_text("Slope 2, straight.")

    # A drag of twenty steps: few of them are drawn, the last one is.
    page.evaluate(
        """() => { const [slider] = document.querySelectorAll(".descent-explorer input");
        const caption = slider.closest("figure").querySelector("figcaption");
        window.changes = []; new MutationObserver(() => changes.push(performance.now())).observe(
          caption, {childList: true, characterData: true, subtree: true});
        window.begun = performance.now();
        for (let a = 2; a < 22; a++) { slider.value = a;
          slider.dispatchEvent(new Event("input", {bubbles: true})); } }"""
    )
    expect(caption).to_have_text("Slope 22, straight.")
    first, last = page.evaluate("[changes[0] - begun, changes.at(-1) - begun]")
    print(f"after a drag of 20 steps: first change {first:.0f} ms, newest {last:.0f} ms", end=" ")

    # What was drawn once is kept; the handle works as on the page, by keys and by mouse.
    slider.press("Home")
    expect(caption).to_have_text("Slope 1, straight.")
    explorer.locator("select").select_option("bent")
    expect(caption).to_have_text("Slope 1, bent.")
    handle.focus()
    handle.press("ArrowRight")
    expect(caption).to_have_text("Slope 2, bent.")
    box = handle.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0], middle[1] - 800, steps=4)
    page.mouse.up()
    expect(caption).to_have_text("Slope 40, bent.")

    cells.nth(1).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    said = cells.nth(1).locator(".jp-OutputArea-output")
    said.wait_for()
    count, newest = said.inner_text().split(" ", 1)
    # 1 (twice: the still), 2, the first of the drag, 22, 1 bent, 2 bent, on the way, 40.
    assert int(count) <= 12
    assert newest.strip() == "(40, 'bent')"

    # A live model is computed where it is shown.
    cells.nth(2).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    room = cells.nth(2).locator(".descent-explorer")
    expect(room.locator("figcaption")).to_contain_text("The room starts at 35 ")
    start = room.locator(".descent-handle")
    start.focus()
    start.press("PageDown")
    expect(room.locator("figcaption")).to_contain_text("The room starts at 31 ")
    assert room.locator("canvas").count() == 2

    # Where no kernel is, a saved notebook shows the picture, and carries no script.
    cells.nth(1).locator(".cm-content").click()
    page.keyboard.press("Control+s")
    page.wait_for_timeout(2000)
    saved = json.loads(book.read_text())
    (shown,) = [o for o in saved["cells"][0]["outputs"] if "data" in o]
    assert {"image/png", "text/plain"} < set(shown["data"])
    assert "".join(shown["data"]["text/plain"]) == "Slope 1, straight."
    assert "ResizeObserver" not in book.read_text()
    visit.troubles[:] = [t for t in visit.troubles if not t.startswith("console: ")]


def test_the_numbers_in_sentences_appear_when_all_cells_are_run(lab, visit):
    address, _ = lab
    page = visit(f"{address}/lab/tree/book.ipynb", viewport={"width": 1300, "height": 900})
    page.set_default_timeout(120_000)
    page.get_by_text("| Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    sentence = page.locator(".jp-MarkdownCell")
    expect(sentence).to_contain_text(re.compile(r"It was drawn \d+ times\."), timeout=60_000)
    visit.troubles[:] = [t for t in visit.troubles if not t.startswith("console: ")]
