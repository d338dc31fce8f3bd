"""Checks that any rendered page can be put through."""

import time
from typing import NamedTuple

from playwright.sync_api import Locator, Page, expect

EXPLORER = ".descent-explorer"
ROW = ".descent-control:not([hidden])"
"""A control that stands above the picture; the others are handles in it alone."""
PATIENCE = 10_000
"""Milliseconds that a page may take to make its explorers ready."""

NUMBERS_ON_FORMULAS = """(() => [...document.querySelectorAll("article div.math")].filter(block => {
  const number = block.querySelector(".eqno")?.getBoundingClientRect();
  if (!number) return false;
  return [...block.querySelectorAll("math, math *")].map(e => e.getBoundingClientRect()).some(e =>
    e.width && e.right > number.left + 1 && e.left < number.right - 1
    && e.bottom > number.top + 1 && e.top < number.bottom - 1)
    || block.querySelector("math").getBoundingClientRect().left
       < block.getBoundingClientRect().left - 1;
}).map(block => block.id))()"""
"""Formulas under their own number, or with a beginning that no scrolling reaches."""

WIDE_TABLES = """[...document.querySelectorAll(".bd-article table.table")]
  .filter((table) => table.scrollWidth > table.parentElement.clientWidth + 1)
  .filter((table) => table.checkVisibility())
  .map((table) => `${table.tHead?.innerText}: ${table.scrollWidth}`)"""
LETTERS_OF_ICONS = r"""[...document.querySelectorAll("body *")].flatMap((element) =>
  ["::before", "::after"].map((part) => getComputedStyle(element, part))
    .filter(({content}) => /[\ue000-\uf8ff]/.test(content))
    .map(({content}) => `${element.className}: ${content}`))"""

_PICTURE = """root => [...root.querySelectorAll(
    ".descent-tile > :is(svg, canvas), .descent-panels img")]
  .map(e => e.src ?? e.toDataURL?.() ?? e.innerHTML).join()"""
_WORDS = """root => [root.querySelector("figcaption").innerHTML,
  root.querySelector(".descent-panels").getAttribute("aria-label")]"""
_LATENCY = """input => new Promise(done => input.addEventListener("keydown", event =>
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => done(performance.now() - event.timeStamp);
    channel.port2.postMessage(0);
  }), {once: true}))"""
_SET = """(input, value) => { input.value = value;
  input.dispatchEvent(new Event("input", {bubbles: true})); }"""
_LAST = "input => input.options ? input.options.length - 1 : Number(input.max)"


class Look(NamedTuple):
    """What a reader gets from an explorer in one moment."""

    picture: str
    caption: str
    spoken: str


def look(explorer: Locator) -> Look:
    return Look(explorer.evaluate(_PICTURE), *explorer.evaluate(_WORDS))


def value_text(control: Locator) -> str:
    """Return the visible value: the chosen option, or the output beside a slider."""
    return control.evaluate(
        """c => c.options ? c.selectedOptions[0].textContent
           : c.closest(".descent-control").querySelector("output").textContent"""
    )


def _mouse(page: Page, control: Locator, index: int, last: int) -> None:
    if control.evaluate("c => Boolean(c.options)"):
        control.select_option(index=index)  # the list itself belongs to the operating system
        return
    control.scroll_into_view_if_needed()
    box = control.bounding_box()
    thumb = 18
    x = box["x"] + thumb / 2 + (box["width"] - thumb) * index / max(1, last)
    page.mouse.move(x, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.up()


def _changes_by_mouse(page: Page, explorer: Locator, control: Locator, before: Look) -> list[bool]:
    last = control.evaluate(_LAST)
    value, start = value_text(control), control.input_value()
    changed = [False, False, False]
    order = sorted(range(last + 1), key=lambda i: (abs(i - last // 2), i))
    for index in [last, 0, *order]:
        _mouse(page, control, index, last)
        assert control.input_value() == str(index), f"{_name(control)}: a click does not move it"
        if control.input_value() != start:
            assert value_text(control) != value, (
                f"{_name(control)}: the value beside it does not change"
            )
        changed = [c or a != b for c, a, b in zip(changed, look(explorer), before, strict=True)]
        if all(changed):
            break
    return changed


def _changes_by_keyboard(
    explorer: Locator, control: Locator, before: Look, latencies: list[float]
) -> list[bool]:
    changed = [False, False, False]
    control.focus()
    for key in ["ArrowDown", "ArrowUp"]:
        for _ in range(control.evaluate(_LAST)):
            was, text = control.input_value(), value_text(control)
            pending = control.evaluate_handle(f"c => ({{done: ({_LATENCY})(c)}})")
            control.press(key)
            if control.input_value() == was:
                break
            latencies.append(pending.evaluate("p => p.done"))
            assert value_text(control) != text, (
                f"{_name(control)}: the value beside it does not change"
            )
            changed = [c or a != b for c, a, b in zip(changed, look(explorer), before, strict=True)]
            if all(changed):
                return changed
    return changed


def _set_others(explorer: Locator, control: Locator, share: float | None) -> None:
    name = control.get_attribute("data-control")
    for other in explorer.locator(f"{ROW} [data-control]:not([data-control='{name}'])").all():
        if share is not None:
            other.evaluate(_SET, str(round(share * other.evaluate(_LAST))))


def _name(control: Locator) -> str:
    explorer = control.evaluate("c => c.closest('.descent-explorer').dataset.name")
    return f"explorer {explorer}, control {control.get_attribute('data-control')}"


def _report(control: Locator, changed: list[bool], how: str) -> str:
    still = [part for part, c in zip(Look._fields, changed, strict=True) if not c]
    return f"{_name(control)}, {how}: no change of {still}"


def wait_until_ready(page: Page) -> None:
    """Go by every explorer, and wait for their scripts, which uncover the controls."""
    top, late = page.evaluate("scrollY"), page.locator(".descent-explorer[data-states]")
    while left := late.count():
        late.first.evaluate("root => root.scrollIntoView({behavior: 'instant'})")
        expect(late, "states come when their explorer is near").not_to_have_count(left)
    page.evaluate("top => scrollTo({top, behavior: 'instant'})", top)
    # Not by wait_for_function: the policy of the page lets no text be run as a script.
    hidden = page.locator(".descent-controls[hidden]")
    try:
        expect(hidden).to_have_count(0, timeout=PATIENCE)
    except AssertionError:
        names = "[...document.querySelectorAll('.descent-explorer')].filter(e => "
        names += "e.querySelector('.descent-controls')?.hidden).map(e => e.dataset.name)"
        raise AssertionError(f"explorer {page.evaluate(names)}: the controls stay hidden") from None
    assert page.locator(".descent-error").all_inner_texts() == []


def assert_every_control_moves_its_picture(page: Page) -> list[float]:
    """Move every control of every explorer of a page, by mouse and by keyboard.

    Each must change its own picture, caption, spoken text and visible value, and
    no other explorer's. A control may act at some values only, and only at some
    values of the others: those are searched.

    Returns
    -------
    list of float
        Milliseconds from each key press to the next painted frame.
    """
    wait_until_ready(page)
    explorers = page.locator(EXPLORER).all()
    latencies: list[float] = []
    for explorer in explorers:
        name = explorer.get_attribute("data-name")
        controls = explorer.locator(f"{ROW} [data-control]").all()
        bound = explorer.locator(".descent-handle").all()
        held = {key for own in bound for key in own.get_attribute("data-handle").split()}
        for control in explorer.locator(".descent-control[hidden] [data-control]").all():
            assert control.get_attribute("data-control") in held, f"{_name(control)}: no handle"
        assert controls or held, f"explorer {name} has no controls"
        for control in controls:
            expect(control, f"{_name(control)}: not visible").to_be_visible(timeout=3000)
            others = [look(e) for e in explorers if e is not explorer]
            start = [(c, c.input_value()) for c in controls]
            for how in ("mouse", "keyboard"):
                for share in (None, 0.5, 1.0, 0.0):
                    _set_others(explorer, control, share)
                    before = look(explorer)
                    if how == "mouse":
                        changed = _changes_by_mouse(page, explorer, control, before)
                    else:
                        changed = _changes_by_keyboard(explorer, control, before, latencies)
                    if all(changed):
                        break
                assert all(changed), _report(control, changed, how)
                after = [look(e) for e in explorers if e is not explorer]
                assert after == others, f"{_name(control)}: moves another explorer"
                for restored, value in start:
                    restored.evaluate(_SET, value)
        for button in explorer.locator(".descent-play").all():
            before = explorer.evaluate(_PICTURE)
            button.click()
            limit = time.monotonic() + 5
            while explorer.evaluate(_PICTURE) == before:
                assert time.monotonic() < limit, f"explorer {name}: does not play"
                page.wait_for_timeout(20)
            if button.get_attribute("data-playing") is not None:
                button.click()
            assert button.get_attribute("data-playing") is None, f"explorer {name}: does not pause"
    return latencies


def _said(handle: Locator) -> str | None:
    """Return what a handle says of its value: a slider its text, a switch whether it is on."""
    return handle.get_attribute("aria-valuetext") or handle.get_attribute("aria-checked")


def _centre(handle: Locator) -> tuple[float, float]:
    box = handle.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, start: tuple[float, float], end: tuple[float, float], touch: bool) -> None:
    """Drag from one point of the window to another, by mouse or by a finger."""
    way = [tuple(a + (b - a) * k / 5 for a, b in zip(start, end, strict=True)) for k in range(6)]
    if not touch:
        page.mouse.move(*way[0])
        page.mouse.down()
        for place in way[1:]:
            page.mouse.move(*place)
        page.mouse.up()
        return
    finger = page.context.new_cdp_session(page)
    for kind, place in [("touchStart", way[0]), *(("touchMove", p) for p in way[1:])]:
        points = [{"x": place[0], "y": place[1]}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    finger.detach()


# As a reader does before the hand goes out: all that the handle can reach is on the screen.
_SHOW_TILE = """handle => {
  const middle = box => [box.left + box.width / 2, box.top + box.height / 2];
  const [x, y] = middle(handle.getBoundingClientRect());
  const tiles = [...handle.closest('figure').querySelectorAll('.descent-tile')];
  const away = tile => {
    const box = tile.getBoundingClientRect();
    return Math.max(box.left - x, x - box.right, box.top - y, y - box.bottom);
  };
  const nearest = tiles.reduce((a, b) => away(b) < away(a) ? b : a);
  nearest.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
  const controls = handle.closest('figure').querySelector('.descent-controls');
  const hidden = controls.getBoundingClientRect().bottom + 30 - nearest.getBoundingClientRect().top;
  if (hidden > 0) scrollBy({top: -hidden, behavior: 'instant'});
  return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


def assert_every_handle_is_at_hand(page: Page, *, touch: bool = False) -> int:
    """Move every handle of a page by keys, and from end to end by mouse or by a finger.

    Each must go where it is put, change its own picture and say its value. Returns how many.
    """
    wait_until_ready(page)
    handles = page.locator(".descent-handle").all()
    for handle in handles:
        name = handle.evaluate("h => h.closest('.descent-explorer').dataset.name")
        name = f"explorer {name}, handle of {handle.get_attribute('aria-label')}"
        explorer = handle.locator("xpath=ancestor::figure")
        handle.evaluate("handle => handle.focus({preventScroll: true})")  # it would go on scrolling
        handle.evaluate(_SHOW_TILE)
        ends = {}
        for key in ("End", "Home"):
            page.keyboard.press(key)
            ends[key] = _centre(handle), _said(handle)
        assert ends["End"][1] != ends["Home"][1], f"{name}: End and Home are one"
        here, before = ends["Home"][1], look(explorer)
        page.keyboard.press("ArrowRight")
        assert _said(handle) != here, f"{name}: ArrowRight does nothing"
        page.keyboard.press("ArrowLeft")
        assert _said(handle) == here, f"{name}: no way back by ArrowLeft"
        assert look(explorer) == before
        drag(page, ends["Home"][0], ends["End"][0], touch)
        # The picture follows with the next frame of the screen, which a busy machine draws late.
        attribute = "aria-valuetext" if handle.get_attribute("aria-valuetext") else "aria-checked"
        expect(handle, f"{name}: cannot be dragged").to_have_attribute(attribute, ends["End"][1])
        assert look(explorer).picture != before.picture, f"{name}: the picture does not follow"
        assert look(explorer).caption != before.caption, f"{name}: the caption does not follow"
    return len(handles)


def assert_no_jump(page: Page) -> None:
    """Hold the cumulative layout shift of a page since its first paint under 0.1."""
    page.evaluate("new Promise(f => requestAnimationFrame(() => setTimeout(f, 50)))")
    shifts = page.evaluate("window.shifts")
    assert sum(shifts) < 0.1, f"the page jumps while it loads: {shifts}"


def assert_no_horizontal_scroll(page: Page) -> None:
    wide, narrow = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= narrow, f"the page is {wide} px wide in a window of {narrow} px"


def assert_tables_fit(page: Page) -> None:
    """See that no table of a page hides its last columns behind a bar to scroll with."""
    wide = page.evaluate(WIDE_TABLES)
    assert wide == [], f"wider than the page's column: {wide}"


def assert_no_letters_of_icons(page: Page) -> None:
    """See that no style draws a letter of a font of icons, which would be an empty box."""
    boxes = page.evaluate(LETTERS_OF_ICONS)
    assert boxes == [], f"{len(boxes)} icons have no drawing: {boxes[:3]}"
