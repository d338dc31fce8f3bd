"""Common parts and slots."""

import pytest

from descent import figures
from descent.figures.display_list import Entry, Recorder, Tile, combine, tiles
from descent.figures.path_data import dots_of
from descent.figures.svg import UnsupportedError

WHOLE = Tile(0.0, 100.0, 50.0, frozenset({-1, 0, 1}))


def path(data, colour="red"):
    return f"<path stroke='{colour}' d='{data}'/>"


def rebuilt(picture, state):
    """Put the contents of a state back together, as the script does."""
    out = []
    for index in picture.states[state]:
        template, *data = picture.contents[index]
        for i, found in enumerate(data):
            data[i] = found or dots_of(data[i - 1])
        pieces = picture.templates[template]
        out.append("".join(p + d for p, d in zip(pieces, [*data, ""], strict=True)))
    return out


def test_what_never_changes_is_drawn_once():
    states = [[Entry(0, path("m0 0")), Entry(0, path(f"m{i} 1"))] for i in range(3)]
    picture = combine(states, [WHOLE], default=1)
    assert picture.markup.count("data-slot") == 1
    assert picture.markup.count(path("m0 0")) == 1
    assert path("m1 1") in picture.markup
    assert [rebuilt(picture, i) for i in range(3)] == [[path(f"m{i} 1")] for i in range(3)]


def test_equal_contents_and_equal_styles_are_stored_once():
    states = [[Entry(0, path(f"m{i % 2} 1"))] for i in range(10)]
    picture = combine(states, [WHOLE])
    assert len(picture.contents) == 2
    assert len(picture.templates) == 1


def test_an_artist_that_comes_and_goes_leaves_an_empty_slot():
    states = [[Entry(0, path("m1 1"))], [Entry(0, path("m1 1")), Entry(0, path("m2 2"))]]
    picture = combine(states, [WHOLE])
    assert rebuilt(picture, 0) == [""]
    assert rebuilt(picture, 1) == [path("m2 2")]


def test_one_more_artist_in_one_axes_moves_no_slot_of_another():
    states = [
        [Entry(0, path("m1 1")), Entry(1, path("m9 9"))],
        [Entry(0, path("m1 1")), Entry(0, path("m2 2")), Entry(1, path("m9 9"))],
    ]
    assert combine(states, [WHOLE]).markup.count("data-slot") == 1


def test_dots_along_a_line_share_its_data():
    line = "m1 2l3-4 5 6 0-1"
    markup = path(line) + path(dots_of(line), "blue")
    picture = combine([[Entry(0, markup)], [Entry(0, "")]], [WHOLE])
    assert picture.contents[0] == [0, line, ""]
    assert rebuilt(picture, 0) == [markup]


def test_text_and_several_paths_survive():
    markup = f"<g><text>a d=b</text>{path('m1 2')}{path('m3 4', 'blue')}</g>"
    picture = combine([[Entry(0, markup)], [Entry(0, "")]], [WHOLE])
    assert rebuilt(picture, 0) == [markup]


@pytest.mark.slow
def test_columns_become_tiles_and_rows_do_not():
    side_by_side, _ = figures.figure(1, 2)
    recorder = Recorder()
    recorder.record(side_by_side)
    assert [tile.axes for tile in recorder.tiles] == [{-1, 0}, {1}]
    assert sum(tile.width for tile in recorder.tiles) == pytest.approx(7.2 * 72)
    stacked, _ = figures.figure(2, 1)
    stacked.draw_without_rendering()
    assert len(tiles(stacked)) == 1


def test_a_legend_over_both_columns_keeps_them_together():
    fig, axes = figures.figure(1, 2)
    axes[0].plot([0, 1], label="a")
    fig.legend()
    recorder = Recorder()
    recorder.record(fig)
    assert len(recorder.tiles) == 1


def test_a_colour_bar_stays_with_its_axes():
    fig, axes = figures.figure(1, 2)
    fig.colorbar(axes[0].imshow([[0, 1]]), ax=axes[0])
    recorder = Recorder()
    recorder.record(fig)
    assert all(tile.axes for tile in recorder.tiles)


def test_other_axes_or_sizes_are_named():
    recorder = Recorder()
    recorder.record(figures.figure()[0])
    for other in [figures.figure(1, 2, width=4.8, height=3)[0], figures.figure(width=3)[0]]:
        with pytest.raises(UnsupportedError, match="size or the number of axes"):
            recorder.record(other)


def test_all_states_share_the_layout_of_the_first():
    def draw(label):
        fig, ax = figures.figure()
        ax.set(xlim=(0, 1), ylim=(0, 1), ylabel=label)
        ax.axhline(0.5, color=figures.COLOURS["X"])
        return fig

    def line(recorder, label):
        colour = f"'{figures.COLOURS['X']}'"
        return [e.markup for e in recorder.record(draw(label)) if colour in e.markup]

    recorder = Recorder()
    first = line(recorder, "y")
    assert line(recorder, "two\nlines") == first
    assert line(Recorder(), "two\nlines") != first


@pytest.mark.slow
@pytest.mark.parametrize("location", ["right", "top"])
def test_a_colour_bar_stands_where_the_first_state_has_it(location):
    def state(value):
        fig, ax = figures.figure(width=5, height=4)
        image = ax.imshow([[value, 1.0], [2.0, 3.0]], vmin=0, vmax=3)
        fig.colorbar(image, ax=ax, extend="both", location=location, shrink=0.8, label="size")
        return fig

    recorder = Recorder()
    first = recorder.record(state(0.0))
    assert recorder.record(state(0.0)) == first
    other = recorder.record(state(2.0))
    assert [entry for entry in other if entry.axes == 1] == [e for e in first if e.axes == 1]
    assert other != first


def test_an_image_of_a_collection_belongs_to_its_own_state():
    """Not to the axis that is drawn next, which the states share."""

    def state(value):
        fig, ax = figures.figure()
        ax.set_axisbelow(False)
        ax.spines[:].set_visible(False)
        ax.pcolormesh([[value, 1.0], [2.0, 3.0]], vmin=0, vmax=3)
        return fig

    recorder = Recorder()
    lists = [recorder.record(state(value)) for value in (0.0, 3.0)]
    images = [[e.markup for e in entries if "<image" in e.markup] for entries in lists]
    assert len(images[0]) == len(images[1]) == 1
    assert images[0] != images[1]
    assert "<image" not in "".join(recorder._axis_markup.values())
