"""Write the pages that are computed: claims, errata, status, and the map of chapters.

Everything comes from the executed notebooks and the register; nothing is kept
beside them.
"""

from __future__ import annotations

import csv
import io
import platform
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
import yaml

from descent import claims, explorer
from descent.publish import bundled, lite

_RIGHT = ' class="text-right"'
PACKAGES = (
    "numpy",
    "scipy",
    "matplotlib",
    "torch",
    "ipywidgets",
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
    """Return (chapter, claim, computed value) of every claim that the notebooks checked."""
    register = {claim.id: claim for claim in claims.load()}
    return [
        (chapter, register[mark["claim"]], mark["value"]) for chapter, mark in _marks(runs, "claim")
    ]


def _link(chapter: str, claim: claims.Claim) -> str:
    return f"../notebooks/{chapter}.html#claim-{claim.id}"


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
    return part.replace("-", ", ", 1).replace("-", " ")


def _chosen(part: str, verdict: str = "") -> str:
    """Return the address of the table of claims with this part of a source and verdict chosen."""
    return f"claims.html#source={part}" + (f"&amp;verdict={verdict}" if verdict else "")


def claims_table(runs: Mapping[str, Any]) -> str:
    """Return the table of all claims, with a filter by verdict and source, as HTML."""
    rows = "".join(
        f'<tr data-verdict="{claim.verdict}" data-source="{part_of_source(claim)}">'
        f'<td><a href="{_link(chapter, claim)}">{escape(claim.statement)}</a></td>'
        f'<td data-sort="{part_of_source(claim)}">{_in_words(part_of_source(claim))}</td>'
        f"<td>{escape(claim.stated)}</td>"
        f'<td data-sort="{value!r}">{escape(claim.format(value))}</td>'
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
            f'<a href="../notebooks/{chapter}.html">{_title(runs[chapter])}</a>'
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
    fields += ["tolerance", "tolerance_why", "unit", "verdict", "why"]
    writer.writerow([*fields, "computed"])
    for _, claim, value in checked_claims(runs):
        writer.writerow([*(getattr(claim, name) for name in fields), value])
    return text.getvalue()


def verdict_counts(runs: Mapping[str, Any]) -> str:
    """Return how many claims have each verdict, in words."""
    counts = Counter(claim.verdict for _, claim, _ in checked_claims(runs))
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in claims.VERDICTS)


def errata(runs: Mapping[str, Any]) -> str:
    """Return what is corrected or refuted in each source, as an HTML list."""
    parts = []
    wrong = [c for c in checked_claims(runs) if c[1].verdict in ("corrected", "refuted")]
    for document in sorted({claim.document for _, claim, _ in wrong}):
        items = "".join(
            f'<li><a href="{_link(chapter, claim)}">{escape(claim.section)}</a>: '
            f"{escape(claim.statement)} Stated: {escape(claim.stated)}; computed: "
            f"{escape(claim.format(value))} ({claim.verdict}). {escape(claim.why)}</li>"
            for chapter, claim, value in wrong
            if claim.document == document
        )
        parts.append(f"## Source {document}\n\n<ul>{items}</ul>")
    return "\n\n".join(parts)


def explorers(runs: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return (chapter, mark) of every explorer that the notebooks show."""
    return list(_marks(runs, "explorer"))


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _title(run: Any) -> str:
    """Return the first heading of a notebook."""
    return str(run.cells[0].source.splitlines()[0].removeprefix("# "))


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
                    f"[{_title(run)}](../notebooks/{chapter}.ipynb)",
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
                _title(runs[chapter]),
                str(mark["states"]),
                f"{mark['bytes'] / 1000:.0f}",
                f"{mark['seconds']:.1f}",
            ]
            for chapter, mark in explorers(runs)
        ],
    )


def versions() -> str:
    """Return a table of Python and the packages that made this copy of the book."""
    rows = [["Python", platform.python_version()]]
    return _table(["Package", "Version"], rows + [[name, version(name)] for name in PACKAGES])


def chapter_map(runs: Mapping[str, Any], chapters: Path) -> str:
    """Return the table of the chapters; those that are built are links."""
    rows = []
    for number, entry in enumerate(yaml.safe_load(chapters.read_text(encoding="utf-8")), start=1):
        title = entry["title"]
        if entry["file"] in runs:
            title = f"[{title}](../notebooks/{entry['file']}.ipynb)"
        label = "" if entry.get("closing") else str(number)
        rows.append([label, title, entry["teaser"], entry["source"]])
    return _table(["", "Chapter", "What you see", "Source"], rows)


def browser_chapters(runs: Mapping[str, Any]) -> str:
    """Return links to the chapters that a reader can run in the browser."""
    return ", ".join(
        f"[{int(chapter[:2])}](../notebooks/{chapter}.ipynb)"
        for chapter, run in runs.items()
        if lite.runs_in_browser(run)
    )


def generated(runs: Mapping[str, Any], chapters: Path) -> dict[str, Any]:
    """Return all that pages may ask for, by name."""
    return {
        "browser_chapters": browser_chapters(runs),
        "bundled": bundled.table(),
        "chapter_map": chapter_map(runs, chapters),
        "claims_count": len(checked_claims(runs)),
        "claims_table": claims_table(runs),
        "errata": errata(runs),
        "explorer_kilobytes": f"{explorer.MAX_BYTES / 1000:,.0f}",
        "explorer_states": f"{explorer.MAX_STATES:,}",
        "explorer_table": explorer_table(runs),
        "pyodide": lite.PYODIDE,
        "run_times": run_times(runs),
        "source_table": source_table(runs),
        "verdict_counts": verdict_counts(runs),
        "version": version("descent"),
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
