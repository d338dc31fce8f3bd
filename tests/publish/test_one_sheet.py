"""All style sheets of a page become one, which says the same."""

import pytest

from descent.publish.one_sheet import one_sheet

HEAD = (
    '<head><link href="{0}_static/styles/a.css?digest=1" rel="stylesheet" />\n<title>T</title>\n'
    '<link rel="stylesheet" type="text/css" href="{0}_static/b.css" />\n'
    '<link rel="icon" href="{0}_static/i.svg"><script src="s.js"></script></head>'
)


@pytest.fixture
def html(tmp_path):
    for folder in ("_static/styles", "book"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "_static/basic.css").write_text("p{background:url(file.png)}")
    (tmp_path / "_static/styles/a.css").write_text(
        '@charset "UTF-8"; @import "../basic.css"; b{background:url("../f.woff")}'
    )
    (tmp_path / "_static/b.css").write_text('i{background:url("data:image/svg+xml,x")}')
    (tmp_path / "index.html").write_text(HEAD.format(""))
    (tmp_path / "book" / "one.html").write_text(HEAD.format("../"))
    return tmp_path


def test_pages_share_one_sheet_in_the_order_of_the_links(html):
    one_sheet(html)
    (sheet,) = (html / "_static").glob("pages-*.css")
    assert sheet.read_text().split() == [
        "p{background:url(file.png)}",
        'b{background:url("f.woff")}',
        'i{background:url("data:image/svg+xml,x")}',
    ]
    for name, up in (("index.html", ""), ("book/one.html", "../")):
        page = (html / name).read_text()
        assert page.count('rel="stylesheet"') == 1
        assert f'href="{up}_static/{sheet.name}"' in page
        assert f'<link rel="icon" href="{up}_static/i.svg"><script src="s.js"></script>' in page
        assert "<title>T</title>" in page


def test_a_page_with_other_sheets_has_one_of_its_own(html):
    (html / "book" / "two.html").write_text(HEAD.format("../").replace("b.css", "basic.css"))
    one_sheet(html)
    assert len(list((html / "_static").glob("pages-*.css"))) == 2


def test_a_sheet_for_paper_alone_is_not_taken_for_one_for_all(html):
    page = html / "index.html"
    page.write_text(
        page.read_text().replace('rel="stylesheet" ', 'rel="stylesheet" media="print" ')
    )
    with pytest.raises(ValueError, match="some media"):
        one_sheet(html)
