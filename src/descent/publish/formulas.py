"""Typeset the formulas of the pages while the book is made: TeX becomes MathML.

Browsers draw MathML and screen readers read it, with no script in the page. The work is done
by Temml, a library of JavaScript, in the Node.js that comes with Playwright: nothing has to be
installed by hand. This module is also a Sphinx extension, named in ``book/_config.yml``.
"""

from __future__ import annotations

import json
import re
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.locale import _ as translated
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

from descent.files import write_whole

VENDOR = Path(__file__).parent / "vendor"
STYLES = "formulas.css"
_STYLE = re.compile(r' (?:class="([^"]*)" )?style="([^"]*)"')

_logger = logging.getLogger(__name__)


class FormulaError(ValueError):
    """A formula is no TeX that can be typeset."""


def node() -> str:
    """Return the path of the Node.js that Playwright brings along."""
    from playwright._impl._driver import compute_driver_executable  # there is no public way

    return compute_driver_executable()[0]


class Typesetter:
    """A process that turns TeX into MathML, until it is closed.

    Attributes
    ----------
    rules : dict
        Declarations of CSS by the names of the classes that the formulas so far ask for.

    Examples
    --------
    >>> with Typesetter() as typesetter:
    ...     typesetter.mathml("T^2")
    '<math><msup><mi>T</mi><mn class="tml-med-pad">2</mn></msup></math>'
    """

    def __init__(self) -> None:
        self.rules: dict[str, str] = {}
        self._process = subprocess.Popen(
            [node(), str(VENDOR / "typeset.js")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def __enter__(self) -> Typesetter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def mathml(self, tex: str, *, display: bool = False) -> str:
        """Return a formula as MathML without ``style`` attributes; they become classes.

        Parameters
        ----------
        tex : str
            The formula, without dollar signs.
        display : bool
            Whether it stands on lines of its own.

        Raises
        ------
        FormulaError
            If Temml does not know a command, or the formula is not complete.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"tex": tex, "display": display}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            reason = " ".join(answer["error"].replace("\u0332", "").split())
            raise FormulaError(f"{reason}, in the formula {tex!r}")
        return _STYLE.sub(self._classes, answer["mathml"])

    def _classes(self, found: re.Match[str]) -> str:
        name = "tml-" + sha256(found[2].encode()).hexdigest()[:8]
        self.rules[name] = found[2]
        return f' class="{" ".join(filter(None, (found[1], name)))}"'

    def stylesheet(self) -> str:
        """Return the rules of all classes so far, in an order that does not depend on theirs."""
        return "".join(f".{name} {{ {rule} }}\n" for name, rule in sorted(self.rules.items()))


def rows(tex: str) -> str:
    r"""Return a formula of several lines as TeX that aligns them; others as they are.

    Examples
    --------
    >>> print(rows(r"a &= b \\ c &= d"))
    \begin{aligned}a &= b \\ c &= d\end{aligned}
    """
    several = r"\\" in tex and not re.match(r"\s*\\begin\{", tex)
    return rf"\begin{{aligned}}{tex}\end{{aligned}}" if several else tex


def _typeset(writer: Any, source: nodes.Node, tex: str, *, display: bool = False) -> str:
    try:
        return str(writer.builder.app.typesetter.mathml(tex, display=display))
    except FormulaError as error:
        _logger.warning("%s", error, location=source)
        return ""


def _inline(writer: Any, source: nodes.math) -> None:
    mathml = _typeset(writer, source, source.astext())
    writer.body.append(f'<span class="math notranslate">{mathml}</span>')
    raise nodes.SkipNode


def _display(writer: Any, source: nodes.math_block) -> None:
    writer.body.append(writer.starttag(source, "div", CLASS="math notranslate"))
    if source["number"]:
        number = get_node_equation_number(writer, source)
        writer.body.append(f'<span class="eqno">({number})')
        writer.add_permalink_ref(source, translated("Link to this equation"))
        writer.body.append("</span>")
    writer.body.append(_typeset(writer, source, rows(source.astext()), display=True) + "</div>\n")
    raise nodes.SkipNode


def _open(app: Any) -> None:
    app.typesetter = Typesetter()


def _close(app: Any, error: Exception | None) -> None:
    app.typesetter.close()
    sheet = Path(app.outdir) / "_static" / STYLES
    if error is None and sheet.exists():
        text = sheet.read_text(encoding="utf-8").partition("\n/* Of the formulas")[0]
        write_whole(sheet, f"{text}\n/* Of the formulas */\n{app.typesetter.stylesheet()}")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer ``temml`` with Sphinx."""
    app.add_html_math_renderer("temml", (_inline, None), (_display, None))
    app.connect("builder-inited", _open)
    app.connect("build-finished", _close)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
