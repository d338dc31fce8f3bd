"""The rendered book in a real browser, without a network: every page, every control."""

import json
import re
import statistics
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from checks import (
    EXPLORER,
    assert_every_control_moves_its_picture,
    assert_no_horizontal_scroll,
    assert_no_jump,
)

from descent.book import paths

pytestmark = pytest.mark.browser

TOC = yaml.safe_load((paths.BOOK / "_toc.yml").read_text())
PAGES = [TOC["root"], *(entry["file"] for part in TOC["parts"] for entry in part["chapters"])]
PAGES += ["search", "genindex"]
CHAPTERS = [page for page in PAGES if page.startswith("notebooks/")]
DESKTOP = {"width": 1300, "height": 900}
PHONE = {"width": 360, "height": 740}


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


def settled(page):
    page.wait_for_load_state("networkidle")
    page.wait_for_function(
        "!window.MathJax?.startup?.promise || window.MathJax.startup.promise.then(() => true)"
    )
    return page


@pytest.mark.parametrize("name", PAGES)
def test_page_opens_from_disk_and_fits_a_telephone(visit, site, name):
    page = settled(visit(site / f"{name}.html", viewport=DESKTOP))
    assert page.locator("h1").count() >= 1
    raw = page.locator("main").inner_text()
    assert "{cite" not in raw
    assert "{term}" not in raw
    assert not re.search(r"(?<!\\)\$\S[^$\n]*\$", raw), "a formula was not typeset"
    assert page.locator("mjx-merror").count() == 0
    assert_no_jump(page)
    page.set_viewport_size(PHONE)
    assert_no_horizontal_scroll(page)


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_control_of_the_page_moves_its_picture(visit, site, name):
    page = settled(visit(site / f"{name}.html", viewport=DESKTOP))
    assert page.locator(EXPLORER).count() >= 1, "a chapter has an explorer near its top"
    latencies = assert_every_control_moves_its_picture(page)
    median = round(statistics.median(latencies), 1)
    report = {"page": name, "key_presses": len(latencies), "median_ms_to_repaint": median}
    folder = paths.BUILD / "latency"
    folder.mkdir(exist_ok=True)
    (folder / f"{name.replace('/', '-')}.json").write_text(json.dumps(report))
    print(report)


def violations(page, **options):
    # Without preloading: axe would fetch style sheets by itself, from wrong addresses.
    # Without the list of all that is well, which takes longer than the checks.
    options = {"preload": False, "resultTypes": ["violations"], **options}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{v['id']} ({v['impact']}): {node['html'][:200]}: {node['failureSummary']}"
        for v in found
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES)
def test_page_opens_over_http_and_has_no_serious_accessibility_violation(visit, server, name):
    page = settled(visit(f"{server}/{name}.html", viewport=DESKTOP, color_scheme="light"))
    assert page.title()
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    page.reload()  # colours that are still fading have no contrast
    settled(page)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert violations(page, runOnly=["color-contrast"]) == []  # all that the dark changes


def test_accessibility_check_can_fail(visit, server):
    page = settled(visit(f"{server}/{PAGES[0]}.html", viewport=DESKTOP))
    page.evaluate("document.querySelector('article').innerHTML += '<input type=range>'")
    assert any("label" in violation for violation in violations(page))
    page.emulate_media(color_scheme="dark")
    page.evaluate("document.querySelector('article').innerHTML += '<p style=color:#222>dim</p>'")
    assert any("dim" in violation for violation in violations(page, runOnly=["color-contrast"]))


def test_claims_can_be_sorted_and_filtered(visit, site):
    page = settled(visit(site / "book" / "claims.html", viewport=DESKTOP))
    rows = page.locator(".descent-claims tbody tr")
    verdicts = rows.evaluate_all("rows => rows.map(row => row.dataset.verdict)")
    page.get_by_label("Verdict").select_option("refuted")
    assert page.locator(".descent-claims tbody tr:visible").count() == verdicts.count("refuted")
    page.get_by_label("Verdict").select_option("all")
    page.get_by_role("button", name="Verdict").click()
    by_verdict = rows.evaluate_all("rows => rows.map(row => row.dataset.verdict)")
    assert by_verdict == sorted(verdicts)
    page.get_by_role("button", name="Computed").click()
    values = rows.evaluate_all("rows => rows.map(row => Number(row.cells[3].dataset.sort))")
    assert values == sorted(values)


@pytest.mark.parametrize("name", [CHAPTERS[0], CHAPTERS[5]])  # curves, and curves with images
def test_a_planted_broken_slider_is_caught(visit, site, name, tmp_path):
    html = (site / f"{name}.html").read_text(encoding="utf-8")
    broken = html.replace("function show() {", "function show() { return;")
    assert broken != html
    path = site / "notebooks" / "planted-broken-slider.html"
    try:
        path.write_text(broken, encoding="utf-8")
        page = settled(visit(path, viewport=DESKTOP))
        with pytest.raises(AssertionError, match="explorer"):
            assert_every_control_moves_its_picture(page)
    finally:
        path.unlink()


def test_a_planted_request_to_another_host_is_caught(visit, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<title>x</title><h1>x</h1><img src='https://example.org/x.png' alt='x'>")
    settled(visit(path))
    assert any("request: https://example.org/x.png" in trouble for trouble in visit.troubles)
    visit.troubles.clear()
