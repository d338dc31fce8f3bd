"""``python -m descent.publish.pdf``: print the whole book to one PDF.

Sphinx writes the chapters into a single page; a script makes a book of it, with a cover, contents,
running heads, solutions and an index, and Chromium prints it with fonts that lie beside it.
Chromium cannot say on which page a place will be: the book is printed, the pages are read off the
print and filled in, and it is printed again. A figure that left the page before it half empty is
made smaller meanwhile.
"""

from __future__ import annotations

import io
import logging
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

import descent
from descent.files import write_whole
from descent.publish import page_fill, paths, reference
from descent.publish.__main__ import build, exit_status
from descent.publish.finish import WEIGHTS
from descent.publish.render import RenderFailed, sphinx
from descent.publish.site import ids

STYLES = paths.BOOK / "paper"
PDF = paths.BUILD / "descent.pdf"
SUBJECT = "How optimizers move, how they leave local minima, and what optimizing means"
MOST_PRINTS = 6
# Between the margins of a page, in CSS pixels.
WIDTH, HEIGHT = 612, 956
# The same book gives the same file, whenever it is printed.
DATE = "D:20260101000000Z"
_SCRIPT = re.compile(r"<script\b.*?</script>|<noscript\b.*?</noscript>", re.DOTALL)
_WEIGHTS = re.compile(rf"<section id=[^>]*>(?:(?!<section).)*?{WEIGHTS}\s*</section>", re.DOTALL)
_FILL = """(pages) => document.querySelectorAll(".descent-page").forEach(link => {
  link.textContent = pages[link.getAttribute("href").slice(1)] ?? "";
  const shown = [...link.parentElement.querySelectorAll(".descent-page:not([hidden])")];
  link.hidden = shown.some(other => other !== link && other.textContent === link.textContent);
})"""
# Each time a little smaller; true if one of them could still be.
_SMALLER = """(figures) => figures.map(name => document.getElementById(name)).filter(figure => {
  const size = Number(figure?.style.getPropertyValue("--descent-size") || 1);
  if (figure && size > 0.75) figure.style.setProperty("--descent-size", size - 0.12);
  return figure && size > 0.75;
}).length > 0"""
# Whatever is longer than the page, as its style lays it out, is torn.
_TORN = """(height) => [...document.querySelectorAll(".bd-article pre")]
  .filter(box => box.getBoundingClientRect().height > height)
  .map(box => box.textContent.trim().split("\\n")[0])"""
_READY = """async () => {
  await document.fonts.ready;
  await Promise.all([...document.images].map(image => image.decode().catch(() => null)));
}"""


def link_within(page: str) -> str:
    """Turn the links between pages into links within the one page that holds them all."""
    places = ids(page)

    def mended(link: re.Match[str]) -> str:
        folder, name, anchor = link[1] or "", link[2], link[3]
        for place in (anchor, *(f"document-{f}{name}" for f in (folder, "notebooks/", "book/"))):
            if place in places:
                return f'href="#{place}"'
        return link[0]

    return re.sub(r'href="(?:\.\./)?(book/|notebooks/)?([\w-]+)\.html(?:#([^"]*))?"', mended, page)


def fonts(folder: Path) -> None:
    """Put the fonts of the print into a folder: those that Matplotlib brings along."""
    import matplotlib

    known = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    folder.mkdir(parents=True, exist_ok=True)
    sheet = (STYLES / "paper.css").read_text(encoding="utf-8")
    for name in re.findall(r'url\("fonts/([\w-]+\.ttf)"\)', sheet):
        shutil.copyfile(known / name, folder / name)


def for_paper(page: str) -> str:
    """Return a page without its scripts and with the style of the print."""
    head = '<link rel="stylesheet" href="paper.css">\n</head>'
    # Raw HTML in a page below names pictures from there.
    page = page.replace('src="../_static/', 'src="_static/')
    # The sizes of the pages are of no use where there is one.
    page = _WEIGHTS.sub("", page)
    return _SCRIPT.sub("", page).replace("</head>", head, 1)


def single_page() -> Path:
    """Write the staged book as one page, and return where it lies."""
    scratch = paths.BUILD / "single"
    reference.remove(paths.STAGE / "book")
    sphinx(scratch, "--builder", "custom", "--custom-builder", "singlehtml")
    written = scratch / "_build" / "singlehtml"
    # Sphinx names styles and scripts from the top folder, and lays the page into a folder below.
    page = (written / "book" / "intro.html").rename(written / "descent.html")
    write_whole(page, for_paper(link_within(page.read_text(encoding="utf-8"))))
    shutil.copyfile(STYLES / "paper.css", written / "paper.css")
    fonts(written / "fonts")
    return page


def chromium() -> Path | None:
    """Return the system's Chromium, or None for the one that Playwright may have brought."""
    named = os.environ.get("CHROMIUM")
    found = named or shutil.which("chromium") or shutil.which("chromium-browser")
    return Path(found) if found else None


def facts() -> dict[str, Any]:
    """Return what the cover and the contents say of the book."""
    config = yaml.safe_load((paths.BOOK / "_config.yml").read_text(encoding="utf-8"))
    contents = yaml.safe_load((paths.BOOK / "_toc.yml").read_text(encoding="utf-8"))
    return {
        "title": config["title"],
        "author": config["author"],
        "lines": [SUBJECT, config["author"], f"Version {descent.__version__}"],
        "picture": "_static/" + Path(config["logo"]).name,
        "parts": [
            {
                "caption": part["caption"],
                "pages": [c["file"] for c in part["chapters"] if c["file"] != reference.PAGE],
            }
            for part in contents["parts"]
        ],
    }


def pages_of(printed: bytes) -> dict[str, str]:
    """Return the number of the page on which each place of a print is, by the place's id."""
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(printed))
    places = reader.named_destinations.items()
    return {
        name.lstrip("/"): str((reader.get_destination_page_number(place) or 0) + 1)
        for name, place in places
    }


def finished(
    printed: bytes, entries: Sequence[Mapping[str, Any]], about: Mapping[str, Any]
) -> bytes:
    """Return a print with its outline, title, author and subject, and no date.

    Parameters
    ----------
    printed
        A PDF.
    entries
        Of the outline: ``title``, ``place`` (an id) and ``level``, which begins with 1.
    about
        Its ``title`` and ``author``.
    """
    from pypdf import PdfReader, PdfWriter

    # Chromium's trailer counts some objects too few; pypdf says so, and copies them all.
    logging.getLogger("pypdf._writer").addFilter(
        lambda record: not record.getMessage().startswith("Object count")
    )
    pages = pages_of(printed)
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(printed)))
    above: list[Any] = []
    for entry in entries:
        if entry["place"] in pages:
            above = above[: entry["level"] - 1]
            parent = above[-1] if above else None
            number = int(pages[entry["place"]]) - 1
            above.append(
                writer.add_outline_item(title=entry["title"], page_number=number, parent=parent)
            )
    writer.metadata = {
        "/Title": about["title"],
        "/Author": about["author"],
        "/Subject": SUBJECT,
        "/CreationDate": DATE,
        "/ModDate": DATE,
    }
    whole = io.BytesIO()
    writer.write(whole)
    return whole.getvalue()


def print_page(page: Path, target: Path, about: Mapping[str, Any] | None = None) -> str:
    """Print a page as a book: cover, contents, running heads, solutions, index, outline.

    Parameters
    ----------
    page
        All chapters on one page, formulas typeset.
    target
        The PDF to write; it appears only when it is whole.
    about
        What :func:`facts` returns, which is the default.

    Returns
    -------
    str
        What was measured on the print.

    Raises
    ------
    RenderFailed
        If there is no Chromium, the numbers of the pages do not settle, or a box of code is
        longer than a page.
    """
    from playwright.sync_api import Error, sync_playwright

    about = facts() if about is None else about
    with sync_playwright() as started:
        try:
            browser = started.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        except Error as error:
            raise RenderFailed(
                "the PDF is printed by Chromium, and none was found: install the package "
                f"chromium, or name it in CHROMIUM\n{str(error).splitlines()[0]}"
            ) from error
        sheet = browser.new_page(color_scheme="light")
        sheet.set_default_timeout(300_000)
        sheet.goto(page.as_uri())
        script = (STYLES / "paper.js").read_text(encoding="utf-8")
        entries = sheet.evaluate(script, about)
        sheet.evaluate(_READY)
        known: dict[str, str] = {}
        for left in reversed(range(MOST_PRINTS)):
            printed = sheet.pdf(prefer_css_page_size=True, print_background=True, tagged=True)
            settled = known == (known := pages_of(printed))
            fills = page_fill.filled(printed)
            tops = [one["place"] for one in entries if one["level"] == 1]
            inside = page_fill.within(
                fills, [2, *(int(known[top]) for top in tops if top in known)]
            )
            poor = [number for number, fill in inside.items() if fill < page_fill.LEAST]
            above = [page_fill.figure_at_the_top(printed, number + 1) for number in poor]
            # The last prints are for the numbers of the pages alone.
            shrunk = left > 1 and sheet.evaluate(_SMALLER, [name for name in above if name])
            if settled and not shrunk:
                break
            sheet.evaluate(_FILL, known)
        else:
            raise RenderFailed("the numbers of the pages in the contents do not settle")
        sheet.emulate_media(media="print")
        sheet.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        torn = sheet.evaluate(_TORN, HEIGHT)
        browser.close()
    if torn:
        raise RenderFailed("code longer than a page, which would be torn:\n" + "\n".join(torn))
    write_whole(target, finished(printed, entries, about))
    return page_fill.report(inside, len(fills))


def print_book() -> None:
    """Make the book and print it; errors are those of its parts."""
    build()
    print("printing ...", flush=True)
    measured = print_page(single_page(), PDF)
    print(f"The PDF lies at {PDF} ({measured}; no box of code is torn)")


def main() -> int:
    """Make the book, print it and return the exit status."""
    return exit_status(print_book)


if __name__ == "__main__":
    sys.exit(main())
