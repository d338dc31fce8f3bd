"""The recipes of CONTRIBUTING.md run as they stand there."""

import doctest
import re
import subprocess
import sys
import types

import numpy as np
import pytest
import torch
import yaml

from descent import claims, exercises
from descent.explorer import Explorer
from descent.landscapes import FiniteSum
from descent.publish import paths, sentences
from descent.sweeps import Sweep

TEXT = (paths.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def recipe(heading, language):
    """Return the blocks of code in one language below a heading."""
    (section,) = re.findall(rf"^#+ {heading}\n(.*?)(?=^#+ |\Z)", re.sub(*HIDE, TEXT), re.M | re.S)
    blocks = re.findall(rf"^```{language}\n(.*?)^```", section, re.M | re.S)
    assert blocks, f"no {language} under {heading}"
    return [block.replace("\0", "#") for block in blocks]


# A comment in a block of code is no heading.
HIDE = (re.compile(r"^#(?=!| mpmath| Guess)", re.M), "\0")


def run(heading, **names):
    """Return the names that a recipe's Python makes, one block after another."""
    module = types.ModuleType("recipe")
    vars(module).update(names)
    sys.modules["recipe"] = module
    try:
        for block in recipe(heading, "python"):
            exec(compile(block, heading, "exec"), vars(module))  # it is our own page
    finally:
        del sys.modules["recipe"]
    return vars(module)


def test_a_function_and_its_tests():
    made = run("Add a function")
    tests = [thing for name, thing in made.items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        test()
    function = made["kramers_rate"]
    (example,) = doctest.DocTestFinder().find(function, globs=made)
    assert doctest.DocTestRunner().run(example).failed == 0
    with pytest.raises(ValueError, match="step_size must be positive; got 0"):
        function(0, 1.0)


def test_a_landscape():
    model = run("Add a landscape")["two_bowls"]()
    assert isinstance(model, FiniteSum)
    w, h = np.linspace(-2, 2, 9), 1e-6
    slope = (model.losses(w + h) - model.losses(w - h)) / (2 * h)
    np.testing.assert_allclose(model.gradients(w), slope, atol=1e-6)
    assert model.mean_curvature(0.3) == 1


def test_an_explorer_can_be_drawn_at_every_state():
    (made,) = (v for v in run("Add an explorer").values() if isinstance(v, Explorer))
    assert len(made.states()) == 6
    assert made.html().startswith("<")
    for state in made.states():
        assert made.caption_of(**state)


def test_a_sweep_can_be_computed():
    (made,) = (v for v in run("Add a sweep").values() if isinstance(v, Sweep))
    row = made.compute(made.probes[0])
    assert 1 < row["mean"] < 2
    assert 0 < row["left"] <= 100
    assert made.compute(made.probes[0]) == row


def test_an_idea_of_source_002():
    idea = run("Add an idea of source 002")["row"]
    x = torch.full((3,), 2.0)
    optimizer = idea.optimizer([x], seed=1, lr=0.1, h=0.01)
    for _ in range(200):
        optimizer.step(lambda: (x**2).sum())
    assert (x**2).sum() < 0.1
    assert optimizer.evaluations == 200 * int(idea.cost)


@pytest.mark.parametrize("heading", ["Add a claim", "A claim with a control"])
def test_a_claim_is_read_and_checked(heading, tmp_path, monkeypatch):
    (entry,) = recipe(heading, "yaml")
    (tmp_path / "01-modelling-sgd.yml").write_text(entry)
    (claim,) = claims.load(tmp_path)
    monkeypatch.setenv("DESCENT_CLAIMS", str(tmp_path))
    if heading == "Add a claim":
        card = run(heading, claims=claims, value=claim.expected)
        assert card
        with pytest.raises(claims.ClaimMismatch):
            run(heading, claims=claims, value=claim.expected + 1)
    else:
        assert claim.control in repr(claims.check(claim.id, claim.expected))


def fields(heading):
    """Return what the tables of a section explain."""
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]*`) \|", section, re.M)
    return set(re.findall(r"`(\w+)`", " ".join(rows)))


def test_the_tables_of_fields_are_complete():
    assert fields("Add a claim") == claims.FIELDS - {"unit"}
    in_words = {"answer", "choices", "tries", "accepts"}
    assert fields("Add an exercise that checks itself") == exercises.FIELDS - in_words


def test_an_exercise_is_read_and_checks_itself(tmp_path, monkeypatch):
    (entry,) = recipe("Add an exercise that checks itself", "yaml")
    (tmp_path / "04-without-uncertainty.yml").write_text(entry)
    monkeypatch.setenv("DESCENT_EXERCISES", str(tmp_path))
    (exercise,) = exercises.load()
    assert exercises.check("4.2", exercise.right())
    assert exercises.check("4.2", 2 * exercise.right()).said == exercise.slips[0].hint


def test_a_sentence_holds_expressions():
    (sentence,) = recipe("Numbers in sentences", "markdown")
    from descent import prose

    values = vars(prose) | {"median": 12.34, "share": 0.256}
    found = sentences.ROLE.findall(sentence)
    assert [eval(expression, values) for expression in found] == ["12.3", "26 %"]


def test_a_finding_is_a_script_in_a_folder_of_its_own():
    (script,) = recipe("Add a finding", "bash")
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0
    assert "mktemp -d" in script
    assert re.search(r"==\d", script)


def test_names_in_capitals_behind_a_file_stand_in_it():
    found = re.findall(r"`([A-Z_]{4,})` (?:there|in `([\w./]+\.py)`)", TEXT)
    assert len(found) >= 3
    for name, place in found:
        places = [place] if place else re.findall(r"`(src/[\w./]+\.py)`", TEXT)
        assert any(name in (paths.ROOT / p).read_text() for p in places), name


def test_the_makefile_names_files_that_are_there():
    makefile = (paths.ROOT / "Makefile").read_text()
    show = "show:\n\t@echo $(UNITS)\n"
    done = subprocess.run(
        ["make", "-s", "-f", "-", "show"],
        input=makefile + "\n" + show,
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    units = done.stdout.split()
    assert {"tests/markov", "tests/test_systems.py"} <= set(units)
    assert not {"tests/browser", "tests/test_commands.py"} & set(units)
    assert [unit for unit in units if not (paths.ROOT / unit).exists()] == []


def test_every_recipe_names_files_that_are_there():
    named = set(re.findall(r"`((?:src|tests|book|notebooks|scripts|benchmarks)/[\w./-]+)`", TEXT))
    assert len(named) > 10
    made = {f"book/{kind}/NN-name.yml" for kind in ("claims", "exercises")}
    made.add("book/sweeps/01-walks.jsonl")
    missing = {name for name in named - made if not (paths.ROOT / name).exists()}
    assert missing == set()


@pytest.mark.parametrize("entry", [{"control": 3}, {"control": "  "}])
def test_a_control_is_a_text(entry, tmp_path):
    (good,) = yaml.safe_load(recipe("Add a claim", "yaml")[0])
    (tmp_path / "01-a.yml").write_text(yaml.safe_dump([good | entry]))
    with pytest.raises(claims.ClaimError, match="control"):
        claims.load(tmp_path)
