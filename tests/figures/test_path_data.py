"""Path data against a reader of SVG paths written for the tests."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.path import Path

from descent.figures.path_data import GRID, circle, codes, dots, path_data, simplified


def read(data, height):
    """Return the end points of a path's segments, in points, y upwards."""
    pen = start = np.zeros(2)
    points = []
    sizes = {"m": 2, "l": 2, "q": 4, "c": 6, "h": 1, "M": 2}
    for letter, text in re.findall(r"([a-zM])([^a-zM]*)", data):
        numbers = np.array(re.findall(r"-?\d+", text), dtype=float)
        if letter == "z":
            pen = start
            continue
        for step in numbers.reshape(-1, sizes[letter]):
            if letter == "M":
                pen = step
            elif letter != "h":
                pen = pen + step[-2:]
            if letter in "mM":
                start = pen
            if letter != "h":
                points.append(pen)
    return np.array(points) / GRID * (1, -1) + (0, height)


coordinates = st.floats(-500, 500, allow_subnormal=False)


@given(arrays(float, st.tuples(st.integers(2, 30), st.just(2)), elements=coordinates))
def test_errors_of_rounding_do_not_add_up(points):
    half = 0.5 / GRID + 1e-9
    drawn = read(path_data(Path(points), 100.0), 100.0)
    rounded = np.rint(points * GRID).astype(int)
    distance = np.abs(points[:, None] - drawn).max(axis=2).min(axis=1)
    assert distance.max() <= half
    assert len(drawn) <= len(rounded)


def test_codes_are_kept():
    path = Path(
        [[0, 0], [1, 1], [2, 0], [3, 0], [4, 1], [5, 0], [0, 0], [1, 1], [2, 2]],
        [1, 3, 3, 4, 4, 4, 79, 1, 2],
    )
    data = path_data(path, 0.0)
    assert re.sub(r"[-\d ]+", "", data) == "mqczml"
    assert np.allclose(read(data, 0.0), [[0, 0], [2, 0], [5, 0], [1, 1], [2, 2]])


def test_points_far_outside_are_held_within_range():
    data = path_data(Path([[0, 0], [1e9, -1e9]]), 0.0)
    assert max(abs(int(n)) for n in re.findall(r"-?\d+", data)) < 2**16


@pytest.mark.parametrize("radius", [0.5, 3.0])
def test_circles_and_only_circles_are_recognised(radius):
    found = circle(Path(Path.unit_circle().vertices * radius + (2, 5), Path.unit_circle().codes))
    assert found is not None
    assert np.allclose(found[0], (2, 5))
    assert found[1] == pytest.approx(radius)
    oval = Path(Path.unit_circle().vertices * (radius, 1.1 * radius), Path.unit_circle().codes)
    assert circle(oval) is None
    assert circle(Path.unit_rectangle()) is None


def test_dots_stand_at_their_centres():
    centres = np.array([[0.0, 1.0], [2.5, -3.0], [2.5, -3.0], [-12.0, 7.0]])
    assert np.allclose(read(dots(centres, 4.0), 4.0), centres[[0, 1, 3]])
    assert np.allclose(read(dots(centres[:1], 4.0), 4.0), centres[:1])


def test_a_simplified_polygon_looks_the_same():
    turn = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
    ring = 100 * np.column_stack([np.cos(turn), np.sin(turn)])
    path = Path(np.concatenate([ring, ring[:1]]), [1, *[2] * 999, 79])
    fewer = simplified(path)
    assert len(fewer.vertices) < 500
    assert codes(fewer)[-1] == Path.CLOSEPOLY
    radii = np.hypot(*fewer.vertices.T)
    assert np.all(np.abs(radii - 100) < 0.2)
    middles = np.hypot(*((fewer.vertices[1:] + fewer.vertices[:-1]) / 2).T)
    assert np.all(np.abs(middles - 100) < 0.2)
