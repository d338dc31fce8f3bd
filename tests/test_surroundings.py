"""What other machines read: conda's environment, workflows, containers, and what README says."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import metadata

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import descent
from descent.publish import lite, paths

PROJECT = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
WORKFLOWS = sorted((paths.ROOT / ".github" / "workflows").glob("*.yml"))


def conda():
    return yaml.safe_load((paths.ROOT / "environment.yml").read_text())["dependencies"]


def test_conda_asks_for_the_pythons_that_the_project_takes():
    (python,) = [entry for entry in conda() if str(entry).startswith("python")]
    assert python == "python" + PROJECT["requires-python"]


def dry_run(lines, folder):
    """Hand lines to pip as conda does: as a file of requirements beside environment.yml."""
    listed = folder / "condaenv.requirements.txt"
    listed.write_text("\n".join(lines))
    # Everything of the lock is installed here, so that neither a network nor a server is asked.
    options = ["--dry-run", "--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    return subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "-r", str(listed)],
        cwd=paths.ROOT,
        env=os.environ | {"PIP_FIND_LINKS": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_pip_takes_what_conda_hands_on(tmp_path):
    (lines,) = [entry["pip"] for entry in conda() if isinstance(entry, dict)]
    assert {"-r requirements.lock", "-e ."} < set(lines)
    absolute = [line.replace("-r ", f"-r {paths.ROOT}/") for line in lines]
    done = dry_run(absolute, tmp_path)
    assert done.returncode == 0, done.stderr


def test_pip_refuses_options_of_its_command_line_in_a_file(tmp_path):
    assert dry_run(["--no-deps -e ."], tmp_path).returncode != 0


PYTHONS = [f"3.{minor}" for minor in range(11, 15)]


def pinned():
    """Return the requirements of the lock file that are installed here, for each Python."""
    text = (paths.ROOT / "requirements.lock").read_text().splitlines()
    pins = [Requirement(line) for line in text if line and not line.startswith("#")]
    here = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    for python in PYTHONS:
        there = {"python_version": python, "python_full_version": f"{python}.0"}
        yield python, [pin for pin in here if pin.marker is None or pin.marker.evaluate(there)]


def test_the_pythons_are_those_that_the_project_takes():
    takes = SpecifierSet(PROJECT["requires-python"])
    assert [p for p in (f"3.{minor}" for minor in range(8, 20)) if takes.contains(p)] == PYTHONS


def test_every_pinned_package_takes_every_python():
    """A resolver asks for the least Python alone: what a package refuses above it is not seen."""
    refused = {
        (pin.name, python): needs
        for python, pins in pinned()
        for pin in pins
        if (needs := metadata(pin.name).get("Requires-Python"))
        and not SpecifierSet(needs).contains(f"{python}.0")
    }
    assert refused == {}


def jobs():
    return {
        f"{path.stem}:{name}": job
        for path in WORKFLOWS
        for name, job in yaml.safe_load(path.read_text())["jobs"].items()
    }


def test_workflows_test_each_system_and_python_and_publish_the_book():
    matrix = jobs()["test:test"]["strategy"]["matrix"]
    least, most = re.match(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    assert matrix["python"] == [f"3.{minor}" for minor in range(int(least), int(most))]
    assert {system.partition("-")[0] for system in matrix["os"]} == {"ubuntu", "macos"}
    steps = [str(step) for step in jobs()["pages:build"]["steps"]]
    assert any("make book" in step for step in steps)
    assert any("actions/upload-pages-artifact" in step for step in steps)


def test_each_step_of_a_workflow_is_pinned_and_calls_what_is_there():
    targets = set(re.findall(r"^([a-z]+):", (paths.ROOT / "Makefile").read_text(), re.M))
    for job in jobs().values():
        for step in job["steps"]:
            assert re.search(r"@v\d+", step.get("uses", "@v1")), step
            for called in re.findall(r"\bmake ([a-z]+)", step.get("run", "")):
                assert called in targets, step
            for file in re.findall(
                r"(?:^|\s)(\.?[\w./]+\.(?:py|sh)|\.ci/run)\b", step.get("run", "")
            ):
                assert (paths.ROOT / file).exists(), step


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not installed")
def test_actionlint_finds_nothing():
    done = subprocess.run(
        ["actionlint", *map(str, WORKFLOWS)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_container_is_made_by_the_same_commands():
    made = json.loads((paths.ROOT / ".devcontainer" / "devcontainer.json").read_text())
    assert made["postCreateCommand"].endswith("python scripts/environment.py")
    version = made["image"].rpartition(":")[2].rpartition("-")[0].rpartition("-")[2]
    assert re.fullmatch(r"3\.1[1-4]", version)


def test_lab_may_run_as_root_and_asks_for_nothing_else(tmp_path):
    makefile = (paths.ROOT / "Makefile").read_text()
    rule = re.search(r"\$\(BIN\)/jupyter lab notebooks (.*)", makefile)[1]
    for user, flag in (("0", "--allow-root"), ("1000", "")):
        (tmp_path / "id").write_text(f"#!/bin/sh\necho {user}\n")
        (tmp_path / "id").chmod(0o755)
        done = subprocess.run(
            ["make", "-s", "-f", "-", "show"],
            input=f"show:\n\t@echo {rule}\n",
            env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == flag


README = (paths.ROOT / "README.md").read_text(encoding="utf-8")
IN_WORDS = {12: "twelve", 13: "thirteen", 14: "fourteen"}


def numbers(text):
    """Return the numbers of a list such as ``1 to 7, 11 and 12``."""
    found = []
    for first, last in re.findall(r"(\d+)(?: to (\d+))?", text):
        found += range(int(first), int(last or first) + 1)
    return found


def test_readme_counts_the_chapters_and_says_which_need_networks():
    notebooks = paths.notebooks()
    assert f"Its {IN_WORDS[len(notebooks)]} chapters" in README
    needing = [
        int(path.stem[:2])
        for path in notebooks
        if "torch" in lite.imported(nbformat.read(path, as_version=4))
    ]
    (shown,) = re.findall(r"shows chapters ([\d, and]+) without their results", README)
    assert numbers(shown) == needing
    (rest,) = re.findall(r"chapters ([\d, toand]+) need only `descent-book\[chapters\]`", README)
    assert sorted(numbers(rest) + needing) == [int(path.stem[:2]) for path in notebooks]


def test_readme_names_targets_files_and_extras_that_are_there():
    targets = set(re.findall(r"^([a-z]+):", (paths.ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.M)) <= targets
    assert targets - {"show"} == set(re.findall(r"^\| `make ([a-z]+)` \|", README, re.M))
    for extras in re.findall(r"(?:descent-book|\.)\[([\w,]+)\]", README):
        assert set(extras.split(",")) <= PROJECT["optional-dependencies"].keys()
    for file in re.findall(r"`((?:src|scripts|notebooks|\.devcontainer)/[\w./-]+)`", README):
        assert (paths.ROOT / file).exists(), file
    for file in re.findall(r"^python (\S+\.py)", README, re.M):
        assert (paths.ROOT / file).exists(), file


def test_the_example_of_readme_gives_a_probability():
    (code,) = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)
    *before, last = code.strip().splitlines()
    names = {}
    exec("\n".join(before), names)  # it is our own page
    assert 0.99 < eval(last, names) < 1


def test_the_changelog_knows_the_version():
    versions = re.findall(r"^## (\d[\d.]*)", (paths.ROOT / "CHANGELOG.md").read_text(), re.M)
    assert versions[0] == descent.__version__


def commands():
    """Return the commands of the pages for readers and authors, as they are pasted in a shell."""
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (paths.ROOT / name).read_text(encoding="utf-8")
        # Blocks of other fences hold code, and what such code shows.
        for block in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S):
            if block[0] in ("", "bash", "sh"):
                yield block[1].replace("\\\n", "")


def unquoted(line):
    """Return what of a line stands outside of quotes, without its comment."""
    return re.sub(r"""'[^']*'|"[^"]*"|(?:^|\s)#.*""", "", line)


def test_commands_can_be_pasted_in_any_shell():
    """Parentheses end bash's line, and zsh takes brackets for a pattern of files."""
    lines = [line for block in commands() for line in block.splitlines()]
    called = [line for line in lines if re.match(r"(make|python|pip|git|export) ", line)]
    assert len(called) >= 5
    assert [line for line in called if re.search(r"[()\[\]*?]", unquoted(line))] == []
    assert unquoted("a 'b(1)' \"c[2]\" d(3) # e(4)").split() == ["a", "d(3)"]
