"""The pit of the first page, and the pictures of its map."""

import base64
import io
import re
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from descent.publish import first_page, paths


def run(width, height):
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(buffer, "png")
    data = {"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": "A caption."}
    output = {"data": data, "metadata": {"descent": {"explorer": "one"}}}
    return SimpleNamespace(cells=[{"outputs": []}, {"outputs": [output]}])


def test_the_curve_has_its_pit_where_the_chapter_has_it():
    drawn = first_page.pit()
    points = np.array([p.split() for p in re.search(r'd="M(.*?)"', drawn)[1].split("L")], float)
    w = first_page.LEFT + points[:, 0] / first_page.WIDTH * (first_page.RIGHT - first_page.LEFT)
    low = [
        w[i] for i in range(1, len(w) - 1) if points[i, 1] > max(points[i - 1, 1], points[i + 1, 1])
    ]
    assert low == pytest.approx([1.0, 2.0], abs=0.03)
    assert points[:, 1].max() < first_page.HEIGHT


@pytest.mark.parametrize("size", [(900, 400), (400, 1800), (300, 300)])
def test_pictures_of_chapters_are_of_one_size_and_light(size):
    made = first_page.thumbnails({"01-x": run(*size), "02-y": SimpleNamespace(cells=[])})
    assert list(made) == ["01-x.png"]
    assert Image.open(io.BytesIO(made["01-x.png"])).size == first_page.THUMBNAIL
    assert len(made["01-x.png"]) < 40_000


def test_the_map_links_what_is_built():
    chapters = paths.BOOK / "chapters.yml"
    page = first_page.chapter_map({"01-modelling-sgd": run(9, 9)}, chapters)
    assert page.count("<li>") == 13
    assert page.count("<a ") == page.count("<img ") == 1
    assert 'href="../notebooks/01-modelling-sgd.html"' in page
