"""What is written into the pages after Sphinx, and what goes along with them."""

import zipfile
from pathlib import Path

import pytest
import yaml
from fontTools.ttLib import TTFont
from PIL import Image

import descent
from descent.publish import archive, bundled, finish, paths, pdf, policy, render, site

PAGE = (
    '<html><head><title>T</title></head><body><h1>T</h1><h2>Contents</h2><p>On paper.</p>'
    '<h1>The <em>pit</em><a class="headerlink" href="#pit">#</a></h1>{}</body></html>'
)  # fmt: skip
TEXT = "<p>A step of \\(T &lt; 1\\) is short. <b>Then</b> more.</p>"
ADDRESS = "https://example.org/descent/"


def test_a_page_is_described_by_its_first_sentence():
    assert finish.description(PAGE.format(TEXT)) == "A step of T < 1 is short."
    assert finish.description(PAGE.format(f"<dl><dt>x</dt></dl>{TEXT}")) == ""
    assert finish.description(TEXT) == ""


def test_previews_name_an_address_and_a_picture_only_if_there_is_one():
    page = PAGE.format(TEXT)
    bare = finish.preview(page, "book/pit.html", None)
    assert '<meta property="og:title" content="The pit" />' in bare
    assert '<meta name="description" content="A step of T &lt; 1 is short." />' in bare
    assert 'name="twitter:card" content="summary"' in bare
    assert "og:image" not in bare
    assert "http" not in bare
    full = finish.preview(page, "book/pit.html", ADDRESS)
    assert f'property="og:image" content="{ADDRESS}_static/preview.png"' in full
    assert f'property="og:url" content="{ADDRESS}book/pit.html"' in full
    assert "summary_large_image" in full
    assert finish.preview("<title></title>", "x.html", ADDRESS) == "<title></title>"


def test_the_picture_has_the_size_that_the_pages_state():
    with Image.open(paths.BOOK / finish.IMAGE) as picture:
        assert picture.size == finish.IMAGE_SIZE
    assert (paths.BOOK / finish.IMAGE).stat().st_size < 50_000


def test_the_public_address_comes_from_the_environment(monkeypatch):
    monkeypatch.delenv("DESCENT_BOOK_URL", raising=False)
    assert finish.public_address() is None
    monkeypatch.setenv("DESCENT_BOOK_URL", ADDRESS.rstrip("/"))
    assert finish.public_address() == ADDRESS
    text = (paths.BOOK / "_config.yml").read_text()
    config = yaml.safe_load(render.configuration(text, None, ADDRESS))
    assert config["sphinx"]["config"]["html_baseurl"] == ADDRESS


@pytest.mark.parametrize("wrong", ["example.org", "file:///x", "https://example.org/?a=1"])
def test_a_wrong_public_address_is_refused(monkeypatch, wrong):
    monkeypatch.setenv("DESCENT_BOOK_URL", wrong)
    with pytest.raises(ValueError, match=r"DESCENT_BOOK_URL must be .* got"):
        finish.public_address()
    with pytest.raises(render.RenderFailed, match="DESCENT_BOOK_URL"):
        render.render({})


def test_terms_have_their_place_and_their_first_sentence():
    page = (
        '<dl><dt id="term-Ito">Itô<a class="headerlink" href="#term-Ito">#</a></dt>'
        "<dd><p>A calculus. Its current.</p></dd><dt>other</dt><dd>x</dd></dl>"
    )
    (term,) = finish.terms(page)
    assert term == {"term": "Itô", "place": "book/glossary.html#term-Ito", "meaning": "A calculus."}


def test_every_licence_that_the_table_names_is_there(tmp_path):
    bundled.write_licences(tmp_path)
    names = [bundled.file_name(part) for part in bundled.PARTS]
    assert len(set(names)) == len(names)
    for part, name in zip(bundled.PARTS, names, strict=True):
        text = (tmp_path / name).read_text()
        key = "BSD" if part.name == "Sphinx" else part.licence.partition("-")[0].split()[-1]
        words = {"OFL": "SIL Open Font License", "BSD": "Redistribution and use", "MIT": "MIT"}
        assert words[key] in text, part
        assert f"licences/{name}" in bundled.table()
    missing = bundled.PARTS[-1]._replace(text="*/no-such-file")
    with pytest.raises(FileNotFoundError, match="no-such-file"):
        bundled.licence_text(missing)


def test_no_version_of_a_vendored_part_is_typed_wrong():
    versions = {part.name: part.package for part in bundled.PARTS}
    script = (Path(bundled.__file__).parent / "vendor" / "temml.min.js").read_text("utf-8")
    assert f'version="{versions["Temml"]}"' in script or f'"{versions["Temml"]}"' in script
    font = TTFont(paths.BOOK / "_static" / "stix-two-math.woff")
    assert versions["STIX Two Math"] in font["name"].getDebugName(5)
    assert "MATH" in font


def test_an_archive_does_not_depend_on_times_or_on_the_order_of_writing(tmp_path):
    for folder, order in (("one", "ba"), ("two", "ab")):
        (tmp_path / folder / "sub").mkdir(parents=True)
        for name in order:
            (tmp_path / folder / "sub" / f"{name}.html").write_text(name)
    (tmp_path / "two" / ".made-from").write_text("x")
    files = [tmp_path / f"{name}.zip" for name in ("one", "two")]
    for file in files:
        archive.archive(tmp_path / file.stem, file)
    assert files[0].read_bytes() == files[1].read_bytes()
    with zipfile.ZipFile(files[0]) as packed:
        assert packed.namelist() == ["descent/sub/a.html", "descent/sub/b.html"]
        assert {entry.date_time[0] for entry in packed.infolist()} == {1980}
    (tmp_path / "two" / "sub" / "a.html").write_text("other")
    archive.archive(tmp_path / "two", files[1])
    assert files[0].read_bytes() != files[1].read_bytes()


MENU = '<select data-filter="source"><option value="">all</option><option value="003"></select>'


@pytest.mark.parametrize(
    ("anchor", "sound"), [("source=003", True), ("source=005", False), ("verdict=003", False)]
)
def test_an_anchor_may_be_a_choice_that_the_page_offers(tmp_path, anchor, sound):
    link = f'<a href="two.html#{anchor}">x</a>'
    for name, text in (("one", link), ("two", MENU)):
        (tmp_path / f"{name}.html").write_text(policy.with_policy(text))
    assert (site.complaints(tmp_path) == []) is sound


def test_citation_says_what_the_project_says():
    citation = yaml.safe_load((paths.ROOT / "CITATION.cff").read_text())
    assert citation["license"] == "MIT"
    assert (paths.ROOT / "LICENSE").read_text().startswith("MIT License")
    assert citation["version"] == descent.__version__


@pytest.mark.parametrize(
    ("link", "place"),
    [
        ("../notebooks/01-a.html#claim-x", "#claim-x"),
        ("book/intro.html#claim-x", "#claim-x"),
        ("../notebooks/01-a.html", "#document-notebooks/01-a"),
        ("claims.html#source=003", "#document-book/claims"),
        ("../notebooks/02-b.html#claim-y", "../notebooks/02-b.html#claim-y"),
        ("https://example.org/01-a.html", "https://example.org/01-a.html"),
    ],
)
def test_links_of_the_printed_book_stay_within_it(link, place):
    ids = ("document-notebooks/01-a", "document-book/claims", "claim-x")
    page = "".join(f'<span id="{name}"></span>' for name in ids)
    assert pdf.link_within(f'{page}<a href="{link}">') == f'{page}<a href="{place}">'
