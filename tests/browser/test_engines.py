"""The explorers in Firefox and in WebKit: every control, every handle, nothing from outside."""

import os
import statistics

import engines
import pytest
from checks import LETTERS_OF_ICONS, NUMBERS_ON_FORMULAS, WIDE_TABLES

from descent.publish import paths

pytestmark = pytest.mark.browser

CHAPTERS = [path.stem for path in paths.notebooks()]

# The states of those below come when a reader comes near.
READY = """new Promise((done) => { const wait = (left) => {
  document.querySelector(".descent-explorer[data-states]")?.scrollIntoView({behavior: "instant"});
  const all = [...document.querySelectorAll(".descent-explorer .descent-controls")];
  if (all.length && all.every((c) => !c.hidden)) done(all.length);
  else if (left) setTimeout(wait, 100, left - 1); else done(0); }; wait(300); })"""

# Each control goes to several values: the caption or the picture must answer. Returns those that
# do not, and the milliseconds from each input to the next painted picture.
ANSWERS = """(async () => {
  const drawn = ".descent-tile > :is(svg, canvas), .descent-panels img";
  const seen = (root) => root.querySelector("figcaption").innerHTML +
    [...root.querySelectorAll(drawn)].map((e) => e.src ?? e.toDataURL?.() ?? e.innerHTML);
  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const dead = [], times = [];
  for (const root of document.querySelectorAll(".descent-explorer")) {
    root.scrollIntoView({ block: "center", behavior: "instant" });
    for (const control of root.querySelectorAll("[data-control]")) {
      const last = control.options ? control.options.length - 1 : Number(control.max);
      const first = control.value, before = seen(root);
      let moved = false;
      for (const index of [0, last, Math.round(last / 2), Math.round(last / 3)]) {
        const value = control.options ? control.options[index].value : String(index);
        await painted();
        const begin = performance.now();
        control.value = value;
        control.dispatchEvent(new Event("input", { bubbles: true }));
        moved ||= seen(root) !== before;
        await painted();
        times.push(performance.now() - begin);
      }
      if (!moved) dead.push(`${root.dataset.name}: ${control.dataset.control}`);
      control.value = first;
      control.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
  return [dead, times];
})()"""

# Where the handle stands, at the first and at the last of its values, once it is in the window.
ENDS = """(async () => {
  const knob = document.querySelectorAll(".descent-handle")[%d];
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  knob.focus({ preventScroll: true });
  knob.scrollIntoView({ block: "center", behavior: "instant" });
  await frame();
  const ends = [];
  const turns = knob.getAttribute("role") === "switch";
  for (const key of turns ? [" ", "Enter"] : ["End", "Home"]) {
    knob.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    await frame();
    const { x, y, width, height } = knob.getBoundingClientRect();
    const value = turns ? knob.matches("[aria-checked=true]") : knob.getAttribute("aria-valuenow");
    ends.push([[x + width / 2, y + height / 2], Number(value)]);
  }
  return [knob.closest("figure").dataset.name, ...ends];
})()"""
NOW = """["now", "max"].map((of) =>
  Number(document.querySelectorAll(".descent-handle")[%d].getAttribute(`aria-value${of}`)))"""
SLIDES = """!document.querySelectorAll(".descent-handle")[%d].matches("[role=switch]")"""
PIXEL = 100
"""Values of a handle from which on a pixel is more than one of them."""


@pytest.fixture(scope="module", params=[engines.Firefox, engines.WebKit], ids=lambda e: e.name)
def engine(request, tmp_path_factory):
    try:
        started = request.param(tmp_path_factory.mktemp(request.param.name))
    except engines.Missing as missing:
        if os.environ.get("DESCENT_REQUIRE_BROWSER") == "1":
            raise
        pytest.skip(str(missing))
    yield started
    started.close()


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_explorer_of_a_chapter_answers(engine, site, chapter):
    engine.open((site / "notebooks" / f"{chapter}.html").as_uri(), 1300, 900)
    assert engine.evaluate(READY) >= 1
    dead, times = engine.evaluate(ANSWERS)
    assert dead == []
    print(f"{engine.name}: median {statistics.median(times):.0f} ms to the next picture", end=" ")
    for number in range(engine.evaluate("document.querySelectorAll('.descent-handle').length")):
        name, (last, far), (first, near) = engine.evaluate(ENDS % number)
        assert far != near, name
        if not engine.evaluate(SLIDES % number):
            continue  # a switch has no way to be dragged along
        engine.drag(first, last)
        now, most = engine.evaluate(NOW % number)
        assert abs(now - far) <= most // PIXEL, f"{name}: cannot be dragged"
    assert engine.evaluate(WIDE_TABLES) == []
    assert engine.evaluate(LETTERS_OF_ICONS) == []
    engine.evaluate("document.querySelector('article').style.width = '22rem'")
    assert engine.evaluate(NUMBERS_ON_FORMULAS) == []
    assert engine.troubles() == []
