"""How far down the pages of a print are filled."""

import io

import pytest

pypdf = pytest.importorskip("pypdf")

from pypdf.generic import DecodedStreamObject, NameObject  # noqa: E402

from descent.publish.page_fill import HEIGHT, MARGIN, filled, report, within  # noqa: E402

INSIDE = HEIGHT - 2 * MARGIN


def printed(*contents):
    writer = pypdf.PdfWriter()
    for content in contents:
        stream = DecodedStreamObject()
        stream.set_data(content.encode())
        page = writer.add_blank_page(595, HEIGHT)
        page[NameObject("/Contents")] = writer._add_object(stream)
    place = io.BytesIO()
    writer.write(place)
    return place.getvalue()


def line(height):
    return f"BT\n/F1 10 Tf\n1 0 0 1 70 {height} Tm\n<0003> Tj\nET\n"


def test_the_lowest_line_between_the_margins_counts():
    top, foot = line(HEIGHT - MARGIN - 5), line(MARGIN / 2)
    middle, head = line(HEIGHT / 2), line(HEIGHT - MARGIN / 2)
    whole = line(MARGIN + 0.01)
    found = filled(printed(top + middle + head + foot, middle + top, whole, head + foot, ""))
    assert found == pytest.approx([0.5, 0.5, 1, 0, 0], abs=1e-3)


def test_lines_are_where_the_matrices_above_them_put_them():
    flipped = f"1 0 0 -1 0 {HEIGHT} cm\n"
    deep = "q\n.5 0 0 .5 0 100 cm\nq\n0 1 -1 0 0 40 cm\n1 0 0 1 60 0 Tm\nQ\nQ\n"
    # Turned by a right angle, 60 to the right is 60 further: 100 + (40 + 60) / 2 from the top.
    assert filled(printed(flipped + deep)) == pytest.approx([(150 - MARGIN) / INSIDE])
    after = "q\n.5 0 0 .5 0 100 cm\nQ\n1 0 0 1 0 400 Tm\n"
    assert filled(printed(flipped + after)) == pytest.approx([(400 - MARGIN) / INSIDE])


def test_the_last_pages_of_chapters_and_of_the_book_may_end_anywhere():
    assert within([1.0, 0.4, 0.9, 0.5], [2, 3]) == {3: 0.9}
    assert report(within([1.0, 0.4, 0.9, 0.5], [2, 3]), 4).startswith("4 pages; the emptiest")
    assert report({}, 1) == "1 pages"
