"""Sweeps: rows survive interruptions, and processes and clusters give the same numbers."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
from filelock import FileLock

from descent.sweeps import Sweep, compute, load, table
from descent.sweeps.__main__ import main

# The functions below live in no package that another process could import.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


def walk(seed, n, log=None):
    """A random walk's end and its first steps; notes each call in a file."""
    if log:
        with Path(log).open("a") as out:
            out.write(f"{seed}\n")
    steps = np.random.default_rng(seed).normal(size=n)
    return {"end": steps.sum(), "steps": steps[:3], "positive": bool(steps.sum() > 0)}


def slow_walk(seed, n):
    import time

    time.sleep(0.5)
    return walk(seed, n)


def stumble(x):
    if x == 2:
        raise ZeroDivisionError("two is not for us")
    return {"y": x}


def walks(run=walk, **extra):
    points = [{"seed": seed, "n": n, **extra} for n in (5, 50) for seed in range(4)]
    return Sweep("99-walks", run, points, probes=[0])


@pytest.fixture(autouse=True)
def tables(tmp_path, monkeypatch):
    monkeypatch.setenv("DESCENT_SWEEPS", str(tmp_path / "sweeps"))
    return tmp_path / "sweeps"


def complete(sweep, **options):
    return compute.complete(sweep, **{"jobs": 1, "show": lambda line: None} | options)


def test_a_table_holds_each_point_with_its_results(tables):
    assert complete(walks()) == 8
    frame = load("99-walks")
    assert list(frame["seed"]) == [0, 1, 2, 3] * 2
    for row in frame.itertuples():
        steps = np.random.default_rng(row.seed).normal(size=row.n)
        assert row.end == steps.sum()
        assert row.steps == list(steps[:3])
    head = table.header(tables / "99-walks.jsonl")
    assert head["rows"] == 8
    assert head["run"].endswith("walk")
    assert head["made_with"][0]["numpy"] == np.__version__


def test_what_is_there_is_not_computed_again(tables, tmp_path):
    log = str(tmp_path / "log")
    assert complete(walks(log=log)) == 8
    before = (tables / "99-walks.jsonl").read_bytes()
    assert complete(walks(log=log)) == 0
    assert (tables / "99-walks.jsonl").read_bytes() == before
    assert len(Path(log).read_text().split()) == 8
    assert complete(walks(log=log), fresh=True) == 8


def test_points_can_be_added_removed_and_reordered():
    first = Sweep("99-walks", walk, [{"seed": s, "n": 3} for s in (0, 1)], probes=[])
    more = Sweep("99-walks", walk, [{"seed": s, "n": 3} for s in (2, 1)], probes=[])
    assert (complete(first), complete(more)) == (2, 1)
    assert list(load("99-walks")["seed"]) == [2, 1]
    back = Sweep("99-walks", walk, [{"seed": s, "n": 3} for s in (1, 2)], probes=[])
    assert complete(back) == 0
    assert list(load("99-walks")["seed"]) == [1, 2]


def test_rows_of_another_version_do_not_count():
    complete(walks())
    newer = Sweep("99-walks", walk, walks().points, probes=[], version=2)
    assert complete(newer) == 8
    assert complete(newer) == 0


def test_processes_give_the_numbers_of_one(tables):
    complete(walks())
    alone = load("99-walks")
    complete(walks(), jobs=2, fresh=True)
    assert load("99-walks").equals(alone)


def test_a_row_that_fails_is_named_and_the_others_are_kept(tables):
    sweep = Sweep("99-stumble", stumble, [{"x": x} for x in range(4)], probes=[])
    with pytest.raises(compute.SweepFailed, match=r"'x': 2.*ZeroDivisionError: two is not"):
        complete(sweep)
    assert not (tables / "99-stumble.jsonl").exists()
    assert len(compute.known(sweep)) == 3
    mended = Sweep("99-stumble", lambda x: {"y": x}, sweep.points, probes=[])
    assert complete(mended) == 1
    assert list(load("99-stumble")["y"]) == [0, 1, 2, 3]


def test_a_half_written_row_is_computed_again(tables):
    journal = compute.unfinished("99-walks")
    complete(walks())
    lines = (tables / "99-walks.jsonl").read_text().splitlines()[1:]
    kept = [json.dumps(json.loads(line) | {"version": 1}) for line in lines]
    (tables / "99-walks.jsonl").unlink()
    journal.write_text("\n".join(kept[:3]) + "\n" + kept[3][:40])
    assert complete(walks()) == 5
    assert [line for line in (tables / "99-walks.jsonl").read_text().splitlines()[1:]][3:4]
    assert not journal.exists()


SCRIPT = """
import sys, time
from descent.sweeps import Sweep, compute
def run(seed):
    time.sleep(0.15)
    return {"square": seed * seed}
sweep = Sweep("99-killed", run, [{"seed": s} for s in range(12)], probes=[])
print(compute.complete(sweep, jobs=2, show=lambda line: None), flush=True)
"""


def test_a_killed_run_goes_on_where_it_was(tables, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    journal = compute.unfinished("99-killed")
    run = subprocess.Popen([sys.executable, script], start_new_session=True)
    limit = time.monotonic() + 60
    while len(list(table.rows(journal))) < 3 and time.monotonic() < limit:
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert not (tables / "99-killed.jsonl").exists()
    stored = len(list(table.rows(journal)))
    assert 3 <= stored < 12
    again = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert int(again.stdout) == 12 - stored
    assert list(load("99-killed")["square"]) == [s * s for s in range(12)]


WORKING = """
import os, sys, time
from pathlib import Path
from descent.sweeps import Sweep, __main__ as command
def run(seed, place):
    (Path(place) / str(os.getpid())).touch()
    time.sleep(0.3)
    return {"square": seed * seed}
points = [{"seed": s, "place": sys.argv[1]} for s in range(40)]
command.registry = lambda: [Sweep("99-long", run, points, probes=[])]
sys.exit(command.main(["--jobs", "2"]))
"""


@pytest.fixture
def working(tables, tmp_path):
    """A long `make sweeps` at work in a group of its own, and its two workers."""
    places = tmp_path / "workers"
    places.mkdir()
    run = subprocess.Popen(
        [sys.executable, "-c", WORKING, places],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    limit = time.monotonic() + 60
    while len(list(table.rows(compute.unfinished("99-long")))) < 2 and time.monotonic() < limit:
        time.sleep(0.02)
    yield run, [int(path.name) for path in places.iterdir()]
    if run.poll() is None:
        os.killpg(run.pid, signal.SIGKILL)
    run.communicate()


def ended(pids, seconds):
    """Wait until processes have ended."""
    limit = time.monotonic() + seconds
    while pids and time.monotonic() < limit:
        time.sleep(0.05)
        states = [Path(f"/proc/{pid}/stat") for pid in pids]
        pids = [pid for pid, s in zip(pids, states, strict=True) if s.exists()
                and s.read_text().rpartition(")")[2].split()[0] != "Z"]  # fmt: skip
    return not pids


linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc")


@linux
def test_workers_end_with_a_driver_that_is_killed(working):
    run, pids = working
    assert pids
    run.kill()
    run.wait()
    assert ended(pids, 10), "by itself a worker would stay for five minutes"
    assert run.communicate(timeout=10)


@linux
def test_an_interruption_ends_soon_with_a_line(working):
    run, pids = working
    os.killpg(run.pid, signal.SIGINT)
    output, _ = run.communicate(timeout=20)
    assert run.returncode == 130
    assert output.strip().splitlines()[-1] == "interrupted; finished rows are kept"
    assert "Traceback" not in output
    assert ended(pids, 10)


def test_a_second_process_waits_for_the_first_and_computes_nothing_twice(tables, tmp_path):
    log, said = str(tmp_path / "log"), []

    def run():
        return complete(walks(log=log), show=said.append)

    lock = FileLock(compute.unfinished("99-walks").with_suffix(".lock"))
    Path(lock.lock_file).parent.mkdir(parents=True)
    with ThreadPoolExecutor() as pool:
        with lock:
            waiting = pool.submit(run)
            while not said:
                time.sleep(0.01)
            complete_before = compute.known(walks(log=log))
        assert waiting.result() == 8
    assert not complete_before
    assert said[0] == "99-walks: another process computes it; waiting for it to end ..."


@pytest.mark.parametrize("place", ["journal", "table"])
def test_a_full_disk_is_said_in_a_line_and_loses_nothing(monkeypatch, capsys, tables, place):
    sweep = walks()
    monkeypatch.setattr("descent.sweeps.__main__.registry", lambda: [sweep])
    fsync, left = os.fsync, [3 if place == "journal" else 8]

    def full(file):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(file)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        assert main(["--jobs", "1"]) == 1
    file = compute.unfinished("99-walks") if place == "journal" else tables / "99-walks.jsonl"
    assert capsys.readouterr().err.strip().splitlines()[-1] == (
        f"cannot write {file}: No space left on device"
    )
    assert not (tables / "99-walks.jsonl").exists()
    assert not list(tables.glob("*.part"))
    stored = len(compute.known(sweep))
    assert stored == (4 if place == "journal" else 8)  # the fourth is written, but not synced
    assert complete(sweep) == 8 - stored
    assert len(load("99-walks")) == 8


@pytest.fixture(scope="module")
def cluster():
    """A scheduler with two workers, each a process of its own, on loopback."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=":0"
    ) as running:
        yield running


def test_a_cluster_gives_the_numbers_of_one_process(cluster):
    complete(walks())
    alone = load("99-walks")
    assert complete(walks(), dask=cluster.scheduler_address, fresh=True) == 8
    assert load("99-walks").equals(alone)


def test_a_worker_killed_in_the_middle_loses_nothing(cluster):
    from threading import Thread

    from distributed import Client

    journal = compute.unfinished("99-walks")
    with Client(cluster.scheduler_address) as client:
        victim = next(iter(client.run(os.getpid).values()))

    def kill_after_two_rows():
        limit = time.monotonic() + 60
        while len(list(table.rows(journal))) < 2 and time.monotonic() < limit:
            time.sleep(0.02)
        os.kill(victim, signal.SIGKILL)

    killer = Thread(target=kill_after_two_rows)
    killer.start()
    assert complete(walks(slow_walk), dask=cluster.scheduler_address) == 8
    killer.join()
    by_cluster = load("99-walks")
    complete(walks(), fresh=True)
    assert load("99-walks").equals(by_cluster)


def test_a_point_that_ends_the_workers_of_a_cluster_is_named_and_all_others_are_computed(cluster):
    points = [{"x": x, "how": "killed"} for x in range(6)]
    sweep = Sweep("99-fall", fall, points, probes=[])
    said = r"at {'x': 3, 'how': 'killed'}: it ended one worker of the cluster after another"
    with pytest.raises(compute.SweepFailed, match=said) as failure:
        complete(sweep, dask=cluster.scheduler_address)
    assert str(failure.value).count("\n") == 0, "one point is named, not its companions"
    assert len(compute.known(sweep)) == 5


def test_an_address_without_a_scheduler_is_an_error(monkeypatch):
    monkeypatch.setattr(compute, "CONNECTION_SECONDS", 0.5)
    with pytest.raises(OSError, match=r"127\.0\.0\.1:9"):
        complete(walks(), dask="tcp://127.0.0.1:9")


@pytest.mark.parametrize(
    ("name", "points", "probes", "message"),
    [
        ("walks", [{"n": 1}], [], "chapter's number"),
        ("99-walks", [], [], "no points"),
        ("99-walks", [{"n": 1, "m": 2}, {"m": 2, "n": 1}], [], "a point twice"),
        ("99-walks", [{"n": 1}], [1], "probes \\[1\\]"),
        ("99-walks", [{"n": 1}, {"n": 2}], [0, -1], "probes \\[-1\\]"),
    ],
)
def test_a_malformed_sweep_is_refused(name, points, probes, message):
    with pytest.raises(ValueError, match=message):
        Sweep(name, walk, points, probes)


def test_what_is_no_number_is_refused():
    with pytest.raises(TypeError, match="numbers, strings and lists"):
        table.plain({"a": 1})
    assert table.plain(np.array([[1.0], [2.0]])) == [[1.0], [2.0]]


def test_a_missing_table_says_how_to_make_it():
    with pytest.raises(FileNotFoundError, match="make sweeps"):
        load("99-nothing")


def test_the_command_names_what_there_is(capsys, monkeypatch):
    monkeypatch.setattr("descent.sweeps.__main__.registry", lambda: [walks()])
    assert main(["--only", "99-*", "--list"]) == 0
    assert "99-walks: 0 of 8 rows stored" in capsys.readouterr().out
    assert main(["--jobs", "1"]) == 0
    assert "8 rows, 8 of them computed now" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--only", "98-*"])
    assert "there are: 99-walks" in capsys.readouterr().err


def fall(x, how):
    import time

    if x == 3 and how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if x == 1 and how == "crashed":
        os.kill(os.getpid(), signal.SIGSEGV)
    if x == 1 and how == "left":
        sys.exit(3)
    time.sleep(0.05)
    return {"y": x}


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("killed", r"at {'x': 3, 'how': 'killed'}: the process ended \(SIGKILL -9; out of mem"),
        ("crashed", r"at {'x': 1, 'how': 'crashed'}: the process ended \(SIGSEGV -11\)"),
        ("left", r"at {'x': 1, 'how': 'left'}: SystemExit: 3"),
    ],
)
def test_a_point_that_ends_its_process_is_named_and_all_others_are_computed(how, said):
    points = [{"x": x, "how": how} for x in range(6)]
    sweep = Sweep("99-fall", fall, points, probes=[])
    with pytest.raises(compute.SweepFailed, match=said) as failure:
        complete(sweep, jobs=2)
    assert str(failure.value).count("\n") == 0, "one point is named, not its companions"
    assert len(compute.known(sweep)) == 5


def test_other_sweeps_go_on_after_one_whose_process_was_killed(capsys, monkeypatch):
    points = [{"x": x, "how": "killed"} for x in (2, 3)]
    fallen = Sweep("98-fall", fall, points, probes=[])
    monkeypatch.setattr("descent.sweeps.__main__.registry", lambda: [fallen, walks()])
    assert main(["--jobs", "2"]) == 1
    shown = capsys.readouterr()
    assert "98-fall at {'x': 3, 'how': 'killed'}: the process ended" in shown.err
    assert "Traceback" not in shown.err
    assert "99-walks: 8 rows, 8 of them computed now" in shown.out


def certificate(folder):
    """Return the paths of a key and of its certificate, which vouches for itself."""
    key, made = folder / "key.pem", folder / "certificate.pem"
    names = ["-subj", "/CN=descent", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    command += ["-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return str(key), str(made)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_cluster_over_tls_gives_the_same_numbers_and_turns_others_away(tmp_path, monkeypatch):
    """As CONTRIBUTING says: certificates are named in the environment, nothing else changes."""
    import dask
    from distributed import LocalCluster

    key, made = certificate(tmp_path)
    names = {"tls.ca-file": made, "require-encryption": True}
    names |= {
        f"tls.{who}.{what}": path
        for who in ("scheduler", "worker", "client")
        for what, path in (("cert", made), ("key", key))
    }
    complete(walks())
    alone = load("99-walks")
    with (
        dask.config.set({f"distributed.comm.{name}": value for name, value in names.items()}),
        LocalCluster(
            n_workers=1, threads_per_worker=1, protocol="tls", host="tls://127.0.0.1",
            dashboard_address=":0",  # another cluster may have the usual one
        ) as running,
    ):  # fmt: skip
        address = running.scheduler_address
        assert address.startswith("tls://")
        assert complete(walks(), dask=address, fresh=True) == 8
        assert load("99-walks").equals(alone)
        monkeypatch.setattr(compute, "CONNECTION_SECONDS", 0.5)
        stranger = {f"distributed.comm.tls.client.{what}": None for what in ("cert", "key")}
        with (
            dask.config.set(stranger),
            pytest.raises((OSError, compute.SweepFailed), match=r"(?i)tls|ssl|connect"),
        ):
            complete(walks(), dask=address, fresh=True)


DAMAGED = (
    b'\xff\xfe\x00\n[1]\n{"point": 3}\n{"point": {"x": 0}}\n{"sweep": "99-walks"}\n<<<<<<< HEAD\n'
)


def test_damaged_files_are_read_as_far_as_they_are_whole(tables):
    journal = compute.unfinished("99-walks")
    for path in (journal, tables / "99-walks.jsonl"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(DAMAGED)
    assert complete(walks()) == 8
    assert len(load("99-walks")) == 8


def test_a_damaged_table_is_told_and_mended(tables):
    complete(walks())
    table = tables / "99-walks.jsonl"
    whole = table.read_text()
    lines = whole.splitlines(True)
    for damaged, number in (("".join(lines[:5]), 4), (whole + "=======\n" + lines[3], 9)):
        table.write_text(damaged)
        with pytest.raises(ValueError, match=rf"99-walks\.jsonl is damaged: it has {number} rows"):
            load("99-walks")
        complete(walks())
        assert len(load("99-walks")) == 8


@pytest.mark.parametrize("said", [["--jobs", "0"], ["--jobs", "-3"], ["--dask", "foo"]])
def test_what_is_no_number_of_processes_and_no_address_is_refused(said, capsys):
    with pytest.raises(SystemExit):
        main(said)
    assert f"argument {said[0]}: must be " in capsys.readouterr().err


class Breaks:
    """What a worker without the package is sent: it is none there."""

    def __reduce__(self):
        return (__import__, ("not_on_this_worker",))

    def __call__(self, seed, n):
        return {}


def test_a_cluster_that_cannot_run_the_package_is_told_in_a_line(cluster):
    with pytest.raises(compute.SweepFailed) as failure:
        complete(walks(Breaks()), dask=cluster.scheduler_address)
    said = str(failure.value)
    assert said.startswith(f"99-walks: the cluster at {cluster.scheduler_address} failed (")
    assert "\n" not in said


def test_a_cluster_over_tls_without_certificates_is_told_in_a_line():
    with pytest.raises((compute.SweepFailed, OSError), match="TLS"):
        complete(walks(), dask="tls://127.0.0.1:9")
