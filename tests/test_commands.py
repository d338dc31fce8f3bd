"""The command line, from end to end: runs, sweeps, interruptions, figures, messages."""

import csv
import errno
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from threading import Thread

import pytest
import torch
from joblib.externals.loky import get_reusable_executor
from omegaconf import OmegaConf

from descent.commands import asked, entry, train, viz_loss
from descent.commands.folder import RunFolder
from descent.files import write_whole
from descent.networks.reparameterization import Training

ROOT = Path(__file__).parents[1]
SMALL = [
    "model=mlp5",
    "model.in_ch=4",
    "model.hidden_ch=16",
    "trainer.epochs=100",
    "trainer.initialization.init_condition=[1.0]",
    "trainer.initialization.tolerance=0.1",
]
FILES = {"settings.json", "trajectory.csv", "trajectory.png", "result.csv", ".hydra"}


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


def python(*arguments):
    """Run Python in the checkout's scripts' way: nothing says where the library is."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment
    )


def call(monkeypatch, *arguments):
    """Call `descent-train` in this process."""
    monkeypatch.setattr(sys, "argv", ["descent-train", *arguments])
    entry.train()


def row(path):
    """The only row of a table."""
    (only,) = csv.DictReader(Path(path).read_text().splitlines())
    return only


KILLED = """
import os, runpy, signal, sys
replace, renamed = os.replace, 0
def killing(*paths):
    global renamed
    renamed += 1
    if renamed == 120:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*paths)
os.replace = killing
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""


def test_a_run_killed_while_it_saves_goes_on_with_the_same_numbers(monkeypatch, capsys):
    arguments = [*SMALL, "hydra.run.dir=killed", "output.checkpoint_seconds=0"]
    killed = python("-c", KILLED, ROOT / "scripts" / "train.py", *arguments)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    names = {path.name for path in Path("killed").iterdir()}
    assert names == {"settings.json", "checkpoint.pt", "checkpoint.pt.part", ".hydra", ".lock"}
    saved = torch.load("killed/checkpoint.pt", weights_only=True)
    assert saved["fit_steps"] > 10
    assert 10 < len(saved["loss"]) < 100

    call(monkeypatch, *SMALL, "hydra.run.dir=killed")
    assert "finished from its checkpoint" in capsys.readouterr().out
    call(monkeypatch, *SMALL, "hydra.run.dir=whole")
    for file in ("trajectory.csv", "result.csv"):
        assert Path("killed", file).read_bytes() == Path("whole", file).read_bytes()
    assert {path.name for path in Path("killed").iterdir()} == FILES


def test_a_run_told_to_stop_keeps_its_place(monkeypatch, capsys):
    step, count = Training.step, 0

    def interrupted(self):
        nonlocal count
        step(self)
        count += 1
        if count == 30:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "step", interrupted)
        with pytest.raises(SystemExit) as stopped:
            call(patch, *SMALL, "hydra.run.dir=here")
    assert stopped.value.code == 128 + signal.SIGTERM
    assert "the same command goes on from there" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    call(monkeypatch, *SMALL, "hydra.run.dir=here")
    call(monkeypatch, *SMALL, "hydra.run.dir=whole")
    assert Path("here/trajectory.csv").read_bytes() == Path("whole/trajectory.csv").read_bytes()


def test_the_direct_run_of_the_source(monkeypatch, capsys):
    arguments = [
        "--config-name",
        "config",
        "model=parameter",
        "trainer.initialization.init_condition=[0.96]",
        "lossfun=qubic_1d",
        "hydra.run.dir=run",
    ]
    call(monkeypatch, *arguments)
    captured = capsys.readouterr()
    assert "x = (0.96015)  loss = -0.70585" in captured.out
    assert "finished" in captured.out
    assert captured.err == ""  # no progress bar where there is no terminal
    result = row("run/result.csv")
    assert float(result["x"]) == pytest.approx(0.96015, abs=5e-6)
    assert (result["fitted"], result["diverged"], result["epochs_done"]) == ("True", "False", "500")
    table = list(csv.DictReader(Path("run/trajectory.csv").read_text().splitlines()))
    assert len(table) == 500
    assert (table[-1]["x1"], table[-1]["loss"]) == (result["x"], result["loss"])

    call(monkeypatch, *arguments)
    assert "finished before" in capsys.readouterr().out
    arguments += ["trainer.epochs=2", "trainer.initialization.max_steps=5"]
    call(monkeypatch, *arguments, "output.restart=true", "output.progress=true")
    captured = capsys.readouterr()
    assert "started again, since output.restart=true" in captured.out
    assert "2/2" in captured.err
    monkeypatch.setattr(train, "code_digest", lambda: "other")
    call(monkeypatch, *arguments)
    assert "started again, since other code made them" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("model", "function", "start"),
    [
        ("mlp9", "ackley", [1.0, 2.0, 3.0]),
        ("mlp17", "griewank", [1.0]),
        ("mlp9", "six_hump_camel", [2.0, 2.0]),
    ],
)
def test_models_and_functions_combine(monkeypatch, capsys, model, function, start):
    call(
        monkeypatch,
        f"model={model}",
        f"lossfun={function}",
        "model.in_ch=3",
        "model.hidden_ch=8",
        f"model.out_ch={len(start)}",
        f"trainer.initialization.init_condition={start}",
        "trainer.initialization.tolerance=1.0",
        "trainer.epochs=3",
        "hydra.run.dir=run",
    )
    result = row("run/result.csv")
    assert (result["model"], result["lossfun"]) == (model, function)
    assert len(result["x"].split()) == len(start)
    assert Path("run/trajectory.png").read_bytes().startswith(b"\x89PNG")


def test_a_sweep_over_seeds_in_parallel(monkeypatch, capfd):
    try:
        call(
            monkeypatch,
            "--multirun",
            "seed=range(3)",
            "hydra/launcher=joblib",
            "hydra.launcher.n_jobs=2",
            *SMALL,
        )
    finally:
        get_reusable_executor().shutdown()
    assert "outputs/results.csv" in capfd.readouterr().out
    rows = list(csv.DictReader(Path("outputs/results.csv").read_text().splitlines()))
    assert sorted(row["seed"] for row in rows) == ["0", "1", "2"]
    assert len({row["x"] for row in rows}) == 3
    (swept,) = [row for row in rows if row["seed"] == "2"]
    # One run alone has the same folder and the same numbers.
    call(monkeypatch, "seed=2", *SMALL, "output.restart=true")
    assert row(Path("outputs", swept.pop("folder"), "result.csv")) == swept


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (["model=mlp3"], ["model must be one of mlp17, mlp5, mlp9, parameter; got 'mlp3'"]),
        (["model=mlp5,mlp3", "-m"], ["model must be one of mlp17", "got 'mlp3'"]),
        (
            ["lossfun=ackly"],
            ["lossfun must be one of ackley, griewank", "six_hump_camel", "did you mean 'ackley'?"],
        ),
        (["trainer.optimizer=foo"], ["trainer.optimizer must be one of adam, sgd; got 'foo'"]),
        (["trainer.betas=[0.9]"], ["trainer.betas must have shape (2,); got (1,)"]),
        (["trainer.decay=2"], ["trainer.decay must lie in [0, 1]; got 2"]),
        (["seed=-1"], ["seed must not be negative; got -1"]),
        (["--config-name", "confg"], ["--config-name must be one of config;", "mean 'config'?"]),
        (
            ["trainer.initialization.init_condition=[1.0,2.0]"],
            ["init_condition has 2 numbers, [1.0, 2.0]", "model.out_ch=1"],
        ),
        (
            ["lossfun=qubic_1d", "model.out_ch=2"],
            ["qubic_1d takes points of dimension 1", "functions of dimension 2: ackley"],
        ),
        (["lossfun=six_hump_camel"], ["dimension 2; got d = 1 (model.out_ch=1)"]),
        (["model.in_ch=512"], ["hidden_ch must exceed in_ch; got hidden_ch=512, in_ch=512"]),
        (["model.hidden_ch=many"], ["hidden_ch must be an integer; got 'many'"]),
        (["model.out_ch=0"], ["model.out_ch must be at least 1; got 0"]),
        (["trainer.epochs=0"], ["trainer.epochs must be at least 1; got 0"]),
        (["trainer.epoch=3"], ["Key 'epoch' is not in struct"]),
        (["trainer.learning_rate=-1"], ["trainer.learning_rate must lie in (0, 1e+30]; got -1"]),
        (["shift=[1.0,2.0]"], ["shift must be a number or 1 of them"]),
        (["output.progress=maybe"], ["output.progress must be auto, true or false"]),
    ],
)
def test_errors_say_what_there_is(monkeypatch, capsys, arguments, messages):
    with pytest.raises(SystemExit) as stopped:
        call(monkeypatch, *arguments)
    assert stopped.value.code == 1
    error = capsys.readouterr().err
    assert "Traceback" not in error
    for message in messages:
        assert message in error
    assert list(Path().iterdir()) == [], "a mistake leaves no folder"


def test_a_folder_with_another_run_is_not_overwritten(monkeypatch, capsys):
    arguments = ["model=parameter", "hydra.run.dir=run", "trainer.epochs=2"]
    start = "trainer.initialization.init_condition=[0.01]"
    call(monkeypatch, *arguments, start)
    before = Path("run/result.csv").read_bytes()
    with pytest.raises(SystemExit):
        call(monkeypatch, *arguments, start, "seed=3", "trainer.momentum=0.5")
    error = capsys.readouterr().err
    assert "other settings (seed=0, now 3; trainer.momentum=0.0, now 0.5)" in error
    assert Path("run/result.csv").read_bytes() == before


def test_divergence_and_a_start_out_of_reach_are_said(monkeypatch, capsys):
    common = ["model=parameter", "lossfun=qubic_1d", "trainer.optimizer=sgd"]
    call(monkeypatch, *common, "trainer.learning_rate=0.4", "hydra.run.dir=diverged")
    assert "DIVERGED after" in capsys.readouterr().out
    assert row("diverged/result.csv")["diverged"] == "True"
    fit = "trainer.initialization.max_steps=3"
    call(monkeypatch, *common, fit, "trainer.epochs=2", "hydra.run.dir=short")
    assert "the start was not reached" in capsys.readouterr().out


def test_a_file_is_whole_or_as_it_was(monkeypatch, tmp_path):
    path = tmp_path / "file"
    write_whole(path, b"old")

    def crash(*_):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError, match="no space"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    monkeypatch.undo()
    RunFolder(tmp_path).open({}, "code", restart=False)
    assert {file.name for file in tmp_path.iterdir()} == {"file", "settings.json"}


@pytest.mark.parametrize("arguments", [["hydra.run.dir=file/run"], ["-m", "hydra.sweep.dir=file"]])
def test_a_folder_that_cannot_be_made_is_said_in_a_line(monkeypatch, capsys, arguments):
    Path("file").touch()
    with pytest.raises(SystemExit, match=r"^file(/run)?: (Not a directory|File exists)$"):
        call(monkeypatch, *arguments, *SMALL)
    assert "Traceback" not in capsys.readouterr().err


def test_a_full_disk_is_said_in_a_line_and_the_run_goes_on_when_there_is_space(monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    arguments = ["model=parameter", "trainer.epochs=3", "hydra.run.dir=full"]
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(SystemExit):
            call(patched, *arguments)
    said = capsys.readouterr().err
    assert f"cannot write {Path('full/settings.json').resolve()}: No space left on device" in said
    assert "Traceback" not in said
    assert {path.name for path in Path("full").iterdir()} == {".hydra"}
    call(monkeypatch, *arguments)
    assert "finished" in capsys.readouterr().out


def test_a_second_process_in_a_folder_waits_for_the_first(tmp_path, capsys):
    folder, ends = RunFolder(tmp_path / "run"), []

    def second():
        with RunFolder(tmp_path / "run").held():
            ends.append("second")

    with folder.held():
        waiting = Thread(target=second)
        waiting.start()
        waiting.join(0.3)
        ends.append("first")
    waiting.join()
    assert ends == ["first", "second"]
    assert f"at work in {folder.path}; waiting" in capsys.readouterr().out
    assert list(folder.path.iterdir()) == []


@pytest.mark.parametrize("one_dim", [True, False])
def test_a_figure_of_a_function(one_dim, capsys):
    arguments = ["--function_name", "ackley", "--range", "40", "--num_samples", "50"]
    viz_loss.main([*arguments, *(["--one_dim"] if one_dim else [])])
    said = capsys.readouterr().out.strip()
    assert said == f"outputs/ackley_{1 if one_dim else 2}d.png"
    assert Path(said).read_bytes().startswith(b"\x89PNG")


def test_a_function_of_one_variable_is_drawn_as_a_curve_without_being_told(capsys):
    viz_loss.main(["--function_name", "qubic_1d", "--range", "2", "--num_samples", "50"])
    said = capsys.readouterr().out.strip()
    assert said == "outputs/qubic_1d_1d.png"
    told = ["--one_dim", "--output", "told.png"]
    viz_loss.main(["--function_name", "qubic_1d", "--range", "2", "--num_samples", "50", *told])
    assert Path(said).read_bytes() == Path("told.png").read_bytes()


def test_the_figures_script_writes_where_it_is_told_to():
    script = ROOT / "scripts" / "viz_loss.py"
    done = python(script, "--num_samples", "9", "--one_dim", "--output", "a/b.png")
    drawing = "drawing ackley on [-40, 40] …\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, "a/b.png\n", drawing)
    assert Path("a/b.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--function_name", "foo"], "griewank"),
        (["--function_name", "six_hump_camel", "--one_dim"], "leave out --one_dim"),
        (["--range", "-3"], "--range must be positive; got -3.0"),
        (["--range", "wide"], "--range: invalid float value: 'wide'"),
        (["--num_samples", "1"], "--num_samples must lie in [2, 1000]; got 1"),
        (["--one_dim", "--output", "/dev/null/x.png"], "--output /dev/null/x.png: "),
    ],
)
def test_the_errors_of_the_figures_script(arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        viz_loss.main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("checkout", [True, False])
def test_a_missing_package_is_named_with_the_line_that_brings_it(monkeypatch, tmp_path, checkout):
    """From a checkout it is the checkout that is installed; what a registry has may be foreign."""
    monkeypatch.setitem(sys.modules, "hydra", None)
    monkeypatch.delitem(sys.modules, "descent.commands.train", raising=False)
    monkeypatch.setattr(sys, "argv", ["descent-train"])
    if not checkout:
        monkeypatch.setattr(entry, "CHECKOUT", tmp_path)
    what = f"-e '{ROOT}" if checkout else "'descent-book"
    with pytest.raises(SystemExit, match=re.escape(f"pip install {what}[networks,commands]'")):
        entry.train()


# What a command says first ends it, with the processor's seconds until then.
FIRST_WORDS = """
import runpy, sys, time, types
class First:
    def write(self, text):
        if text.strip():
            slow = sorted({"torch", "hydra", "matplotlib"} & sys.modules.keys())
            said = [text.strip(), time.process_time(), *slow]
            print(*said, sep="|", file=sys.__stdout__, flush=True)
            raise SystemExit
    def flush(self):
        pass
sys.stdout = sys.stderr = First()
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""


@pytest.mark.parametrize(
    ("script", "arguments", "words"),
    [
        ("train.py", ["--config-name", "config"], "descent-train: ackley through mlp9"),
        ("train.py", ["model=parameter", "lossfun=qubic_1d"], "qubic_1d through parameter"),
        ("train.py", ["--config-name", "confg"], "did you mean 'config'?"),
        ("train.py", ["model=mlp3"], "got 'mlp3'"),
        ("viz_loss.py", ["--function_name", "qubic_1d", "--range", "2"], "qubic_1d on [-2, 2]"),
        ("viz_loss.py", ["-h"], "usage: descent-viz-loss"),
    ],
)
def test_the_first_line_waits_for_nothing_slow(script, arguments, words):
    done = python("-c", FIRST_WORDS, ROOT / "scripts" / script, *arguments)
    said, seconds, *slow = done.stdout.strip().split("|")
    assert words in said
    assert slow == []
    assert float(seconds) < 1.5  # of one processor; two seconds are promised


def test_a_wrong_function_is_named_before_anything_slow_is_loaded(monkeypatch, capsys):
    monkeypatch.setattr(entry, "_run", pytest.fail)
    with pytest.raises(SystemExit):
        call(monkeypatch, "lossfun=ackly")
    assert "did you mean 'ackley'?" in capsys.readouterr().err


def test_the_first_line_says_what_the_configuration_chooses(monkeypatch, capsys):
    config = OmegaConf.load(asked.CONFIGURATION / "config.yaml")
    monkeypatch.setattr(entry, "_run", lambda command: None)
    call(monkeypatch)
    said = capsys.readouterr().out
    assert said.startswith(f"descent-train: {config.lossfun} through {config.defaults[0].model};")


@pytest.mark.parametrize("argument", ["--cfg=job", "--help", "--info"])
def test_what_hydra_answers_it_answers_alone(monkeypatch, capsys, argument):
    monkeypatch.setattr(entry, "_run", lambda command: None)
    call(monkeypatch, argument)
    said = capsys.readouterr()
    assert said.out == ""
    assert bool(said.err) == (argument == "--help"), "a reader who asks for help waits"


def test_a_long_fit_says_that_it_is_at_work(monkeypatch, capsys):
    monkeypatch.setattr(train, "SILENCE", 0.0)
    short = ["trainer.epochs=2", "trainer.initialization.max_steps=3"]
    call(monkeypatch, "model=parameter", *short, "hydra.run.dir=run")
    said = capsys.readouterr().out
    assert re.search(
        r"the start is fitted first: mean square \d\.\de[+-]\d\d after [123] steps", said
    )


def test_workers_of_several_runs_end_with_their_parent(tmp_path):
    """They keep what they have: the next call of the same command goes on from there."""
    many = ["-m", "seed=range(2)", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    long = [*SMALL, "trainer.epochs=100000"]  # minutes, if nobody ends them
    train_py = ROOT / "scripts" / "train.py"
    parent = subprocess.Popen(
        [sys.executable, train_py, *many, *long],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    workers = waited(lambda: [path.parent for path in Path("outputs").glob("*/settings.json")], 2)
    parent.kill()
    parent.wait()
    saved = waited(lambda: list(Path("outputs").glob("*/checkpoint.pt")), 2)
    assert {path.parent for path in saved} == set(workers)
    waited(lambda: [w for w in workers if not (w / ".lock").exists()], 2)


def waited(found, n, seconds=120):
    """Return what is found, as soon as there are n of it."""
    end = time.monotonic() + seconds
    while len(there := found()) < n:
        assert time.monotonic() < end, there
        time.sleep(0.1)
    return there


def test_the_package_holds_the_commands_and_their_configuration():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for script in project["project"]["scripts"].values():
        module, name = script.split(":")
        assert module == entry.__name__
        assert callable(getattr(entry, name))
    source = ROOT / "src" / "descent"
    patterns = project["tool"]["setuptools"]["package-data"]["descent"]
    packed = {path for pattern in patterns for path in source.glob(pattern)}
    found = set((source / "commands").rglob("*.yaml"))
    assert len(found) == 5
    assert found <= packed


# Without a start there is nothing to fit before the first step.
SHORT = ["model=parameter", "trainer.epochs=20", "trainer.initialization.init_condition=null"]
DAMAGE = [
    ("checkpoint.pt", lambda content: content[: len(content) // 2]),
    ("settings.json", lambda content: b""),
    ("settings.json", lambda content: b'{"settings": [], "code": ""}'),
    ("result.csv", lambda content: b""),
]


@pytest.mark.parametrize(("name", "damage"), DAMAGE)
def test_a_damaged_folder_is_said_in_a_line_with_the_remedy(monkeypatch, capsys, name, damage):
    """As a failing disk leaves it, or a copy that broke off."""
    arguments = [*SHORT, "hydra.run.dir=kept"]
    if name == "checkpoint.pt":
        with monkeypatch.context() as patched:
            patched.setattr(RunFolder, "finish", lambda *_: sys.exit(3))
            with pytest.raises(SystemExit):
                call(patched, *arguments, "output.checkpoint_seconds=0")
    else:
        call(monkeypatch, *arguments)
    path = Path("kept") / name
    path.write_bytes(damage(path.read_bytes()))
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        call(monkeypatch, *arguments)
    assert stopped.value.code == 1
    said = capsys.readouterr().err.strip()
    assert f"{name} is damaged (" in said
    assert "throw that run away with output.restart=true" in said
    assert "Traceback" not in said
    call(monkeypatch, *arguments, "output.restart=true")
    assert row("kept/result.csv")["epochs_done"] == "20"


def test_several_runs_give_their_table_and_name_each_that_failed(monkeypatch, capsys):
    arguments = ["-m", *SHORT, "trainer.learning_rate=0.1,-1,0.2"]
    with pytest.raises(SystemExit) as stopped:
        call(monkeypatch, *arguments)
    assert stopped.value.code == 1
    shown = capsys.readouterr()
    assert "all finished runs of this folder: outputs/results.csv" in shown.out
    table = list(csv.DictReader(Path("outputs/results.csv").read_text().splitlines()))
    assert sorted(line["learning_rate"] for line in table) == ["0.1", "0.2"]
    failed, *others = shown.err.strip().splitlines()[1:]
    assert others == []
    assert failed.startswith("outputs/ackley-parameter-")
    assert "trainer.learning_rate must lie in (0, 1e+30]; got -1" in failed
    assert "Traceback" not in shown.err


def test_a_table_of_several_runs_leaves_out_and_names_a_damaged_one(monkeypatch, capsys):
    arguments = ["-m", *SHORT, "seed=1,2"]
    call(monkeypatch, *arguments)
    first, _ = sorted(Path("outputs").glob("*/result.csv"))
    first.write_text("")
    with pytest.raises(SystemExit):
        call(monkeypatch, *arguments)
    assert f"{first} is damaged" in capsys.readouterr().err
    assert len(Path("outputs/results.csv").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("seed=99999999999999999999999", "seed must be below 2^64; got 99999999999999999999999"),
        ("trainer.learning_rate=1e308", "trainer.learning_rate must lie in (0, 1e+30]; got 1e+308"),
        ("trainer.learning_rate='1e-3'", "trainer.learning_rate must be a real scalar"),
    ],
)
def test_a_wrong_number_is_named_as_it_is_typed(monkeypatch, capsys, argument, said):
    with pytest.raises(SystemExit):
        call(monkeypatch, *SHORT, argument)
    assert said in capsys.readouterr().err
