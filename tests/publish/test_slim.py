"""What no page uses is taken out, and nothing else."""

from descent.publish import slim

SHEET = """/* licence */ .used, .unused { color: red } .unused > b { top: 0 }
@media (min-width: 9px) { .used:not(.unused) { top: 1px } .unused { top: 2px } }
@media print { .unused { top: 3px } }
.w-50\\% { width: 50% } #place, p[class^="x"] { top: 4px }
@font-face { font-family: "Font Awesome 6 Free"; src: url(x) }
@font-face { font-family: "Descent Math"; src: url(y) }
@keyframes turn { to { rotate: 1turn } }
div:is(.unused, .used) { top: 5px }
"""


def test_rules_of_unknown_names_go_and_all_others_stay():
    kept = slim.used_rules(SHEET, {"used"})
    for gone in (".unused{", ".unused >", "2px", "3px", "50%", "#place", "Awesome"):
        assert gone not in kept, gone
    for there in (".used{color: red}", ":not(.unused)", 'p[class^="x"]', "Descent Math",
                  "@keyframes", "5px", "(min-width: 9px)"):  # fmt: skip
        assert there in kept, there
    assert "#place" in slim.used_rules(SHEET, {"place"})


def test_what_only_the_font_of_icons_could_draw_is_not_written():
    """The font goes, and its letters would be empty boxes before a link and after a title."""
    sheet = r""".used::before { color: red; content: "\f019"; margin: 0 }
        .used { --icon: "\f0f3"; --height: 3px; quotes: "«" "»" }"""
    assert slim.used_rules(sheet, {"used"}) == (
        '.used::before{color: red; margin: 0}.used{--height: 3px; quotes: "«" "»"}'
    )


def test_icons_are_drawn_and_keep_what_the_theme_asks_of_them():
    page = slim.with_icons(
        '<script defer src="../_static/scripts/fontawesome.js?digest=1"></script>'
        '<i class="theme-switch fa-solid fa-moon    fa-lg" data-mode="dark"  title="Dark"></i>'
        '<span class="fa-solid fa-bars"></span><i class="fab fa-nosuch"></i><i class="x">y</i>'
    )
    assert "fontawesome" not in page
    assert "fa-" not in page
    assert 'class="theme-switch descent-icon"' in page
    assert 'data-mode="dark"' in page
    assert page.count("<svg") == 3
    assert slim.ICONS["moon"] in page
    assert '<i class="x">y</i>' in page


def test_the_index_of_the_search_is_loaded_where_one_searches():
    page = '<script src="../_static/searchtools.js?v=1"></script><script src="../x.js"></script>'
    assert slim.without_search(page) == '<script src="../x.js"></script>'


def test_a_folder_is_made_light(tmp_path):
    (tmp_path / "_static").mkdir()
    (tmp_path / "index.html").write_text(
        '<p class="used"></p><script src="searchindex.js"></script>'
    )
    (tmp_path / "search.html").write_text('<script src="searchindex.js"></script>')
    (tmp_path / "_static" / "a.css").write_text(".used{top:0}.made{top:1px}.gone{top:2px}")
    (tmp_path / "_static" / "a.js").write_text("e.className = 'made'")
    (tmp_path / "_static" / "fontawesome.js").write_text("gone")
    slim.slim(tmp_path)
    assert (tmp_path / "_static" / "a.css").read_text() == ".used{top:0}.made{top:1px}"
    assert not (tmp_path / "_static" / "fontawesome.js").exists()
    assert "searchindex" not in (tmp_path / "index.html").read_text()
    assert "searchindex" in (tmp_path / "search.html").read_text()
