"""``python -m descent.publish.pdf``: print the whole book to one PDF.

Sphinx writes the chapters into a single page, and Chromium prints it: explorers stand as
stills of their default state, solutions are open, and contents and references are links.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from descent.files import write_whole
from descent.publish import paths
from descent.publish.__main__ import build, exit_status
from descent.publish.render import RenderFailed, sphinx

PDF = paths.BUILD / "descent.pdf"
FOOTER = (
    '<div style="font-size:8px; width:100%; text-align:center; color:#555">'
    '<span class="pageNumber"></span></div>'
)


def link_within(page: str) -> str:
    """Turn the links between pages into links within the one page that holds them all."""
    places = set(re.findall(r'\bid="([^"]+)"', page))

    def mended(link: re.Match[str]) -> str:
        folder, name, anchor = link[1] or "book/", link[2], link[3]
        for place in (anchor, f"document-{folder}{name}"):
            if place in places:
                return f'href="#{place}"'
        return link[0]

    return re.sub(r'href="(?:\.\./)?(book/|notebooks/)?([\w-]+)\.html(?:#([^"]*))?"', mended, page)


def single_page() -> Path:
    """Write the staged book as one page, and return where it lies."""
    scratch = paths.BUILD / "single"
    sphinx(scratch, "--builder", "custom", "--custom-builder", "singlehtml")
    written = scratch / "_build" / "singlehtml"
    # Sphinx names styles and scripts from the top folder, and lays the page into a folder below.
    page = (written / "book" / "intro.html").rename(written / "descent.html")
    write_whole(page, link_within(page.read_text(encoding="utf-8")))
    return page


def chromium() -> Path | None:
    """Return the system's Chromium, or None for the one that Playwright may have brought."""
    named = os.environ.get("CHROMIUM")
    found = named or shutil.which("chromium") or shutil.which("chromium-browser")
    return Path(found) if found else None


def print_page(page: Path, target: Path) -> None:
    """Print an HTML page, formulas typeset and solutions open, to a PDF with an outline.

    Raises
    ------
    RenderFailed
        If there is no Chromium.
    """
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as started:
        try:
            browser = started.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        except Error as error:
            raise RenderFailed(
                "the PDF is printed by Chromium, and none was found: install the package "
                f"chromium, or name it in CHROMIUM\n{str(error).splitlines()[0]}"
            ) from error
        sheet = browser.new_page(color_scheme="light")
        sheet.goto(page.as_uri())
        sheet.evaluate(
            "document.querySelectorAll('.tag_hide-cell details').forEach(d => d.open = true)"
        )
        if sheet.query_selector("script[src*=mathjax]"):
            sheet.wait_for_function("window.MathJax?.startup?.promise")
            sheet.evaluate("MathJax.startup.promise.then(() => true)")
        printed = sheet.pdf(
            format="A4",
            margin={"top": "18mm", "bottom": "20mm", "left": "17mm", "right": "17mm"},
            scale=0.85,
            outline=True,
            tagged=True,
            print_background=True,
            display_header_footer=True,
            header_template="<div></div>",
            footer_template=FOOTER,
        )
        browser.close()
    write_whole(target, printed)


def print_book() -> None:
    """Make the book and print it; errors are those of its parts."""
    build()
    print("printing ...", flush=True)
    print_page(single_page(), PDF)
    print(f"The PDF lies at {PDF}")


def main() -> int:
    """Make the book, print it and return the exit status."""
    return exit_status(print_book)


if __name__ == "__main__":
    sys.exit(main())
