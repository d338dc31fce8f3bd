"""The rendered book in a real browser, without a network: every page, every control."""

import json
import re
import statistics

import nbformat
import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from checks import (
    EXPLORER,
    assert_every_control_moves_its_picture,
    assert_every_handle_is_at_hand,
    assert_no_horizontal_scroll,
    assert_no_jump,
    assert_no_letters_of_icons,
    assert_tables_fit,
    wait_until_ready,
)
from playwright.sync_api import expect

from descent.publish import lite, paths
from descent.publish.authored import page_sources

pytestmark = pytest.mark.browser

TOC = yaml.safe_load((paths.BOOK / "_toc.yml").read_text())
ENTRIES = [entry for part in TOC["parts"] for entry in part["chapters"]]
PAGES = [TOC["root"], *(entry["file"] for entry in ENTRIES)]
PAGES += [below["file"] for entry in ENTRIES for below in entry.get("sections", [])]
PAGES += ["search", "genindex"]
CHAPTERS = [page for page in PAGES if page.startswith("notebooks/")]
DESKTOP = {"width": 1300, "height": 900}
PHONE = {"width": 360, "height": 740}


def settled(page):
    page.wait_for_load_state("networkidle")
    return page


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


def turn_dark(page):
    page.add_style_tag(content="* { transition: none !important }")  # fading has no contrast
    page.emulate_media(color_scheme="dark")
    # Not by wait_for_function: the policy of the page lets no text be run as a script.
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("name", PAGES)
def test_page_opens_from_disk_is_accessible_and_fits_a_telephone(visit, site, name):
    page = settled(visit(site / f"{name}.html", viewport=DESKTOP, color_scheme="light"))
    wait_until_ready(page)
    assert page.locator("h1").count() >= 1
    raw = page.locator("main").inner_text()
    assert "{cite" not in raw
    assert "{term}" not in raw
    if not name.startswith("book/api/"):  # there code says how a formula is written
        assert not re.search(r"(?<!\\)\$\S[^$\n]*\$", raw), "a formula was not typeset"
    assert_no_jump(page)
    assert_tables_fit(page)
    assert_no_letters_of_icons(page)
    assert violations(page) == []
    turn_dark(page)
    assert violations(page, runOnly=["color-contrast"]) == []  # all that the dark changes
    page.set_viewport_size(PHONE)
    assert_no_horizontal_scroll(page)


@pytest.mark.parametrize("name", [PAGES[0], CHAPTERS[0], "search"])
def test_page_opens_over_http(visit, server, name):
    page = settled(visit(f"{server}/{name}.html", viewport=DESKTOP, color_scheme="dark"))
    assert page.title()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


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


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_handle_of_the_page_can_be_moved(visit, site, name):
    """By keys and a mouse on a desk, by a finger on a telephone."""
    page = settled(visit(site / f"{name}.html", viewport=DESKTOP))
    held = assert_every_handle_is_at_hand(page)
    page = settled(visit(site / f"{name}.html", viewport=PHONE, has_touch=True))
    assert assert_every_handle_is_at_hand(page, touch=True) == held


def test_accessibility_check_can_fail(visit, site):
    page = settled(visit(site / f"{PAGES[0]}.html", viewport=DESKTOP, color_scheme="light"))
    page.evaluate("document.querySelector('article').innerHTML += '<input type=range>'")
    assert any("label" in violation for violation in violations(page))
    turn_dark(page)
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


# The answer of the network: a Pyodide that gives back what it is asked to run.
PYODIDE = """
export async function loadPyodide() {
  const proxy = value => ({toJs: () => value, destroy() {}});
  const output = source => source.includes("1 / 0") ? {kind: "error", content: "ZeroDivisionError"}
    : source.includes("Markdown(") ? {kind: "prose", content: "sentence"}
    : {kind: "text", content: "ran " + source};
  const session = {sources: proxy(SOURCES), run: source => proxy([output(source)])};
  return {loadPackage: async () => {}, unpackArchive: () => {}, runPython: () => session};
}
"""
UNFOLD = "document.querySelectorAll('details.hide').forEach(code => { code.open = true; })"
LIVE = "notebooks/03-joint-distributions"
MODULE = "https://cdn.jsdelivr.net/pyodide/*/full/pyodide.mjs"


def test_chapters_that_can_run_in_the_browser_offer_it(site):
    offered = [p for p in PAGES if "descent-lite" in (site / f"{p}.html").read_text("utf-8")]
    assert offered == [p for p in CHAPTERS if lite.runs_in_browser(stored(p))]
    assert len(offered) == 6


def stored(page):
    return nbformat.read(paths.ROOT / f"{page}.ipynb", as_version=4)


@pytest.mark.parametrize("opened", ["from disk", "over http"])
def test_running_in_the_browser_asks_the_network_when_told_and_says_if_there_is_none(
    visit, site, server, opened
):
    page = settled(visit(f"{site if opened == 'from disk' else server}/{LIVE}.html"))
    assert not visit.troubles, "a request before the button is pressed"
    button = page.get_by_role("button", name="Run in the browser")
    button.click()
    message = page.get_by_role("status").filter(has_text="needs the network")
    message.wait_for()
    assert "Python could not be loaded" in message.inner_text()
    assert button.is_enabled(), "the reader can try again"
    asked = {t for t in visit.troubles if t.startswith("request: ")}
    assert asked == {f"request: {MODULE.replace('*', f'v{lite.PYODIDE}')}"}
    visit.troubles.clear()


def test_cells_become_live_where_there_is_a_network(visit, site):
    page = settled(visit(site / f"{LIVE}.html", viewport=DESKTOP))
    sources = page_sources(stored(LIVE).cells)
    body = PYODIDE.replace("SOURCES", json.dumps(sources))
    headers = {"access-control-allow-origin": "*", "content-type": "text/javascript"}
    page.context.route(MODULE, lambda route: route.fulfill(body=body, headers=headers))
    cells, status = page.locator("div.cell"), page.locator(".descent-lite [role=status]")
    printed = page.locator("div.cell .output.text_plain")
    prose = page.locator("div.tag_remove-input").first.inner_text()

    def ran(text="Done."):
        expect(status).to_contain_text(text)

    page.get_by_role("button", name="Run in the browser").click()
    expect(status).to_contain_text("Python is ready")
    page.evaluate(UNFOLD)
    page.get_by_role("button", name="Run cell 2", exact=True).click()
    ran()
    assert "ran" in cells.nth(0).inner_text(), "the cells above run first"
    assert "ran" not in cells.nth(3).inner_text()

    code = cells.nth(0).locator("pre").first
    code.fill("x = 1\ny = 2")
    code.press("Shift+Enter")
    expect(cells.nth(0).locator(".cell_output")).to_have_text("ran x = 1\ny = 2")

    page.get_by_role("button", name="Run all cells").click()
    ran()
    assert page.locator("div.tag_remove-input").first.inner_text() == prose
    assert violations(page) == []

    code.fill("1 / 0")
    code.press("Shift+Enter")
    ran("Cell 1 stopped with an error.")
    expect(cells.nth(0).locator(".descent-lite-error")).to_have_text("ZeroDivisionError")
    page.get_by_role("button", name="Stop").click()
    ran("Python was ended.")
    code.fill("again")
    page.get_by_role("button", name="Run cell 1", exact=True).click()
    expect(printed.first).to_have_text("ran again")
    ran()
