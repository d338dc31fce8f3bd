"""The environment that `make` makes: killed, doubled, without torch; and its lock file is whole."""

import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from descent.files import write_whole
from descent.publish import paths

ROOT = paths.ROOT

VENV = """
import pathlib, sys
place = pathlib.Path(sys.argv[-1])
(place / "bin").mkdir(parents=True, exist_ok=True)
log = place.parent / "log"
with log.open("a") as out:
    print("venv", *sys.argv[1:-1], file=out)
python = place / "bin" / "python"
python.write_text(f'''#!/bin/sh
echo "$@" >> "{log}"
test -e "{place.parent}/slow" && exec sleep 1.5
test -e "{place.parent}/refused" || exit 0
while read -r words; do case "$*" in *"$words"*) exit 1;; esac; done < "{place.parent}/refused"
exit 0
''')
python.chmod(0o755)
"""


@pytest.fixture
def bare(tmp_path):
    """A fresh checkout in which neither venv nor pip do anything but note their calls.

    Calls with words of a line of the file `refused` fail.
    """
    root = tmp_path / "dir ü space"
    (root / "scripts").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "scripts/environment.py"):
        shutil.copyfile(ROOT / name, root / name)
    write_whole(root / "stub" / "venv.py", VENV)
    return root


def until(condition, seconds=30):
    """Wait until something is the case."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it never was"
        time.sleep(0.02)


def make(root):
    # As a reader calls it, also where the tests themselves were called by make.
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.Popen(
        ["make", "book", f"PYTHON={sys.executable}"],
        cwd=root,
        env=outside | {"MFLAGS": "", "PYTHONPATH": str(root / "stub")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


KINDS = {
    "uninstall": "no torch",
    "import torch": "torch?",
    "--index-url": "torch",
    "--constraint": "torch and what it needs",
    "--editable": "descent",
    "numpy==": "packages",
}


def calls(root):
    """The calls of venv and pip so far, a word or two each."""
    log = root / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [
        next((short for long, short in KINDS.items() if long in line), line.strip())
        for line in lines
    ]


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
WHOLE = ["venv", "packages", "torch?", "torch", "torch?", "descent", "-m descent.publish"]


@needs_make
@pytest.mark.parametrize("whom", [os.killpg, os.kill])
def test_an_environment_half_made_is_made_anew(bare, whom):
    (bare / "slow").touch()
    killed = make(bare)
    until(lambda: "packages" in calls(bare))
    if whom is os.killpg:
        os.killpg(killed.pid, signal.SIGKILL)
    else:  # make lives on for a moment, and says what happened to the child
        (child,) = Path(f"/proc/{killed.pid}/task/{killed.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
    killed.communicate(timeout=20)
    assert killed.returncode != 0
    assert not (bare / ".venv" / ".ready").exists()
    (bare / "slow").unlink()
    (bare / "log").unlink()
    again = make(bare)
    assert again.communicate(timeout=20)[0].count("making the environment") == 1
    assert calls(bare) == ["venv --clear", *WHOLE[1:]]
    third = make(bare)
    assert third.communicate(timeout=20)[0] == ""
    assert calls(bare)[len(WHOLE) :] == ["-m descent.publish"]


@needs_make
def test_two_makes_make_one_environment(bare):
    (bare / "slow").touch()
    first = make(bare)
    until(lambda: "packages" in calls(bare))
    (bare / "slow").unlink()
    second = make(bare)
    assert "waiting for it" in second.communicate(timeout=20)[0]
    first.communicate(timeout=20)
    assert (first.returncode, second.returncode) == (0, 0)
    assert sorted(calls(bare)) == sorted([*WHOLE, "-m descent.publish"])


def made(bare, *refused):
    """Make the environment where such calls fail; return what is said and done of torch."""
    (bare / "refused").write_text("".join(f"{words}\n" for words in refused))
    process = make(bare)
    said = process.communicate(timeout=20)[0]
    assert process.returncode == 0, said
    assert (bare / ".venv" / ".ready").exists()
    return said.splitlines()[1:], calls(bare)[2:-2]


@needs_make
def test_where_the_cpu_build_is_not_to_be_had_the_registrys_comes_with_what_it_needs(bare):
    said, done = made(bare, "--index-url")
    assert done == ["torch?", "torch", "torch and what it needs", "torch?"]
    assert ["gigabytes" in line for line in said] == [True]
    (call,) = [line for line in (bare / "log").read_text().splitlines() if "--constraint" in line]
    assert "--no-deps" not in call
    assert "torch==" in call.partition("requirements.lock")[2]


@needs_make
def test_without_any_torch_the_environment_is_made_and_one_line_says_so(bare):
    said, done = made(bare, "--index-url", "--constraint", "import torch")
    assert said[1:] == [
        "no PyTorch for this Python and machine: chapters with networks will stand without results"
    ]
    assert done[-2:] == ["torch?", "no torch"]


@needs_make
def test_a_torch_that_cannot_be_imported_is_taken_away_before_another_is_asked_for(bare):
    """What is installed already pip leaves alone."""
    _, done = made(bare, "import torch")
    assert done[:3] == ["torch?", "no torch", "torch"]
    assert done[3:] == ["torch?", "no torch"], "and none that is of no use stays to be found"


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
(TORCH,) = PROJECT["tool"]["uv"]["dependency-metadata"]
SYSTEMS = {
    "Linux": ("linux", "x86_64"),
    "Mac": ("darwin", "arm64"),
    "Mac on Intel": ("darwin", "x86_64"),
}
MACHINES = {
    f"3.{minor}, {name}": {
        "python_version": f"3.{minor}",
        "python_full_version": f"3.{minor}.1",
        "sys_platform": system,
        "platform_system": system.title(),
        "platform_machine": processor,
    }
    for minor in range(11, 15)
    for name, (system, processor) in SYSTEMS.items()
}


def locked(machine):
    """Return the versions that the lock file gives to a machine, by name."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {
        pin.name: str(pin.specifier).removeprefix("==")
        for pin in pins
        if pin.marker is None or pin.marker.evaluate(machine)
    }


def needs(name):
    """Return what a package asks for: the project itself, torch's CPU build, or one as installed.

    One that is not installed is another system's.
    """
    if name == "descent-book":
        project = PROJECT["project"]
        lines = [*project["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]
    elif name == "torch":
        lines = TORCH["requires-dist"]
    else:
        try:
            lines = distribution(name).requires or []
        except PackageNotFoundError:
            lines = []
    return [Requirement(line) for line in lines]


def lacking(machine, pins):
    """Yield what packages ask for on a machine, and its lock file does not give."""
    waiting = [("descent-book", "")]
    seen = set(waiting)
    while waiting:
        name, extra = waiting.pop()
        for need in needs(name):
            there = canonicalize_name(need.name)
            if need.marker is not None and not need.marker.evaluate(machine | {"extra": extra}):
                continue
            if there == "descent-book":
                continue
            if not need.specifier.contains(pins.get(there, "0"), prereleases=True):
                yield f"{name} needs {need}"
            more = {(there, asked) for asked in ("", *need.extras)} - seen
            seen |= more
            waiting += more


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_the_lock_file_names_all_that_its_packages_need(machine):
    """Pip takes its lines and asks for nothing else."""
    assert list(lacking(machine, locked(machine))) == []


def test_what_a_lock_file_does_not_name_is_seen():
    machine = MACHINES["3.13, Linux"]
    pins = locked(machine)
    without = {name: version for name, version in pins.items() if name != "sympy"}
    assert {line.partition(" ")[0] for line in lacking(machine, without)} == {"torch"}
    assert list(lacking(machine, pins | {"numpy": "1.26.0"}))
    intel = locked(MACHINES["3.13, Mac on Intel"])
    assert not {"torch", "torchjd", "sympy"} & intel.keys()
    assert "torch" in locked(MACHINES["3.13, Mac"])


def test_pytorchs_cpu_build_asks_for_what_the_resolver_is_told():
    """The registry's build for Linux asks for CUDA besides."""
    asked = [Requirement(line) for line in distribution("torch").requires]
    mac = MACHINES["3.13, Mac"] | {"extra": ""}
    everywhere = {r.name for r in asked if r.marker is None or r.marker.evaluate(mac)}
    assert everywhere == {Requirement(line).name for line in TORCH["requires-dist"]}
    assert f"torch=={TORCH['version']}" in EXTRAS["networks"][0]
