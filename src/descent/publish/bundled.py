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
    package: str  # or the version, of what comes with this library
    licence: str
    text: str  # pattern of the file with the licence, in the package or in ``vendor`` beside this


VENDOR = "vendor/"
OWN = "*.dist-info/licenses/LICENSE"
PARTS = (
    Part("Temml", "formulas as MathML, and their style", "0.13.5", "MIT", "vendor/temml.txt"),
    Part("STIX Two Math", "font of the formulas, reduced to what they use", "2.12", "OFL-1.1",
         "vendor/stix-two-math.txt"),
    Part("Sphinx Book Theme", "layout", "sphinx-book-theme", "BSD-3-Clause", OWN),
    Part("PyData Sphinx Theme", "layout", "pydata-sphinx-theme", "BSD-3-Clause", OWN),
    Part("Bootstrap", "buttons and menus", "pydata-sphinx-theme", "MIT",
         "scripts/bootstrap.js.LICENSE.txt"),
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
    if part.text.startswith(VENDOR):
        return (Path(__file__).parent / part.text).read_text(encoding="utf-8")
    for file in distribution(part.package).files or []:
        if file.match(part.text):
            return Path(str(file.locate())).read_text(encoding="utf-8")
    raise FileNotFoundError(f"package {part.package} has no file {part.text}")


def origin(part: Part) -> str:
    """Return the package and the version of a part, or the version alone of a vendored one."""
    if part.text.startswith(VENDOR):
        return part.package
    return f"{part.package} {distribution(part.package).version}"


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
        f"<td>{origin(part)}</td>"
        f'<td><a href="../_static/licences/{file_name(part)}">{part.licence}</a></td></tr>'
        for part in PARTS
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Part", "For", "From", "Licence"))
    return (
        '<div class="pst-scrollable-table-container"><table class="table">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
