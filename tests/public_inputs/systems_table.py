"""Valid calls: maps and flows, disturbances that are carried along them, and their worlds."""

import numpy as np
from kinds import (
    anything,
    array,
    case,
    choice,
    count,
    flag,
    function,
    given,
    instance,
    positive,
    real,
    rng,
)

from descent.causal import Network
from descent.dynamics.tangent import Tangents
from descent.systems import dumb_thermostat, linear_thermostat, lorenz

THERMOSTAT = linear_thermostat(0.5, 25.0)
LORENZ = lorenz()
ONE_STATE = np.array([35.0, 10.0])


def thermostat():
    return instance(lambda: THERMOSTAT, dumb_thermostat())


def initial(value=ONE_STATE, *more):
    return given(
        lambda: value,
        [np.nan, 1.0],
        [1.0],
        [1.0, 2.0, 3.0],
        1.0,
        "x",
        None,
        {"room": 1.0},
        {"room": 1.0, "thermostat": np.inf},
        {"room": 1.0, "kitchen": 2.0},
        {"room": [1.0, 2.0], "thermostat": [1.0, 2.0, 3.0]},
        np.array([1j, 2.0]),
        [[1.0], [1.0, 2.0]],
        *more,
    )


def name(value):
    return given(lambda: value, "kitchen", None, 1, ["room", "room"], np.nan)


def frozen():
    return given(lambda: "thermostat", "kitchen", None, 1, [], ["kitchen"], "room", [1])


def network():
    return instance(lambda: Network({("n", "A"): -1.0, ("A", "m"): 0.5, ("n", "m"): 1.0}), {})


def node(value):
    return given(lambda: value, "kitchen", "A", None, 1, ["n"], np.nan)


def nodes():
    return given(lambda: {"A"}, "A", ["kitchen"], [["A"]], None, 1, np.nan)


def step():
    """Return an integrator's step; a map has none, which None says."""
    return positive(0.1)


TIMES = array([0.0, 2.0], [2.0, 0.0], [-1.0, 0.0], [0.5], empty=True)
WORLDS = dict(
    system=thermostat(),
    initial=initial(),
    times=TIMES,
    frozen=frozen(),
    dt=step(),
    scheme=choice("dop853"),
)
INFLUENCE = WORLDS | dict(
    varied=name("room"),
    measured=name("room"),
    until=real(5.0, least=0, inf=True),
    begin=real(0.0, most=0.0),
)
EXPONENTS = dict(
    system=thermostat(),
    initial=initial(ONE_STATE, np.ones((2, 2, 2))),
    duration=positive(4.0),
    transient=real(1.0, least=0),
    n_trajectories=count(2, least=2),
    rng=rng(),
    interval=positive(1.0),
    dt=step(),
    scheme=choice("dop853"),
    spread=real(1.0, least=0),
    return_error=flag(),
)
DRIVING = given(lambda: (), "kitchen", None, 1, ["kitchen"], ["room", "thermostat"], [1])
NAMES = given(lambda: ("a", "b"), ("a", "a"), (), "ab", None, 5, (1, 2))
START = given(lambda: (1.0, 2.0), (1.0,), (np.nan, 1.0), "ab", 5.0)
RULE = function(lambda s, time: (s[1], -s[0]))

CASES = {
    "dynamics.Map": case(
        names=NAMES, step=RULE, jacobian=RULE, jvp=RULE, dt=positive(1.0), start=START
    ),
    "dynamics.Flow": case(
        names=NAMES, rate=RULE, jacobian=RULE, jvp=RULE, dt=positive(1.0), start=START
    ),
    "dynamics.Flow.step": case(
        of=lambda: LORENZ,
        state=array([1.0, 2.0, 3.0], [1.0, 2.0], 1.0, free=True),
        time=real(0.0),
        dt=positive(0.01),
    ),
    "dynamics.system.state_of": case(
        system=thermostat(), initial=initial(), name=anything("initial", "the error's word")
    ),
    "dynamics.system.index_of": case(
        system=thermostat(), name=name("room"), argument=anything("name", "the error's word")
    ),
    "dynamics.complex_step": case(function=function(lambda s, time: (s[1], -s[0]))),
    "dynamics.finite_differences": case(
        function=function(lambda s, time: (s[1], -s[0])),
        step=positive(1e-6),
        sizes=array([1.0, 2.0], [0.0, 1.0], [[1.0]]),
    ),
    "causal.Network": case(
        edges=given(
            lambda: {("n", "m"): 1.0},
            {},
            [("n", "m")],
            {"n": 1.0},
            {("n", "m", "k"): 1.0},
            {("n", "m"): np.nan},
            {("n", "m"): np.inf},
            {("n", "m"): 1j},
            {("n", "m"): "1.0"},
            {("n", "m"): True},
            {("n", "m"): None},
            {("n", "n"): 1.0},
            {("n", "m"): 1.0, ("m", "n"): 1.0},
            1.0,
            None,
        )
    ),
    "causal.responses": case(network=network(), varied=node("n"), avoid=nodes()),
    "causal.sensitivities": case(network=network(), measured=node("m"), avoid=nodes()),
    "causal.comp": case(network=network(), part=nodes(), varied=node("n"), measured=node("m")),
    "causal.op": case(network=network(), part=nodes(), varied=node("n"), measured=node("m")),
    "causal.unrolled": case(
        system=given(lambda: THERMOSTAT, LORENZ, dumb_thermostat(), 1.0, "x", None),
        initial=initial(),
        steps=count(2, least=1),
        begin=real(0.0),
    ),
    "influence.slog_comp": case(**INFLUENCE),
    "influence.op": case(**INFLUENCE),
    "influence.comp": case(**INFLUENCE),
    "influence.op_norm": case(
        **WORLDS
        | dict(
            varied=given(lambda: "room", "kitchen", 1, [], ["kitchen"], "thermostat", [1]),
            measured=given(lambda: "room", "kitchen", 1, [], ["kitchen"], "thermostat", [1]),
            until=real(5.0, least=0, inf=True),
            begin=real(0.0, most=0.0),
        )
    ),
    "influence.op_spectrum": case(
        **WORLDS
        | dict(
            begin=real(0.0, most=0.0),
            interval=given(lambda: 1.0, 0.0, -1.0, 0.5, np.nan, "x"),
        )
    ),
    "influence.linear_thermostat_comp": case(
        k=real(0.19),
        steps=given(lambda: [0, 1, 2], [0.5], [-1], None, "x", [np.nan], [[1], [1, 2]]),
    ),
    "influence.removed_width": case(
        system=thermostat(),
        initial=given(
            lambda: [[30.0, 10.0], [35.0, 10.0]],
            [35.0, 10.0],
            [[35.0, 10.0]],
            [[35.0, 10.0], [30.0, 10.0]],
            [[np.nan, 10.0], [30.0, 10.0]],
            None,
            "x",
        ),
        time=real(2.0, least=0),
        frozen=frozen(),
        varied=name("room"),
        dt=step(),
        scheme=choice("dop853"),
    ),
    "lyapunov.conditional_exponents": case(**EXPONENTS, frozen=DRIVING),
    "lyapunov.convergence": case(
        **{
            k: v
            for k, v in EXPONENTS.items()
            if k not in ("dt", "scheme", "spread", "return_error")
        },
        frozen=DRIVING,
    ),
    "lyapunov.spectrum": case(**EXPONENTS),
    "lyapunov.covariant_vectors": case(
        system=thermostat(),
        initial=initial(ONE_STATE, np.ones((2, 2))),
        n=count(3, least=2),
        interval=positive(1.0),
        transient=real(5.0, least=0),
        rng=rng(),
    ),
    "lyapunov.kaplan_yorke_dimension": case(exponents=array([0.9, 0.0, -14.6])),
    "systems.FiniteSystem": case(
        thermostat=given(lambda: ("on", "off"), (), None, 5, "on", (1, 2), ("on", "on")),
        room=given(lambda: ("hot", "cold"), (), None, 5, "on", (1, 2), ("hot", "hot")),
        step_thermostat=given(
            lambda: np.zeros((2, 2), int),
            np.full((2, 2), 2),
            -np.ones((2, 2), int),
            np.zeros((2, 2)),
            np.zeros((3, 2), int),
            None,
            "x",
            [[0, 0], [0, 0.5]],
        ),
        step_room=given(
            lambda: np.zeros((2, 2), int),
            np.full((2, 2), 2),
            -np.ones((2, 2), int),
            np.zeros((2, 2)),
            np.zeros((3, 2), int),
            None,
            "x",
            [[0, 0], [0, 0.5]],
        ),
    ),
    "systems.FiniteSystem.step": case(
        of=dumb_thermostat,
        thermostat=given(lambda: [0, 2], 3, -1, 0.5, None, "high", np.nan, [True, False]),
        room=given(lambda: [1, 0], 3, -1, 0.5, None, "hot", np.nan, [0, 1, 2]),
    ),
    "systems.linear_thermostat": case(
        k=real(0.3), target=real(25.0), forcing=function(lambda time: 0.0)
    ),
    "systems.saturated_thermostat": case(
        theta=positive(1.0), p=positive(1.0), target=real(25.0), dt=positive(0.02)
    ),
    "systems.linear_flow": case(
        matrix=array([[0.0, 1.0], [-1.0, 0.0]], np.ones((2, 3)), np.eye(3)),
        names=given(lambda: "ab", "aa", (), "abc", None, 5, (1, 2)),
    ),
    "systems.lorenz": case(sigma=real(10.0), rho=real(28.0), beta=real(2.0)),
    "systems.equilibria": case(rho=real(28.0), beta=positive(2.0)),
    "systems.dumb_thermostat": case(),
    "systems.smart_thermostat": case(),
    "dynamics.tangent.advance": case(
        system=thermostat(),
        state=array([[35.0], [10.0]], np.ones((3, 1))),
        tangents=given(
            lambda: [Tangents((0, 1), np.eye(2)[:, :, None])],
            None,
            5,
            [1.0],
            [Tangents((0, 5), np.eye(2)[:, :, None])],
            [Tangents((0, 1), np.eye(2))],
            [Tangents((0,), np.eye(2)[:, :, None])],
            [Tangents((0, 1), np.full((2, 2, 1), np.nan))],
        ),
        time=real(0.0, most=2.0),
        end=real(2.0, least=0.0),
        dt=step(),
        scheme=choice("dop853"),
    ),
    "influence.worlds.simulate": case(**WORLDS, varied=name("room"), delta=real(0.5)),
    "influence.worlds.finite_difference_comp": case(
        **WORLDS, varied=name("room"), measured=name("room"), delta=real(0.5)
    ),
    "influence.worlds.horizon": case(
        times=array([0.0, 1.0, 2.0], [2.0, 1.0, 0.0], [0.0, 1.0]),
        comp=array([1.0, 0.5, 0.25], [1.0], nan=True),
        approximation=array([1.0, 0.5, 0.4], [1.0], nan=True),
        tolerance=real(0.1, least=0),
    ),
}

EXEMPT = {}
