"""The killed law in the plane: what it keeps, two lines at once, and the order of its error."""

import numpy as np
import pytest

from descent import markov
from descent.landscapes import FiniteSum
from descent.markov.killed_plane import killed_plane, survival

T, END = 0.25, 0.7


def bowl():
    """Return a walk on a line in a bowl, with two equal draws."""
    return FiniteSum(
        losses=lambda w: np.stack([(np.asarray(w) - 1) ** 2, (np.asarray(w) + 1) ** 2]) / 2,
        gradients=lambda w: np.stack([np.asarray(w) - 1.0, np.asarray(w) + 1.0]),
        curvatures=lambda w: np.ones((2, *np.shape(w))),
    )


def two_lines(spacing, kept=None):
    """Return two such walks that draw by themselves; the first one has to escape."""
    axes = np.arange(-1.1, END + 2 * spacing, spacing), np.arange(-1.1, 1.1, spacing)

    def images(x, y):
        for one in (-1.0, 1.0):
            for other in (-1.0, 1.0):
                yield 0.25, (x - T * (x + one), y - T * (y + other))

    return killed_plane(images, lambda x, y: x > END, axes=axes, start=(0.0, 0.0), kept=kept)


def mean_time(spacing):
    return survival(two_lines(spacing), 10_000, tail=True)[1]


def test_each_node_moves_all_of_its_mass():
    for kept in (None, lambda x, y: x**2 + y**2 < 0.8):
        walk = two_lines(0.05, kept)
        moved = np.asarray(walk.forward.sum(axis=0)).ravel()
        np.testing.assert_allclose(moved + walk.escape + walk.lost, 1, atol=1e-12)
        assert walk.start.sum() == pytest.approx(1)
        assert (walk.lost.max() > 0.1) == (kept is not None)


def time_on_a_line(spacing):
    """Return the mean time of one line by itself, by a linear equation on the same nodes."""
    grid = np.arange(-1.1, END + 2 * spacing, spacing)
    stay = np.zeros((len(grid), len(grid)))
    for draw in (-1.0, 1.0):
        to = grid - T * (grid + draw)
        for column, node in enumerate(np.eye(len(grid))):
            stay[:, column] += np.where(to > END, 0.0, np.interp(to, grid, node)) / 2
    times = np.linalg.solve(np.eye(len(grid)) - stay, np.ones(len(grid)))
    return np.interp(0.0, grid, times)


def test_the_first_of_two_independent_lines_escapes_as_if_it_were_alone():
    alone = markov.mean_first_passage_time(bowl(), step_size=T, start=0.0, threshold=END)
    for spacing in (0.0413, 0.0207):
        found = mean_time(spacing)
        assert found == pytest.approx(time_on_a_line(spacing), rel=1e-6)
        assert found == pytest.approx(alone, rel=0.08)  # the law of few draws is rough
    assert abs(mean_time(0.0103) - alone) < abs(mean_time(0.0413) - alone)


def test_a_start_outside_of_the_nodes_is_refused():
    with pytest.raises(ValueError, match="start must be among the nodes that are kept"):
        two_lines(0.05, lambda x, y: x < -0.5)


def test_the_curve_counts_what_the_sum_of_the_survival_counts():
    walk = two_lines(0.05)
    escaped, total, lost = survival(walk, 3000, tail=False)
    gone = np.cumsum(escaped)
    assert gone[-1] == pytest.approx(1, abs=1e-9)
    assert lost < 1e-12
    assert total == pytest.approx((1 - gone[:-1]).sum(), rel=1e-9)
