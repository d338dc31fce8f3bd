"""Machine code for vectors: the functions that are written here against numpy's."""

import numpy as np
import pytest

from descent.compiled import code as compiled_code
from descent.compiled.code import LANES, Module, available
from descent.compiled.vectors import Place

pytestmark = pytest.mark.skipif(not available(), reason="llvmlite is not installed")


def applied(name, x):
    """Return an operation of tapes, compiled and applied to an array."""
    module = Module()
    code = module.function("run", "ppi")
    source, target, n = code.arguments
    here, there = (Place(code, p, code.vectors) for p in (source, target))
    code.each(n, lambda i: there.__setitem__(i, code.operation(name, here[i])))
    code.end()
    padded = np.concatenate([x, np.ones(-len(x) % LANES)])
    out = np.empty_like(padded)
    module.compile()["run"](padded.ctypes.data, out.ctypes.data, len(padded) // LANES)
    return out[: len(x)]


X = np.concatenate([np.linspace(-700, 700, 3001), np.geomspace(1e-300, 1e300, 999)])


def test_the_exponential_is_numpys_to_two_roundings():
    x = X[np.abs(X) < 708]
    np.testing.assert_allclose(applied("exp", x), np.exp(x), rtol=4.5e-16)
    assert applied("exp", np.array([0.0, -1000.0, 1000.0, -np.inf, np.inf])).tolist() == [
        1.0,
        0.0,
        np.inf,
        0.0,
        np.inf,
    ]
    assert np.isnan(applied("exp", np.array([np.nan]))).all()


def test_the_logarithm_is_numpys_to_two_roundings():
    x = np.concatenate([X[X > 0], 1 + np.linspace(-0.3, 0.42, 1001)])
    np.testing.assert_allclose(applied("log", x), np.log(x), rtol=4.5e-16, atol=1e-320)
    assert applied("log", np.array([0.0, 1.0, np.inf])).tolist() == [-np.inf, 0.0, np.inf]
    assert np.isnan(applied("log", np.array([-1.0, np.nan]))).all()


@pytest.mark.parametrize(
    "name", ["sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan", "sqrt", "absolute", "negative"]
)
def test_functions_of_one_variable_are_numpys(name):
    x = np.linspace(0.0 if name == "sqrt" else -20, 20, 401)
    np.testing.assert_allclose(applied(name, x), getattr(np, name)(x), rtol=1e-15, atol=1e-16)


def test_a_number_is_spelled_once_and_keeps_its_sign():
    module = Module()
    code = module.function("run", "p")
    there = Place(code, code.arguments[0], code.vectors)
    values = [0.1, 0.0, -0.0, 0.1, -0.1, np.nan, np.inf, 1, 1.0]
    for i, value in enumerate(values):
        there[i] = code.vector(value)
    assert code.vector(0.1).value is code.vector(np.float64(0.1)).value
    assert code.vector(0.0).value is not code.vector(-0.0).value
    code.end()
    out = np.empty((len(values), LANES))
    module.compile()["run"](out.ctypes.data)
    np.testing.assert_array_equal(out, np.repeat(np.array(values)[:, None], LANES, axis=1))
    assert (np.signbit(out) == np.signbit(np.array(values))[:, None]).all()


@pytest.mark.parametrize("rows", [1, compiled_code.UNROLLED, compiled_code.UNROLLED + 1])
def test_a_loop_does_what_it_does_written_out(rows):
    made = []
    for unrolled in (0, compiled_code.UNROLLED, 100):
        module = Module()
        code = module.function("run", "pp")
        here, there = (Place(code, p, code.vectors) for p in code.arguments)

        def one(i, code=code, here=here, there=there):
            there[i] = here[i] * 0.3 + code.vector(0.7) / here[i]

        code.each(rows, one, unrolled)
        code.end()
        source = np.random.default_rng(0).uniform(1, 2, (rows, LANES))
        made.append(np.empty_like(source))
        module.compile()["run"](source.ctypes.data, made[-1].ctypes.data)
    np.testing.assert_allclose(made[0], source * 0.3 + 0.7 / source, rtol=1e-15)
    for other in made[1:]:
        np.testing.assert_allclose(other, made[0], rtol=1e-15)


def test_without_llvmlite_nothing_is_compiled(monkeypatch):
    compiled_code.available.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    try:
        assert not available()
    finally:
        monkeypatch.undo()
        compiled_code.available.cache_clear()
    assert available()
