"""The printed book: formulas are typeset, solutions open, contents are an outline."""

import os
import subprocess
import sys

PAGE = """<!doctype html><html lang="en"><head><title>t</title></head><body>
<h1>One</h1><div class="tag_hide-cell"><details><summary>Solution</summary>
<div style="height: 300cm">long</div></details></div><h1>Two</h1></body></html>"""
PRINT = """
import sys
from pathlib import Path
from descent.publish.pdf import print_page
from descent.publish.render import RenderFailed
try:
    print_page(Path(sys.argv[1]), Path(sys.argv[2]))
except RenderFailed as failure:
    sys.exit(str(failure))
"""


def print_page(page, target, **variables):
    """Print in a process of its own, because one process runs one Playwright."""
    return subprocess.run(
        [sys.executable, "-c", PRINT, page, target],
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )


def test_a_page_is_printed_with_outline_and_open_solutions(browser, tmp_path):
    page, target = tmp_path / "page.html", tmp_path / "page.pdf"
    page.write_text(PAGE)
    done = print_page(page, target)
    assert done.returncode == 0, done.stderr
    content = target.read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/Outlines" in content
    assert content.count(b"/Type /Page\n") > 5  # a folded solution would leave one


def test_without_a_browser_the_error_says_what_is_missing(browser, tmp_path):
    done = print_page(tmp_path / "x.html", tmp_path / "x.pdf", CHROMIUM=str(tmp_path / "nothing"))
    assert "printed by Chromium, and none was found" in done.stderr
    assert not (tmp_path / "x.pdf").exists()
