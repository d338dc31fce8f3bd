"""Paths as SVG path data: whole twentieths of a point, written as differences.

Coordinates are rounded to the grid first and differenced afterwards, so that
errors do not add up and the same figure gives the same text on every machine.
"""

import re
from collections.abc import Iterable

import numpy as np
from matplotlib.path import Path
from numpy.typing import NDArray

__all__ = ["FARTHEST", "GRID", "box", "circle", "closed", "codes", "dots", "dots_of", "path_data"]
__all__ += ["simplified", "vertices"]

GRID = 20
"""Units of length per point: coordinates are rounded to a twentieth of a point."""
FARTHEST = 2**15 - 1
"""Largest coordinate, in units; what lies farther out is clipped."""

Points = NDArray[np.float64]


def vertices(path: Path) -> Points:
    """Return the vertices of a path, (n, 2)."""
    return np.asarray(path.vertices, dtype=float)


def codes(path: Path) -> NDArray[np.uint8]:
    """Return the codes of a path, (n,), also where it leaves them out."""
    if path.codes is not None:
        return np.asarray(path.codes, dtype=np.uint8)
    implied = np.full(len(vertices(path)), Path.LINETO, dtype=np.uint8)
    implied[:1] = Path.MOVETO
    return implied


def closed(path: Path) -> Path:
    """Return a path each of whose closing vertices is where its piece began.

    matplotlib leaves anything there, as nothing should read it; what clips a polygon does.
    """
    kinds = codes(path)
    begin = np.maximum.accumulate(np.where(kinds == Path.MOVETO, np.arange(len(kinds)), 0))
    closing = (kinds == Path.CLOSEPOLY)[:, None]
    return Path(np.where(closing, vertices(path)[begin], vertices(path)), kinds)


_PAIR = re.compile(r"[ml]? ?(-?\d+)( \d+|-\d+)")


def _numbers(values: Iterable[int]) -> str:
    return " ".join(map(str, values)).replace(" -", "-")


def path_data(path: Path, height: float) -> str:
    """Write a path in points, y upwards, as SVG path data in units, y downwards.

    Every coordinate is rounded to the grid first and differenced afterwards, so
    that errors do not add up.

    Examples
    --------
    >>> path_data(Path([[0, 0], [1, 0.5], [2, 0]]), height=1.0)
    'm0 20l20-10 20 10'
    """
    kinds = codes(path)
    flipped = vertices(path) * (1, -1) + (0, height)
    points = np.rint(np.clip(flipped * GRID, -FARTHEST, FARTHEST)).astype(int)
    pen = np.zeros(2, dtype=int)
    start, parts, at = pen, [], 0
    ends = np.flatnonzero(np.diff(kinds)) + 1
    for end in [*ends.tolist(), len(kinds)]:
        code, chunk = int(kinds[at]), points[at:end]
        at = end
        if code == Path.MOVETO:
            pen_before, pen = pen, chunk[-1]
            start = pen
            parts.append("m" + _numbers((pen - pen_before).tolist()))
        elif code == Path.LINETO:
            steps = np.diff(chunk, axis=0, prepend=pen[None])
            moved = steps[np.any(steps != 0, axis=1)]
            steps = moved if len(moved) else steps[:1]  # a dot is a line of no length
            parts.append("l" + _numbers(steps.ravel().tolist()))
            pen = chunk[-1]
        elif code in (Path.CURVE3, Path.CURVE4):
            # Control points count from the pen at the start of their own segment.
            size = 2 if code == Path.CURVE3 else 3
            segments = chunk.reshape(-1, size, 2)
            starts = np.concatenate([pen[None], segments[:-1, -1]])
            parts.append(
                ("q" if size == 2 else "c")
                + _numbers((segments - starts[:, None]).ravel().tolist())
            )
            pen = chunk[-1]
        elif code == Path.CLOSEPOLY:
            parts.append("z")
            pen = start
        else:  # STOP
            break
    return "".join(parts)


def dots_of(line: str) -> str:
    """Turn the data of a line into dots at its vertices: lines of no length with round caps.

    Examples
    --------
    >>> dots_of("m0 20l20-20 5 5")
    'm0 20h0m20-20h0m5 5h0'
    """
    return _PAIR.sub(lambda pair: f"m{pair[1]}{pair[2]}h0", line)


def dots(centres: Points, height: float) -> str:
    """Write points as dots; a point at the place of the one before is left out.

    Examples
    --------
    >>> dots(np.array([[0.0, 0.0], [1.0, 1.0]]), height=1.0)
    'm0 20h0m20-20h0'
    """
    return dots_of(path_data(Path(centres), height))


_CIRCLE = Path.unit_circle()


def circle(path: Path) -> tuple[Points, float] | None:
    """Recognise a circle: its centre and its radius in points."""
    unit, points = vertices(_CIRCLE)[:-1], vertices(path)[:-1]
    if len(points) != len(unit):
        return None
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    radius = float(np.ptp(points[:, 0])) / 2
    return (centre, radius) if np.allclose(points - centre, unit * radius, atol=1e-6) else None


def simplified(polygon: Path) -> Path:
    """Leave out vertices of a polygon that would not show, as matplotlib does for lines."""
    kinds = codes(polygon)
    ring = len(kinds) - int(kinds[-1] == Path.CLOSEPOLY)
    if kinds[0] != Path.MOVETO or np.any(kinds[1:ring] != Path.LINETO):
        return polygon
    kept = vertices(Path(vertices(polygon)[:ring]).cleaned(simplify=True))[:-1]
    closed = np.full(len(kept) + 1, Path.LINETO, dtype=np.uint8)
    closed[0], closed[-1] = Path.MOVETO, Path.CLOSEPOLY
    return Path(np.concatenate([kept, kept[:1]]), closed)


def box(points: Points) -> tuple[float, float, float, float]:
    """Return the least and the greatest coordinates: x0, y0, x1, y1."""
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
