"""What the pages carry of others, and under which licences.

The texts of the licences come from the installed packages and go with the pages.
"""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

from descent.files import write_whole


class Part(NamedTuple):
    """Files of another project that lie among the pages."""

    name: str
    purpose: str
    package: str
    licence: str
    text: str  # pattern of the file with the licence, after the package that has it


OWN = "*.dist-info/licenses/LICENSE"
PARTS = (
    Part("MathJax", "formulas and their fonts", "sphinx-mathjax-offline", "Apache-2.0",
         f"requests:{OWN}"),
    Part("Sphinx Book Theme", "layout", "sphinx-book-theme", "BSD-3-Clause", OWN),
    Part("PyData Sphinx Theme", "layout", "pydata-sphinx-theme", "BSD-3-Clause", OWN),
    Part("Bootstrap", "buttons and menus", "pydata-sphinx-theme", "MIT",
         "scripts/bootstrap.js.LICENSE.txt"),
    Part("Font Awesome Free", "icons", "pydata-sphinx-theme",
         "icons CC-BY-4.0, fonts OFL-1.1, code MIT", "scripts/fontawesome.js.LICENSE.txt"),
    Part("Sphinx", "search and basic style", "sphinx", "BSD-2-Clause", "*.dist-info/LICENSE.rst"),
    Part("Pygments", "colours of the code", "pygments", "BSD-2-Clause", OWN),
    Part("MyST-NB", "style of the cells", "myst-nb", "BSD-3-Clause", OWN),
    Part("sphinx-copybutton", "copying, with clipboard.js", "sphinx-copybutton", "MIT",
         "*.dist-info/LICENSE"),
    Part("sphinx-togglebutton", "folding", "sphinx-togglebutton", "MIT", OWN),
    Part("sphinx-design", "tabs and cards", "sphinx-design", "MIT", OWN),
)  # fmt: skip


def licence_text(part: Part) -> str:
    """Return the text of the licence of a part, from the files of an installed package.

    Raises
    ------
    FileNotFoundError
        If the package has no such file.
    """
    package, _, pattern = part.text.rpartition(":")
    for file in distribution(package or part.package).files or []:
        if file.match(pattern):
            return Path(str(file.locate())).read_text(encoding="utf-8")
    raise FileNotFoundError(f"package {package or part.package} has no file {pattern}")


def file_name(part: Part) -> str:
    """Return the name of the file with the licence of a part."""
    return part.name.replace(" ", "-").lower() + ".txt"


def write_licences(folder: Path) -> None:
    """Write the texts of all licences into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        write_whole(folder / file_name(part), licence_text(part))


def table() -> str:
    """Return the table of the parts with their licences, as HTML."""
    rows = "".join(
        f"<tr><td>{part.name}</td><td>{part.purpose}</td>"
        f"<td>{part.package} {distribution(part.package).version}</td>"
        f'<td><a href="../_static/licences/{file_name(part)}">{part.licence}</a></td></tr>'
        for part in PARTS
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Part", "For", "From", "Licence"))
    return (
        '<div class="pst-scrollable-table-container"><table class="table">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
