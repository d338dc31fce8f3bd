"""A real browser without a network; without one, tests are skipped with a reason or fail."""

import os
import re
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from descent.publish import paths
from descent.publish.__main__ import main

sys.path.insert(0, str(Path(__file__).parent))  # for `import checks`

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# To run in a page before its own scripts: it notes jumps, and the theme of the first paint.
NOTES = """window.shifts = []; new PerformanceObserver(list => { for (const e of list.getEntries())
  if (!e.hadRecentInput) window.shifts.push(e.value); }).observe(
  {type: "layout-shift", buffered: true});
  document.addEventListener("DOMContentLoaded", () => {
    window.firstTheme = document.documentElement.dataset.theme; });"""


@pytest.fixture(scope="session")
def site():
    """Make the book, which takes a moment if it stands already."""
    assert main([]) == 0
    return paths.HTML


@pytest.fixture(scope="session")
def server(site):
    """Serve the book on this machine."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def browser():
    """Return Chromium: the system's own, or the one that Playwright installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    system = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
    with playwright.sync_playwright() as started:
        try:
            chromium = started.chromium.launch(
                executable_path=system if system.exists() else None, args=ARGUMENTS
            )
        except playwright.Error as error:
            if os.environ.get("DESCENT_REQUIRE_BROWSER") == "1":
                raise
            pytest.skip(f"no Chromium: {str(error).splitlines()[0]}")
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser):
    """Open pages from the disk or this machine; every other request and every error fails the test.

    ``visit(path_or_address, **context settings)`` returns the page.
    """
    troubles: list[str] = []
    contexts = []

    def open_page(place, **settings):
        context = browser.new_context(**settings)
        contexts.append(context)
        address = place if str(place).startswith("http://127.0.0.1:") else Path(place).as_uri()
        allowed = ("file:", "data:", "blob:", re.match(r"file:|http://[^/]*/", address).group())

        def answer(route):
            if route.request.url.startswith(allowed):
                route.continue_()
            else:
                troubles.append(f"request: {route.request.url}")
                route.abort()

        context.route("**/*", answer)
        context.add_init_script(NOTES)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on(
            "console",
            lambda m: troubles.append(f"console: {m.text}") if m.type == "error" else None,
        )
        page.goto(address)
        return page

    open_page.troubles = troubles
    yield open_page
    for context in contexts:
        context.close()
    assert not troubles
