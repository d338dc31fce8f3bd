"""Write the pages that are computed: claims, errata, status, and the map of chapters.

Everything comes from the executed notebooks and the register; nothing is kept
beside them.
"""

from __future__ import annotations

import csv
import io
import json
import platform
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
import yaml

import descent
from descent import claims, explorer
from descent.figures.inline_math import to_html
from descent.publish import bundled, course, first_page, lite, reference
from descent.publish.authored import title
from descent.publish.numbering import claim_numbers

_RIGHT = ' class="text-right"'
_COPY = " <small>(our copy)</small>"
PACKAGES = (
    "numpy",
    "scipy",
    "matplotlib",
    "torch",
    "anywidget",
    "nbclient",
    "jupyter-book",
    "sphinx",
    "myst-nb",
)


def _marks(runs: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (chapter, mark) for each output that carries this kind of mark."""
    for chapter, run in runs.items():
        for cell in run.cells:
            for output in cell.get("outputs", []):
                mark = output.get("metadata", {}).get("descent", {})
                if kind in mark:
                    yield chapter, mark


def checked_claims(runs: Mapping[str, Any]) -> list[tuple[str, claims.Claim, float]]:
    """Return (chapter, claim, computed value) of every claim that was checked, by their numbers."""
    register = {claim.id: claim for claim in claims.load()}
    order = {claim: at for at, claim in enumerate(claim_numbers(runs))}
    found = [
        (chapter, register[claim], value)
        for chapter, mark in _marks(runs, "claims")
        for claim, value in mark["claims"].items()
    ]
    return sorted(found, key=lambda one: order.get(one[1].id, len(order)))


def _link(chapter: str, claim: claims.Claim) -> str:
    return f"../notebooks/{chapter}.html#claim-{claim.id}"


def _quantity(claim: claims.Claim) -> str:
    words = to_html(claim.quantity)
    return f' <span class="descent-claim-quantity">{words}</span>' if words else ""


def part_of_source(claim: claims.Claim) -> str:
    """Return where a claim stands, as ``003-post-1`` where a source has posts, else ``000``.

    Examples
    --------
    >>> part_of_source(claims.claim("stationary-point-of-the-pit"))
    '003-post-1'
    """
    post = re.match(r"post \d+", claim.section)
    return f"{claim.document}-{post[0].replace(' ', '-')}" if post else claim.document


def _in_words(part: str) -> str:
    """Return ``003, post 1`` for ``003-post-1``."""
    if part == claims.OWN:
        return claims.DOCUMENTS[part]
    return part.replace("-", ", ", 1).replace("-", " ")


def _chosen(part: str, verdict: str = "") -> str:
    """Return the address of the table of claims with this part of a source and verdict chosen."""
    return f"claims.html#source={part}" + (f"&amp;verdict={verdict}" if verdict else "")


def claims_table(runs: Mapping[str, Any]) -> str:
    """Return the table of all claims, with a filter by verdict and source, as HTML."""
    numbers = claim_numbers(runs)
    rows = "".join(
        f'<tr data-verdict="{claim.verdict}" data-source="{part_of_source(claim)}">'
        f'<td><span class="descent-number">{numbers[claim.id]}</span> '
        f'<a href="{_link(chapter, claim)}">{to_html(claim.statement)}</a></td>'
        f'<td data-sort="{part_of_source(claim)}">{_in_words(part_of_source(claim))}</td>'
        f"<td>{to_html(claim.stated)}{_COPY if claim.in_our_copy else ''}</td>"
        f'<td data-sort="{value!r}">{escape(claim.format(value))}{_quantity(claim)}</td>'
        f'<td class="descent-verdict">{claim.verdict}</td></tr>'
        for chapter, claim, value in checked_claims(runs)
    )
    parts = {part_of_source(claim) for _, claim, _ in checked_claims(runs)}
    parts |= {part.partition("-")[0] for part in parts}
    choices = {
        "source": {part: _in_words(part) for part in sorted(parts)},
        "verdict": {verdict: verdict for verdict in claims.VERDICTS},
    }
    filters = "".join(
        f'<label>{name.capitalize()} <select data-filter="{name}"><option value="">all</option>'
        + "".join(f'<option value="{key}">{words}</option>' for key, words in options.items())
        + "</select></label>"
        for name, options in choices.items()
    )
    heads = "".join(
        f'<th scope="col"><button type="button">{head}</button></th>'
        for head in ("Claim", "Source", "Stated", "Computed", "Verdict")
    )
    return (
        f'<div class="descent-claims"><form class="descent-filters pst-js-only">{filters}'
        '<button type="reset">Show all</button>'
        '<output class="descent-filter-count" aria-live="polite"></output></form>'
        f'<div class="descent-scroll" tabindex="0" role="region" aria-label="Table of claims">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div></div>"
    )


def source_table(runs: Mapping[str, Any]) -> str:
    """Return a table of the sources: their chapters, and how many claims have each verdict."""
    checked = checked_claims(runs)
    counts = Counter((part_of_source(claim), claim.verdict) for _, claim, _ in checked)
    rows = []
    for part in sorted({part for part, _ in counts}):
        chapters = sorted(
            {chapter for chapter, claim, _ in checked if part_of_source(claim) == part}
        )
        links = ", ".join(
            f'<a href="../notebooks/{chapter}.html">{title(runs[chapter])}</a>'
            for chapter in chapters
        )
        total = sum(count for (where, _), count in counts.items() if where == part)
        numbers = [
            f'<a href="{_chosen(part, verdict)}">{counts[part, verdict]}</a>'
            if counts[part, verdict]
            else "0"
            for verdict in claims.VERDICTS
        ]
        cells = "".join(f"<td{_RIGHT}>{number}</td>" for number in [total, *numbers])
        rows.append(
            f'<tr><th scope="row"><a href="{_chosen(part)}">{_in_words(part)}</a></th>'
            f"<td>{links}</td>{cells}</tr>"
        )
    heads = "".join(
        f'<th scope="col"{_RIGHT if i > 1 else ""}>{head}</th>'
        for i, head in enumerate(["Source", "Chapter", "Claims", *claims.VERDICTS])
    )
    return (
        '<div class="pst-scrollable-table-container"><table class="table descent-counts">'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def claims_csv(runs: Mapping[str, Any]) -> str:
    """Return the register with the computed values as comma-separated values."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    fields = ["id", "chapter", "document", "section", "statement", "stated", "expected"]
    fields += ["tolerance", "tolerance_why", "quantity", "unit", "verdict", "why", "read"]
    fields += ["in_our_copy", "control"]
    writer.writerow([*fields, "computed"])
    for _, claim, value in checked_claims(runs):
        writer.writerow([*(getattr(claim, name) for name in fields), value])
    return text.getvalue()


def verdict_counts(runs: Mapping[str, Any]) -> str:
    """Return how many claims have each verdict, in words."""
    counts = Counter(claim.verdict for _, claim, _ in checked_claims(runs))
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in claims.VERDICTS)


def erratum(chapter: str, claim: claims.Claim, value: float) -> str:
    """Return "for this read that", with the evidence and the reason, as HTML."""
    measured = to_html(claim.format(value))
    what = to_html(claim.quantity).rstrip(".") or ("Computed" if claim.read else "")
    evidence = f" {what}: {measured}." if what else ""
    control = f" Control: {to_html(claim.control)}" if claim.control else ""
    return (
        f'<a href="{_link(chapter, claim)}">{to_html(claim.section)}</a>: '
        f"{to_html(claim.statement)} For “{to_html(claim.stated)}” read "
        f"“{to_html(claim.read) or measured}” ({claim.verdict}).{evidence} "
        f"{to_html(claim.why)}{control}"
    )


def errata(runs: Mapping[str, Any]) -> str:
    """Return what is corrected or refuted in each source, and slips of our copies apart."""
    parts = []
    wrong = [c for c in checked_claims(runs) if c[1].verdict in ("corrected", "refuted")]
    for document in sorted({claim.document for _, claim, _ in wrong}):
        own = [c for c in wrong if c[1].document == document]
        parts.append(f"## Source {document}: {claims.DOCUMENTS[document]}")
        for in_our_copy in (False, True):
            found = [erratum(*c) for c in own if c[1].in_our_copy is in_our_copy]
            if found and in_our_copy:
                parts.append(f"### In our copy of source {document}")
            if found:
                parts.append(f"<ul>{''.join(f'<li>{entry}</li>' for entry in found)}</ul>")
    return "\n\n".join(parts)


def explorers(runs: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return (chapter, mark) of every explorer that the notebooks show."""
    return list(_marks(runs, "explorer"))


def live_models(runs: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return (chapter, mark) of every live model that the notebooks show."""
    return list(_marks(runs, "live"))


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def run_times(runs: Mapping[str, Any]) -> str:
    """Return a table of the chapters with the time that each takes to execute."""
    counts = Counter(chapter for chapter, _, _ in checked_claims(runs))
    seconds = sum(float(run.metadata.descent.seconds) for run in runs.values())
    cells = sum(len(run.cells) for run in runs.values())
    total = ["All", str(cells), str(counts.total()), f"{seconds:.1f}"]
    return _table(
        ["Chapter", "Cells", "Claims", "Seconds"],
        [
            *(
                [
                    f"[{title(run)}](../notebooks/{chapter}.ipynb)",
                    str(len(run.cells)),
                    str(counts[chapter]),
                    str(run.metadata.descent.seconds),
                ]
                for chapter, run in runs.items()
            ),
            total,
        ],
    )


def explorer_table(runs: Mapping[str, Any]) -> str:
    """Return a table of the explorers with their states, size and precomputation."""
    return _table(
        ["Explorer", "Chapter", "States", "Kilobytes", "Seconds"],
        [
            [
                mark["explorer"],
                title(runs[chapter]),
                str(mark["states"]),
                f"{mark['bytes'] / 1000:.0f}",
                f"{mark['seconds']:.1f}",
            ]
            for chapter, mark in explorers(runs)
        ]
        + [
            [mark["live"], title(runs[chapter]), "any", f"{mark['bytes'] / 1000:.0f}", "0"]
            for chapter, mark in live_models(runs)
        ],
    )


def versions() -> str:
    """Return a table of Python and the packages that made this copy of the book."""

    def installed(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:  # PyTorch is not to be had everywhere
            return "not installed"

    rows = [["Python", platform.python_version()]]
    return _table(["Package", "Version"], rows + [[name, installed(name)] for name in PACKAGES])


def speed_table(stored: Path) -> str:
    """Return the last table of speed, with the machine that it comes from."""
    found = json.loads(stored.read_text(encoding="utf-8"))

    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.3g}"

    table = _table(
        ["Work", "Unit", "Here", "Peer", "There", "Ratio", "To reach"],
        [
            [
                row["work"],
                row["unit"],
                number(row["ours"]),
                row["peer"],
                number(row["theirs"]),
                number(row["ratio"]),
                row["target"] + {True: " ✓", False: " ✗", None: ""}[row["reached"]],
            ]
            for row in found["rows"]
        ],
    )
    made_with = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    return f"Measured {found['date']} on {found['processor']}, with {made_with}.\n\n{table}"


def peers_table(peers: Path) -> str:
    """Return the table of what other people's programs do, from its file, as HTML."""
    heads = ("Package", "One would guess", "It does", "Ours", "Chapter", "Shown by")
    groups = ""
    rows = yaml.safe_load(peers.read_text(encoding="utf-8"))
    for about, members in groupby(rows, key=lambda row: row["about"]):
        groups += (
            f'<tbody><tr><th scope="rowgroup" colspan="{len(heads)}">{escape(about)}</th></tr>'
            + "".join(map(_peer, members))
            + "</tbody>"
        )
    return (
        '<div class="pst-scrollable-table-container"><table class="table descent-peers"><thead><tr>'
        + "".join(f'<th scope="col">{head}</th>' for head in heads)
        + f"</tr></thead>{groups}</table></div>"
    )


def _peer(row: Mapping[str, str]) -> str:
    """Return a row of the table of peers."""
    where = chapter = row["chapter"]
    if chapter != "every":
        where = f'<a href="../notebooks/{chapter}.html">{int(chapter[:2])}</a>'
    return (
        f'<tr><th scope="row">{escape(row["package"])} {escape(row["version"])}</th>'
        f"<td>{escape(row['guess'])}</td><td>{escape(row['does'])}</td><td>{escape(row['we'])}</td>"
        f"<td>{where}</td><td><code>{escape(row['shown'])}</code></td></tr>"
    )


def browser_chapters(runs: Mapping[str, Any]) -> str:
    """Return links to the chapters that a reader can run in the browser."""
    return ", ".join(
        f"[{int(chapter[:2])}](../notebooks/{chapter}.ipynb)"
        for chapter, run in runs.items()
        if lite.runs_in_browser(run)
    )


def generated(runs: Mapping[str, Any], chapters: Path) -> dict[str, Any]:
    """Return all that pages may ask for, by name."""
    sessions = course.sessions(chapters.with_name("course.yml"))
    checked = {claim.id: chapter for chapter, claim, _ in checked_claims(runs)}
    return {
        "browser_chapters": browser_chapters(runs),
        "bundled": bundled.table(),
        "chapter_map": first_page.chapter_map(runs, chapters),
        "claims_count": len(checked_claims(runs)),
        "claims_table": claims_table(runs),
        "course": course.details(sessions, runs, checked),
        "course_overview": course.overview(sessions, runs),
        "errata": errata(runs),
        "explorer_kilobytes": f"{explorer.MAX_BYTES / 1000:,.0f}",
        "explorer_states": f"{explorer.MAX_STATES:,}",
        "explorer_table": explorer_table(runs),
        "library": reference.listed(),
        "peers_table": peers_table(chapters.with_name("peers.yml")),
        "pit": first_page.pit(),
        "pyodide": lite.PYODIDE,
        "run_times": run_times(runs),
        "source_table": source_table(runs),
        "speed_table": speed_table(chapters.with_name("benchmarks.json")),
        "verdict_counts": verdict_counts(runs),
        "version": descent.__version__,
        "versions": versions(),
    }


def render(template: str, content: Mapping[str, Any]) -> str:
    """Return a page with its ``{{ name }}`` marks filled in from the generated content.

    Raises
    ------
    jinja2.UndefinedError
        If the page asks for a name that is not there.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(template).render(content)
