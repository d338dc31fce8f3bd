"""The real Pyodide, in the document that the button adds, from a folder in place of the network.

``npm pack pyodide@VERSION`` brings the runtime without packages; name its folder ``package`` in
DESCENT_PYODIDE. Packages that are compiled, numpy among them, are in no registry: a stand-in
runs the cells, and everything before it is what readers get.
"""

import base64
import io
import json
import os
import re
import shutil
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect
from test_pages import LIVE, UNFOLD, stored

from descent.publish import lite

RUNTIME = Path(os.environ.get("DESCENT_PYODIDE", "no folder"))
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (RUNTIME / "pyodide.mjs").exists(),
        reason=f"no runtime: npm pack pyodide@{lite.PYODIDE}, and name it in DESCENT_PYODIDE",
    ),
]
PATIENCE = 120_000
TYPES = {".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json"}
CELLS = '''
import contextlib, io, json, traceback


class Session:
    """Runs cells without IPython."""

    def __init__(self, path):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts = ("".join(c["source"]) for c in cells if c["cell_type"] == "code"
                 and "remove-cell" not in c["metadata"].get("tags", []))
        self.sources = [text for text in texts if text.strip()]
        self.names = {}

    def run(self, source):
        out = io.StringIO()
        try:
            with contextlib.redirect_stdout(out):
                exec(source, self.names)
        except Exception:
            return [{"kind": "error", "content": traceback.format_exc()}]
        return [{"kind": "text", "content": out.getvalue()}]
'''


def archive_with_a_stand_in():
    """Return the book's own archive, in which another module runs the cells."""
    packed, other = (
        zipfile.ZipFile(io.BytesIO(lite.archive([LIVE.partition("/")[2]]))),
        io.BytesIO(),
    )
    with zipfile.ZipFile(other, "w") as target:
        for name in packed.namelist():
            own = CELLS.encode() if name.endswith("publish/cells.py") else packed.read(name)
            target.writestr(name, own)
    library = {"archive": base64.b64encode(other.getvalue()).decode()}
    return f"window.descentLibrary = {json.dumps(library)};"


@pytest.fixture(scope="module")
def folder(site, tmp_path_factory):
    """Lay out a chapter, and beside it the runtime that its pages ask for; return both addresses.

    Its address stands in place of the network's in the document that runs Python.
    """
    copy = tmp_path_factory.mktemp("copy")
    (copy / "notebooks").mkdir()
    shutil.copytree(site / "_static", copy / "_static")
    text = (site / f"{LIVE}.html").read_text("utf-8")
    (copy / f"{LIVE}.html").write_text(text)
    alone = re.sub(r'data-packages="[^"]*"', 'data-packages=""', text)
    (copy / "notebooks" / "alone.html").write_text(alone)
    (copy / "pyodide").symlink_to(RUNTIME.resolve())
    (copy / "_static" / "lite-library.js").write_text(archive_with_a_stand_in())
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        extensions_map = SimpleHTTPRequestHandler.extensions_map | TYPES

        def end_headers(self):
            self.send_header("Access-Control-Allow-Origin", "*")
            super().end_headers()

        def log_message(self, *_):
            asked.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=copy)) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        served = f"http://127.0.0.1:{http.server_port}"
        frame = copy / "_static" / "lite-frame.html"
        text = frame.read_text("utf-8").replace(lite.HOME, f"{served}/pyodide/")
        frame.write_text(text)
        yield copy.as_uri(), served, asked
        http.shutdown()
        thread.join()


@pytest.mark.parametrize("opened", ["from disk", "over http"])
def test_cells_run_in_the_real_runtime(browser, folder, opened):
    disk, served, asked = folder
    asked.clear()
    page = browser.new_page()
    page.goto(f"{disk if opened == 'from disk' else served}/notebooks/alone.html")
    assert not any("pyodide" in name for name in asked)
    assert page.locator("iframe").count() == 0, "the document that may load is not there yet"
    status = page.locator(".descent-lite [role=status]")
    code = page.locator("div.cell").nth(0).locator("pre").first
    output = page.locator("div.cell").nth(0).locator(".cell_output")
    page.get_by_role("button", name="Run in the browser").click()
    expect(status).to_contain_text("Python is ready", timeout=PATIENCE)
    for name in ("pyodide.mjs", "pyodide.asm.wasm", "python_stdlib.zip"):
        assert f"/pyodide/{name}" in asked
    page.evaluate(UNFOLD)

    def run(source, end):
        code.fill(source)
        code.press("Shift+Enter")
        expect(status).to_contain_text(end, timeout=PATIENCE)

    run(
        "import sys, descent\nprint(sys.version.split()[0], sys.platform, descent.__file__)",
        "Done.",
    )
    here = f"{lite.PYTHON} emscripten /descent/src/descent/__init__.py"
    expect(output).to_contain_text(here)
    run("def half():\n    return 1 / 0\nhalf()", "Cell 1 stopped with an error.")
    expect(output).to_contain_text("in half")
    expect(output).to_contain_text("ZeroDivisionError")
    page.get_by_role("button", name="Stop").click()
    expect(status).to_contain_text("Python was ended.")
    assert page.locator("iframe").count() == 0
    page.close()


def test_a_package_that_is_not_there_is_said(browser, folder):
    page = browser.new_page()
    page.goto(f"{folder[0]}/{LIVE}.html")
    page.get_by_role("button", name="Run in the browser").click()
    status = page.locator(".descent-lite [role=status]")
    expect(status).to_contain_text("Python could not be loaded", timeout=PATIENCE)
    expect(status).to_contain_text("error occurred while loading")
    page.close()


def test_versions_that_pages_name_are_those_of_its_lock(site):
    lock = json.loads((RUNTIME / "pyodide-lock.json").read_text())
    assert lock["info"]["python"] == lite.PYTHON
    named = json.loads((RUNTIME / "package.json").read_text())
    assert named["version"] == lite.PYODIDE
    for package in lite.PACKAGES.values():
        assert lock["packages"][package.name]["version"] == package.version
    text = (site / f"{LIVE}.html").read_text("utf-8")
    assert lite.versions(lite.packages(stored(LIVE))) in text
