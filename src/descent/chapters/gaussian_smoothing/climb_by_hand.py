"""Chapter 7: the exact climb from any place of the map, computed where it is shown."""

import numpy as np
from matplotlib.figure import Figure

from descent import figures
from descent.explorer import MOVING, live, span
from descent.figures import GUIDE, RED
from descent.landscapes import sinc
from descent.smoothing import smoothed_sinc
from descent.smoothing.ascent import ascend

BOTH, ALONE = "x and σ climb", "x alone climbs"
RULES = (BOTH, ALONE)
LEAST, MOST = 0.05, 10.0


def draw_climb(x: float, sigma: float, rule: str) -> Figure:
    """Draw the map of sinc with contours and arrows, a climb, and f with its blurred copy."""
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
    end = ascend(smoothed_sinc, [x], [sigma], hold_sigma=rule == ALONE)
    left.plot(end.x_path[:, 0], end.sigma_path[:, 0], color=RED, gid=MOVING)
    left.set(yscale="log", xlim=(-20, 20), ylim=(LEAST, MOST))
    left.set(xlabel="position $x$", ylabel="standard deviation $\\sigma$")
    right.plot(across, sinc(across), color=GUIDE, gid=MOVING)
    right.plot(
        across, smoothed_sinc(across, np.full_like(across, sigma)).value, color=RED, gid=MOVING
    )
    right.set(
        xlim=(-20, 20), ylim=(-0.3, 1.05), xlabel="position $x$", ylabel="$f$ and $f_\\sigma$"
    )
    return fig


def climb_caption(x: float, sigma: float, rule: str) -> str:
    """Say where the climb ends."""
    end = ascend(smoothed_sinc, [x], [sigma], hold_sigma=rule == ALONE)
    return (
        f"The exact climb from $x = {x:g}$, $\\sigma = {sigma:g}$ ({rule}) ends at "
        f"$x = {end.x[0] + 0.0:.2f}$. Contours and arrows: the landscape and its steepest ascent."
    ).replace("-", "−")


climb = live(
    draw_climb,
    model="ascent",
    name="climb-by-hand",
    caption=climb_caption,
    x=span(-20, 20, 401),
    sigma=span(LEAST, MOST, 301, log=True),
    rule=RULES,
    labels={"x": "start $x$", "sigma": "start $\\sigma$", "rule": "what moves"},
    default={"x": -9.0, "sigma": 1.0, "rule": BOTH},
    format={"sigma": "{:.3g}"},
    grab=[(("x", "sigma"), 0)],
    constants={"hold": ALONE, "rules": RULES},
)
