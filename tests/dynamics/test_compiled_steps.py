"""Compiled steps and numpy's are the same steps: each is the other's test."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from descent import influence, lyapunov, systems
from descent.compiled.code import available
from descent.dynamics import Flow, carrier, complex_step, quick
from descent.dynamics.adaptive import Pace, carry
from descent.dynamics.carrier import LONG, MANY, Carrier
from descent.dynamics.equations import equations_of
from descent.dynamics.motion import Motion
from descent.dynamics.quick import speed_up
from descent.dynamics.tangent import Tangents
from descent.lyapunov.growth import Frames

pytestmark = pytest.mark.skipif(not available(), reason="llvmlite is not installed")


def forced_pendulum(s, time):
    return s[1], -np.sin(s[0]) - 0.1 * s[1] + 0.5 * np.cos(0.7 * time)


def ring(s, time):
    return (np.roll(s, -1, 0) - np.roll(s, 2, 0)) * np.roll(s, 1, 0) - s + 8.0


def ring_product(s, v, time):
    moved = np.roll(v, -1, 0) - np.roll(v, 2, 0)
    return moved * np.roll(s, 1, 0) + (np.roll(s, -1, 0) - np.roll(s, 2, 0)) * np.roll(v, 1, 0) - v


FLOWS = {
    "lorenz": systems.lorenz(),
    "pendulum": Flow(("x", "v"), forced_pendulum, complex_step(forced_pendulum)),
    "ring": Flow(tuple("abcdefghijklmnopqrst"), ring, jvp=ring_product),
    "short ring": Flow(tuple("abcdefghi"), ring, jvp=ring_product),
    "linear": systems.linear_flow([[0.0, 1.0], [-1.0, -0.2]], "xy"),
}


@pytest.fixture
def by_numpy(monkeypatch):
    """Return a function that does something without compiled code."""

    def run(action):
        with monkeypatch.context() as patch:
            for module in (carrier, quick):
                patch.setattr(module, "equations_of", lambda *_: None)
            return action()

    return run


def states(flow, n):
    return np.random.default_rng(1).standard_normal((len(flow.names), n)) + 1.0


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("how", [{"dt": 0.01}, {"dt": 0.02, "scheme": "rk4"}, {}])
def test_states_and_disturbances_are_those_of_numpy(name, how, by_numpy):
    flow, n = FLOWS[name], MANY + 5  # some lanes stay empty
    d, rng = len(flow.names), np.random.default_rng(2)
    some = tuple(range(1, d))
    blocks = [
        Tangents(tuple(range(d)), rng.standard_normal((d, 2, n))),
        Tangents(some, rng.standard_normal((d - 1, 1, n))),
    ]

    def run():
        moved = Carrier(flow, how.get("dt"), how.get("scheme", "dop853"))
        state, after = moved.to(states(flow, n), blocks, 0.3, 1.0)
        return [state, *(t.vectors for t in after)]

    for mine, theirs in zip(run(), by_numpy(run), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9)


def test_few_trajectories_are_not_compiled():
    moved = Carrier(systems.lorenz(), 0.01, "rk4")
    moved.to(states(systems.lorenz(), MANY - 1), [], 0.0, 0.1)
    assert moved._quick == {}


@pytest.mark.parametrize("dt", [0.01, None])
def test_a_long_run_of_one_trajectory_is_compiled_on_its_way(dt, by_numpy):
    unit = Tangents((0, 1, 2), np.eye(3)[:, :, None])

    def run():
        moved, state, after = Carrier(systems.lorenz(), dt, "dop853"), np.ones((3, 1)), [unit]
        for end in np.arange(1, 13) / 4:
            state, after = moved.to(state, after, end - 0.25, end)
        return moved, [state, after[0].vectors]

    (moved, mine), (_, theirs) = run(), by_numpy(run)
    assert moved.compiled or moved.motion.quick is not None
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-9)


def test_a_long_run_whose_rounding_is_asked_for_is_not_compiled():
    moved = Carrier(systems.lorenz(), None, "dop853", long=False)
    moved.to(np.ones((3, 1)), [], 0.0, 10.0)
    assert moved.pace.steps > LONG
    assert moved.motion.quick is None


def test_frames_grow_as_those_of_numpy():
    flow, ends = systems.lorenz(), np.full(11, 5.0)

    def grown(compiled):
        motion = Motion(flow, [((0, 1, 2), 3)], states(flow, 11))
        if compiled:
            speed_up(motion, states(flow, 11))
            assert motion.quick is not None
        frames, pace = Frames(motion, states(flow, 11)), Pace(11, 1e-9, 1e-9)
        frames.flow(pace, ends)
        return frames.growth, frames.states.copy(), frames.frame.copy()

    for mine, theirs in zip(grown(True), grown(False), strict=True):
        np.testing.assert_allclose(np.abs(mine), np.abs(theirs), rtol=1e-6, atol=1e-6)


def test_each_trajectory_has_its_own_clock():
    flow = FLOWS["pendulum"]
    ends, start = np.linspace(1.0, 9.0, 13), states(flow, 13)

    def run(compiled):
        motion = Motion(flow, [], start)
        if compiled:
            speed_up(motion, start)
        pace = Pace(13, 1e-10, 1.0)
        return carry(motion, pace, start, ends)[0], pace.t

    (mine, clock), (theirs, _) = run(True), run(False)
    np.testing.assert_array_equal(clock, ends)
    np.testing.assert_allclose(mine, theirs, rtol=1e-8)


@settings(max_examples=15, deadline=None)
@given(st.floats(5, 15), st.floats(1, 60), st.floats(1, 4))
def test_parameters_of_compiled_code_are_those_of_the_call(sigma, rho, beta):
    # One translation serves all parameters: a stale one would be seen at once.
    flow, start = systems.lorenz(sigma, rho, beta), states(systems.lorenz(), MANY)
    state, _ = Carrier(flow, 1e-3, "rk4").to(start, [], 0.0, 1e-3)
    np.testing.assert_allclose(state, flow.step(start, 0.0, 1e-3), rtol=1e-13)


def test_a_wrong_translation_is_not_used(monkeypatch):
    calls = []

    def rate(s, time):  # another function when it is given symbols
        calls.append(s.dtype)
        return (2.0 * s[0],) if s.dtype == object else (-s[0],)

    flow = Flow(("x",), rate)
    assert equations_of(flow, ()) is not None
    motion = Motion(flow, [], np.ones((1, 8)))
    speed_up(motion, np.ones((1, 8)))
    assert motion.quick is None
    state, _ = Carrier(flow, 0.01, "rk4").to(np.ones((1, MANY)), [], 0.0, 1.0)
    np.testing.assert_allclose(state, np.exp(-1.0), rtol=1e-9)
    assert np.dtype(object) in calls


@pytest.mark.parametrize(
    "rate",
    [
        lambda s, time: (np.where(s[0] > 0, -s[0], s[0]),),
        lambda s, time: (np.abs(s[0]),),
        lambda s, time: (-s[0] if time < 5 else s[0],),
    ],
)
def test_what_cannot_be_translated_is_left_to_numpy(rate):
    assert equations_of(Flow(("x",), rate, complex_step(rate)), (((0,), 1),)) is None


def test_a_trajectory_that_is_lost_is_reported():
    flow = Flow(("x",), lambda s, time: (s[0] ** 2,))
    motion = Motion(flow, [], np.ones((1, 8)))
    speed_up(motion, np.ones((1, 8)))
    assert motion.quick is not None
    with pytest.raises(FloatingPointError, match="8 of 8 trajectories"):
        carry(motion, Pace(8, 1e-9, 1.0), np.ones((1, 8)), 2.0)


def test_op_of_many_starts_is_that_of_each_alone():
    rng = np.random.default_rng(3)
    starts = np.array([0.0, 0.0, 25.0]) + 5 * rng.standard_normal((MANY, 3))
    ask = (systems.lorenz(), starts, [1.0], "a", "b", "b")
    few = (systems.lorenz(), starts[:9], [1.0], "a", "b", "b")
    for how in ({}, {"dt": 0.005, "scheme": "rk4"}):
        many = influence.op(*ask, **how)[:, :9]
        np.testing.assert_allclose(many, influence.op(*few, **how), rtol=1e-6)


def test_a_spectrum_from_given_starts_is_that_of_numpy(by_numpy):
    # Own starts: those that the library finds lie far along a chaotic way.
    starts = np.array([[1.0, 1.0, 20.0], [-3.0, -5.0, 25.0], [8.0, 2.0, 30.0]])

    def run():
        return lyapunov.spectrum(systems.lorenz(), starts, duration=3.0, transient=1.0)

    np.testing.assert_allclose(run(), by_numpy(run), rtol=1e-4, atol=1e-4)
