"""Inline TeX as text: the formulas of labels and captions without a typesetter.

A caption or an axis label may hold simple formulas between dollar signs, such
as ``step size $T$`` or ``$10^{-3}$``.  They become italic letters, sub- and
superscripts of the page's own font, which reads the same in a browser without
scripts, in a live notebook, and in a figure. A formula that needs more, a
fraction for instance, belongs into the text of the page, and is an error here:
nobody is shown TeX, or has it read out.
"""

import re
import unicodedata
from collections.abc import Iterator
from html import escape
from typing import NamedTuple

__all__ = ["Run", "runs", "to_html", "to_plain", "to_svg"]

_SYMBOLS = {
    **{"times": "×", "cdot": "·", "pm": "±", "to": "→", "rightarrow": "→", "le": "≤"},
    **{"leq": "≤", "ge": "≥", "geq": "≥", "neq": "≠", "ne": "≠", "approx": "≈", "sim": "∼"},
    **{"infty": "∞", "partial": "∂", "nabla": "∇", "sum": "∑", "prod": "∏", "int": "∫"},
    **{"in": "∈", "ell": "ℓ", "ldots": "…", "dots": "…", "mid": "|", "propto": "∝", "ll": "≪"},
    **{"gg": "≫", "equiv": "≡", "star": "⋆", "ast": "∗", "langle": "⟨", "rangle": "⟩"},
    **{"varepsilon": "ε", "epsilon": "ϵ", "varphi": "φ", "phi": "ϕ", "prime": "′", "circ": "∘"},
    **{
        "vartheta": "ϑ",
        "varrho": "ϱ",
        "lvert": "|",
        "rvert": "|",
        "lVert": "‖",
        "rVert": "‖",
        "|": "‖",
        "{": "{",
        "}": "}",
        "%": "%",
        "$": "$",
        "_": "_",
    },
}
_SPACES = {",": "\u2009", ";": "\u2005", ":": "\u2005", " ": " ", "!": "", "quad": "\u2003"}
_WORDS = re.compile("log|ln|exp|sin|cos|tan|tanh|sinh|cosh|max|min|inf|sup|lim|det|Pr|arg")
_ACCENTS = {"bar": "\u0304", "hat": "\u0302", "tilde": "\u0303", "dot": "\u0307", "ddot": "\u0308"}
_ALPHABETS = {"mathcal": "SCRIPT", "mathbb": "DOUBLE-STRUCK"}
_FIRST_OF_THE_ALPHABETS = "\U0001d400"
_UPRIGHT = frozenset(("mathrm", "text", "operatorname", "mathdefault", "textrm"))
_RELATIONS = frozenset("=<>≤≥≈∼→≠≡∝∈≪≫+−×±·∘")
_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\S|\s+")
_MATH = re.compile(r"(?<!\\)\$((?:[^$\\]|\\.)+)\$")


class Run(NamedTuple):
    """A stretch of text in one style; level is -1 for a subscript, +1 for a superscript."""

    text: str
    italic: bool = False
    level: int = 0


class _TooHardError(ValueError):
    """The formula needs a typesetter."""


def _letter(alphabet: str, letter: str) -> str:
    """Return a capital of one of the alphabets of mathematics."""
    for prefix in ("MATHEMATICAL ", ""):  # some are older than the others, and named otherwise
        try:
            return unicodedata.lookup(f"{prefix}{alphabet} CAPITAL {letter}")
        except KeyError:
            continue
    raise _TooHardError(letter)


def _greek(name: str) -> str | None:
    case = "CAPITAL" if name[0].isupper() else "SMALL"
    spelled = "LAMDA" if name.lower() == "lambda" else name.upper()
    try:
        return unicodedata.lookup(f"GREEK {case} LETTER {spelled}")
    except KeyError:
        return None


def _group(tokens: list[str]) -> list[str]:
    """Pop one argument: a brace group without its braces, or a single token."""
    while tokens and tokens[0].isspace():
        tokens.pop(0)
    if not tokens:
        raise _TooHardError("an argument is missing")
    if tokens[0] != "{":
        token = tokens.pop(0)
        takes = token[1:] in _UPRIGHT or token[1:] in _ALPHABETS
        return [token, "{", *_group(tokens), "}"] if takes else [token]
    depth, inner = 0, []
    while tokens:
        token = tokens.pop(0)
        depth += (token == "{") - (token == "}")
        inner.append(token)
        if depth == 0:
            return inner[1:-1]
    raise _TooHardError("a brace is not closed")


def _atoms(tokens: list[str], level: int, upright: bool) -> Iterator[Run]:
    binary = False  # whether an operator here would stand between two operands
    after_word = False  # whether a thin space is due, as between log and its argument
    while tokens:
        token = tokens.pop(0)
        name = token[1:] if token.startswith("\\") else ""
        if after_word and token not in "_^" and not token.isspace():
            after_word = False
            if token != "(":
                yield Run("\u2009", False, level)
        if token in "_^":
            if level:
                raise _TooHardError("scripts of scripts")
            yield from _atoms(_group(tokens), -1 if token == "_" else 1, upright)
            binary = True
        elif token == "{":
            tokens.insert(0, token)
            yield from _atoms(_group(tokens), level, upright)
            binary = True
        elif name in _UPRIGHT:
            yield from _atoms(_group(tokens), level, True)
            binary = True
        elif name in _ALPHABETS:
            for letter in _group(tokens):
                yield Run(_letter(_ALPHABETS[name], letter), False, level)
            binary = True
        elif name == "sqrt":
            root = list(_atoms(_group(tokens), level, upright))
            if len(root) != 1 or len(root[0].text) != 1:
                raise _TooHardError("a root of more than one letter")
            yield Run("√", False, level)
            yield from root
            binary = True
        elif name in _ACCENTS:
            base = list(_atoms(_group(tokens), level, upright))
            if len(base) != 1 or len(base[0].text) != 1:
                raise _TooHardError("an accent over more than one letter")
            yield Run(base[0].text + _ACCENTS[name], base[0].italic, level)
            binary = True
        elif _WORDS.fullmatch(name):
            yield Run(("\u2009" if binary else "") + name, False, level)
            binary, after_word = False, True
        elif name in _SPACES:
            yield Run(_SPACES[name], False, level)
        elif token.isspace():
            if upright:
                yield Run(" ", False, level)
        else:
            if name in ("left", "right"):
                continue
            symbol = (_SYMBOLS.get(name) or _greek(name)) if name else token.replace("-", "−")
            if symbol is None:
                raise _TooHardError(token)
            if symbol in _RELATIONS:
                spaced = binary and not level
                yield Run(f"\u2005{symbol}\u2005" if spaced else symbol, False, level)
                binary = False
            else:
                italic = not upright and symbol.isalpha() and symbol not in "∂∇∞ℓ"
                yield Run(symbol, italic, level)
                binary = symbol not in "([,|"


def runs(formula: str) -> list[Run] | None:
    r"""Split a formula into stretches of text of one style.

    Parameters
    ----------
    formula : str
        TeX without the dollar signs.

    Returns
    -------
    list of Run or None
        None when the formula needs a typesetter (fractions, roots, scripts of scripts).

    Examples
    --------
    >>> runs(r"w_0")
    [Run(text='w', italic=True, level=0), Run(text='0', italic=False, level=-1)]
    >>> runs(r"\frac{1}{2}") is None
    True
    """
    merged: list[Run] = []
    try:
        for run in _atoms(_TOKEN.findall(formula), 0, False):
            if merged and merged[-1][1:] == run[1:]:
                merged[-1] = run._replace(text=merged[-1].text + run.text)
            elif run.text:
                merged.append(run)
    except _TooHardError:
        return None
    return merged


def _pieces(text: str) -> Iterator[tuple[str, list[Run] | None]]:
    """Cut a text into plain pieces (a single run) and formulas (runs, or None)."""
    for index, piece in enumerate(_MATH.split(text)):
        if index % 2:
            yield piece, runs(piece)
        elif piece:
            # A number's hyphen is a minus sign.
            yield piece, [Run(re.sub(r"(?<![\w.)])-(?=\.?\d)", "−", piece.replace(r"\$", "$")))]


def _found(text: str) -> Iterator[list[Run]]:
    for piece, found in _pieces(text):
        if found is None:
            raise ValueError(
                f"the formula ${piece}$ is too hard for a caption, a label or an alternative "
                f"text: write it in words, or in the text of the page; in {text!r}"
            )
        yield found


def to_html(text: str) -> str:
    r"""Write a text with formulas as HTML.

    Raises
    ------
    ValueError
        If a formula needs a typesetter.

    Examples
    --------
    >>> to_html("step size $T < 10^{-3}$")
    'step size <i>T</i>\u2005&lt;\u200510<sup>−3</sup>'
    """
    parts = []
    for found in _found(text):
        for run in found:
            html = escape(run.text, quote=False)
            html = f"<i>{html}</i>" if run.italic else html
            tag = {-1: "sub", 0: "", 1: "sup"}[run.level]
            parts.append(f"<{tag}>{html}</{tag}>" if tag else html)
    return "".join(parts)


def to_plain(text: str) -> str:
    r"""Write a text with formulas for the ear and the terminal.

    Raises
    ------
    ValueError
        If a formula needs a typesetter.

    Examples
    --------
    >>> to_plain("$w_0$ is $10^{-3}$, $\\mathcal{W}$")
    'w_0 is 10^−3, W'
    """
    marks = {-1: "_", 0: "", 1: "^"}
    return "".join(
        marks[run.level] + "".join(map(_said, run.text)) for found in _found(text) for run in found
    )


def _said(letter: str) -> str:
    """Return the plain letter for one of an alphabet of mathematics, which voices spell out."""
    return unicodedata.normalize("NFKC", letter) if letter >= _FIRST_OF_THE_ALPHABETS else letter


def to_svg(text: str) -> str | None:
    """Write a text with formulas as the content of an SVG text element.

    Returns
    -------
    str or None
        None when a formula needs a typesetter, or letters that a reader's fonts may lack.

    Examples
    --------
    >>> to_svg("size $T$")
    "size <tspan font-style='italic'>T</tspan>"
    """
    parts, height = [], 0.0  # height of the pen over the base line, in em of the text
    for _, found in _pieces(text):
        if found is None:
            return None
        for run in found:
            if max(run.text) >= _FIRST_OF_THE_ALPHABETS:  # few fonts have these
                return None
            attributes = " font-style='italic'" if run.italic else ""
            size = 0.7 if run.level else 1.0
            target = {-1: -0.2, 0: 0.0, 1: 0.36}[run.level]
            if run.level:
                attributes += " font-size='70%'"
            if target != height:
                attributes += f" dy='{(height - target) / size:.3g}em'"
                height = target
            content = escape(run.text, quote=False)
            parts.append(f"<tspan{attributes}>{content}</tspan>" if attributes else content)
    return "".join(parts)
