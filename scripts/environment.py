"""Make the environment in .venv as requirements.lock says: `make` calls it where it is lacking.

Only the standard library is used, and nothing of it that is new, so that an old Python comes
as far as to say that it is too old.
"""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
READY = VENV / ".ready"
UNFINISHED = VENV / ".unfinished"
INPUTS = (ROOT / "requirements.lock", ROOT / "pyproject.toml")
# The registry's torch for Linux asks for gigabytes of CUDA; here are CPU builds.
TORCH_CPU = "https://download.pytorch.org/whl/cpu"
REGISTRYS = (
    "no CPU build of PyTorch can be had; taking the registry's, on Linux with gigabytes of CUDA"
)
WITHOUT = (
    "no PyTorch for this Python and machine: chapters with networks will stand without results"
)


def stands():
    """Return whether the environment is whole and as new as what it is made from."""
    return READY.exists() and all(p.stat().st_mtime <= READY.stat().st_mtime for p in INPUTS)


def call(*command, **options):
    """Run a command, which keeps the lock should this process be killed before it."""
    return subprocess.call([str(part) for part in command], close_fds=False, **options)


def pip(*arguments, **options):
    """Run pip's installation in the environment."""
    quietly = ("--quiet", "--progress-bar", "off", "--disable-pip-version-check")
    return call(VENV / "bin" / "python", "-m", "pip", "install", *quietly, *arguments, **options)


def torch_works():
    """Return whether torch can be imported; one that cannot is removed, lest it be found."""
    python, silent = VENV / "bin" / "python", {"stderr": subprocess.DEVNULL}
    if call(python, "-c", "import torch", **silent) == 0:
        return True
    call(python, "-m", "pip", "uninstall", "--quiet", "--yes", "torch", **silent)
    return False


def install_torch(pinned):
    """Install torch as it is pinned, or say that the environment does without.

    The lock names what the CPU builds need. The registry's build brings what it needs besides,
    and its files do not load without that.
    """
    torch_works()  # one that a former run left as it cannot be used would stay
    cpu = ("--no-deps", "--retries", "1", "--index-url", TORCH_CPU)
    if pip(*cpu, pinned, stderr=subprocess.DEVNULL):
        print(REGISTRYS, flush=True)
        pip("--constraint", INPUTS[0], pinned, stderr=subprocess.DEVNULL)
    if not torch_works():
        print(WITHOUT, flush=True)


def make():
    """Make the environment and return the exit status."""
    print("making the environment in .venv (a few minutes the first time)", flush=True)
    # What an interruption left half installed looks installed to pip: begin anew.
    clear = ["--clear"] if UNFINISHED.exists() else []
    VENV.mkdir(exist_ok=True)
    UNFINISHED.touch()
    if READY.exists():
        READY.unlink()
    status = call(sys.executable, "-m", "venv", *clear, VENV)
    if status:
        return status
    UNFINISHED.touch()
    lines = INPUTS[0].read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    torch = [pin for pin in pins if pin.startswith("torch==")]
    # The lock names every package, so none is resolved.
    status = pip("--no-deps", *(pin for pin in pins if pin not in torch))
    if status == 0:
        install_torch(*torch)
        status = pip("--no-deps", "--editable", ROOT)
    if status == 0:
        os.utime(str(UNFINISHED))
        UNFINISHED.rename(READY)
    return status


def main():
    """Make the environment, one process at a time, and return the exit status."""
    if not (3, 11) <= sys.version_info[:2] < (3, 15):
        return (
            f"Descent needs Python 3.11 to 3.14, and {sys.executable} is "
            f"{sys.version.split()[0]}; name another with make PYTHON=..."
        )
    try:
        with INPUTS[0].open("r+") as lock:
            os.set_inheritable(lock.fileno(), True)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("another make is making the environment; waiting for it ...", flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            return 0 if stands() else make()
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return f"cannot write {error.filename}: {error.strerror}"


if __name__ == "__main__":
    sys.exit(main())
