"""Chapter 7: three climbs from any place of the map, computed where they are shown."""

import numpy as np
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.gaussian_smoothing.sampled_ascent import LOWEST, STEP_SIZES, sampled_path
from descent.explorer import MOVING, live, span
from descent.figures import BLUE, EXACT, GREEN, GUIDE, RED
from descent.landscapes import sinc
from descent.smoothing import smoothed_sinc
from descent.smoothing.ascent import Climb, ascend, graduated_ascent

WITH, WITHOUT = "with a baseline", "without a baseline"
RULES = (WITH, WITHOUT)
LEAST, MOST = 0.05, 10.0
STEPS, SAMPLES = 2000, 50
FACTOR = 0.8  # from one σ of the schedule to the next
ETA = STEP_SIZES["long steps"]["sinc"]


def exact(x: float, sigma: float) -> Climb:
    """Follow the exact gradient in x and σ to its end."""
    return ascend(smoothed_sinc, [x], [sigma])


def sampled(x: float, sigma: float, rule: str, seed: float) -> Array:
    """Climb in x and σ on sampled gradients; the path ``(STEPS + 1, 2)``."""
    rng = np.random.default_rng(int(seed))
    path = sampled_path(
        "sinc", [x], sigma, ETA, rng, baseline=rule == WITH, n_samples=SAMPLES, n_steps=STEPS
    )
    return path[:, :, 0]


def scheduled(x: float, sigma: float) -> Array:
    """Climb in x to the top at one σ after another; the path, a place for each σ."""
    n = int(np.log(LOWEST / sigma) / np.log(FACTOR) + 1e-9)
    sigmas = sigma * FACTOR ** np.arange(n + 1)
    climbed = graduated_ascent(smoothed_sinc, [x], list(sigmas))
    tops = np.column_stack([climbed.x_path[1:, 0], sigmas])
    return np.concatenate([[[x, sigma]], tops])


def _until(path: Array, n: float) -> Array:
    """Return the part of a path that is shown at n of `STEPS` steps."""
    return path[: 1 + round(n / STEPS * (len(path) - 1))]


def draw_climb(x: float, sigma: float, rule: str, seed: float, n: float) -> Figure:
    """Draw the map of sinc with contours and arrows, three climbs, and f with its blurred copy."""
    fig, (left, right) = figures.figure(1, 2, height=3.2)
    across, up = np.linspace(-20, 20, 241), np.geomspace(LEAST, MOST, 121)
    value = smoothed_sinc(*np.meshgrid(across, up)).value
    left.contour(
        across, up, value, levels=np.arange(-0.2, 1.0, 0.05), linewidths=0.6, cmap="cividis"
    )
    feet = np.meshgrid(np.linspace(-18, 18, 13), np.geomspace(0.08, 7, 9))
    _, dx, ds = smoothed_sinc(*feet)
    # On the page a step in log σ is ds/σ, and the axis is as long as its other.
    u, v = dx / 40, ds / feet[1] / np.log(MOST / LEAST)
    size = np.hypot(u, v)
    left.quiver(*feet, u / size, v / size, color=GUIDE, scale=30, width=0.004, pivot="mid")
    climbed = exact(x, sigma)
    runs = (
        (np.column_stack([climbed.x_path[:, 0], climbed.sigma_path[:, 0]]), EXACT),
        (_until(sampled(x, sigma, rule, seed), n), RED),
        (_until(scheduled(x, sigma), n), GREEN),
    )
    for path, colour in runs:
        left.plot(*path.T, color=colour, gid=MOVING)
        right.plot(path[-1, 0], sinc(path[-1, 0]), "o", color=colour, gid=MOVING)
    left.set(yscale="log", xlim=(-20, 20), ylim=(LEAST, MOST))
    left.set(xlabel="position $x$", ylabel="standard deviation $\\sigma$")
    right.plot(across, sinc(across), color=GUIDE, gid=MOVING)
    right.plot(
        across, smoothed_sinc(across, np.full_like(across, sigma)).value, color=BLUE, gid=MOVING
    )
    right.set(
        xlim=(-20, 20), ylim=(-0.3, 1.05), xlabel="position $x$", ylabel="$f$ and $f_\\sigma$"
    )
    return fig


def climb_caption(x: float, sigma: float, rule: str, seed: float, n: float) -> str:
    """Say where the climbs are."""
    places = (
        exact(x, sigma).x[0],
        _until(sampled(x, sigma, rule, seed), n)[-1, 0],
        _until(scheduled(x, sigma), n)[-1, 0],
    )
    first, second, third = (f"{place + 0.0:.2f}".replace("-0.00", "0.00") for place in places)
    return (
        f"From $x = {x:g}$, $\\sigma = {sigma:g}$ the exact climb (black) ends at $x = {first}$. "
        f"The climb on samples {rule} (orange) is at $x = {second}$ after {n:g} steps, and that in "
        f"x alone, whose σ falls by a schedule (green), at $x = {third}$. Contours and arrows: the "
        "landscape and its steepest ascent. Right: $f$ (grey), its blurred copy at the start, and "
        "where the three are."
    ).replace("-", "−")


climb = live(
    draw_climb,
    model="ascent",
    name="climb-by-hand",
    caption=climb_caption,
    x=span(-20, 20, 401),
    sigma=span(LEAST, MOST, 301, log=True),
    rule=RULES,
    seed=tuple(range(20)),
    n=span(0, STEPS, 101),
    labels={
        "x": "start $x$",
        "sigma": "start $\\sigma$",
        "rule": "samples",
        "seed": "seed",
        "n": "steps",
    },
    default={"x": -9.0, "sigma": 2.5, "rule": WITH, "seed": 0, "n": STEPS},
    format={"sigma": "{:.3g}", "n": "{:.0f}"},
    play="n",
    grab=[(("x", "sigma"), 0)],
    constants={
        "with_baseline": WITH,
        "rules": RULES,
        "race": {
            "eta": ETA,
            "samples": SAMPLES,
            "steps": STEPS,
            "bounds": [LEAST, MOST],
            "factor": FACTOR,
        },
    },
)
