"""The sessions of a course: goals, minutes, what they need, and which claims they settle.

Goals are read off the chapters, and claims off the register; ``book/course.yml`` has the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from descent import claims
from descent.figures.inline_math import to_html
from descent.publish.authored import title
from descent.publish.left_out import is_unrun
from descent.publish.numbering import claim_numbers

GOALS = "## What you should now be able to say\n"
PARTS = ("picture", "experiment", "beyond it", "exercises")


@dataclass(frozen=True)
class Session:
    """A session of a course.

    Attributes
    ----------
    chapter : str
        Stem of its notebook.
    minutes : tuple of int
        For each of the :data:`PARTS`.
    needs : tuple of int
        Numbers of the chapters without which it cannot be followed.
    settles : tuple of str
        Ids of the claims to spend time on.
    """

    chapter: str
    minutes: tuple[int, ...]
    needs: tuple[int, ...]
    settles: tuple[str, ...]


def sessions(path: Path) -> list[Session]:
    """Read the sessions of a course from a file.

    Raises
    ------
    ValueError
        If a session has not four numbers of minutes, needs a chapter that does not come before
        it, or names a claim that is not one of its chapter.
    """
    known = {claim.id: claim for claim in claims.load()}
    found = []
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        session = Session(
            entry["chapter"],
            *(tuple(entry[name]) for name in ("minutes", "needs", "settles")),
        )
        number = int(session.chapter[:2])
        if len(session.minutes) != len(PARTS) or min(session.minutes) <= 0:
            raise ValueError(
                f"{path.name}: {session.chapter} must have {len(PARTS)} positive numbers of "
                f"minutes, got {list(session.minutes)}"
            )
        if not all(0 < needed < number for needed in session.needs):
            raise ValueError(
                f"{path.name}: {session.chapter} must need chapters before it, "
                f"got {list(session.needs)}"
            )
        for claim in session.settles:
            if claim not in known:
                raise ValueError(
                    f"{path.name}: {session.chapter} must settle claims of the register, "
                    f"got {claim!r}"
                )
        found.append(session)
    return found


def goals(run: Mapping[str, Any]) -> str:
    """Return the list at the end of a chapter, of what a reader should now be able to say."""
    for cell in run["cells"]:
        _, heading, after = cell["source"].partition(GOALS)
        if cell["cell_type"] == "markdown" and heading:
            return re.split(r"\n## ", after)[0].strip()
    return ""


def _settled(
    session: Session, numbers: Mapping[str, str], checked: Mapping[str, str], unrun: bool
) -> str:
    """Return what a session settles: claims by name, and how many of the chapter have a verdict."""
    known = {claim.id: claim for claim in claims.load()}
    own = [known[name] for name, chapter in checked.items() if chapter == session.chapter]
    if unrun:
        return "Its code was not run for this copy of the book, so no claim is settled here."
    if not own:
        return "This session checks no claim; it compares what the others have found."
    strangers = sorted(set(session.settles) - {claim.id for claim in own})
    if strangers:
        raise ValueError(f"{session.chapter} checks no claim {', '.join(strangers)}")
    items = "".join(
        f'<li><a href="../notebooks/{session.chapter}.html#claim-{name}">Claim {numbers[name]}</a> '
        f"({known[name].verdict}): {to_html(known[name].statement)}</li>"
        for name in session.settles
    )
    counts = Counter(claim.verdict for claim in own)
    totals = ", ".join(f"{counts[v]} {v}" for v in claims.VERDICTS if counts[v])
    return f"Of the chapter's claims ({totals}) above all:\n\n<ul>{items}</ul>"


def _needs(session: Session) -> str:
    if not session.needs:
        return "stands alone"
    several = "chapters" if len(session.needs) > 1 else "chapter"
    return f"{several} {' and '.join(map(str, session.needs))}"


def overview(found: list[Session], runs: Mapping[str, Any]) -> str:
    """Return a table of the sessions with their minutes and needs."""
    lines = ["| Session | Minutes | Needs |", "|:--|--:|:--|"]
    for session in found:
        if session.chapter in runs:
            name = f"{int(session.chapter[:2])}. {title(runs[session.chapter])}"
            link = f"[{name}](../notebooks/{session.chapter}.ipynb)"
            lines.append(f"| {link} | {sum(session.minutes)} | {_needs(session)} |")
    return "\n".join(lines)


def details(found: list[Session], runs: Mapping[str, Any], checked: Mapping[str, str]) -> str:
    """Return the sessions with goals, minutes, needs and claims.

    Parameters
    ----------
    found
        From :func:`sessions`.
    runs
        Executed notebooks by the stems of the chapters.
    checked
        The chapters that checked the claims, by the claims' ids.

    Raises
    ------
    ValueError
        If a session settles a claim that its chapter does not check.
    """
    numbers = claim_numbers(runs)
    parts = []
    for session in found:
        if session.chapter not in runs:
            continue
        run = runs[session.chapter]
        minutes = ", ".join(f"{n} {part}" for n, part in zip(session.minutes, PARTS, strict=True))
        parts.append(
            f"### Session {int(session.chapter[:2])}: {title(run)}\n\n"
            f"{sum(session.minutes)} minutes ({minutes}); {_needs(session)}. "
            "Afterwards the students can say:\n\n"
            f"{goals(run)}\n\n{_settled(session, numbers, checked, is_unrun(run))}"
        )
    return "\n\n".join(parts)
