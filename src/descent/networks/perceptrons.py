"""Networks with one hidden layer, many at once, trained one sample a step.

A network maps inputs x to::

    o = φ_out(V h + c),    h = φ(W x + b),

and a step on the sample (x, y) descends the squared error ``½ |o - y|²``. With the
errors e = (o - y) φ_out'(V h + c) and δ = (Vᵀ e) φ'(W x + b), it is::

    V' = V - η e hᵀ,   c' = c - η e,   W' = W - η δ xᵀ,   b' = b - η δ.

The update of W has rank one. So W need not be touched at each step: after the
samples s = 1 … t - 1 of a block::

    W_t x_t + b_t = W_1 x_t + b_1 - η Σ_s δ_s (x_s · x_t + 1),

and two matrix products a block replace two passes over W a sample. All networks
see the same samples, so one product serves them all. So it is with the absolute updates,
since ``|δ xᵀ| = |δ| |x|ᵀ``. Results differ from the plain loop's by rounding alone.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import get_blas_funcs

from descent.arguments import (
    Floats,
    came,
    check_array,
    check_choice,
    check_count,
    check_generator,
    check_kind,
    check_step_size,
)
from descent.networks.activations import ACTIVATIONS
from descent.networks.one_thread import one_thread

__all__ = [
    "PARAMETERS",
    "Perceptrons",
    "accuracy",
    "he_initialization",
    "hidden_outputs",
    "mean_loss",
    "outputs",
    "train",
    "train_with_tallies",
]

Tallies = dict[str, Floats]
PARAMETERS = ("hidden_weights", "hidden_biases", "output_weights", "output_biases")
"""Names of the parameters of a network."""


@dataclass(frozen=True)
class Perceptrons:
    """K networks with one hidden layer, or one array for each of their parameters.

    Attributes
    ----------
    hidden_weights : ndarray, shape (K, hidden, inputs)
        W of each network.
    hidden_biases : ndarray, shape (K, hidden)
        b.
    output_weights : ndarray, shape (K, outputs, hidden)
        V.
    output_biases : ndarray, shape (K, outputs)
        c.
    activation, output_activation : str
        Names in `descent.networks.activations.ACTIVATIONS`.
    """

    hidden_weights: Floats
    hidden_biases: Floats
    output_weights: Floats
    output_biases: Floats
    activation: str = "softplus"
    output_activation: str = "softplus"

    def __post_init__(self) -> None:
        for field in ("activation", "output_activation"):
            check_choice(field, getattr(self, field), ACTIVATIONS)
        for field, array in self.parameters().items():
            if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
                raise TypeError(f"{field} must be an array of floats; got {came(array)}")
        shape = check_array("hidden_weights", self.hidden_weights, ("K", "hidden", "inputs")).shape
        k, hidden = shape[:2]
        final = check_array("output_weights", self.output_weights, (k, "outputs", hidden))
        check_array("hidden_biases", self.hidden_biases, (k, hidden))
        check_array("output_biases", self.output_biases, final.shape[:2])

    def __len__(self) -> int:
        return len(self.hidden_weights)

    def parameters(self) -> dict[str, Floats]:
        """Return the four arrays by name."""
        return {name: getattr(self, name) for name in PARAMETERS}

    def copy(self) -> "Perceptrons":
        """Return networks that share no memory with these."""
        arrays: dict[str, Any] = {name: a.copy() for name, a in self.parameters().items()}
        return replace(self, **arrays)


def he_initialization(
    n_networks: int,
    sizes: tuple[int, int, int],
    rng: np.random.Generator,
    *,
    activation: str = "softplus",
    output_activation: str = "softplus",
    dtype: type = np.float64,
) -> Perceptrons:
    """Draw weights *and biases* from N(0, 2 / fan-in), He initialization.

    Parameters
    ----------
    n_networks : int
        K >= 1.
    sizes : (inputs, hidden, outputs)
        Numbers of neurons in the three layers.
    rng : numpy.random.Generator
        Networks are drawn one after the other: the first K are the same for every larger K.
    activation, output_activation : str
        Names in `descent.networks.activations.ACTIVATIONS`.
    dtype : type
        Precision in which the networks are kept and trained.

    Returns
    -------
    Perceptrons

    Examples
    --------
    >>> networks = he_initialization(3, (64, 20, 2), np.random.default_rng(0))
    >>> networks.hidden_weights.shape
    (3, 20, 64)
    """
    check_count("n_networks", n_networks, 1)
    if not isinstance(sizes, tuple | list) or len(sizes) != 3:
        raise ValueError(f"sizes must be (inputs, hidden, outputs); got {came(sizes)}")
    inputs, hidden, outputs_ = (check_count("each of sizes", size, 1) for size in sizes)
    check_generator("rng", rng)
    if not isinstance(dtype, type) or not issubclass(dtype, float | np.floating):
        raise TypeError(f"dtype must be a type of floats; got {came(dtype)}")
    blocks: list[list[Floats]] = [[], [], [], []]
    for _ in range(n_networks):
        for block, shape, fan_in in zip(
            blocks,
            ((hidden, inputs), (hidden,), (outputs_, hidden), (outputs_,)),
            (inputs, inputs, hidden, hidden),
            strict=True,
        ):
            block.append(rng.normal(0, np.sqrt(2 / fan_in), shape).astype(dtype))
    first, second, third, fourth = (np.stack(block) for block in blocks)
    return Perceptrons(first, second, third, fourth, activation, output_activation)


def _inputs(networks: Perceptrons, inputs: ArrayLike) -> Floats:
    """Return the inputs in the networks' precision; an error unless they fit them."""
    check_kind("networks", networks, Perceptrons)
    n_inputs, dtype = networks.hidden_weights.shape[2], networks.hidden_weights.dtype
    if not isinstance(inputs, np.ndarray) or inputs.dtype != dtype:
        inputs = check_array("inputs", inputs)
    if inputs.ndim != 2 or inputs.shape[1] != n_inputs or not len(inputs):
        raise ValueError(f"inputs must have shape (samples, {n_inputs}); got {inputs.shape}")
    if not np.isfinite(inputs).all():
        raise ValueError("inputs must be finite; got infinite or missing values")
    return np.ascontiguousarray(inputs, dtype=dtype)


def _targets(networks: Perceptrons, inputs: Floats, targets: ArrayLike) -> Floats:
    """Return the targets; an error unless there is one for each input and output."""
    return check_array("targets", targets, (len(inputs), networks.output_weights.shape[1]))


def hidden_outputs(networks: Perceptrons, inputs: ArrayLike) -> Floats:
    """Return h of every network for every sample, shape (K, samples, hidden)."""
    x = _inputs(networks, inputs)
    z = x @ networks.hidden_weights.transpose(0, 2, 1) + networks.hidden_biases[:, None]
    return ACTIVATIONS[networks.activation](z)[0]


def outputs(networks: Perceptrons, inputs: ArrayLike) -> Floats:
    """Return o of every network for every sample, shape (K, samples, outputs)."""
    h = hidden_outputs(networks, inputs)
    z = h @ networks.output_weights.transpose(0, 2, 1) + networks.output_biases[:, None]
    return ACTIVATIONS[networks.output_activation](z)[0]


def accuracy(networks: Perceptrons, inputs: ArrayLike, targets: ArrayLike) -> Floats:
    """Return the share of samples whose largest output is the target's, shape (K,)."""
    x = _inputs(networks, inputs)
    right = _targets(networks, x, targets).argmax(axis=1)
    return np.asarray((outputs(networks, x).argmax(axis=2) == right).mean(axis=1))


def mean_loss(networks: Perceptrons, inputs: ArrayLike, targets: ArrayLike) -> Floats:
    """Return the mean of ``½ |o - y|²`` over the samples, shape (K,)."""
    x = _inputs(networks, inputs)
    error = outputs(networks, x) - _targets(networks, x, targets)
    return np.asarray(0.5 * (error**2).sum(axis=2).mean(axis=1))


def train(
    networks: Perceptrons,
    inputs: ArrayLike,
    targets: ArrayLike,
    step_size: float,
    *,
    batch_size: int = 1,
    block: int = 64,
) -> Perceptrons:
    """Train all networks on the samples in their order, once.

    Parameters
    ----------
    networks : Perceptrons
        K networks; they are not changed.
    inputs : array_like, shape (samples, inputs)
        Samples in the order of the steps, the same for all networks.
    targets : array_like, shape (samples, outputs)
        The y of each sample.
    step_size : float
        η > 0.
    batch_size : int
        Samples a step. A step descends the mean loss of its samples.
    block : int
        Samples between two visits to W. It changes the speed, and the result only by rounding.

    Returns
    -------
    Perceptrons
        The networks after the last sample.

    Raises
    ------
    ValueError
        When shapes do not fit.
    FloatingPointError
        When the training of a network diverges.

    Notes
    -----
    Source: 003, post 4, "Methods", which trains one network, one sample a step.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> networks = he_initialization(2, (4, 3, 2), rng)
    >>> x, y = rng.random((50, 4)), np.eye(2)[rng.integers(2, size=50)]
    >>> trained = train(networks, x, y, step_size=0.1)
    >>> bool((mean_loss(trained, x, y) < mean_loss(networks, x, y)).all())
    True
    """
    return _descend(networks, inputs, targets, step_size, batch_size, block, None, 0)[0]


def train_with_tallies(
    networks: Perceptrons,
    inputs: ArrayLike,
    targets: ArrayLike,
    step_size: float,
    owners: ArrayLike,
    n_owners: int,
    *,
    power: int = 1,
    batch_size: int = 1,
    block: int = 64,
) -> tuple[Perceptrons, Tallies]:
    """Train like `train`, and sum the absolute update of each parameter by group of samples.

    Parameters
    ----------
    networks, inputs, targets, step_size, batch_size, block
        As for `train`.
    owners : array_like of int, shape (samples,)
        The group of each sample, 0 ≤ owner < n_owners.
    n_owners : int
        Number of groups.
    power : int
        1 sums ``|update|``. 2 sums ``update²``: over η that is the path integral of synaptic
        intelligence, each sample's own loss along its own step; over η² and the number of
        samples it is the mean squared gradient along the path, which estimates the diagonal
        of the Fisher information.

    Returns
    -------
    trained : Perceptrons
        The networks after the last sample.
    tallies : dict of ndarray
        By name of the parameter, shape (n_owners, K, …): ``Σ |update|^power`` over the samples of
        a group. In a batch each sample counts with its own part of the step.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> networks = he_initialization(2, (4, 3, 2), rng)
    >>> x, owner = rng.random((50, 4)), rng.integers(2, size=50)
    >>> trained, tallies = train_with_tallies(networks, x, np.eye(2)[owner], 0.1, owner, 2)
    >>> tallies["hidden_weights"].shape
    (2, 2, 3, 4)
    """
    check_count("n_owners", n_owners, 1)
    inputs, owners = _inputs(networks, inputs), np.asarray(owners)
    if owners.shape != (len(inputs),) or owners.dtype.kind not in "iu":
        raise ValueError(f"owners must hold an integer for each sample; got {came(owners)}")
    if owners.size and not 0 <= owners.min() <= owners.max() < n_owners:
        raise ValueError(
            f"owners must lie in 0 … {n_owners - 1}; got {owners.min()} … {owners.max()}"
        )
    check_count("power", power, 1)
    return _descend(
        networks, inputs, targets, step_size, batch_size, block, owners, n_owners, power
    )


def _subtract_product(weights: Floats, changes: Floats, x: Floats) -> None:
    """Subtract changesᵀ x from the weights in place, in one pass over their memory."""
    if weights.dtype not in (np.float32, np.float64):  # BLAS would change a copy
        weights -= changes.T @ x
        return
    (gemm,) = get_blas_funcs(("gemm",), (weights,))
    gemm(-1, x.T, changes.T, beta=1, c=weights.T, trans_b=1, overwrite_c=1)


def _descend(
    networks: Perceptrons,
    inputs: ArrayLike,
    targets: ArrayLike,
    step_size: float,
    batch_size: int,
    block: int,
    owners: NDArray[np.integer] | None,
    n_owners: int,
    power: int = 1,
) -> tuple[Perceptrons, Tallies]:
    x_all = _inputs(networks, inputs)
    dtype = x_all.dtype
    y_all = np.ascontiguousarray(_targets(networks, x_all, targets), dtype=dtype)
    batch_size, block = check_count("batch_size", batch_size, 1), check_count("block", block, 1)
    rate = dtype.type(check_step_size(step_size))
    block = -(-block // batch_size) * batch_size

    trained = networks.copy()
    n_networks, n_hidden, n_inputs = trained.hidden_weights.shape
    n_outputs = trained.output_weights.shape[1]
    units = n_networks * n_hidden
    weights = trained.hidden_weights.reshape(units, n_inputs)
    biases = trained.hidden_biases.reshape(units)
    final, final_biases = trained.output_weights, trained.output_biases[:, None]
    hidden_activation = ACTIVATIONS[trained.activation]
    output_activation = ACTIVATIONS[trained.output_activation]
    tallies = {
        name: np.zeros((n_owners, *array.shape), dtype)
        for name, array in trained.parameters().items()
    }

    with one_thread(), np.errstate(over="ignore", invalid="ignore"):
        for begin in range(0, len(x_all), block):
            x, y = x_all[begin : begin + block], y_all[begin : begin + block]
            n = len(x)
            overlaps = x @ x.T + 1
            z_start = x @ weights.T + biases
            changes = np.empty((n, units), dtype)
            hidden = np.empty((n_networks, n, n_hidden), dtype)
            errors = np.empty((n_networks, n, n_outputs), dtype)
            for first in range(0, n, batch_size):
                now = slice(first, first + batch_size)
                z = z_start[now] - overlaps[now, :first] @ changes[:first]
                h, slope = hidden_activation(z.reshape(-1, n_networks, n_hidden).swapaxes(0, 1))
                o, output_slope = output_activation(h @ final.swapaxes(1, 2) + final_biases)
                e = (o - y[now]) * output_slope * (rate / dtype.type(len(z)))
                changes[now] = ((e @ final) * slope).swapaxes(0, 1).reshape(-1, units)
                final -= e.swapaxes(1, 2) @ h
                final_biases -= e.sum(axis=1, keepdims=True)
                hidden[:, now], errors[:, now] = h, e
            _subtract_product(weights, changes, x)
            biases -= changes.sum(axis=0)
            if owners is not None:
                for g in range(n_owners):
                    mine = owners[begin : begin + n] == g
                    size, step, e, h = (
                        abs(v) ** power
                        for v in (x[mine], changes[mine], errors[:, mine], hidden[:, mine])
                    )
                    tallies["hidden_weights"][g] += (step.T @ size).reshape(
                        trained.hidden_weights.shape
                    )
                    tallies["hidden_biases"][g] += step.sum(axis=0).reshape(n_networks, n_hidden)
                    tallies["output_weights"][g] += e.swapaxes(1, 2) @ h
                    tallies["output_biases"][g] += e.sum(axis=1)
    for name, array in trained.parameters().items():
        if not np.isfinite(array).all():
            raise FloatingPointError(f"training diverged at step_size={step_size!r} ({name})")
    return trained, tallies
