"""Models that the page computes: their numbers are those of the library, and they answer."""

import itertools
import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from checks import (
    assert_every_control_moves_its_picture,
    assert_every_handle_is_at_hand,
    look,
    wait_until_ready,
)
from playwright.sync_api import expect
from scipy import stats

from descent import explorer, influence
from descent.chapters.gaussian_smoothing.climb_by_hand import climb, scheduled
from descent.chapters.gaussian_smoothing.sampled_ascent import (
    reached,
    sampled_ascent,
    sampled_path,
)
from descent.chapters.modelling_sgd.numbers import pit
from descent.chapters.modelling_sgd.walkers import walkers
from descent.chapters.thermostats_and_lorenz import lorenz_pictures
from descent.chapters.thermostats_and_lorenz import worlds_by_hand as by_hand
from descent.chapters.thermostats_and_lorenz.numbers import TARGET, thermostat
from descent.chapters.three_worlds import coordinates
from descent.chapters.three_worlds import paths_by_hand as paths
from descent.explorer.widget import LiveModelWidget
from descent.influence import worlds
from descent.landscapes import two_datapoint
from descent.smoothing import smoothed_sinc
from descent.smoothing.ascent import ascend
from descent.systems import lorenz

pytestmark = pytest.mark.browser

LIVE = [
    walkers,
    climb,
    by_hand.lorenz_by_hand,
    by_hand.room_by_hand,
    lorenz_pictures.attractor,
    coordinates.oscillator_by_hand,
    paths.paths_by_hand,
]
MODELS = (Path(explorer.__file__).parent / "live" / "models.js").read_text(encoding="utf-8")

INKED = """() => [...document.querySelectorAll("canvas")].map((canvas) => canvas
    .getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
    .data.some((v, i) => i % 4 === 3 && v))"""


@pytest.fixture
def computed(visit, tmp_path):
    """Return a function that evaluates an expression of `models` in a page."""
    blank = tmp_path / "blank.html"
    blank.write_text("<!doctype html><title>models</title>")
    page = visit(blank)

    def evaluate(expression, models=MODELS):
        return page.evaluate(f"(() => {{ {models}; return {expression}; }})()")

    return evaluate


# Chapter 1: the walk.


def end_of(coins, T, start, depth):
    model, w = two_datapoint(depth), start
    for coin in coins:
        w = w - T * model.gradients(w)[coin]
    return w


def law(computed, T, start, depth, n, **kwargs):
    barrier = pit(depth).barrier
    return computed(f"models.walk.law({T}, {start}, {depth}).beyond({n}, {barrier})", **kwargs)


@pytest.mark.parametrize(
    ("T", "start", "depth"), [(0.05, 1.0, 1.0), (0.3, -0.4, 0.5), (0.02, 3.0, 2.0)]
)
def test_a_walker_goes_where_the_library_goes(computed, T, start, depth):
    coins = np.random.default_rng(1).integers(2, size=50).tolist()
    end = computed(f"{coins}.reduce((w, coin) => models.walk.step(w, coin, {T}, {depth}), {start})")
    assert end == pytest.approx(end_of(coins, T, start, depth), abs=1e-9)
    assert computed(f"models.walk.barrier({depth})") == pytest.approx(pit(depth).barrier, abs=1e-9)
    loss = computed(f"models.walk.loss({start}, {depth})")
    assert loss == pytest.approx(two_datapoint(depth).loss(start), abs=1e-12)


@pytest.mark.parametrize(("T", "start", "depth"), [(0.05, 1.0, 1.0), (0.02, 0.9, 0.6)])
def test_the_law_of_a_few_steps_counts_all_paths(computed, T, start, depth):
    ends = [end_of(coins, T, start, depth) for coins in itertools.product((0, 1), repeat=9)]
    share = np.mean(np.array(ends) > pit(depth).barrier)
    assert law(computed, T, start, depth, 9) == share


def ends(T, start, depth, n, count=200_000):
    """Return where that many independent walkers stand."""
    model, rng, w = two_datapoint(depth), np.random.default_rng(0), np.full(count, start)
    for _ in range(n):
        w = w - T * model.gradients(w)[rng.integers(2, size=count), np.arange(count)]
    return w


@pytest.mark.parametrize(
    ("T", "start", "depth", "n"),
    [
        (0.03, 1.0, 1.0, 40),
        (0.02, 1.0, 1.0, 150),
        (0.05, 0.8, 1.5, 60),
        (0.2, 1.0, 1.0, 30),
        # Steps far smaller than a cell, and far larger than the pit; to the end of the slider.
        (0.005, 1.0, 0.2, 300),
        (0.005, 0.9, 0.2, 300),
        (0.5, -0.5, 2.0, 300),
        (0.5, -0.3, 1.0, 300),
        (0.2, 1.0, 2.0, 300),
    ],
)
def test_the_law_of_many_steps_agrees_with_simulation_and_the_shown_walkers_with_it(
    computed, T, start, depth, n
):
    w, barrier = ends(T, start, depth, n), pit(depth).barrier
    share, exact = np.mean(w > barrier), law(computed, T, start, depth, n)
    error = np.sqrt(share * (1 - share) / len(w))
    assert exact == pytest.approx(share, abs=4 * error + 1e-4)
    shown = np.array(computed(f"[...models.walk.walkers({T}, {start}, {depth}, 4000)({n})]"))
    spread = np.sqrt(exact * (1 - exact) / 4000)
    assert np.mean(shown > barrier) == pytest.approx(exact, abs=4 * spread + 1e-4)
    bins = computed(f"[...models.walk.law({T}, {start}, {depth}).density({n}, -0.625, 0.05, 95)]")
    counted, _ = np.histogram(w, bins=95, range=(-0.625, 4.125))
    assert np.abs(0.05 * np.array(bins) - counted / len(w)).max() < 0.01


# Chapter 5: an oscillator in other coordinates, and a network without a clock.


@pytest.mark.parametrize("forms", ["plain plain", "exp plain", "plain sinh", "exp sinh"])
@pytest.mark.parametrize(("mixture", "damping"), [(0.0, 0.2), (0.35, 0.1), (-0.4, 0.9)])
def test_the_oscillator_has_the_op_of_the_library(computed, mixture, damping, forms):
    times = np.array([1.0, 6.5, 20.0])
    names = [f"'{name}'" for name in forms.split()]
    run = f"models.oscillator.tangents({mixture}, {damping}, {', '.join(names)}, 20, 0.001)"
    kind = list(coordinates.RECODINGS)[2 * ("sinh" in forms) + ("exp" in forms)]
    op = coordinates.by_tangents(times, mixture, damping, kind)
    shown = np.array(computed(f"[1000, 6500, 20000].map((k) => ({run})[k])"))
    np.testing.assert_allclose(shown, op, atol=1e-9)
    for i, t in enumerate(times):
        closed = computed(f"models.oscillator.op({t}, {mixture}, {damping})")
        assert closed == pytest.approx(op[i], abs=1e-9)
        at = computed(f"models.oscillator.worlds({t}, {mixture}, {damping}, {coordinates.DELTA})")
        right = coordinates.worlds(np.array([t]), mixture, damping)[:, :, 0]
        np.testing.assert_allclose(at, right, atol=1e-9)


def test_the_network_has_the_op_of_the_library_for_every_part(computed):
    rng = np.random.default_rng(4)
    nodes = list(paths.PLACES)
    for size in range(len(paths.OTHERS) + 1):
        for held in itertools.combinations(paths.OTHERS, size):
            drawn = (rng.integers(-20, 21, len(paths.WEIGHTS)) / 20).tolist()
            weights = dict(zip(paths.WEIGHTS, drawn, strict=True))
            arrows = [[*edge, weight] for edge, weight in weights.items()]
            given = ", ".join(map(json.dumps, (nodes, arrows, "n", held)))
            found = computed(f"Object.entries(models.paths.op({given}))")
            shown = {node: math.nan if op is None else float(op) for node, op in found}
            assert shown == pytest.approx(paths.measures(weights, held), abs=1e-9, nan_ok=True)


# Chapter 6: worlds.


@pytest.mark.parametrize("choice", ["A = a, b → b", "A = c, a → b", "A = b, c → c"])
@pytest.mark.parametrize("rho", [0.8, 28.0])
def test_lorenz_has_the_worlds_and_the_op_of_the_library(computed, rho, choice):
    A, n, m = by_hand.CHOICES[choice]
    frozen, varied, measured = ("abc".index(name) for name in (A, n, m))
    start, times = [1.0, 2.0, 20.0], np.array([1.0, 3.0, 5.0])
    # The step is the model's own: the page has no other.
    run = f"models.lorenz.worlds({rho}, {start}, {frozen}, {varied}, 0.5, 5)"
    whole = f"{run}.filter((_, i) => i % Math.round(1 / models.lorenz.dt) === 0)"
    rows = np.array(computed(f"{whole}.map((row) => [...row])"))
    w, x, y = worlds.simulate(lorenz(rho=rho), start, times, A, n, 0.5)
    apart = np.abs(rows[[1, 3, 5], :9] - np.concatenate([w, x, y], axis=1)).max(axis=1)
    assert apart[0] < 1e-9
    assert apart[2] < 1e-7
    op = influence.op(lorenz(rho=rho), start, times, A, n, m)
    shown = computed(f"{whole}.map((row) => models.lorenz.op(row, {measured}))")
    assert shown[1] == pytest.approx(op[0], abs=1e-9)
    assert shown[5] == pytest.approx(op[2], abs=1e-8)


def test_the_attractor_of_the_page_is_that_of_its_still(computed):
    places = computed(f"models.lorenz.path(28, 41, {by_hand.INTERVAL}).map((s) => [...s])")
    np.testing.assert_allclose(places[0], by_hand.attractor(28.0)[0], atol=1e-2)


@pytest.mark.parametrize("view", [0, 40, 215])
def test_the_attractor_is_seen_as_on_paper(computed, view):
    place = [-7.25, 3.5, 31.0]
    shown = computed(
        f"models.view.seen({view} * Math.PI / 180, {lorenz_pictures.ELEVATION}, {place}, "
        f"{lorenz_pictures.MIDDLE})"
    )
    np.testing.assert_allclose(shown, lorenz_pictures.seen(view, *place), atol=1e-12)


@pytest.mark.parametrize(
    ("theta", "p", "start"), [(1.0, 1.0, 35.0), (3.0, 0.4, 20.0), (0.3, 2.5, 25.1)]
)
def test_a_room_has_the_worlds_and_the_op_of_the_library(computed, theta, p, start):
    times = [0.0, 5.0, 12.0]
    run = f"models.thermostat.worlds({theta}, {p}, {TARGET}, {start}, 2, 12)"
    rows = np.array(computed(run))[[0, 250, 600]]
    paths = worlds.simulate(thermostat(theta, p), [start, 0.0], times, "thermostat", "room", 2.0)
    np.testing.assert_allclose(rows[:, :3].T, paths[:, :, 0], atol=1e-9)
    op = influence.op(thermostat(theta, p), [start, 0.0], times[1:], "thermostat", "room", "room")
    np.testing.assert_allclose(np.log(np.abs(rows[1:, 4] / rows[1:, 3])), op, atol=1e-9)


# Chapter 7: ascent.


def test_the_smoothed_sinc_is_that_of_the_library(computed):
    x, sigma = (a.ravel() for a in np.meshgrid(np.linspace(-20, 20, 23), [1e-3, 0.05, 0.7, 3, 10]))
    pairs = json.dumps(np.column_stack([x, sigma]).tolist())
    shown = computed(f"{pairs}.map(([x, sigma]) => models.sinc.smoothed(x, sigma))")
    np.testing.assert_allclose(np.array(shown).T, smoothed_sinc(x, sigma), atol=1e-12)


@cache
def climbed(x, sigma, hold):
    return ascend(
        smoothed_sinc,
        [x],
        [sigma],
        hold_sigma=hold,
        max_step=0.005,
        tolerance=1e-6,
        n_steps=100_000,
    )


@pytest.mark.parametrize("hold", [False, True])
@pytest.mark.parametrize(
    ("x", "sigma"), [(-9.0, 1.0), (-9.0, 4.0), (12.0, 0.2), (3.0, 0.05), (17.0, 9.0)]
)
def test_a_climb_is_that_of_the_library(computed, x, sigma, hold):
    path = np.array(computed(f"models.sinc.climb({x}, {sigma}, {str(hold).lower()})"))
    end = climbed(x, sigma, hold)
    assert path[-1, 0] == pytest.approx(end.x[0], abs=1e-6)
    # Both go along one curve.
    right = np.column_stack([end.x_path[:, 0], end.sigma_path[:, 0]])
    for place in path[:: max(1, len(path) // 20)]:
        assert from_polygon(right, place) < 3e-4 * max(1, sigma)


@pytest.mark.parametrize("baseline", [False, True])
def test_a_step_on_samples_is_that_of_the_library(computed, baseline):
    """The library is given the page's draws, by a generator that hands them out."""
    draws = computed("models.sinc.normals(3, 700, 50)")

    class Dealt:
        def standard_normal(self, shape):
            return np.reshape(draws, shape)

    path = sampled_path(
        "sinc", [-4.0], 1.5, 2.0, Dealt(), baseline=baseline, n_samples=50, n_steps=1
    )
    given = f"[-4, 1.5], 2, models.sinc.normals(3, 700, 50), {str(baseline).lower()}, [0.05, 10]"
    shown = computed(f"models.sinc.step({given})")
    assert shown == pytest.approx(path[1, :, 0], rel=1e-12)


def test_the_draws_of_the_page_are_normal_and_those_of_other_seeds_are_others(computed):
    z = np.array(computed("[0, 1, 2, 3].map((seed) => models.sinc.normals(seed, 0, 20000))"))
    assert stats.kstest(z.ravel(), "norm").pvalue > 0.01
    assert np.abs(np.corrcoef(z) - np.eye(4)).max() < 4 / np.sqrt(20_000)
    assert abs(np.corrcoef(z[0, :-1], z[0, 1:])[0, 1]) < 4 / np.sqrt(20_000)


def test_the_sampled_climbs_of_the_page_arrive_as_often_as_those_of_the_library(computed):
    settings = "{ eta: 2, samples: 50, steps: 1000, bounds: [0.05, 10], baseline: %s, stream }"
    rng = np.random.default_rng(0)
    for baseline, name in ((True, "true"), (False, "false")):
        run = f"models.sinc.sampled(-9, 5, {settings % name}).at(-1)[0]"
        shown = np.abs(computed(f"{list(range(40))}.map((stream) => {run})")) < 1
        ends, _ = sampled_ascent(
            "sinc", np.full(40, -9.0), 5.0, 2.0, rng, baseline=baseline, n_steps=1000
        )
        assert abs(shown.mean() - reached("sinc", ends).mean()) < 0.25
        assert (shown.mean() > 0.7) == baseline


@pytest.mark.parametrize(("x", "sigma"), [(-9.0, 2.5), (-5.0, 1.0), (12.0, 4.0)])
def test_the_scheduled_climb_of_the_page_is_that_of_the_library(computed, x, sigma):
    path = computed(f"models.sinc.scheduled({x}, {sigma}, {{ factor: 0.8, bounds: [0.05] }})")
    assert path[-1] == pytest.approx(scheduled(x, sigma)[-1], abs=1e-5)


def from_polygon(corners, place):
    """Return the distance of a place from the line through the corners."""
    along = np.diff(corners, axis=0)
    moved = place - corners[:-1]
    size = np.maximum((along**2).sum(axis=1), 1e-300)
    share = np.clip((moved * along).sum(axis=1) / size, 0, 1)
    return np.hypot(*(moved - share[:, None] * along).T).min()


PLANTED = {
    "no pit": ("200 * depth", "100 * depth"),
    "one coin": (">>> 31) & 1", ">>> 31) & 0"),
    "no spread": ("mass[i] / 2", "mass[i] / 2.02"),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_fault_planted_in_the_walk_is_caught(computed, fault):
    broken = MODELS.replace(*PLANTED[fault])
    assert broken != MODELS

    def evaluate(expression):
        return computed(expression, models=broken)

    with pytest.raises(AssertionError):
        test_the_law_of_many_steps_agrees_with_simulation_and_the_shown_walkers_with_it(
            evaluate, 0.02, 1.0, 1.0, 150
        )


# The pictures.


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    for model in LIVE:
        head = "<!doctype html><meta charset=utf-8><title>live</title><body style='margin: 8px'>"
        (folder / f"{model.name}.html").write_text(head + model.html(), encoding="utf-8")
    return folder


@pytest.mark.parametrize("model", LIVE, ids=lambda model: model.name)
def test_every_control_moves_its_picture_and_every_handle_can_be_held(visit, pages, model):
    page = visit(pages / f"{model.name}.html", viewport={"width": 1000, "height": 800})
    wait_until_ready(page)
    assert_every_control_moves_its_picture(page)
    assert assert_every_handle_is_at_hand(page) == len(model.facts()["handles"])


def test_a_frame_may_be_drawn_before_it_is_attached(visit, tmp_path):
    """A notebook may call `render` before its cell is in the document."""
    blank = tmp_path / "blank.html"
    blank.write_text("<!doctype html><meta charset=utf-8><title>cell</title><body>")
    page = visit(blank, viewport={"width": 1000, "height": 800})
    widget = LiveModelWidget(by_hand.room_by_hand)
    page.evaluate(
        """async ([script, given]) => {
          const { default: cell } = await import(URL.createObjectURL(
            new Blob([script], { type: "text/javascript" })));
          const el = document.createElement("div");
          cell.render({ model: { get: (key) => given[key] }, el });
          document.body.append(el);
        }""",
        [LiveModelWidget._esm, {"html": widget.html, "facts": widget.facts}],
    )
    wait_until_ready(page)
    expect(page.locator("figcaption")).to_contain_text("The room starts at 35 ")
    assert page.evaluate(INKED) == [True, True]
    assert assert_every_handle_is_at_hand(page) == 1


def test_a_node_goes_into_the_part_by_a_click_and_by_keys(visit, pages):
    page = visit(pages / "paths-by-hand.html", viewport={"width": 1000, "height": 800})
    wait_until_ready(page)
    node = page.get_by_role("switch", name="u in A")
    said = page.locator("figcaption")
    assert node.get_attribute("aria-checked") == "false"
    node.click()
    assert node.get_attribute("aria-checked") == "true"
    expect(said).to_contain_text("A is u and v (squares)")
    for key, checked in (("Space", "false"), ("Enter", "true"), ("ArrowLeft", "false")):
        page.keyboard.press(key)
        assert node.get_attribute("aria-checked") == checked, key
    expect(said).to_contain_text("m 0.375")
    weight = page.get_by_role("slider", name="weight of v on m")
    weight.focus()
    page.keyboard.press("Home")
    assert weight.get_attribute("aria-valuetext") == "−1.00"
    op = paths.measures(paths.WEIGHTS | {("v", "m"): -1.0}, ("v",))["m"]
    expect(said).to_contain_text(f"m {op:.3f}".rstrip("0"))
    assert page.locator(".descent-control:visible").count() == 0  # all stand in the picture


def test_the_verdict_is_dragged_through_zero(visit, pages):
    page = visit(pages / "oscillator-by-hand.html", viewport={"width": 1000, "height": 800})
    wait_until_ready(page)
    end, said = page.locator(".descent-handle"), page.locator("figcaption")
    expect(said).to_contain_text("optimizes x")
    box = end.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 60, steps=5)
    page.mouse.up()
    expect(said).to_contain_text("amplifies x")


@pytest.mark.parametrize("width", [1000, 390])
def test_a_click_on_the_map_starts_the_climbs_there(visit, pages, width):
    page = visit(pages / "climb-by-hand.html", viewport={"width": width, "height": 800})
    wait_until_ready(page)
    knob, said = page.locator(".descent-handle"), page.locator("figcaption")
    tile, beside = (page.locator(".descent-tile").nth(k) for k in (0, 1))
    seen = set()
    for across, down in ((0.3, 0.7), (0.6, 0.3), (0.85, 0.5), (0.45, 0.2)):
        box = tile.bounding_box()
        place = box["x"] + across * box["width"], box["y"] + down * box["height"]
        page.mouse.click(*place)
        stands = knob.bounding_box()
        centre = (stands["x"] + stands["width"] / 2, stands["y"] + stands["height"] / 2)
        np.testing.assert_allclose(centre, place, atol=2)
        x, sigma = (
            float(
                page.locator(f"[data-control={key}]")
                .get_attribute("aria-valuetext")
                .replace("−", "-")
            )
            for key in ("x", "sigma")
        )
        end = ascend(smoothed_sinc, [x], [sigma]).x[0]
        words = said.inner_text().replace("−", "-").split("ends at x = ")[1].split(" ")[0]
        assert float(words.rstrip(".")) == pytest.approx(end, abs=0.06)
        seen.add(knob.get_attribute("aria-valuetext"))
    assert len(seen) == 4
    last = knob.get_attribute("aria-valuetext")
    click = "tile => tile.firstElementChild.dispatchEvent(new Event('click', {bubbles: true}))"
    beside.evaluate(click)
    assert knob.get_attribute("aria-valuetext") == last, "the other drawing is no map"


def test_the_pit_is_pulled_deeper_by_hand(visit, pages):
    page = visit(pages / "walkers-and-their-law.html", viewport={"width": 1000, "height": 800})
    wait_until_ready(page)
    pit = page.locator(".descent-handle").nth(1)
    box = pit.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 30, steps=5)
    page.mouse.up()
    after = pit.bounding_box()
    depth = page.locator("[data-control=depth]")
    assert float(depth.get_attribute("aria-valuetext")) > 1.2
    assert after["y"] == pytest.approx(box["y"] + 30, abs=2)


@pytest.mark.parametrize("model", LIVE, ids=lambda model: model.name)
def test_the_picture_is_there_on_a_telephone_and_in_the_dark(visit, pages, model):
    page = visit(pages / f"{model.name}.html", viewport={"width": 390, "height": 844})
    wait_until_ready(page)
    inked = page.evaluate(INKED)
    assert inked
    assert all(inked)
    before = look(page.locator(".descent-explorer"))
    page.evaluate(
        """() => { const { style, dataset } = document.documentElement;
        style.setProperty("--pst-color-text-base", "rgb(238, 238, 238)");
        dataset.theme = "dark"; }"""
    )
    page.wait_for_timeout(200)
    assert look(page.locator(".descent-explorer")) != before
