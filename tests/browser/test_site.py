"""What a reader does beside the chapters: choose claims, search, press keys, print, copy."""

import json
import re
import zipfile
from collections import Counter
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from checks import assert_no_jump
from test_pages import CHAPTERS, DESKTOP, PHONE, settled

from descent import claims
from descent.figures.inline_math import to_html
from descent.publish import paths
from descent.publish.archive import archive

pytestmark = pytest.mark.browser

ROWS = ".descent-claims tbody tr"
PARTS = {
    "mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3,
    "munderover": 3,
}  # fmt: skip
"""How many children an element of MathML must have: with others it is drawn as an error."""


def broken(markup):
    """Return the elements of a page's formulas whose number of children is not theirs."""
    formulas = set(re.findall(r"<math\b.*?</math>", markup, re.DOTALL))
    nodes = [n for text in formulas for n in ElementTree.fromstring(text).iter()]
    kinds = Counter(n.tag for n in nodes)
    return [n.tag for n in nodes if len(n) != PARTS.get(n.tag, len(n))], kinds


def test_formulas_have_all_their_parts(site):
    kinds = Counter()
    for path in sorted(site.glob("*/*.html")):
        wrong, found = broken(path.read_text(encoding="utf-8"))
        assert wrong == [], path.name
        kinds += found
    assert kinds["mfrac"] > 100
    assert kinds["msup"] > 100
    assert broken("<p><math><mfrac><mi>a</mi></mfrac></math></p>")[0] == ["mfrac"]


def shown(page):
    return page.locator(f"{ROWS}:visible").evaluate_all(
        "rows => rows.map(row => [row.dataset.source, row.dataset.verdict])"
    )


def test_claims_are_chosen_by_mouse_and_keys_and_the_address_keeps_it(visit, site):
    page = settled(visit(site / "book" / "claims.html", viewport=DESKTOP, color_scheme="dark"))
    every = shown(page)
    assert len(every) == len(claims.load())
    page.get_by_label("Source").select_option("003")
    assert shown(page) == [row for row in every if row[0].startswith("003")]
    page.get_by_label("Source").select_option("003-post-2")
    page.get_by_label("Verdict").focus()
    page.keyboard.type("corr")
    both = [row for row in every if row == ["003-post-2", "corrected"]]
    assert both
    assert shown(page) == both
    assert page.locator("output").inner_text() == f"{len(both)} of {len(every)} claims"
    page.get_by_role("button", name="Computed").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    values = page.locator(f"{ROWS}:visible").evaluate_all(
        "rows => rows.map(row => Number(row.cells[3].dataset.sort))"
    )
    assert values == sorted(values, reverse=True)
    assert page.locator("th[aria-sort]").evaluate_all("h => h.map(h => h.ariaSort)") == [
        "descending"
    ]
    page.set_viewport_size(PHONE)
    page.reload()
    assert shown(settled(page)) == both
    page.get_by_role("button", name="Show all").click()
    assert shown(page) == every
    assert "#" not in page.url
    assert page.locator("th[aria-sort]").count() == 0
    page.goto(f"{page.url}#source=nonsense&verdict=refuted")
    assert [row for row in every if row[1] == "refuted"] == shown(page)


def test_claims_are_all_there_without_scripts(visit, site):
    page = visit(site / "book" / "claims.html", java_script_enabled=False, viewport=PHONE)
    assert len(shown(page)) == len(claims.load())
    assert not page.locator(".descent-filters").is_visible()


def test_the_link_of_each_claim_leads_to_its_card_or_its_row(visit, site):
    register = {claim.id: claim for claim in claims.load()}
    table = BeautifulSoup((site / "book" / "claims.html").read_bytes(), "html.parser")
    places = {}
    for name in CHAPTERS:
        chapter = BeautifulSoup((site / f"{name}.html").read_bytes(), "html.parser")
        for found in chapter.select(".descent-claim, .descent-ledger tbody tr"):
            places[f"../{name}.html#{found['id']}"] = found
    links = Counter()
    for row in table.select(".descent-claims tbody tr"):
        place = row.a["href"]
        claim = register[place.partition("#claim-")[2]]
        found = places[place]
        links[claim.id] += 1
        assert row["data-verdict"] == found.get("data-verdict", "reproduced") == claim.verdict
        statement = BeautifulSoup(to_html(claim.statement), "html.parser").get_text()
        assert statement in found.get_text()
        code = found.find_parent(class_="cell").find(class_="cell_input").get_text()
        assert f'"{claim.id}"' in code, "it stands below its cell"
    assert links == Counter(register.keys())
    page = settled(visit(site / "book" / "claims.html", viewport=DESKTOP))
    page.locator(f"{ROWS} a[href$='#claim-end-state-power']").click()
    settled(page)
    box = page.locator("#claim-end-state-power").bounding_box()
    assert 50 <= box["y"] < DESKTOP["height"], "the card is on the screen, below the bar"
    page.goto((site / "book" / "claims.html").as_uri())
    page.locator(f"{ROWS} a[href$='#claim-end-state-where-the-variance-vanishes']").click()
    settled(page)
    box = page.locator("#claim-end-state-where-the-variance-vanishes").bounding_box()
    assert 50 <= box["y"] < DESKTOP["height"], "its ledger opens"


SEARCHES = {
    "quasi-potential": "term-quasi-potential",
    "quasi potential": "term-quasi-potential",
    "Itô": "term-Ito",
    "ito": "term-Ito",
    "fokker planck": "term-FokkerPlanck-equation",
    "MGDA": "term-MGDA",
    "escape": "term-escape",
}


def test_the_search_finds_terms_from_the_disk(visit, site):
    page = settled(visit(site / "search.html"))
    for query, anchor in SEARCHES.items():
        page.goto(f"{(site / 'search.html').as_uri()}?q={quote(query)}")
        term = page.locator(".descent-terms dt a").first
        assert term.get_attribute("href") == f"book/glossary.html#{anchor}", query
        page.locator("#search-results li p.context").first.wait_for()
    page.locator(".descent-terms dt a").first.click()
    settled(page)
    assert page.locator("#term-escape").bounding_box()["y"] < 700
    page.goto(f"{(site / 'search.html').as_uri()}?q=zzzxq")
    page.get_by_text("did not match any documents").wait_for()
    assert page.locator(".descent-terms").count() == 0


FOCUS = """() => { const e = document.activeElement, s = getComputedStyle(e);
  const thumb = e.type === "range" ? getComputedStyle(e, "::-webkit-slider-thumb") : s;
  return [e.outerHTML.slice(0, 150), e.tagName,
    s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 || e.type === "range"
    || / [2-9]px($|,| inset)/.test(s.boxShadow)]; }"""


def test_keys_reach_everything_and_the_focus_is_seen(visit, site):
    page = settled(visit(site / f"{CHAPTERS[0]}.html", viewport=DESKTOP))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Skip to main content"
    tags = []
    for _ in range(45):
        page.keyboard.press("Tab")
        element, tag, seen = page.evaluate(FOCUS)
        assert seen, f"no visible focus: {element}"
        tags.append(tag)
    assert {"A", "BUTTON", "SELECT", "INPUT", "SUMMARY"} <= set(tags)
    assert "MJX-CONTAINER" not in tags, "formulas are no stops"
    address = page.url
    for focus in ("input[type=range]", "main"):
        page.locator(focus).first.focus()
        for key in ("ArrowRight", "ArrowLeft", "ArrowRight"):
            page.keyboard.press(key)
    assert page.url == address, "arrows do not turn the page"
    page.keyboard.press("Control+k")
    assert page.locator("dialog[open] input").evaluate("e => e === document.activeElement")
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
    solution = page.locator(".tag_hide-cell summary").first
    solution.focus()
    page.keyboard.press("Enter")
    assert page.locator(".tag_hide-cell details").first.evaluate("d => d.open")


def test_printing_opens_solutions_and_hides_what_needs_a_screen(visit, site):
    page = settled(visit(site / f"{CHAPTERS[0]}.html", viewport=DESKTOP))
    solutions = "[...document.querySelectorAll('.tag_hide-cell details')].map(d => d.open)"
    page.evaluate("window.addEventListener('beforeprint', () => { window.printed = true; })")
    folded = page.evaluate(solutions)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert len(folded) == sum(page.evaluate(solutions)) > 0
    for hidden in (
        ".bd-sidebar-primary",
        ".bd-header-article",
        ".descent-control input",
        ".descent-handle",
        ".copybtn",
    ):
        assert not page.locator(hidden).first.is_visible(), hidden
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(solutions) == folded


def test_telephones_see_pages_that_stay_where_they_are(visit, site):
    """Also on a screen this narrow, where every formula may break a line."""
    for name in ("book/notation", "book/claims", CHAPTERS[0]):
        page = settled(visit(site / f"{name}.html", viewport=PHONE, color_scheme="dark"))
        assert_no_jump(page)
        assert page.evaluate("window.firstTheme") == "dark", "no flash of light"


def test_a_planted_jump_is_measured(visit, site):
    page = settled(visit(site / "book" / "errata.html", viewport=DESKTOP))
    assert_no_jump(page)
    page.evaluate("""() => { const box = document.createElement('div');
        box.style.height = '300px'; document.querySelector('main').prepend(box); }""")
    page.wait_for_timeout(200)
    with pytest.raises(AssertionError, match="the page jumps"):
        assert_no_jump(page)


def test_an_unpacked_copy_works_anywhere(visit, site, tmp_path):
    once, twice = tmp_path / "once.zip", tmp_path / "twice.zip"
    archive(site, once)
    (site / ".leftover").write_text("x")
    archive(site, twice)
    (site / ".leftover").unlink()
    assert once.read_bytes() == twice.read_bytes()
    folder = tmp_path / "a copy ü"
    with zipfile.ZipFile(once) as packed:
        names = packed.namelist()
        packed.extractall(folder)
    assert names == sorted(names)
    assert not any("/." in name or name.endswith(".map") for name in names)
    for place in (folder / "descent").rglob("*"):
        if place.is_file():
            assert str(paths.ROOT).encode() not in place.read_bytes(), place
    page = settled(visit(folder / "descent" / "index.html"))
    page.wait_for_url("**/book/intro.html")
    page.get_by_role("link", name="Modelling SGD").first.click()
    settled(page)
    slider = page.locator(".descent-explorer input[type=range]").first
    picture = page.locator(".descent-panels").first
    before = picture.inner_html()
    slider.press("ArrowRight")
    assert picture.inner_html() != before
    page.goto(f"{(folder / 'descent' / 'search.html').as_uri()}?q=pit")
    assert page.locator(".descent-terms dt a").first.inner_text() == "pit"
    known = json.loads(page.locator("#descent-terms").text_content())
    assert {entry["term"] for entry in known["terms"]} >= {"Itô", "pit", "Fokker–Planck equation"}


def test_an_address_that_cannot_be_read_is_passed_over(visit, site):
    page = visit(site / f"{CHAPTERS[0]}.html", viewport=DESKTOP)
    for fragment in ("descent-paths?T=%E0%A4%A", "%E0%A4%A"):
        page.evaluate("fragment => { location.hash = fragment; }", fragment)
        settled(page)
    assert visit.troubles == []
