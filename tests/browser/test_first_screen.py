"""What a reader meets first: a picture to move, few cards, light pages, formulas for eye and ear.

Each measure has its planted failure below.
"""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from checks import NUMBERS_ON_FORMULAS, PATIENCE, wait_until_ready
from playwright.sync_api import expect
from test_pages import CHAPTERS, DESKTOP, PAGES, settled

from descent.figures import colours

pytestmark = pytest.mark.browser

TELEPHONE = {"width": 390, "height": 844}
HIGHEST = {1300: 450, 390: 500}
"""Pixels from the top of a page to its first explorer, by the width of the window."""
TALLEST = 760
CARD_SHARE = 0.1
CARDS_IN_A_ROW = 2
KILOBYTES = 600

FIRST = """() => { const box = document.querySelector(".descent-explorer").getBoundingClientRect();
  return [box.top + scrollY, box.height] }"""
CARDS = """() => { let high = 0, row = 0, most = 0;
  for (const e of document.querySelectorAll(".cell, article p, article h2, article h3")) {
    if (e.closest(".descent-claim") || (e.tagName !== "DIV" && e.closest(".cell"))) continue;
    row = e.querySelector(".descent-claim") ? row + 1 : 0;
    most = Math.max(most, row);
    if (row) high += e.getBoundingClientRect().height;
  }
  return [high / document.documentElement.scrollHeight, most] }"""
TOGETHER = """() => [...document.querySelectorAll(".descent-explorer")].filter(e => {
    const last = e.querySelector(".descent-controls").lastElementChild;
    last.scrollIntoView({block: "center"});
    const picture = e.querySelector(".descent-panels").getBoundingClientRect();
    scrollBy(0, picture.bottom - innerHeight);
    const box = last.getBoundingClientRect();
    return box.top < 0 || picture.top > innerHeight - 100;
  }).map(e => e.dataset.name)"""
COVERED = """() => [...document.querySelectorAll(".descent-explorer")].filter(e => {
    scrollBy(0, e.getBoundingClientRect().top - 200);
    const controls = e.querySelector(".descent-controls").getBoundingClientRect();
    return controls.bottom > e.querySelector(".descent-stage").getBoundingClientRect().top + 1;
  }).map(e => e.dataset.name)"""
SPOKEN = """() => [...document.querySelectorAll("[aria-label], [alt], [aria-valuetext], [title]")]
  .flatMap(e => ["aria-label", "alt", "aria-valuetext", "title"].map(n => e.getAttribute(n)))
  .concat([...document.querySelectorAll("article p, article li, figcaption, label, h1, h2, h3")]
    .map(e => e.innerText))
  .filter(text => text)"""
WIDE = """() => [...document.querySelectorAll("article div.math")].filter(e => {
    const style = getComputedStyle(e);
    return e.scrollWidth > e.clientWidth + 1
      && !(style.overflowX === "auto" && style.backgroundImage !== "none");
  }).map(e => e.innerText)"""
TEX = re.compile(r"\\[(a-zA-Z]|\$[^$ ]+\$|mathjax|[_^]\{")


def first_screen(page):
    """Return what is wrong with the place and the size of the first explorer of a page."""
    width = page.viewport_size["width"]
    top, height = page.evaluate(FIRST)
    found = [] if top <= HIGHEST[width] else [f"the first explorer is {top:.0f} px from the top"]
    if width == TELEPHONE["width"] and height > TALLEST:
        found.append(f"the first explorer is {height:.0f} px high")
    return found


def too_many_cards(page):
    share, most = page.evaluate(CARDS)
    found = [] if share <= CARD_SHARE else [f"cards take {100 * share:.0f} % of the page"]
    return found + ([] if most <= CARDS_IN_A_ROW else [f"{most} cards in a row"])


def formulas_as_tex(page):
    spoken = [text for text in page.evaluate(SPOKEN) if TEX.search(text)]
    return spoken + page.evaluate(
        """[...document.querySelectorAll("mjx-container, .math:not(:has(math)), merror, "
             + "[mathvariant]:not([mathvariant=normal])")].map(e => e.outerHTML)"""
    )


def loaded(page):
    """Return the files of scripts and styles that a page has loaded, in bytes; states are none."""
    names = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    files = {Path(unquote(urlsplit(n).path)) for n in names if urlsplit(n).scheme == "file"}
    files |= {
        Path(unquote(urlsplit(n).path))
        for n in page.evaluate(
            """[...document.querySelectorAll("script[src], link[rel=stylesheet]")]
                 .map(e => e.src || e.href)"""
        )
    }
    files = {file for file in files if file.suffix in (".js", ".css")}
    return {file: file.stat().st_size for file in files if file.parent.name != "explorers"}


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_opens_with_a_picture_and_few_cards(visit, site, name):
    page = settled(visit(site / f"{name}.html", viewport=DESKTOP))
    assert first_screen(page) == []
    assert too_many_cards(page) == []
    assert page.evaluate(COVERED) == [], "controls lie over their picture"
    page.set_viewport_size(TELEPHONE)
    assert first_screen(page) == []
    assert page.evaluate(COVERED) == []
    assert page.evaluate(TOGETHER) == [], "a control leaves the screen before its picture"
    assert page.evaluate(WIDE) == [], "a formula is cut off"
    assert page.evaluate(NUMBERS_ON_FORMULAS) == [], "a formula lies under its number"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_light_and_nobody_is_read_tex(visit, site, name):
    page = settled(visit(site / f"{name}.html", viewport=DESKTOP))
    assert formulas_as_tex(page) == []
    if name != "search":
        assert sum(loaded(page).values()) <= 1000 * KILOBYTES
    if page.locator("math").count():
        page.evaluate("document.fonts.ready.then(() => true)")
        assert page.evaluate("document.fonts.check('16px \\'Descent Math\\'')")


PEEKING = """() => [...document.querySelectorAll(".descent-explorer")].filter(e => {
    const stage = e.querySelector(".descent-stage");
    if (stage.scrollWidth <= stage.clientWidth + 1) return false;
    const { right } = stage.getBoundingClientRect();
    const seen = [...stage.querySelectorAll(".descent-tile, .descent-card")]
      .filter(tile => tile.getBoundingClientRect().left < right - 1);
    return seen.length > 1 || !getComputedStyle(stage).backgroundImage.includes("url");
  }).map(e => e.dataset.name)"""


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_telephone_shows_one_panel_and_a_sign_of_the_next(visit, site, name):
    page = settled(visit(site / f"{name}.html", viewport=TELEPHONE))
    assert page.evaluate(PEEKING) == []
    page.add_style_tag(content=".descent-tile, .descent-card { flex-basis: 60% !important }")
    assert page.evaluate(PEEKING) != []


CROWDED = """() => [...document.querySelectorAll(".descent-tile > svg")].flatMap(svg => {
  svg.style.contentVisibility = "visible";
  const box = svg.getBoundingClientRect(), found = [];
  const texts = [...svg.querySelectorAll("text")].filter(e => e.textContent.trim())
    .map(e => [e.textContent.trim(), e.getBoundingClientRect()]).filter(([, r]) => r.width);
  texts.forEach(([text, r], i) => {
    const out = Math.max(box.left - r.left, r.right - box.right, box.top - r.top,
      r.bottom - box.bottom);
    if (out > 4) found.push(`${text}: cut off by ${Math.round(out)} px`);
    for (const [other, s] of texts.slice(i + 1)) {
      const wide = Math.min(r.right, s.right) - Math.max(r.left, s.left);
      const high = Math.min(r.bottom, s.bottom) - Math.max(r.top, s.top);
      if (wide > 2 && high > 4 && high > .35 * Math.min(r.height, s.height))
        found.push(`${text}: lies on ${other}`);
    }
  });
  return found;
})"""


@pytest.mark.parametrize("name", CHAPTERS)
def test_texts_in_pictures_have_room_for_themselves(visit, site, name):
    page = settled(visit(site / f"{name}.html", viewport=DESKTOP))
    assert page.evaluate(CROWDED) == []
    page.set_viewport_size(TELEPHONE)
    assert page.evaluate(CROWDED) == []
    page.add_style_tag(content=".descent-tile { --descent-text: 6 !important }")
    found = " ".join(page.evaluate(CROWDED))
    assert "cut off" in found
    assert "lies on" in found


HEIGHTS = """(states) => {
  let seed = 1;
  const random = (below) => Math.floor((below * (seed = (seed * 16807) % 2147483647)) / 2147483647);
  const last = (control) => (control.options ? control.options.length - 1 : Number(control.max));
  return [...document.querySelectorAll(".descent-explorer")].flatMap((root) => {
    const heights = new Set(), caption = root.querySelector("figcaption");
    for (let k = 0; k < states; k++) {
      for (const control of root.querySelectorAll("[data-control]")) {
        const index = random(last(control) + 1);
        control.value = control.options ? control.options[index].value : index;
        control.dispatchEvent(new Event("input"));
      }
      heights.add(caption.getBoundingClientRect().height);
    }
    return heights.size > 1 ? [`${root.dataset.name}: ${[...heights]}`] : [];
  }) }"""


@pytest.mark.parametrize("name", CHAPTERS)
def test_nothing_below_a_picture_moves_when_it_changes(visit, site, name):
    page = settled(visit(site / f"{name}.html", viewport=DESKTOP))
    wait_until_ready(page)
    assert page.evaluate(HEIGHTS, 20) == []
    page.set_viewport_size(TELEPHONE)
    assert page.evaluate(HEIGHTS, 20) == []


def test_a_caption_without_room_is_seen(visit, site):
    page = settled(visit(site / f"{CHAPTERS[4]}.html", viewport=TELEPHONE))
    wait_until_ready(page)
    page.add_style_tag(content=".descent-room { display: none }")
    assert page.evaluate(HEIGHTS, 20) != []


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_first_screen_waits_for_styles_alone(site, name):
    head, _, rest = (site / f"{name}.html").read_text("utf-8").partition("<body")
    sources = re.findall(r"<script(?![^>]*\bdefer\b)[^>]*\bsrc=\"[^\"]*?(\w+)\.", head)
    assert sources == ["documentation_options"]
    assert "preload" not in head
    late = [m.start() for m in re.finditer("class='descent-data'", rest)][1:]
    assert all(place > rest.index("</article>") for place in late)


FAINT = """([hues, least]) => {
  const share = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = text => { const [r, g, b] = text.match(/[\\d.]+/g).map(Number);
    return 0.2126 * share(r) + 0.7152 * share(g) + 0.0722 * share(b) + 0.05; };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  return [...new Set([...document.querySelectorAll(".descent-panels path[stroke]")]
    .filter(e => hues.includes(e.getAttribute("stroke"))).map(e => getComputedStyle(e).stroke))]
    .filter(ink => Math.max(light(ink) / paper, paper / light(ink)) < least) }"""


@pytest.mark.parametrize("name", CHAPTERS)
def test_lines_are_seen_on_dark_paper(visit, site, name):
    page = settled(visit(site / f"{name}.html", viewport=DESKTOP, color_scheme="dark"))
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    hues = sorted(set(colours.COLOURS.values()))
    assert page.evaluate(FAINT, [hues, 3]) == []
    assert page.evaluate(FAINT, [hues, 21]) != []


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_picture_of_a_chapter_stays_where_it_is_first_drawn(visit, site, name):
    """On a slow machine, which draws a page before all of it is there."""
    page = visit(site / f"{name}.html", viewport=DESKTOP)
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 6})
    page.reload()
    settled(page)
    # The first picture alone: the states of those below come later, and move nothing above.
    controls = page.locator(".descent-explorer .descent-controls").first
    expect(controls).to_be_visible(timeout=PATIENCE)
    page.evaluate("new Promise(f => requestAnimationFrame(() => setTimeout(f, 50)))")
    # Letters that change their font, later on a busy machine, are no jump of the picture; one by
    # the height of its controls is 0.011 or more in every chapter.
    assert sum(page.evaluate("shifts")) < 0.005


def test_without_scripts_the_first_page_shows_its_pit_below_its_header(visit, site):
    page = visit(site / "book" / "intro.html", java_script_enabled=False, viewport=TELEPHONE)
    curve = page.locator(".descent-pit path").first
    assert curve.evaluate("e => getComputedStyle(e).stroke") not in ("none", "rgba(0, 0, 0, 0)")
    header = page.locator(".bd-header-article").first
    assert header.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"
    chapter = visit(site / f"{CHAPTERS[0]}.html", java_script_enabled=False, viewport=DESKTOP)
    controls = chapter.locator(".descent-controls").first
    assert controls.evaluate("e => getComputedStyle(e).display") == "none", "they need a script"


PLANTED = {
    "px from the top": (
        first_screen,
        "document.querySelector('article').style.paddingTop = '60vh'",
    ),
    "px high": (
        first_screen,
        "document.querySelector('.descent-panels').style.minHeight = '800px'",
    ),
    "% of the page": (
        too_many_cards,
        "document.querySelector('.descent-claim').style.minHeight = '90000px'",
    ),
    "cards in a row": (
        too_many_cards,
        """{ const card = document.querySelector(".cell:has(.descent-claim)");
             card.after(card.cloneNode(true), card.cloneNode(true)); }""",
    ),
    r"\(\rho\)": (
        formulas_as_tex,
        r"document.querySelector('[aria-label]').setAttribute('aria-label', '\\(\\rho\\)')",
    ),
    "mathvariant": (
        formulas_as_tex,
        "document.querySelector('mi').setAttribute('mathvariant', 'double-struck')",
    ),
}


@pytest.mark.parametrize("complaint", PLANTED)
def test_planted_failures_are_seen(visit, site, complaint):
    check, plant = PLANTED[complaint]
    page = settled(visit(site / f"{CHAPTERS[0]}.html", viewport=TELEPHONE))
    assert not any(complaint in found for found in check(page))
    page.evaluate(plant)
    assert any(complaint in found for found in check(page))


def test_controls_that_leave_and_formulas_that_are_cut_off_are_seen(visit, site):
    page = settled(visit(site / f"{CHAPTERS[0]}.html", viewport=TELEPHONE))
    page.add_style_tag(
        content=".descent-explorer .descent-controls { position: static !important }"
        ".descent-panels { min-height: 1200px }"
        ".bd-article div.math { overflow: hidden !important; flex-wrap: nowrap !important }"
        ".bd-article div.math > math { width: 0 !important }"
    )
    assert page.evaluate(TOGETHER) != []
    assert page.evaluate(WIDE) != []
    assert page.evaluate(NUMBERS_ON_FORMULAS) != []


def test_controls_that_lie_over_their_picture_are_seen(visit, site):
    """As they do where an output scrolls: they stick to that."""
    page = settled(visit(site / f"{CHAPTERS[0]}.html", viewport=DESKTOP))
    page.add_style_tag(content=".output:has(> .descent-explorer) { overflow: auto !important }")
    assert page.evaluate(COVERED) != []


def test_walkers_leave_the_pit_of_the_first_page(visit, site):
    page = settled(visit(site / "book" / "intro.html", viewport=TELEPHONE))
    assert page.locator(".descent-pit").bounding_box()["y"] < TELEPHONE["height"] / 2
    count = page.locator(".descent-pit-count")
    before = count.inner_text()
    expect(count).not_to_have_text(before)
    slider = page.locator(".descent-pit input")
    value = page.locator(".descent-pit output").inner_text()
    slider.press("ArrowRight")
    assert page.locator(".descent-pit output").inner_text() != value
    assert page.locator(".descent-chapters img").count() == len(CHAPTERS)


def test_the_pit_of_the_first_page_rests_for_those_who_ask_for_rest(visit, site):
    page = settled(visit(site / "book" / "intro.html", reduced_motion="reduce"))
    count = page.locator(".descent-pit-count")
    assert "after 0 steps" in count.inner_text()
    page.wait_for_timeout(300)
    assert "after 0 steps" in count.inner_text()
    page.locator(".descent-pit input").press("ArrowRight")
    assert "after 100 steps" in count.inner_text()
