"""The style, the colours and captioned figures."""

import ast
import base64
import io
import itertools
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from PIL import Image

from descent import figures

HUES = ["blue", "red", "green", "gold", "violet", "sky"]

# Machado, Oliveira and Fernandes (2009), table 1, severity 1: linear RGB as seen.
BLINDNESS = {
    "none": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(colour):
    c = np.array(to_rgb(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """Convert linear RGB to CIE L*a*b*, white D65."""
    xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    ) @ np.clip(rgb, 0, 1)
    t = xyz / (0.9505, 1.0, 1.089)
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_colours_stay_apart(blindness):
    seen = [lab(np.array(BLINDNESS[blindness]) @ linear(figures.COLOURS[hue])) for hue in HUES]
    worlds = [np.linalg.norm(a - b) for a, b in itertools.combinations(seen[:3], 2)]
    every = [np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)]
    assert min(worlds) > 25
    assert min(every) > 15


def test_pure_red_and_green_would_not():
    red, green = (lab(np.array(BLINDNESS["deutan"]) @ linear(c)) for c in ("#a04000", "#407000"))
    assert np.linalg.norm(red - green) < 25


@pytest.mark.parametrize("paper", ["#ffffff", "#121212"])
@pytest.mark.parametrize("hue", HUES)
def test_lines_stand_out_on_white_and_on_dark_paper(hue, paper):
    weights = np.array([0.2126, 0.7152, 0.0722])
    low, high = sorted(linear(c) @ weights for c in (figures.COLOURS[hue], paper))
    assert (high + 0.05) / (low + 0.05) >= 3  # WCAG 2.2, 1.4.11


def test_the_style_file_has_the_colours_in_order():
    with figures.style():
        cycle = [to_hex(c) for c in mpl.rcParams["axes.prop_cycle"].by_key()["color"]]
    assert cycle == [figures.COLOURS[hue] for hue in HUES]
    assert [figures.COLOURS[w] for w in "WXY"] == cycle[:3]


def test_the_style_ends_with_its_block_and_can_be_set_for_good():
    before = {key: mpl.rcParams[key] for key in mpl.rcParams if key != "backend"}
    with figures.style():
        assert not mpl.rcParams["axes.spines.top"]
    assert {key: mpl.rcParams[key] for key in before} == before
    with mpl.rc_context():
        figures.use_style()
        assert not mpl.rcParams["axes.spines.top"]


def sample():
    fig, ax = figures.figure()
    ax.plot([0, 1], [0, 1])
    return fig


def test_a_shown_figure_is_self_contained():
    shown = figures.show(sample(), caption="It falls as $T^2$ < 3.", alt='A line "up", at $w_0$.')
    bundle = shown._repr_mimebundle_()
    html = bundle["text/html"]
    ET.fromstring(re.sub(r"<style>.*?</style>", "", html, flags=re.S))
    assert not re.search(r"https?:|\bid=", html)
    assert "<figcaption>It falls as <i>T</i><sup>2</sup> &lt; 3.</figcaption>" in html
    assert 'aria-label="A line &quot;up&quot;, at w_0."' in html
    assert Image.open(io.BytesIO(bundle["image/png"])).size == (691, 432)
    assert bundle["text/plain"] == "It falls as T^2 < 3."
    assert (
        html
        == figures.show(sample(), caption=shown.caption, alt=shown.alt)._repr_mimebundle_()[
            "text/html"
        ]
    )


def test_hard_formulas_of_captions_are_errors():
    with pytest.raises(ValueError, match=r"\\frac.* is too hard for a caption"):
        figures.show(sample(), caption=r"As $\frac{1}{2}$.", alt="A line.").html()


def test_what_is_no_svg_becomes_a_white_card():
    fig, ax = figures.figure(subplot_kw={"projection": "polar"})
    ax.plot([0, 1], [0, 1])
    html = figures.show(fig, caption="A spiral.", alt="A line.").html()
    encoded = re.search(r"src='data:image/webp;base64,([^']*)'", html).group(1)
    image = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB")
    assert image.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"figure": "fig"}, TypeError, "figure must be a matplotlib Figure, got str"),
        ({"caption": " "}, ValueError, "caption must be a text that is not empty"),
        ({"alt": ""}, ValueError, "alt must be a text"),
        ({"alt": "Same."}, ValueError, "not repeat the caption"),
    ],
)
def test_bad_input_is_named(arguments, error, message):
    good = {"figure": sample(), "caption": "Same.", "alt": "A line."}
    chosen = {**good, **arguments}
    with pytest.raises(error, match=message):
        figures.show(chosen.pop("figure"), **chosen)


def test_images_are_stacked_in_the_middle():
    wide, slim = np.zeros((2, 4, 3), np.uint8), np.zeros((1, 2, 3), np.uint8)
    assert figures.stacked([wide, slim])[2, :, 0].tolist() == [255, 0, 0, 255]


def test_every_module_takes_colours_by_name_from_here():
    source = Path(figures.__file__).parents[1]
    others = [p for p in source.rglob("*.py") if p.parent != Path(figures.__file__).parent]
    assert len(others) > 100
    assert [p for p in others if "figures.COLOURS" in p.read_text()] == []
    names = {name for name in figures.__all__ if name.isupper()} - {"STYLE"}
    for path in others:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module != "descent.figures":
                assert names.isdisjoint(alias.name for alias in node.names), (path, node.module)
