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


def test_without_llvmlite_nothing_is_compiled(monkeypatch):
    compiled_code.available.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    try:
        assert not available()
    finally:
        monkeypatch.undo()
        compiled_code.available.cache_clear()
    assert available()
