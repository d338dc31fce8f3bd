"""Memory and time of the estimates along random directions, for ten million parameters.

Run it as ``python benchmarks/table.py zeroth_order_memory``. Each method makes three steps in a
process of its own, on one thread. The memory is the largest that the process ever held, less
what it held with the parameters alone after one evaluation, in copies of the float32
parameters; what torch loads at the first use of a method is loaded before. The time is
processor time an evaluation, the loss (a dot product) included. torchzero, if
TORCHZERO_PYTHON names an interpreter that has it (`benchmarks/zeroth_order.py`), stands
beside. Linux alone tells a process the largest memory it held.
"""

import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from row import Row

D = 10_000_000
STEPS = 3
# Ours, the copies it may take, and torchzero's method of the same kind.
METHODS = {
    "MeZO": ({}, 0.2, "MeZO"),
    "SPSA": ({}, 1.0, "SPSA"),
    "RandomGrad": ({}, 1.0, "RDSA"),
    "AveragedGrad": ({"bits": False}, 1.0, "GaussianSmoothing"),
    "RandomBestGrad": ({}, 1.0, None),
}


def held(field):
    """Return what the system says of this process's memory, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    raise OSError(f"/proc/self/status has no {field}")


def measure(library, name):
    """Return {"copies": …, "ms": …} of a method, in this process."""
    import torch

    warnings.simplefilter("ignore")
    x = torch.ones(D)
    calls = 0

    def closure(backward=True):  # torchzero's closures take an argument
        nonlocal calls
        calls += 1
        return torch.dot(x.detach(), x.detach())

    if library == "torchzero":
        import torchzero

        x.requires_grad_()
        options = {"h": 0.01} | ({"n_samples": 10} if name == "GaussianSmoothing" else {})
        method = getattr(torchzero.m, name)(**options)
        make = lambda: torchzero.Optimizer([x], method, torchzero.m.LR(1e-9))  # noqa: E731
    else:
        from descent import zeroth_order

        source = torch.Generator().manual_seed(0)
        method = getattr(zeroth_order, name)
        make = lambda x=x: method([x], lr=1e-9, generator=source, **METHODS[name][0])  # noqa: E731
        few = torch.ones(100_000)  # what torch loads at its first use is not the method's
        make(few).step(lambda: torch.dot(few, few))
    closure()
    Path("/proc/self/clear_refs").write_text("5")  # the largest so far is forgotten
    before, calls = held("VmRSS"), 0
    search = make()
    begin = time.process_time()
    for _ in range(STEPS):
        search.step(closure)
    seconds = time.process_time() - begin
    return {"copies": (held("VmHWM") - before) / (4 * D), "ms": 1e3 * seconds / calls}


def apart(library, name):
    """Return what `measure` finds in a process of its own, or None if the library is not there."""
    python = sys.executable
    if library == "torchzero":
        python = os.environ.get("TORCHZERO_PYTHON", python)
    command = [python, "-W", "ignore", __file__, library, name]
    done = subprocess.run(command, capture_output=True, text=True)
    return None if done.returncode else json.loads(done.stdout.splitlines()[-1])


def rows() -> Iterator[Row]:
    """Yield the rows of the table of speed: memory in copies of the parameters, and time."""
    for name, (_, most, peer) in METHODS.items():
        ours = apart("descent", name)
        theirs = None if peer is None else apart("torchzero", peer)
        named = "" if peer is None else f"torchzero {peer}"
        copies, ms = (None, None) if theirs is None else (theirs["copies"], theirs["ms"])
        work = f"{name}, 1e7 float32 parameters: memory beside them"
        yield Row(work, "copies", ours["copies"], named, copies, at_most=most)
        work = f"{name}, 1e7 float32 parameters: an evaluation"
        yield Row(work, "ms", ours["ms"], named, ms, times=1)


if __name__ == "__main__":
    print(json.dumps(measure(*sys.argv[1:])))
