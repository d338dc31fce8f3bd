"""Speed of tangent propagation: a landscape of Op over starts of the Lorenz system.

Run it as ``python benchmarks/influence.py``. The unit of work is one RK4 step (dt = 0.005)
of one trajectory with its disturbances in the worlds X and Y. Each contender runs on one
core; the best of several rounds counts, contenders taking turns, so that other load on the
machine falls on all of them. It prints a table and writes it to
benchmarks/results/influence.md, with a plot beside it.
"""
# ruff: noqa: E402

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy loads its BLAS

import ctypes
import importlib.util
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from descent import influence, systems

DT = 0.005
SIGMA, RHO, BETA = 10.0, 28.0, 8 / 3
Contender = Callable[[np.ndarray, int], np.ndarray]  # starts (n, 3), steps -> Op (n,)

C_LOOP = """
static inline void rate(const double *s, double sg, double rh, double be, double *r) {
  double a = s[0], b = s[1], c = s[2];
  r[0] = sg*(b-a); r[1] = a*(rh-c)-b; r[2] = a*b-be*c;
  r[3] = sg*(s[4]-s[3]); r[4] = (rh-c)*s[3]-s[4]-a*s[5]; r[5] = b*s[3]+a*s[4]-be*s[5];
  r[6] = -s[6]-a*s[7]; r[7] = a*s[6]-be*s[7];
}
void run(double *all, long n, long steps, double h, double sg, double rh, double be) {
  for (long i = 0; i < n; i++) {
    double *s = all + 8*i, t[8], k1[8], k2[8], k3[8], k4[8];
    for (long m = 0; m < steps; m++) {
      rate(s, sg, rh, be, k1);
      for (int j = 0; j < 8; j++) t[j] = s[j] + h/2*k1[j];
      rate(t, sg, rh, be, k2);
      for (int j = 0; j < 8; j++) t[j] = s[j] + h/2*k2[j];
      rate(t, sg, rh, be, k3);
      for (int j = 0; j < 8; j++) t[j] = s[j] + h*k3[j];
      rate(t, sg, rh, be, k4);
      for (int j = 0; j < 8; j++) s[j] += h/6*(k1[j]+2*k2[j]+2*k3[j]+k4[j]);
    }
  }
}
"""


C_LANES = """
#define L 16
#define EACH for (int j = 0; j < 8; j++) for (int l = 0; l < L; l++)
static inline void rate(double s[8][L], double sg, double rh, double be, double r[8][L]) {
  for (int l = 0; l < L; l++) {
    double a = s[0][l], b = s[1][l], c = s[2][l];
    r[0][l] = sg*(b-a); r[1][l] = a*(rh-c)-b; r[2][l] = a*b-be*c;
    r[3][l] = sg*(s[4][l]-s[3][l]); r[4][l] = (rh-c)*s[3][l]-s[4][l]-a*s[5][l];
    r[5][l] = b*s[3][l]+a*s[4][l]-be*s[5][l];
    r[6][l] = -s[6][l]-a*s[7][l]; r[7][l] = a*s[6][l]-be*s[7][l];
  }
}
void run(double *all, long n, long steps, double h, double sg, double rh, double be) {
  for (long i = 0; i + L <= n; i += L) {
    double s[8][L], t[8][L], k[8][L], q[8][L];
    EACH s[j][l] = all[8*(i+l)+j];
    for (long m = 0; m < steps; m++) {
      rate(s, sg, rh, be, k);
      EACH { q[j][l] = k[j][l]; t[j][l] = s[j][l] + h/2*k[j][l]; }
      rate(t, sg, rh, be, k);
      EACH { q[j][l] += 2*k[j][l]; t[j][l] = s[j][l] + h/2*k[j][l]; }
      rate(t, sg, rh, be, k);
      EACH { q[j][l] += 2*k[j][l]; t[j][l] = s[j][l] + h*k[j][l]; }
      rate(t, sg, rh, be, k);
      EACH s[j][l] += h/6*(q[j][l] + k[j][l]);
    }
    EACH all[8*(i+l)+j] = s[j][l];
  }
}
"""


def library(starts: np.ndarray, steps: int) -> np.ndarray:
    """The library: tangents in blocks of numpy arrays."""
    time = [steps * DT]
    return influence.op(systems.lorenz(), starts, time, "a", "b", "b", dt=DT, scheme="rk4")[0]


def python_loop(starts: np.ndarray, steps: int) -> np.ndarray:
    """(a) Finite differences, one trajectory at a time in plain Python."""

    def rate(s):
        w, x, y = s[:3], s[3:6], s[6:]
        out = []
        for a, b, c in (w, x, (w[0], *y)):
            out += [SIGMA * (b - a), a * (RHO - c) - b, a * b - BETA * c]
        return out[:6] + out[7:]

    delta, result = 1e-6, []
    for a, b, c in starts.tolist():
        s = [a, b, c, a, b + delta, c, b + delta, c]
        for _ in range(steps):
            k1 = rate(s)
            k2 = rate([u + DT / 2 * k for u, k in zip(s, k1, strict=True)])
            k3 = rate([u + DT / 2 * k for u, k in zip(s, k2, strict=True)])
            k4 = rate([u + DT * k for u, k in zip(s, k3, strict=True)])
            s = [
                u + DT / 6 * (p + 2 * q + 2 * r + v)
                for u, p, q, r, v in zip(s, k1, k2, k3, k4, strict=True)
            ]
        result.append(-np.log(abs((s[4] - s[1]) / (s[6] - s[1]))))
    return np.array(result)


def torch_jvp() -> Contender | None:
    """(b) torch.func.jvp of one step, vmapped over trajectories."""
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    torch.set_num_threads(1)
    mask = torch.tensor([0.0, 1.0, 1.0], dtype=torch.float64)

    def rate(s):
        a, b, c = s.unbind()
        return torch.stack([SIGMA * (b - a), a * (RHO - c) - b, a * b - BETA * c])

    def pair(s, x, y):
        value, dx = torch.func.jvp(rate, (s,), (x,))
        _, dy = torch.func.jvp(rate, (s,), (y,))
        return torch.stack([value, dx, mask * dy])

    def step(u):
        k1 = pair(*u)
        k2 = pair(*(u + DT / 2 * k1))
        k3 = pair(*(u + DT / 2 * k2))
        k4 = pair(*(u + DT * k3))
        return u + DT / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    many = torch.func.vmap(step)

    def run(starts: np.ndarray, steps: int) -> np.ndarray:
        u = torch.zeros((len(starts), 3, 3), dtype=torch.float64)
        u[:, 0] = torch.from_numpy(starts)
        u[:, 1:, 1] = 1.0
        for _ in range(steps):
            u = many(u)
        return -torch.log(torch.abs(u[:, 1, 1] / u[:, 2, 1])).numpy()

    return run


def packed(loop: Callable[[np.ndarray, int], None]) -> Contender:
    """Wrap a loop over rows (w, x, y without a)."""

    def run(starts: np.ndarray, steps: int) -> np.ndarray:
        rows = np.zeros((len(starts), 8))
        rows[:, :3] = starts
        rows[:, [4, 6]] = 1.0
        loop(rows, steps)
        return -np.log(np.abs(rows[:, 4] / rows[:, 6]))

    return run


def numba_loop() -> Contender | None:
    """(c) The loop compiled by numba, if it is installed."""
    if importlib.util.find_spec("numba") is None:
        return None
    import numba

    @numba.njit(inline="always")
    def rate(s, r):
        a, b, c = s[0], s[1], s[2]
        r[0], r[1], r[2] = SIGMA * (b - a), a * (RHO - c) - b, a * b - BETA * c
        r[3], r[4] = SIGMA * (s[4] - s[3]), (RHO - c) * s[3] - s[4] - a * s[5]
        r[5] = b * s[3] + a * s[4] - BETA * s[5]
        r[6], r[7] = -s[6] - a * s[7], a * s[6] - BETA * s[7]

    @numba.njit
    def loop(rows, steps):
        t, k = np.empty(8), np.empty((4, 8))
        for i in range(len(rows)):
            s = rows[i]
            for _ in range(steps):
                rate(s, k[0])
                for stage in range(1, 4):
                    h = DT if stage == 3 else DT / 2
                    for j in range(8):
                        t[j] = s[j] + h * k[stage - 1, j]
                    rate(t, k[stage])
                for j in range(8):
                    s[j] += DT / 6 * (k[0, j] + 2 * k[1, j] + 2 * k[2, j] + k[3, j])

    loop(np.zeros((1, 8)), 1)  # compile
    return packed(loop)


def c_loop(folder: str, name: str, code: str) -> Contender | None:
    """(d) The loop in C, compiled on the spot, if there is a compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    source, binary = Path(folder, f"{name}.c"), Path(folder, f"{name}.so")
    source.write_text(code)
    options = ["-O3", "-march=native", "-shared", "-fPIC"]
    subprocess.run([compiler, *options, "-o", str(binary), str(source)], check=True)
    function = ctypes.CDLL(str(binary)).run
    function.argtypes = [ctypes.c_void_p, ctypes.c_long, ctypes.c_long, *[ctypes.c_double] * 4]
    return packed(lambda rows, n: function(rows.ctypes.data, len(rows), n, DT, SIGMA, RHO, BETA))


def measure(rounds: int) -> dict[str, float]:
    """Return nanoseconds for each step of each trajectory, best of the rounds."""
    with tempfile.TemporaryDirectory() as folder:
        contenders: dict[str, tuple[Contender | None, int, int]] = {
            "descent (numpy, blocks)": (library, 8192, 100),
            "(a) plain Python, finite differences": (python_loop, 2, 1000),
            "(b) torch.func.jvp + vmap": (torch_jvp(), 8192, 10),
            "(c) numba": (numba_loop(), 8192, 100),
            "(d) C loop": (c_loop(folder, "loop", C_LOOP), 8192, 100),
            "(e) C, 16 trajectories a lane block": (c_loop(folder, "lanes", C_LANES), 8192, 100),
        }
        rng = np.random.default_rng(0)
        starts = np.array([0.0, 0.0, 25.0]) + 5 * rng.standard_normal((8192, 3))
        usable = {k: v for k, v in contenders.items() if v[0] is not None}
        expected = library(starts[:64], 100)
        for name, (run, _, _) in usable.items():
            worst = np.median(np.abs(run(starts[:64], 100) - expected))
            if not worst < 1e-4:
                raise AssertionError(f"{name} computes something else: {worst}")
        best = dict.fromkeys(usable, np.inf)
        for _ in range(rounds):
            for name, (run, n, steps) in usable.items():
                begin = time.perf_counter()
                run(starts[:n], steps)
                best[name] = min(best[name], (time.perf_counter() - begin) / n / steps * 1e9)
    return best


def plot(best: dict[str, float], file: Path) -> None:
    """Draw the table as bars."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 2.5), layout="constrained")
    axes.barh(list(best), [1e3 / value for value in best.values()])
    axes.set(xscale="log", xlabel="steps × trajectories per microsecond, one core")
    axes.invert_yaxis()
    figure.savefig(file)


AXIS = np.linspace(-20, 20, 256)


def strip(a: np.ndarray) -> np.ndarray:
    """Return Op at t = 10 from the starts with these values of a."""
    start = {"a": a[:, None], "b": AXIS + 1e-3, "c": RHO - 1}
    return influence.op(systems.lorenz(), start, [10.0], "a", "b", "b", dt=DT, scheme="rk4")


def landscape(cores: int) -> float:
    """Return the seconds that a landscape of 256 x 256 starts takes to t = 10."""
    begin = time.perf_counter()
    if cores == 1:
        strip(AXIS)
    else:
        with ProcessPoolExecutor(cores) as pool:
            list(pool.map(strip, np.array_split(AXIS, cores)))
    return time.perf_counter() - begin


def main() -> None:
    """Measure, print and write the table and the plot."""
    best = measure(rounds=5)
    ours = best["descent (numpy, blocks)"]
    rows = [
        "| contender | ns per step and trajectory | million a second | time / ours |",
        "|:--|--:|--:|--:|",
        *(f"| {k} | {v:.1f} | {1e3 / v:.3g} | {v / ours:.2f} |" for k, v in best.items()),
        "",
        f"256 x 256 starts to t = 10: {landscape(1):.1f} s on one core, "
        f"{landscape(2):.1f} s on two.",
    ]
    table = "\n".join(rows) + "\n"
    print(table)
    target = Path(__file__).parent / "results" / "influence.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text(table)
    plot(best, target.with_suffix(".svg"))


if __name__ == "__main__":
    main()
