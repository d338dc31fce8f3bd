"""Chapter 1: stored tables of a small network that leaves its minima.

Before the walks at T/B below 0.015 were split this was written down: the cheapest way out of the
shallow minimum costs V = 0.151 and the elastic band 0.487 as it was laid then. If log τ follows
V B/T, its slope between T/B = 0.0125 and 0.01 is FORETOLD. From the deep minimum the slope is
FORETOLD_DEEP between 0.06 and 0.045, and normal noise gives the same times to 0.5 nats.

Then the times turned out to be too long where they are hardly longer than a way out, and were to be
measured again. Before that, with trials of drawn walks at 0.03, 0.02 and 0.0125 from the shallow
minimum alone, this was added:

- Batches of 4 have the times of batches of 16 at the same T/B, to SAME_BATCHES nats.
- Where the images are dealt out, slow directions hardly feel the draws: in a direction of the
  curvature λ the variance falls to about λ n T / (3 B) of that of free draws, as long as this is
  small. So of 1,000 walks with T/B = 0.03 and batches of 15 none leaves in ten times the mean time
  of free draws; of 500 with T/B = 0.06 and batches of 5 none either in as long.

With 0.03 and 0.06 most walks with dealt images left, against this. In a cloud at 0.03 dealing had
taken away five sixths of the variance in the slowest direction and not nineteen twentieths, at 0.01
nearly all of it. So another statement was added before the walks at 0.02 were made: of 400 of them
less than FORETOLD_DEALT leave in a time of 2,350, in which by free draws 84 % would.
"""

from typing import Any

import numpy as np

from descent.chapters.modelling_sgd import network_walks
from descent.chapters.modelling_sgd.network import Places, Step, digits, evenly, find_places
from descent.chapters.modelling_sgd.network_ways import Draws, cheapest, price_along
from descent.minimum_action import action, of_draws
from descent.sweeps import Close, CountWithin, MedianWithin, NotCompared, Sweep, load

RATIOS = (0.03, 0.025, 0.02, 0.015, 0.0125, 0.01)
"""T/B from the shallow minimum, of the explorer."""
FORETOLD = (0.12, 0.16)
FORETOLD_DEEP = (0.57, 0.80)
FORETOLD_DEALT = 0.05
SAME_BATCHES = 0.3
SAME_NOISE = 0.5


def places_row() -> dict[str, Any]:
    """Return the places of the network as lists."""
    return {name: value.tolist() for name, value in find_places()._asdict().items()}


PLACES = Sweep(
    name="01-network-places",
    run=places_row,
    points=[{}],
    probes=[0],
    compare={name: Close(1e-4, atol=1e-5) for name in Places._fields},
)


def places() -> Places:
    """Return the stored places."""
    row = load("01-network-places").iloc[0]
    return Places(*(np.array(row[name]) for name in Places._fields))


def climb(start: str) -> np.ndarray:
    """Return the band from a minimum up to the saddle."""
    here = places()
    path = here.path if start == "shallow" else here.path[::-1]
    top = int(digits().loss(path).argmax())
    return np.concatenate([path[:top], here.saddle[None]])


def way(start: str) -> dict[str, Any]:
    """Return the cheapest way from a minimum to the saddle, and what others cost."""
    network = digits()
    band = climb(start)
    rough, _ = cheapest(Draws(network, normal=True), band, 12, tolerance=1e-3)
    _, normal = cheapest(Draws(network, normal=True), rough, 20)
    half, coarse = cheapest(Draws(network), rough, 20)
    path, fine = cheapest(Draws(network), half, 40)
    rise = network.loss(band[-1:])[0] - network.loss(band[:1])[0]
    spread = np.trace(network.noise(band[0])) / network.size
    return {
        "price": fine + (fine - coarse) / 3,
        "error": abs(fine - coarse) / 3,
        "normal_coarse": normal,
        "coarse": coarse,
        "by_library": action(of_draws(network.gradients), half),
        "band": action(of_draws(network.gradients), evenly(band, 40)),
        "band_alone": price_along(network, evenly(band, 40)),
        "rise": float(rise),
        "round": float(2 * rise / spread),
        "path": path.tolist(),
    }


WAYS = Sweep(
    name="01-network-ways",
    run=way,
    points=[{"start": "shallow"}, {"start": "deep"}],
    probes=[0],
    rtol=2e-3,  # where the search for the path stops depends on rounding
    compare={
        "path": NotCompared("a path may be shifted along itself where nothing is to be gained"),
        "error": NotCompared("a small difference of two prices"),
    },
)


def _step(noise: str, T: float, B: int) -> Step:
    kinds = {
        "drawn": network_walks.drawn,
        "dealt": network_walks.dealt,
        "normal": network_walks.normal,
    }
    if noise == "round":
        network = digits()
        variance = float(np.trace(network.noise(places().shallow)) / network.size)
        return network_walks.round_noise(network, T, B, variance)
    return kinds[noise](digits(), T, B)


def _start(noise: str, start: str) -> np.ndarray:
    w = getattr(places(), start)
    return np.concatenate([w, np.zeros(len(digits().y))]) if noise == "dealt" else w


def _rng(noise: str, start: str, B: int, ratio: float) -> np.random.Generator:
    kind = ["drawn", "dealt", "normal", "round"].index(noise)
    return np.random.default_rng([kind, start == "deep", B, round(1e6 * ratio)])


def leave(noise: str, start: str, B: int, ratio: float, walks: int) -> dict[str, Any]:
    """Return the log of the mean time T τ over the saddle, at T/B = ratio, by splitting."""
    T = ratio * B
    found = network_walks.split_time(
        _step(noise, T, B),
        network_walks.score(digits(), places(), start),
        _start(noise, start),
        network_walks.LOW[start],
        network_walks.HIGH[start],
        T,
        _rng(noise, start, B, ratio),
        walks=walks,
    )
    return {"log_time": float(np.log(found["time"] * T)), **found}


def _points(
    noise: str, start: str, B: int, *ratios: float, walks: int = 100
) -> list[dict[str, Any]]:
    return [
        {"noise": noise, "start": start, "B": B, "ratio": ratio, "walks": walks} for ratio in ratios
    ]


TIMES = Sweep(
    name="01-network-times",
    run=leave,
    points=[
        *_points("drawn", "shallow", 16, *RATIOS),
        *_points("drawn", "shallow", 4, 0.02),
        *_points("normal", "shallow", 16, 0.02),
        *_points("drawn", "deep", 4, 0.06, 0.045),
        *_points("drawn", "deep", 4, 0.12, 0.08),
    ],
    probes=[0],
    version=3,
    compare={
        name: NotCompared("walks that tie or not by rounding are other walks from there on")
        for name in (
            *("time", "error", "without_lag", "duration", "setting_out", "chances", "steps"),
        )
    }
    | {"log_time": Close(0.06)},
)

UNTIL = (90, 135, 180, 250, 350)
"""Times between which it is counted who leaves, from the minimum on; the last one is a point's."""


def follow(noise: str, start: str, B: int, ratio: float, walks: int, last: float) -> dict[str, Any]:
    """Return how many walks left that were just followed, at T/B = ratio."""
    T = ratio * B
    found = network_walks.plain_times(
        _step(noise, T, B),
        network_walks.score(digits(), places(), start),
        _start(noise, start),
        network_walks.HIGH[start],
        [round(time / T) for time in (*UNTIL, last)],
        _rng(noise, start, B, ratio),
        walks,
    )
    return {"gone": sum(found["left"]), **found}


def _followed(
    noise: str, B: int, ratio: float, walks: int, last: float, start: str = "shallow"
) -> dict[str, Any]:
    point = _points(noise, start, B, ratio, walks=walks)[0]
    return point | {"last": last}


FOLLOWED = Sweep(
    name="01-network-followed",
    run=follow,
    points=[
        _followed("drawn", 16, 0.03, 400, 450.0),
        _followed("drawn", 16, 0.03, 2000, 1000.0),
        _followed("drawn", 16, 0.02, 1500, 1000.0),
        _followed("dealt", 15, 0.03, 400, 2350.0),
        _followed("dealt", 5, 0.06, 200, 2350.0),
        _followed("dealt", 15, 0.02, 400, 2350.0),
        _followed("drawn", 4, 0.12, 500, 1500.0, "deep"),
    ],
    probes=[0],
    version=2,
    compare={
        name: NotCompared("a walk that leaves a step later by rounding ends all of them later")
        for name in ("left", "lost", "steps")
    }
    | {"gone": CountWithin(15, "four hundred walks, of which two thirds leave")},
)


def cloud(ratio: float, walks: int) -> dict[str, Any]:
    """Return how far a cloud of walks by batches of 16 has got, and its losses, at T/B = ratio."""
    T, here, score = 16 * ratio, places(), network_walks.score(digits(), places(), "shallow")
    found = network_walks.Cloud(
        _step("drawn", T, 16), score, here.shallow, network_walks.LOW["shallow"],
        network_walks.HIGH["shallow"], walks, _rng("drawn", "shallow", 16, ratio),
    )  # fmt: skip
    for _ in range(round(network_walks.SPREAD / T)):
        found.move()
    loss = digits().loss(found.states)
    return {"score": score(found.states).round(3).tolist(), "loss": loss.round(5).tolist()}


CLOUDS = Sweep(
    name="01-network-clouds",
    run=cloud,
    points=[{"ratio": ratio, "walks": 300} for ratio in RATIOS],
    probes=[0],
    compare={
        name: MedianWithin(0.01, "walks that leave a step later by rounding are copies of others")
        for name in ("score", "loss")
    },
)
