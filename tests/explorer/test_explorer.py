"""Explorers: input, states, HTML, live widgets."""

import base64
import io
import json
import re
import sys
import types
import zlib
from html.parser import HTMLParser

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbclient import NotebookClient
from PIL import Image

import descent.chapters
from descent import explorer, figures
from descent.explorer import BudgetError, explore, registry
from descent.explorer.controls import Control
from descent.explorer.frame import MOST_FORMS, longest


def descent_path(T, start):
    path = [start]
    for _ in range(60):
        path.append(path[-1] - T * 4 * path[-1] * (path[-1] ** 2 - 1))
    return np.array(path)


def draw_path(T, start):
    fig, ax = figures.figure()
    ax.plot(descent_path(T, start), color=figures.COLOURS["W"])
    ax.axhline(1, color="0.7")
    ax.set(xlim=(0, 60), ylim=(-2, 2), xlabel="step $n$", ylabel="weight $w_n$")
    return fig


def draw_well(start):
    fig, ax = figures.figure()
    ax.plot([start], [(start**2 - 1) ** 2], "o", color=figures.COLOURS["X"])
    ax.set(xlim=(-2, 2), ylim=(0, 4), xlabel="weight $w$", ylabel="loss $f$")
    return fig


def say(T, start):
    return f"From $w_0={start}$ with $T={T}$ the weight ends at {descent_path(T, start)[-1]:.3f}."


CONTROLS = {"T": [0.01, 0.05, 0.1], "start": [-1.5, -0.5, 0.5, 1.5]}


def make(*draw, **arguments):
    settings = {"name": "wells", "caption": say, **CONTROLS, **arguments}
    return explore(*(draw or (draw_path,)), **settings)


def payload(html):
    packed = re.search(r"class='descent-data'>(.*?)</script>", html, re.S).group(1)
    return json.loads(zlib.decompress(base64.b64decode(packed)))


# States.


def test_states_are_all_combinations_and_corners_their_ends():
    made = make()
    assert len(made.states()) == 12
    assert made.states()[1] == {"T": 0.01, "start": -0.5}
    assert made.corners() == [{"T": T, "start": s} for T in (0.01, 0.1) for s in (-1.5, 1.5)]
    one = explore(draw_well, name="one", caption=lambda start: "x", start=[0.5])
    assert one.corners() == [{"start": 0.5}]


def test_corners_hold_every_text():
    made = explore(
        lambda kind: figures.figure()[0],
        name="kinds",
        caption=lambda kind: kind,
        kind=["a", "b", "c"],
    )
    assert [corner["kind"] for corner in made.corners()] == ["a", "b", "c"]


def test_the_default_is_the_first_or_the_one_asked_for():
    assert make().default == {"T": 0.01, "start": -1.5}
    assert make(default={"T": 0.1}).default == {"T": 0.1, "start": -1.5}
    spaced = explore(
        draw_well, name="a", caption=lambda start: "x", start=np.linspace(0, 1, 11),
        default={"start": 0.3},
    )  # fmt: skip
    assert spaced.default["start"] == pytest.approx(0.3)


def test_drawing_takes_defaults_and_refuses_what_is_no_state():
    made = make(draw_path, draw_well)
    one, two = made.draw(start=0.5)
    assert one is not two
    assert len(make().draw().axes) == 1
    with pytest.raises(ValueError, match=r"start = 0.4 is not one of its values"):
        made.draw(start=0.4)
    with pytest.raises(ValueError, match="no control"):
        made.draw(stop=1)


@given(
    st.lists(
        st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda v: float(f"{v:.4g}")),
        min_size=1,
        max_size=12,
        unique=True,
    )
)
def test_values_are_told_apart_by_their_texts(values):
    control = Control("x", sorted(values), "x", None, None)
    assert len(set(control.texts)) == len(values)
    for value, text in zip(control.values, control.texts, strict=True):
        assert float(text.replace("−", "-")) == pytest.approx(value, rel=1e-2, abs=1e-4)


@pytest.mark.parametrize(
    ("values", "form", "texts"),
    [
        ([0.05, 0.1], None, ["0.05", "0.10"]),
        ([1, 2, 10], None, ["1", "2", "10"]),
        ([-1, 0], "{} s", ["−1 s", "0 s"]),
        ([1e-9, 1e-8], None, ["1e−09", "1e−08"]),
        ([0.5], lambda v: f"{v:.0%}", ["50%"]),
        (["l0", "a-b"], None, ["l0", "a-b"]),
    ],
)
def test_formats(values, form, texts):
    assert Control("x", values, "x", form, None).texts == texts


# Input.


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"T": []}, ValueError, "control T has no values"),
        ({"T": [1, 1]}, ValueError, "value twice"),
        ({"T": [1, "a"]}, TypeError, "all numbers or all texts"),
        ({"T": [True, False]}, TypeError, "all numbers or all texts"),
        ({"T": [1.0, float("nan")]}, ValueError, "finite"),
        ({"T": [1.0, float("inf")]}, ValueError, "finite"),
        ({"T": [1, 3, 2]}, ValueError, "increase or decrease"),
        ({"T": "abc"}, TypeError, "list of values"),
        ({"T": 3}, TypeError, "list of values"),
        ({"default": {"T": 7}}, ValueError, "T = 7 is not one"),
        ({"default": {"t": 7}}, ValueError, "default names"),
        ({"labels": {"t": "x"}}, ValueError, "labels names"),
        ({"format": {"t": "x"}}, ValueError, "format names"),
        ({"format": {"T": "{:.0f}"}}, ValueError, "look alike"),
        ({"play": "n"}, ValueError, "play names 'n'"),
        ({"caption": None}, TypeError, "caption must be a function"),
        ({"caption": lambda x: "x"}, ValueError, "takes x"),
        ({"render": "video"}, ValueError, "render must be"),
        ({"more": [1, 2]}, ValueError, r"no draw function takes \['more'\]"),
        ({"name": "Two Words"}, ValueError, "lower-case"),
        ({"T": np.linspace(0, 1, 2000)}, ValueError, "8000 states"),
    ],
)
def test_bad_input_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        make(**arguments)


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        ("draw", TypeError, "explorer wells: draw must be a function, got 'draw'"),
        (lambda T, other: None, ValueError, "takes other, the controls are"),
        (lambda **all: None, TypeError, r"must name its arguments"),
        (lambda T, /, start: None, TypeError, "usable by name"),
    ],
)
def test_a_bad_draw_function_is_named(draw, error, message):
    with pytest.raises(error, match=message):
        make(draw)


def test_no_draw_function_no_controls_and_a_play_button_on_texts():
    with pytest.raises(TypeError, match="at least one draw function"):
        explore(name="a", caption=say, T=[1])
    with pytest.raises(TypeError, match="explorer bowl: caption must be a function of the contr"):
        explore(lambda k: None, name="bowl", k=[1])
    with pytest.raises(ValueError, match="at least one control"):
        explore(lambda: None, name="a", caption=lambda: "x")
    with pytest.raises(TypeError, match="play needs a control with numbers"):
        explore(lambda k: None, name="a", caption=lambda k: k, k=["a"], play="k")


def test_what_a_function_returns_is_checked():
    with pytest.raises(TypeError, match=r"explorer wells: .* Figure, got NoneType"):
        make(lambda T, start: None).draw()
    with pytest.raises(TypeError, match="caption must return a text"):
        make(caption=lambda T: "").caption()


# HTML.


class Reader(HTMLParser):
    """Check that elements are closed in order and collect attributes."""

    VOID = ("input", "img", "meta")

    def __init__(self):
        super().__init__()
        self.open, self.found = [], []

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"an attribute twice: {tag} {names}"
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def html():
    return make(draw_path, draw_well, play="T").html()


def test_the_html_is_well_formed_and_self_contained(html):
    reader = Reader()
    reader.feed(html)
    assert not reader.open
    assert not [tag for tag, a in reader.found if {"id", "for"} & set(a)]
    outside = re.findall(r"""(?:https?:)?//[\w.]+|url\(|@import""", re.sub("//.*", "", html))
    assert not outside
    assert not [a for _, a in reader.found if a.get("src", "data:")[:5] != "data:"]


def test_the_controls_are_native_labelled_and_hidden_without_a_script(html):
    reader = Reader()
    reader.feed(html)
    ranges = [a for tag, a in reader.found if tag == "input"]
    assert [a["data-control"] for a in ranges] == ["T", "start"]
    assert all(a["data-lm-suppress-shortcuts"] == "true" for a in ranges)
    assert ranges[0]["aria-label"] == "T"
    assert ranges[1]["aria-valuetext"] == "−1.5"
    assert next(a for _, a in reader.found if a.get("class") == "descent-controls") == {
        "class": "descent-controls",
        "hidden": None,
    }
    pictures = [a["aria-label"] for _, a in reader.found if a.get("role") == "img"]
    assert len(pictures) == 1
    assert pictures[0].startswith("From w_0\u2005=\u2005−1.5 with")


def test_equal_inputs_give_equal_bytes(html):
    assert make(draw_path, draw_well, play="T").html() == html


def test_panels_are_drawn_over_their_own_controls_alone(html):
    path, well = payload(html)["panels"]
    assert (path["takes"], len(path["states"])) == (["T", "start"], 12)
    assert (well["takes"], len(well["states"])) == (["start"], 4)
    # The two ends and the two middles of the well are no mirror images on the page.
    assert len(well["contents"]) == 4


@pytest.mark.slow
def test_the_payload_holds_the_data_of_every_state(html):
    path = payload(html)["panels"][0]
    for index, state in enumerate(make().states()):
        fig = make().draw(**state)
        markup = explorer.page.drawing(fig)
        (content,) = path["states"][index]
        _, data = path["contents"][content]
        assert f"d='{data}'" in markup
        line = fig.axes[0].lines[0]
        wanted = line.get_transform().transform(line.get_xydata()) * (1, -1) + (0, 216)
        steps = np.array(re.findall(r"-?\d+", data), dtype=float).reshape(-1, 2)
        drawn = np.cumsum(steps, axis=0) / 20
        assert np.abs(np.interp(wanted[:, 0], *drawn.T) - wanted[:, 1]).max() < 0.5


def test_states_that_look_the_same_are_stored_once():
    made = explore(
        lambda n, kind: draw_well(n % 2), name="two", caption=lambda n: f"{n}.", n=range(10),
        kind=["a", "b"],
    )  # fmt: skip
    panel = payload(made.html())["panels"][0]
    assert len(panel["states"]) == 20
    assert len(panel["contents"]) == 2


def striped(n):
    fig, ax = figures.figure()
    ax.bar([0], [n], hatch="/")
    ax.set(xlim=(-1, 1), ylim=(0, 4))
    return fig


@pytest.mark.slow
def test_what_cannot_be_curves_becomes_frames_or_an_error_that_names_it():
    settings = {"name": "bars", "caption": lambda n: f"Bar {n}.", "n": [1, 2, 3]}
    panel = payload(explore(striped, **settings).html())["panels"][0]
    assert len(panel["frames"]) == 3
    first = base64.b64decode(panel["frames"][0].split(",")[1])
    assert Image.open(io.BytesIO(first)).size == (691, 432)
    with pytest.raises(ValueError, match=r"bars cannot be drawn as curves: Rectangle.*hatching"):
        explore(striped, render="curves", **settings).html()


def test_frames_that_look_the_same_are_stored_once_and_sizes_must_agree():
    made = explore(
        lambda n: striped(n % 2 + 1), name="f", caption=lambda n: f"{n}.", n=[1, 2, 3],
        render="frames",
    )  # fmt: skip
    assert payload(made.html())["panels"][0]["states"] == [0, 1, 0]
    changing = explore(
        lambda n: figures.figure(width=n)[0], name="f", caption=lambda n: f"{n}.", n=[2, 3]
    )
    with pytest.raises(ValueError, match="size of the figure differs"):
        changing.html()


def test_limits_may_move():
    def draw(n):
        fig, ax = figures.figure()
        ax.plot([0, n], [0, 1])
        return fig

    made = explore(draw, name="moving", caption=lambda n: f"{n}.", n=[1, 2, 30])
    panel = payload(made.html())["panels"][0]
    assert len({tuple(state) for state in panel["states"]}) == 3


def test_a_script_end_in_a_caption_does_not_end_the_script():
    made = make(caption=lambda T: f"</script><b>{T}")
    reader = Reader()
    reader.feed(made.html())
    assert not reader.open
    assert not [tag for tag, _ in reader.found if tag == "b"]


def test_the_budget_is_held(monkeypatch):
    monkeypatch.setattr(explorer.explorer, "MAX_BYTES", 1000)
    with pytest.raises(BudgetError, match=r"explorer wells: \d+ bytes of HTML, allowed are 1000"):
        make().html()


def test_the_static_bundle(monkeypatch):
    monkeypatch.setenv("DESCENT_RENDER", "static")
    data, metadata = make()._repr_mimebundle_()
    assert data["text/html"] == make().html()
    assert Image.open(io.BytesIO(data["image/png"])).size == (691, 432)
    assert data["text/plain"].startswith("From w_0")
    facts = metadata["descent"]
    assert (facts["explorer"], facts["states"]) == ("wells", 12)
    assert facts["bytes"] == len(data["text/html"].encode())
    assert facts["seconds"] > 0
    monkeypatch.setenv("DESCENT_RENDER", "maybe")
    with pytest.raises(ValueError, match="DESCENT_RENDER must be static or live, got 'maybe'"):
        make()._repr_mimebundle_()


DRAWN = """
from descent import figures
from descent.explorer import explore

HEIGHT = 1.0

def draw(a):
    with open(COUNT, "a") as file:
        file.write("x")
    fig, ax = figures.figure()
    ax.plot([0, a], [0, HEIGHT])
    return fig

def caption(a):
    return f"The line ends at {a:g}."

line = explore(draw, name="line", caption=caption, a=[1.0, 2.0])
"""


def test_a_build_draws_an_explorer_once_while_it_sees_the_same(monkeypatch, tmp_path):
    module = types.ModuleType("descent.chapters.for_test")
    module.__file__ = str(tmp_path / "for_test.py")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(DRAWN, module.__file__, "exec"), vars(module))
    monkeypatch.setenv("DESCENT_RENDER", "static")
    monkeypatch.setenv("DESCENT_KEPT", str(tmp_path / "kept"))
    monkeypatch.setenv("DESCENT_SEEN", "one state of the files")
    count = tmp_path / "count"
    module.COUNT = str(count)

    def shown():
        """Return what is shown, and whether something was drawn for it."""
        count.write_text("")
        return module.line._repr_mimebundle_(), count.read_text() != ""

    first, again = shown(), shown()
    assert (first[1], again[1]) == (True, False)
    assert again[0] == first[0]
    module.HEIGHT = 2.0
    higher, drawn = shown()
    assert drawn
    assert higher[0]["text/html"] != first[0][0]["text/html"]
    module.HEIGHT = 1.0
    assert shown() == (first[0], False)
    module.line.controls[0].default = 1
    assert shown()[1]
    monkeypatch.setenv("DESCENT_SEEN", "another state of the files")
    assert shown()[1]
    assert not shown()[1]
    monkeypatch.delenv("DESCENT_KEPT")
    assert shown()[1]


# Handles.


def well(start):
    return start, (start**2 - 1) ** 2


def held(**arguments):
    settings = {"grab": {"start": explorer.Handle(well, panel=1)}, **arguments}
    return make(draw_path, draw_well, **settings)


def test_a_handle_stands_where_the_axes_have_its_place():
    made = held(grab={"start": explorer.Handle(well, panel=1), "T": lambda T: (60 * T, 0)})
    data = payload(made.html())
    first, second = data["handles"]
    assert (first["controls"], first["panel"]) == (["T"], 0)
    assert (second["controls"], second["panel"], second["label"]) == (["start"], 1, "start")
    # The handle of the start is the dot that the picture has there.
    panel = data["panels"][1]
    for index, place in enumerate(second["places"]):
        ((content,),) = [panel["states"][index]]
        _, path = panel["contents"][content]
        dot = np.array(re.findall(r"-?\d+", path)[:2], dtype=int)
        assert np.abs(place - dot).max() <= 1
    assert len(first["places"]) == 12
    assert len({tuple(place) for place in first["places"]}) == 3


def test_a_handle_of_two_controls():
    made = make(grab={("T", "start"): lambda T, start: (300 * T, start)})
    (handle,) = payload(made.html())["handles"]
    assert (handle["controls"], handle["label"]) == (["T", "start"], "T and start")
    assert len({tuple(place) for place in handle["places"]}) == 12


@pytest.mark.parametrize(
    ("grab", "error", "message"),
    [
        ({"t": well}, ValueError, "grab of t: its picture does not take 't'"),
        ({"T": explorer.Handle(well, panel=1)}, ValueError, "its picture does not take 'T'"),
        ({"start": "left"}, TypeError, "grab of start must be a function or a Handle, got 'left'"),
        ({("T", "start", "T"): well}, ValueError, "one control or two"),
        ({"start": explorer.Handle(well, panel=2)}, ValueError, "panel 2 of 2"),
        ({"start": explorer.Handle(well, axes=3)}, ValueError, "axes 3 of 1"),
        (
            {"start": lambda start: (start, np.nan)},
            ValueError,
            "explorer wells: grab of start: .* outside of the picture",
        ),
        (
            {"start": lambda start: (9 * start, 0)},
            ValueError,
            "explorer wells: grab of start: .* outside of the picture",
        ),
        (
            {"start": lambda start: (start**2, 0)},
            ValueError,
            "explorer wells: grab of start: one place at .*-0.5.* and .*0.5",
        ),
        ({"start": lambda other: (other, 0)}, ValueError, "takes other"),
    ],
)
def test_a_bad_handle_is_named(grab, error, message):
    with pytest.raises(error, match=message):
        make(draw_path, draw_well, grab=grab).html()


def test_frames_have_no_handles():
    with pytest.raises(ValueError, match="explorer wells: grab needs a picture of curves"):
        make(render="frames", grab={"start": lambda start: (0, start)})


# Live.

NOTEBOOK = """
import json
import numpy as np
from descent import figures
from descent.explorer import explore
def draw(a, kind):
    fig, ax = figures.figure()
    if a == 3: raise RuntimeError("no picture for three")
    ax.plot([0, 1], [0, a]); ax.set(xlim=(0, 1), ylim=(0, 4))
    return fig
line = explore(draw, name="line", caption=lambda a, kind: f"Slope {a}, {kind}.", a=[1, 2, 3],
               kind=["x", "y"], play="a", grab={"a": lambda a: (0.5, a / 2)})
line
"""
ASK = """
live, sent = line.widget(), []
live.send = sent.append
for a, kind in [(0, 0), (1, 0), (1, 1), (2, 1)]:
    live.reply(live, {"at": json.dumps({"a": a, "kind": kind}, separators=(",", ":"))})
print([answer.get("caption") for answer in sent], sent[0] == live.first,
      len({answer["panels"][0] for answer in sent[:3]}), "picture for three" in sent[3]["trouble"])
"""


@pytest.mark.slow
def test_a_live_kernel_draws_what_the_front_end_asks_for(monkeypatch):
    monkeypatch.delenv("DESCENT_RENDER", raising=False)
    cells = [nbformat.v4.new_code_cell(code) for code in (NOTEBOOK, ASK)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    (shown,) = notebook.cells[0].outputs
    assert "application/vnd.jupyter.widget-view+json" in shown["data"]
    # What a viewer of notebooks without a kernel shows.
    assert Image.open(io.BytesIO(base64.b64decode(shown["data"]["image/png"]))).size == (691, 432)
    assert shown["data"]["text/plain"] == "Slope 1, x."
    (printed,) = notebook.cells[1].outputs
    assert (
        printed["text"].strip() == "['Slope 1, x.', 'Slope 2, x.', 'Slope 2, y.', None] True 2 True"
    )


def test_a_kernel_draws_what_the_page_shows():
    made = held()
    live, data = made.widget(), payload(made.html())
    assert live.facts["texts"] == data["texts"]
    for number, state in enumerate(made.states()):
        indices = {c.name: c.index(state[c.name]) for c in made.controls}
        answer = live.answer(json.dumps(indices))
        assert answer["caption"] == data["captions"]["rows"][data["captions"]["states"][number]]
        page_of_state = explorer.page.state_html(made, state)
        for panel in answer["panels"]:
            assert panel in page_of_state
        assert answer["places"] == [data["handles"][0]["places"]]


# Registry.


def test_the_registry_finds_every_explorer_of_every_chapter():
    pytest.importorskip("torch", reason="some chapters need it")
    assert registry()
    for made in registry():
        assert made.chapter.startswith("descent.chapters.")


def test_names_are_unique(monkeypatch, tmp_path):
    for module, made in [("aa", make()), ("bb", make())]:
        (tmp_path / f"{module}.py").write_text("")
        fake = types.ModuleType(f"descent.chapters.{module}")
        fake.wells = fake.again = made
        monkeypatch.setitem(sys.modules, fake.__name__, fake)
    monkeypatch.setattr(descent.chapters, "__path__", [str(tmp_path)])
    with pytest.raises(ValueError, match="two explorers are named wells"):
        registry()
    (tmp_path / "bb.py").unlink()
    assert [made.name for made in registry()] == ["wells"]


# The room of the caption.


def test_a_caption_has_the_room_of_the_longest_forms_and_no_more():
    texts = [f"Run {n} ends." for n in range(40)] + ["Run 7 ends where it began, at $x_0$."]
    assert longest(texts) == [texts[-1], texts[10], texts[0]]
    html = explore(
        draw_well, name="room", caption=lambda start: "A very long one." if start else "Short.",
        start=[0.0, 0.5],
    ).html()  # fmt: skip
    caption = html[html.index("<figcaption>") : html.index("</figcaption>")]
    assert "<span class='descent-said'>Short.</span>" in caption
    assert "<span class='descent-room' aria-hidden='true'>A very long one.</span>" in caption
    assert len(longest([f"{'a' * n}" for n in range(1, 99)])) == MOST_FORMS
