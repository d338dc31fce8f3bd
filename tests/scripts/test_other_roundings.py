"""The script that tries other roundings: it sets what it says, and a failure is shown."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "other_roundings.py"
NAMES = ["plain", "torch", "mkl", "numpy", "openblas", "compiled", "threads"]
WATCHED = (
    "ATEN_CPU_CAPABILITY",
    "MKL_CBWR",
    "NPY_DISABLE_CPU_FEATURES",
    "DESCENT_PROCESSOR",
    "OPENBLAS_CORETYPE",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "DESCENT_THREADS",
)


def tried(*arguments, **variables):
    """Run the script and return its exit status, what it printed, and its errors."""
    done = subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def environments(tmp_path_factory):
    """The watched variables under each setting, run from an environment that has its own."""
    log = tmp_path_factory.mktemp("roundings") / "log"
    note = (
        "import json, os, sys\n"
        f"seen = {{name: os.environ.get(name) for name in {WATCHED!r}}}\n"
        "open(sys.argv[1], 'a').write(json.dumps(seen) + chr(10))"
    )
    own = {"OMP_NUM_THREADS": "7", "MKL_CBWR": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
    status, out, _ = tried("--", sys.executable, "-c", note, str(log), **own)
    assert status == 0
    assert [line.split()[:2] for line in out.splitlines()] == [["ok", f"{n}:"] for n in NAMES]
    return dict(zip(NAMES, map(json.loads, log.read_text().splitlines()), strict=True))


def test_each_setting_has_its_variables_and_none_of_another(environments):
    plain = dict.fromkeys(WATCHED[:-4]) | dict.fromkeys(WATCHED[-4:], "1")
    assert environments["plain"] == plain
    assert environments["torch"] == plain | {"ATEN_CPU_CAPABILITY": "default"}
    assert environments["mkl"] == plain | {"MKL_CBWR": "COMPATIBLE"}
    assert environments["threads"] == plain | dict.fromkeys(WATCHED[-4:], "2")
    assert environments["openblas"] == plain | {"OPENBLAS_CORETYPE": "Prescott"}
    assert environments["compiled"] == plain | {"DESCENT_PROCESSOR": "generic"}
    disabled = environments["numpy"].pop("NPY_DISABLE_CPU_FEATURES")
    assert environments["numpy"].items() <= plain.items()
    probe = (
        "from numpy._core._multiarray_umath import __cpu_features__ as has, __cpu_dispatch__ as d\n"
        "print(sum(bool(has.get(name)) for name in d))"
    )
    left = subprocess.run(
        [sys.executable, "-c", probe],
        env=os.environ | {"NPY_DISABLE_CPU_FEATURES": disabled},
        capture_output=True,
        text=True,
        check=True,
    )
    assert left.stdout.strip() == "0"


def test_the_settings_can_be_chosen():
    status, out, _ = tried("--only", "mkl", "--only", "plain", "--", "true")
    assert status == 0
    assert [line.split()[1] for line in out.splitlines()] == ["mkl:", "plain:"]


def test_a_failure_is_shown_and_the_others_still_run():
    code = (
        "import os, sys\n"
        "if os.environ.get('MKL_CBWR'): print('0.3 is not 0.30000000000000004'); sys.exit(3)"
    )
    status, out, _ = tried("--", sys.executable, "-c", code)
    assert status == 1
    assert "FAILED  mkl: MKL in its compatible mode" in out
    assert "exit status 3\n        0.3 is not 0.30000000000000004\n" in out
    assert [line.split()[0] for line in out.splitlines() if not line.startswith(" ")] == [
        "ok", "ok", "FAILED", "ok", "ok", "ok", "ok",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "COMMAND"),
        (("--only", "gpu", "--", "true"), "invalid choice: 'gpu'"),
        (("--", "/no/such/command"), "cannot run /no/such/command: No such file"),
    ],
)
def test_a_wrong_call_says_so(arguments, message):
    status, _, errors = tried(*arguments)
    assert status == 2
    assert message in errors


def test_sums_do_change():
    """A setting reaches the library: numpy's sum of squares of one array, to its last digits."""
    code = (
        "import numpy as np\n"
        "x = np.random.default_rng(0).normal(size=(997, 1000)).astype('f4')\n"
        "print(repr(float(np.exp(x).sum())), repr(float(np.cos(1e3 * x).sum())))"
    )
    status, out, _ = tried(
        "--only", "numpy", "--", sys.executable, "-c", code + "; raise SystemExit(1)"
    )
    assert status == 1
    there = out.splitlines()[-1].strip()
    here = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    if any(__cpu_features__.get(name) for name in __cpu_dispatch__):
        assert there != here.stdout.strip()


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="other kernels")
def test_openblas_hears_of_it():
    code = (
        "import numpy\n"
        "from threadpoolctl import threadpool_info\n"
        "print(*sorted({pool['architecture'] for pool in threadpool_info()}))\n"
        "raise SystemExit(1)"
    )
    _, out, _ = tried("--only", "openblas", "--only", "plain", "--", sys.executable, "-c", code)
    seen = [line.strip() for line in out.splitlines() if line.startswith(" ")]
    assert len(seen) == 2
    assert seen[0] != seen[1]


def test_compiled_loops_hear_of_it():
    """For any processor there is no fused multiply and add; the loops still come out."""
    pytest.importorskip("llvmlite")
    code = (
        "from descent import lyapunov, systems\n"
        "print(*lyapunov.spectrum(systems.lorenz(), [1.0, 1.0, 1.0]))\n"
        "raise SystemExit(1)"
    )
    _, out, _ = tried("--only", "compiled", "--only", "plain", "--", sys.executable, "-c", code)
    seen = [line.split() for line in out.splitlines() if line.startswith(" ")]
    assert seen[0] != seen[1]
    for one, other in zip(*seen, strict=True):
        assert float(one) == pytest.approx(float(other), abs=0.05)


def test_the_number_of_threads_reaches_tests_and_kernels(monkeypatch):
    from descent.publish.execute import kernel_environment

    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.delenv("DESCENT_THREADS", raising=False)
    assert kernel_environment()["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("DESCENT_THREADS", "2")
    assert {kernel_environment()[name] for name in WATCHED[-4:-1]} == {"2"}
    conftest = (Path(__file__).parents[1] / "conftest.py").read_text()
    code = conftest.split("import numpy")[0] + "print(os.environ['OMP_NUM_THREADS'])"
    for given, seen in (({}, "1"), ({"DESCENT_THREADS": "2"}, "2")):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={k: v for k, v in os.environ.items() if k != "DESCENT_THREADS"} | given,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == seen
