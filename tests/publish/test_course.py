"""The page for teachers says what the chapters and the register say."""

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from descent import claims
from descent.publish import course, paths

SESSIONS = paths.BOOK / "course.yml"
CHAPTER = "01-modelling-sgd"
CLAIM = "full-batch-small-step-is-stuck"


def run_of(*checked):
    """Return a run that has goals and shows these claims."""
    shown = "".join(f'<tr id="claim-{name}"><td>x</td></tr>' for name in checked)
    mark = {"descent": {"claims": dict.fromkeys(checked, 1.0)}}
    output = new_output("display_data", data={"text/html": shown}, metadata=mark)
    words = f"# Title\n\n{course.GOALS}\n- One thing.\n- Another.\n\n## Exercises\n\n**1.** Ask."
    return NotebookNode(cells=[new_markdown_cell(words), new_code_cell("", outputs=[output])])


def one(**changed):
    entry = {"minutes": (10, 20, 30, 40), "needs": (), "settles": (CLAIM,)} | changed
    return course.Session(CHAPTER, **entry)


def test_there_is_a_session_for_each_chapter_and_each_settles_claims_of_its_own():
    found = course.sessions(SESSIONS)
    assert [session.chapter for session in found] == [path.stem for path in paths.notebooks()]
    for session in found:
        register = paths.BOOK / "claims" / f"{session.chapter}.yml"
        own = register.read_text(encoding="utf-8") if register.exists() else ""
        for claim in session.settles:
            assert f"- id: {claim}\n" in own, (session.chapter, claim)
        assert bool(session.settles) == bool(own)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ("minutes: [1, 2, 3], needs: [], settles: []", "must have 4 positive numbers"),
        ("minutes: [1, 2, 3, 0], needs: [], settles: []", "must have 4 positive numbers"),
        ("minutes: [1, 2, 3, 4], needs: [2], settles: []", "must need chapters before it"),
        (
            "minutes: [1, 2, 3, 4], needs: [1], settles: [none]",
            "claims of the register, got 'none'",
        ),
    ],
)
def test_a_wrong_session_is_named(tmp_path, wrong, complaint):
    place = tmp_path / "course.yml"
    place.write_text(f"- {{chapter: 02-probability-current, {wrong}}}\n")
    with pytest.raises(ValueError, match=f"02-probability-current .*{complaint}"):
        course.sessions(place)


def test_a_session_has_the_goals_of_its_chapter_and_the_verdicts_of_the_register():
    other = next(c.id for c in claims.load() if c.verdict == "reproduced")
    text = course.details(
        [one()], {CHAPTER: run_of(other, CLAIM)}, {CLAIM: CHAPTER, other: CHAPTER}
    )
    assert "### Session 1: Title" in text
    assert "100 minutes (10 picture, 20 experiment, 30 beyond it, 40 exercises)" in text
    assert "- One thing.\n- Another.\n" in text
    assert "**1.** Ask" not in text
    assert f'#claim-{CLAIM}">Claim 1.2</a> ({claims.claim(CLAIM).verdict})' in text
    assert "(1 reproduced, 1 corrected)" in text


def test_a_claim_that_the_chapter_does_not_check_stops_the_build():
    with pytest.raises(ValueError, match=f"{CHAPTER} checks no claim {CLAIM}"):
        course.details(
            [one()], {CHAPTER: run_of("step-one-overshoots")}, {"step-one-overshoots": CHAPTER}
        )


def test_the_overview_says_what_stands_alone():
    lines = course.overview([one(), one(needs=(1, 6))], {CHAPTER: run_of()}).splitlines()
    assert lines[2] == "| [1. Title](../notebooks/01-modelling-sgd.ipynb) | 100 | stands alone |"
    assert lines[3].endswith("| chapters 1 and 6 |")
