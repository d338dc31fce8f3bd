"""Number what sentences refer to, and let them do so by number and link.

Sphinx numbers chapters and sections. Figures, explorers, tables, formulas, theorems, exercises
and claims come out of a notebook's cells, which Sphinx does not look into: they are numbered
here, in the order of the chapter. A sentence refers to one of them by a link to its cell,
``[the table](#cell-id=db0c4251)``, which JupyterLab follows, too; the page has "table 2.1" in its
place. "Chapter 7" and "exercise 2 of chapter 1" become links by themselves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from docutils.nodes import make_id

from descent.publish.left_out import is_unrun

__all__ = ["Numbers", "claim_numbers", "linked_chapters", "numbered"]

_FORMULA = re.compile(
    r"^ *\$\$\n.+?^ *\$\$(?: *\((?P<label>[^)\s]+)\))?(?=[ \t]*$)"
    r"|^ *\$\$[^$\n]+\$\$ *\((?P<alone>[^)\s]+)\)(?=[ \t]*$)",
    re.MULTILINE | re.DOTALL,
)
_TABLE = re.compile(r"(?<![^\n]\n)(?=^\|.+\|[ \t]*\n\|[ :|-]+\|[ \t]*$)", re.MULTILINE)
_THEOREM = re.compile(
    r"^\*\*Theorem(?P<name> \([^*]+\))?\.\*\*"
    r"|^(?P<fence>:::+|```+)\{admonition\} Theorem(?P<called> \(.+\))?$",
    re.MULTILINE,
)
_EXERCISE = re.compile(r"^\*\*(\d+)\.\*\*", re.MULTILINE)
_FIGURE = re.compile(r"<figure class='descent-(explorer|figure)'")
_CLAIM = re.compile(r'(<div class="descent-claim"[^>]* id="claim-([\w-]+)"[^>]*>\s*<p[^>]*>)')
_CLAIM_ID = re.compile(r'\bid="claim-([\w-]+)"')
_ROW = re.compile(r'(<tr id="claim-([\w-]+)"><td>)')
# What a link to a cell means by its words; the first that fits.
_KINDS = {
    "theorem": ("theorem",),
    "exercise": ("exercise",),
    "table": ("table",),
    "formula": ("formula", "equation"),
    "claim": ("claim",),
    "figure": ("figure", "picture", "explorer", "curve", "diagram", "drawing"),
}
# Which formula of a cell; the first where nothing is said. "The second explorer" is of a chapter.
_ORDER = ("first", "second", "third", "fourth")
_REFERENCE = re.compile(r"\[([^\]\[]+)\]\((?:([\w-]+)\.ipynb)?#cell-id=([\w-]+)\)")
_CHAPTER_LIST = r"\d+(?:(?:, | and | to | or )\d+)*"
# Code, formulas, links, roles, headings and HTML tables, which know no Markdown, are passed over;
# then come the words that are meant.
_WORDS = re.compile(
    r"(?P<skip>^(?:```|:::)[^\n]*$|^ {0,3}#[^\n]*$|`+[^`]+`+|\$\$.+?\$\$|\$[^$\n]+\$|"
    r"!?\[[^\]]*\]\([^)]*\)|"
    r"<a\b.*?</a>|<table\b.*?</table>)"
    r"|\b(?P<exercise>[Ee]xercise) (?P<which>\d+)(?: of chapter (?P<of>\d+))?(?![\d.])"
    rf"|\b(?P<chapter>[Cc]hapters?) (?P<numbers>{_CHAPTER_LIST})\b(?!\.\d)",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Place:
    """Something with a number: what it is, its number, and the id of its element.

    Attributes
    ----------
    chapter : str
        Stem of the notebook that has it.
    kind : str
        ``figure``, ``table``, ``formula``, ``theorem``, ``exercise`` or ``claim``.
    number : str
        Such as ``2.1``.
    anchor : str
        The id in the page.
    """

    chapter: str
    kind: str
    number: str
    anchor: str


class Numbers:
    """Counts what has a number in the chapters, and knows where it stands.

    Attributes
    ----------
    places : dict
        By chapter, cell id and kind: all in the cell, in order.
    unrun : set of str
        The chapters whose code was not run: what it would show has no place.
    """

    def __init__(self) -> None:
        self.places: dict[tuple[str, str, str], list[Place]] = {}
        self.unrun: set[str] = set()
        self._counts: Counter[tuple[str, str]] = Counter()

    def take(self, chapter: str, cell: str, kind: str, anchor: str = "") -> Place:
        """Return the place of the next one of its kind in a chapter."""
        self._counts[chapter, kind] += 1
        number = f"{int(chapter[:2])}.{self._counts[chapter, kind]}"
        # Sphinx makes the id of a formula from its label in this way.
        id_ = f"{'equation' if kind == 'formula' else kind}-{number.replace('.', '-')}"
        place = Place(chapter, kind, number, anchor or id_)
        self.places.setdefault((chapter, cell, kind), []).append(place)
        return place

    def find(self, words: str, chapter: str, cell: str) -> Place | None:
        """Return what a link to a cell means, None if the cell is of a chapter that was not run.

        Parameters
        ----------
        words
            Of the link: they say whether a figure, a table or something else is meant, and which
            of several in the cell: the second formula.
        chapter
            Stem of the notebook that has the cell.
        cell
            Its id.

        Raises
        ------
        ValueError
            If the words name nothing that has a number, or the cell has no such thing.
        """
        lower = words.lower()
        for kind, names in _KINDS.items():
            if any(name in lower for name in names):
                found = self.places.get((chapter, cell, kind))
                if found is None and chapter in self.unrun:
                    return None
                if found is None:
                    raise ValueError(
                        f"[{words}](#cell-id={cell}): this cell of {chapter} has no {kind}"
                    )
                said = [i for i, word in enumerate(_ORDER) if word in lower]
                which = said[0] if said and kind == "formula" else 0
                if which >= len(found):
                    raise ValueError(
                        f"[{words}](#cell-id={cell}): this cell of {chapter} has "
                        f"{len(found)} displayed"
                    )
                return found[which]
        raise ValueError(
            f"[{words}](#cell-id={cell}) must say what it means: one of {', '.join(_KINDS)}"
        )


def _formulas(text: str, chapter: str, cell: str, numbers: Numbers) -> str:
    def labelled(found: re.Match[str]) -> str:
        if label := found["label"] or found["alone"]:  # its author's: Sphinx makes the id of it
            numbers.take(chapter, cell, "formula", f"equation-{make_id(label)}")
            return found[0]
        place = numbers.take(chapter, cell, "formula")
        return f"{found[0]} ({place.number.replace('.', '-')})"

    return _FORMULA.sub(labelled, text)


def _tables(text: str, chapter: str, cell: str, numbers: Numbers) -> str:
    def headed(_: re.Match[str]) -> str:
        place = numbers.take(chapter, cell, "table")
        return (
            f'<p class="descent-number descent-over-table" id="{place.anchor}">'
            f"Table {place.number}</p>\n\n"
        )

    return _TABLE.sub(headed, text)


def _theorems(text: str, chapter: str, cell: str, numbers: Numbers) -> str:
    def named(found: re.Match[str]) -> str:
        place = numbers.take(chapter, cell, "theorem")
        title = f"Theorem {place.number}{found['name'] or found['called'] or ''}"
        if found["fence"]:
            return f"{found['fence']}{{admonition}} {title}\n:name: {place.anchor}"
        return f'<span id="{place.anchor}"></span>**{title}.**'

    return _THEOREM.sub(named, text)


def _exercises(text: str, chapter: str, cell: str, numbers: Numbers) -> str:
    def named(_: re.Match[str]) -> str:
        place = numbers.take(chapter, cell, "exercise")
        return f'<span id="{place.anchor}"></span>**Exercise {place.number}.**'

    return _EXERCISE.sub(named, text)


def _figures(html: str, chapter: str, cell: str, numbers: Numbers) -> str:
    found = _FIGURE.search(html)
    if found is None:
        return html
    place = numbers.take(chapter, cell, "figure")
    # The caption of an explorer is written anew at each move: its style sheet shows the number.
    number = f"Figure {place.number}. "
    caption = (
        f"<figcaption data-number='{number}' style='--number: \"{number}\"'>"
        if found[1] == "explorer"
        else f'<figcaption><span class="descent-number">Figure {place.number}.</span> '
    )
    opened = f"<figure id='{place.anchor}' class='descent-{found[1]}'"
    head, tail = html[: found.start()], html[found.end() :]
    return head + opened + tail.replace("<figcaption>", caption, 1)


def _claims(html: str, chapter: str, cell: str, numbers: Numbers) -> str:
    def marked(found: re.Match[str]) -> str:
        place = numbers.take(chapter, cell, "claim", f"claim-{found[2]}")
        return f'{found[1]}<span class="descent-number">Claim {place.number}.</span> '

    return _ROW.sub(marked, _CLAIM.sub(marked, html))


def _texts(page: Any) -> Iterator[tuple[str, dict[str, Any], str, str]]:
    """Yield (cell id, holder, key, kind of text) of all that can hold something with a number."""
    for cell in page["cells"]:
        name = cell.get("id", "")
        if cell["cell_type"] == "markdown":
            yield name, cell, "source", "words"
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/html" in data:
                yield name, data, "text/html", "html"
            elif "text/markdown" in data:
                yield name, data, "text/markdown", "words"


def count(page: Any, chapter: str, numbers: Numbers) -> None:
    """Give each thing in a chapter's page its number, in place, and note where it stands."""
    exercises = False
    for cell, holder, key, kind in _texts(page):
        text = holder[key]
        if kind == "html":
            text = _claims(_figures(text, chapter, cell, numbers), chapter, cell, numbers)
        else:
            text = _tables(_formulas(text, chapter, cell, numbers), chapter, cell, numbers)
            text = _theorems(text, chapter, cell, numbers)
            before, heading, after = text.partition("## Exercises\n")
            if heading:
                exercises, text = True, after
            text, rest = (text, "") if "\n## " not in text else _split(text)
            if exercises:
                text = _exercises(text, chapter, cell, numbers)
            exercises = exercises and not rest
            text = (before + heading if heading else "") + text + rest
        holder[key] = text


def _split(text: str) -> tuple[str, str]:
    at = text.index("\n## ")
    return text[:at], text[at:]


def _address(place: Place, here: str, folder: str) -> str:
    page = "" if place.chapter == here else f"{folder}{place.chapter}.html"
    return f"{page}#{place.anchor}"


def _said(place: Place, words: str) -> str:
    kind = place.kind
    return f"{kind.capitalize() if words[0].isupper() else kind} {place.number}"


def linked_chapters(
    text: str, chapters: Mapping[int, str], here: str = "", folder: str = "../notebooks/"
) -> str:
    """Return a text whose words "chapter 7" and "exercise 2 of chapter 1" are links.

    Parameters
    ----------
    text
        Markdown.
    chapters
        The stems of the chapters by their numbers.
    here
        The chapter of the text, which "exercise 2" means; it gets no links to itself.
    folder
        Where the notebooks lie, seen from the text.

    Examples
    --------
    >>> linked_chapters("See chapter 7.", {7: "07-blur"}, folder="")
    'See [chapter 7](07-blur.ipynb).'
    """

    def chapter_link(words: str, number: str) -> str:
        stem = chapters.get(int(number))
        return words if stem in (None, here) else f"[{words}]({folder}{stem}.ipynb)"

    def linked(found: re.Match[str]) -> str:
        if found["exercise"]:
            stem = chapters.get(int(found["of"])) if found["of"] else here
            if not stem:
                return found[0]
            number = f"{int(stem[:2])}.{found['which']}"
            page = "" if stem == here else f"{folder}{stem}.html"
            anchor = f"exercise-{number.replace('.', '-')}"
            return f'<a href="{page}#{anchor}">{found["exercise"]} {number}</a>'
        if not found["chapter"]:
            return found[0]
        parts = re.split(r"(\d+)", found["numbers"])
        several = len(parts) > 3
        first = found["chapter"] if several else f"{found['chapter']} {parts[1]}"
        if not several:
            return chapter_link(first, parts[1])
        return f"{first} " + "".join(
            chapter_link(part, part) if part.isdigit() else part for part in parts
        )

    return _WORDS.sub(linked, text)


def _referred(
    text: str, here: str, chapters: Mapping[int, str], numbers: Numbers, folder: str
) -> str:
    def linked(found: re.Match[str]) -> str:
        place = numbers.find(found[1], found[2] or here, found[3])
        if place is None:
            return found[1]
        address = _address(place, here, folder)
        return f'<a href="{address}">{_said(place, found[1])}</a>'

    return linked_chapters(_REFERENCE.sub(linked, text), chapters, here, folder)


def numbered(pages: Mapping[str, Any]) -> Numbers:
    """Give numbers to the pages of all chapters, in place, and let sentences refer by them.

    Parameters
    ----------
    pages
        Executed notebooks by the stems of the chapters, in their order.

    Returns
    -------
    Numbers
        Where everything stands.

    Raises
    ------
    ValueError
        If a link to a cell leads nowhere; the message names the chapter.
    """
    numbers = Numbers()
    for chapter, page in pages.items():
        if is_unrun(page):
            numbers.unrun.add(chapter)
        count(page, chapter, numbers)
    chapters = {int(chapter[:2]): chapter for chapter in pages}
    for chapter, page in pages.items():
        for _, holder, key, kind in _texts(page):
            if kind == "words":
                try:
                    holder[key] = _referred(holder[key], chapter, chapters, numbers, "")
                except ValueError as error:
                    raise ValueError(f"{chapter}.ipynb: {error}") from None
    return numbers


def claim_numbers(runs: Mapping[str, Any]) -> dict[str, str]:
    """Return the numbers of the claims that executed notebooks have checked, by their ids."""
    found: dict[str, str] = {}
    for chapter, run in runs.items():
        shown = (holder[key] for _, holder, key, kind in _texts(run) if kind == "html")
        ids = [claim for html in shown for claim in _CLAIM_ID.findall(html)]
        found |= {claim: f"{int(chapter[:2])}.{at}" for at, claim in enumerate(ids, start=1)}
    return found
