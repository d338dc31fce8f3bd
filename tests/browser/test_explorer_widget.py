"""Explorers in a real browser: from the disk, without a network."""

import re
import statistics

import checks
import numpy as np
import pytest
from checks import (
    assert_every_control_moves_its_picture,
    assert_every_handle_is_at_hand,
    assert_no_horizontal_scroll,
    look,
    value_text,
    wait_until_ready,
)

from descent import figures
from descent.explorer import Handle, explore

pytestmark = pytest.mark.browser


def descent_path(T, start):
    path = [start]
    for _ in range(40):
        path.append(path[-1] - T * 4 * path[-1] * (path[-1] ** 2 - 1))
    return np.array(path)


def draw_path(T, start):
    fig, (left, right) = figures.figure(1, 2)
    w = np.linspace(-1.6, 1.6, 200)
    path = descent_path(T, start)
    left.plot(w, (w**2 - 1) ** 2, color=figures.COLOURS["exact"])
    left.plot(path, (path**2 - 1) ** 2, "o-", color=figures.COLOURS["W"])
    left.set(xlim=(-1.6, 1.6), ylim=(0, 2), xlabel="weight $w$", ylabel="loss $f(w)$")
    right.plot(path, color=figures.COLOURS["W"])
    right.set(xlim=(0, 40), ylim=(-1.6, 1.6), xlabel="step $n$", ylabel="weight $w_n$")
    return fig


def say_path(T, start):
    return f"From $w_0={start}$ with $T={T}$ the weight ends at {descent_path(T, start)[-1]:.4f}."


wells = explore(
    draw_path,
    name="wells",
    caption=say_path,
    T=[0.01, 0.03, 0.05, 0.1, 0.15],
    start=[-1.5, -0.5, 0.5, 1.5],
    labels={"T": "step size $T$", "start": "start $w_0$"},
    grab={
        "start": lambda start: (start, (start**2 - 1) ** 2),
        "T": Handle(lambda T: (200 * T, -1.4), axes=1),
    },
)


def draw_waves(n, kind):
    fig, ax = figures.figure()
    x = np.linspace(-1, 1, 40)
    wave = np.cos if kind == "even" else np.sin
    ax.imshow(wave(n * np.pi * x)[:, None] * wave(n * np.pi * x), vmin=-1, vmax=1)
    ax.set(xlabel="a", ylabel="b")
    return fig


waves = explore(
    draw_waves,
    name="waves",
    caption=lambda n, kind: f"The {kind} wave number {n} < 9.",
    n=[1, 2, 3, 4, 5],
    kind=["even", "odd"],
    play="n",
    render="frames",
)


@pytest.fixture(scope="module")
def parts():
    return wells.html(), waves.html()


@pytest.fixture
def page_of(tmp_path):
    def write(*parts):
        path = tmp_path / "page.html"
        head = "<meta charset=utf-8><meta name=viewport content='width=device-width'>"
        body = "<p>Between the explorers.</p>".join(parts)
        path.write_text(
            f"<!doctype html><html lang=en><head>{head}<title>Page</title></head>"
            f"<body style='margin:12px;font-family:sans-serif'>{body}</body></html>"
        )
        return path

    return write


@pytest.mark.parametrize("width", [1300, 360])
def test_every_control_moves_its_own_picture_and_no_other(
    visit, page_of, parts, width, record_property
):
    page = visit(page_of(parts[0], parts[1], parts[0]), viewport={"width": width, "height": 800})
    latencies = assert_every_control_moves_its_picture(page)
    assert_no_horizontal_scroll(page)
    record_property("latency_ms", round(statistics.median(latencies), 1))
    print(f"key press to repaint: median {statistics.median(latencies):.1f} ms", end=" ")
    print(f"of {len(latencies)}, largest {max(latencies):.1f} ms")


PLANTED = {
    "the script is gone": lambda html: re.sub(r"<script>.*?</script>", "", html, flags=re.S),
    "the picture stays": lambda html: html.replace("panel.slots[i].innerHTML = ", "void "),
    "the caption stays": lambda html: html.replace("caption.innerHTML = html", ""),
    "the value stays": lambda html: html.replace(".textContent = text", ".title = text"),
    "another's caption moves too": lambda html: html.replace(
        "caption.innerHTML = html",
        "caption.innerHTML = document.querySelector('figcaption').innerHTML = html",
    ),
    "another's picture moves instead": lambda html: html.replace(
        'root.querySelectorAll(".descent-panel")', 'document.querySelectorAll(".descent-panel")'
    ),
    "one control is dead": lambda html: html.replace("data-control='start'", "data-control='T'"),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_caught(visit, page_of, parts, fault, monkeypatch):
    monkeypatch.setattr(checks, "PATIENCE", 2_000)
    broken = PLANTED[fault](parts[0])
    assert broken != parts[0]
    page = visit(page_of(parts[0], broken))
    with pytest.raises(AssertionError, match=r"explorer \[?'?wells"):
        assert_every_control_moves_its_picture(page)
    visit.troubles.clear()


def test_the_page_without_scripts_shows_what_the_script_draws(visit, page_of, parts):
    path = page_of(*parts)
    without = visit(path, java_script_enabled=False)
    assert without.locator(".descent-control").count() == 4
    assert not any(c.is_visible() for c in without.locator(".descent-control").all())
    with_script = visit(path)
    wait_until_ready(with_script)
    stills = [
        re.sub(r"(?s)<script.*?</script>|<div class=.descent-controls.*?</button></div>", "", p)
        for p in parts
    ]
    bare = visit(page_of(*stills))
    for index in range(2):
        drawn = look(with_script.locator(".descent-explorer").nth(index))
        assert drawn == look(bare.locator(".descent-explorer").nth(index))


def test_page_keys_move_by_a_tenth_and_home_and_end_to_the_ends(visit, page_of):
    def still(x):
        fig, ax = figures.figure()
        ax.plot([x], [x], "o")
        ax.set(xlim=(0, 1), ylim=(0, 1))
        return fig

    many = explore(still, name="many", caption=lambda x: f"At {x}.", x=np.linspace(0, 1, 41))
    page = visit(page_of(many.html()))
    wait_until_ready(page)
    slider = page.locator("input")
    slider.focus()
    for key, place in [("End", 40), ("PageDown", 36), ("Home", 0), ("PageUp", 4), ("PageUp", 8)]:
        slider.press(key)
        assert slider.input_value() == str(place)
        assert slider.get_attribute("aria-valuetext") == f"{place / 40:.3f}"


def test_play_steps_when_the_reader_asks_for_no_animation(visit, page_of, parts):
    page = visit(page_of(parts[1]), reduced_motion="reduce")
    button, slider = page.locator(".descent-play"), page.locator("input")
    assert "no animation" in button.get_attribute("title")
    button.click()
    page.wait_for_timeout(900)
    assert slider.input_value() == "1"
    assert button.get_attribute("data-playing") is None


def test_play_runs_to_the_end_and_stops(visit, page_of, parts):
    page = visit(page_of(parts[1]))
    button, slider = page.locator(".descent-play"), page.locator("input")
    button.click()
    page.wait_for_function("document.querySelector('input').value === '4'", timeout=8000)
    page.wait_for_function("!('playing' in document.querySelector('.descent-play').dataset)")
    assert slider.input_value() == "4"


def test_the_caption_is_announced_once_after_a_rest(visit, page_of, parts):
    page = visit(page_of(parts[0]))
    wait_until_ready(page)
    page.evaluate(
        """() => { window.said = []; new MutationObserver(() => {
        const text = document.querySelector(".descent-announcer").textContent;
        if (text) said.push(text); }).observe(
        document.querySelector(".descent-announcer"), {childList: true}) }"""
    )
    slider = page.locator("input").first
    for _ in range(3):
        slider.press("ArrowRight")
    page.wait_for_timeout(1000)
    assert page.evaluate("said") == [page.locator(".descent-panels").get_attribute("aria-label")]


# Handles in the picture.


@pytest.mark.parametrize("width", [1300, 360])
@pytest.mark.parametrize("touch", [False, True], ids=["mouse", "finger"])
def test_handles_are_moved_by_keys_and_dragged(visit, page_of, parts, width, touch):
    settings = {"viewport": {"width": width, "height": 900}, "has_touch": touch}
    page = visit(page_of(*parts, parts[0]), **settings)
    assert assert_every_handle_is_at_hand(page, touch=touch) == 4
    assert_no_horizontal_scroll(page)


PLANTED_IN_HANDLES = {
    "it stays where it is": lambda html: html.replace("knob.style.transform = ", "void "),
    "it cannot be held": lambda html: html.replace('"pointerdown", (event)', '"nothing", (event)'),
    "it has no keys": lambda html: html.replace("const steps = {", "return; const steps = {"),
    "it goes elsewhere": lambda html: html.replace("far.indexOf(Math.min(...far))", "0"),
    "it says nothing": lambda html: html.replace('"aria-valuetext", said', '"data-said", said'),
    "it moves alone": lambda html: html.replace("inputs[key].value = index", "void index"),
}


@pytest.mark.parametrize("fault", PLANTED_IN_HANDLES)
def test_a_fault_planted_in_a_handle_is_caught(visit, page_of, parts, fault):
    broken = PLANTED_IN_HANDLES[fault](parts[0])
    assert broken != parts[0]
    page = visit(page_of(broken))
    with pytest.raises(AssertionError, match="explorer wells, handle of st"):
        assert_every_handle_is_at_hand(page)
    visit.troubles.clear()


def test_a_handle_stands_on_what_it_moves_and_answers_to_the_nearest_state(visit, page_of, parts):
    page = visit(page_of(parts[0]), viewport={"width": 1300, "height": 900})
    wait_until_ready(page)
    handle = page.get_by_role("slider", name="start w_0").nth(1)
    assert handle.get_attribute("class") == "descent-handle"
    tile = page.locator(".descent-tile > svg").first
    scale = tile.evaluate("svg => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width")
    for place in range(4):
        page.locator("[data-control=start]").fill(str(place))
        (path,) = tile.evaluate(
            """svg => [...svg.querySelectorAll("path")].map(p => p.getAttribute("d"))
                 .filter(d => d.endsWith("h0")).map(d => d.match(/-?[0-9]+/g).slice(0, 2))"""
        )
        box, corner = handle.bounding_box(), tile.bounding_box()
        centre = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        dot = corner["x"] + scale * int(path[0]), corner["y"] + scale * int(path[1])
        assert np.allclose(centre, dot, atol=1), "the walker's first place"
    checks.drag(page, centre, (centre[0] - 400, centre[1]), False)
    assert handle.get_attribute("aria-valuetext") == "−1.5", "the nearest, however far"


# A link to a state.


def state_of(page):
    return [value_text(control) for control in page.locator("[data-control]").all()]


@pytest.mark.parametrize(
    ("fragment", "state"),
    [
        ("#wells?T=0.1&start=0.5", ["0.10", "0.5"]),
        ("#wells?start=-1.4&T=0.09", ["0.10", "−1.5"]),  # the nearest values
        ("#wells?T=1e9", ["0.15", "−1.5"]),
        ("#wells?T=&start=x&other=3", ["0.01", "−1.5"]),
        ("#wells", ["0.01", "−1.5"]),
        ("#waves?T=0.1", ["0.01", "−1.5"]),
    ],
)
def test_a_link_restores_a_state_by_value(visit, page_of, parts, fragment, state):
    path = page_of(parts[0])
    page = visit(path)
    page.goto("about:blank")
    page.goto(path.as_uri() + fragment)
    wait_until_ready(page)
    assert state_of(page) == state
    page.goto(path.as_uri() + "#wells?T=0.03")  # a link within the page
    page.wait_for_function("document.querySelector('input').value === '1'")


def test_a_link_restores_a_text_and_no_other_explorer(visit, page_of, parts):
    path = page_of(*parts)
    page = visit(path)
    page.goto("about:blank")
    page.goto(path.as_uri() + "#waves?n=3&kind=odd")
    wait_until_ready(page)
    assert state_of(page) == ["0.01", "−1.5", "3", "odd"]
    waves_top = page.locator("[data-name=waves]").bounding_box()["y"]
    assert waves_top < page.viewport_size["height"], "it is on the screen"


@pytest.mark.parametrize("allowed", [True, False])
def test_the_address_follows_and_the_link_can_be_copied(visit, page_of, parts, allowed):
    page = visit(page_of(parts[0]))
    wait_until_ready(page)
    page.evaluate(
        """allowed => { window.copies = [];
        navigator.clipboard.writeText = text => allowed ? copies.push(text) : Promise.reject();
        document.execCommand = () => copies.push(document.activeElement.value); }""",
        allowed,
    )
    address = page.url
    page.wait_for_timeout(900)
    assert page.url == address, "nobody has moved anything"
    slider = page.locator("input").first
    slider.press("End")
    page.wait_for_url("**#wells?T=0.15&start=-1.5")
    slider.press("Home")
    link = page.locator(".descent-link")
    link.click()
    assert link.get_attribute("data-said") == "Link copied"
    assert page.locator(".descent-announcer").inner_text() == "Link copied"
    assert page.evaluate("copies") == [page.url]
    assert page.url.endswith("#wells?T=0.01&start=-1.5")
    page.reload()
    wait_until_ready(page)
    assert state_of(page) == ["0.01", "−1.5"]


def test_paper_carries_the_state(visit, page_of, parts):
    page = visit(page_of(parts[0]))
    wait_until_ready(page)
    page.emulate_media(media="print")
    for hidden in ("input[type=range]", ".descent-handle"):
        assert not page.locator(hidden).first.is_visible()
    assert page.locator("output").first.inner_text() == "0.01"
    assert page.locator("output").first.is_visible()
    link = page.locator(".descent-link")
    said = link.evaluate("link => getComputedStyle(link, '::after').content")
    assert said == '"#wells?T=0.01&start=-1.5"'


# What a notebook's output finds around it, beside the browser's own theme. VS Code's outputs
# have no colour scheme, but variables, and JupyterLab's as well, which are always light.
SURROUNDINGS = {
    "light": "html { color-scheme: light } body { background: Canvas }",
    "dark": "html { color-scheme: dark } body { background: Canvas }",
    "dark VS Code": """html { background: #1e1e1e;
      --vscode-editor-foreground: #d4d4d4; --vscode-editor-background: #1e1e1e;
      --vscode-textLink-foreground: #3794ff; --jp-content-font-color1: black;
      --jp-layout-color0: white } body { background: #1e1e1e }""",
}


@pytest.mark.parametrize("surrounding", SURROUNDINGS)
def test_text_and_lines_stand_out_from_the_paper(visit, page_of, parts, surrounding):
    page = visit(page_of(parts[0]))
    wait_until_ready(page)
    page.evaluate(
        """css => { const sheet = document.createElement("style"); sheet.textContent = css;
        document.head.append(sheet); }""",
        SURROUNDINGS[surrounding],
    )
    ink, drawn_paper, accent, paper = page.evaluate(
        """() => { const text = document.querySelector(".descent-tile text");
        const canvas = document.createElement("canvas").getContext("2d");
        const rgb = colour => { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
          return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3); };
        const probe = document.createElement("i");
        const named = name => { probe.style.color = `var(--descent-${name})`;
          document.querySelector(".descent-explorer").append(probe);
          return getComputedStyle(probe).color; };
        return [getComputedStyle(text).fill, named("paper"), named("accent"),
          getComputedStyle(document.body).backgroundColor].map(rgb); }"""
    )
    assert drawn_paper == paper
    assert contrast(ink, paper) > 7
    if surrounding != "dark":  # where a browser's theme alone is dark, nothing says which accent
        assert contrast(accent, paper) > 3


def contrast(a, b):
    def luminance(rgb):
        c = np.array(rgb) / 255
        return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ (
            0.2126,
            0.7152,
            0.0722,
        )

    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)
