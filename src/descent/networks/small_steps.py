r"""Update tallies and forks without training: what `localize` gives as the step size goes to 0.

The parameters stand still then. Every step is -η times the gradient at the *first* parameters, so
that the tally of a side and the distance of two forks are sums over the images::

    a / η = Σ_{n in side 0} |g_n(θ₀)|,
    c / η = |Σ_{n in part 0 of side 0} g_n(θ₀) - Σ_{n in part 1 of side 0} g_n(θ₀)|,

b and d likewise for side 1, with the gradient ``g_n`` of image n. For a weight from input j into
neuron i it is ``δ_i(n) s_j(n)``. η cancels in both shares. They are functions of the first
network and of the images, and nothing has been learnt.
"""

from collections.abc import Callable

import numpy as np

from descent.arguments import Array, check_kind, check_real
from descent.networks.activations import ACTIVATIONS
from descent.networks.localization import Localization, Samples
from descent.networks.perceptrons import PARAMETERS, Perceptrons
from descent.networks.update_shares import share

__all__ = ["small_step_limit"]

Signals = Callable[[Array], Array]
"""Replaces a signal of every neuron and sample, shape (K, samples, neurons), by another."""


def _as_it_is(signal: Array) -> Array:
    return signal


def _rank_one_factors(
    networks: Perceptrons, samples: Samples, errors: Signals, slopes: Signals
) -> dict[str, tuple[Array, Array | None]]:
    """Return, for each parameter, the factors whose outer product is the gradient of a sample.

    That of a weight is (error of the neuron it leads to) × (what comes out of the other); that of
    a bias is the error alone.
    """
    x = np.asarray(samples.inputs, dtype=float)
    hidden, bias, final, final_bias = (a.astype(float) for a in networks.parameters().values())
    h, slope = ACTIVATIONS[networks.activation](x @ hidden.swapaxes(1, 2) + bias[:, None])
    o, final_slope = ACTIVATIONS[networks.output_activation](
        h @ final.swapaxes(1, 2) + final_bias[:, None]
    )
    e = errors((o - samples.targets) * final_slope)
    delta = (e @ final) * slopes(slope)
    return {
        "hidden_weights": (delta, x),
        "hidden_biases": (delta, None),
        "output_weights": (e, h),
        "output_biases": (e, None),
    }


def _total(errors: Array, out: Array | None, absolute: bool) -> Array:
    """Sum the gradients, or their sizes, over the samples: one matrix product."""
    size: Callable[[Array], Array] = np.abs if absolute else _as_it_is
    if out is None:
        return np.asarray(size(errors).sum(axis=1))
    return np.asarray(size(errors).swapaxes(1, 2) @ size(out))


def small_step_limit(
    networks: Perceptrons,
    first: Samples,
    rest: Samples,
    *,
    tally_from: float = 0.5,
    errors: Signals = _as_it_is,
    slopes: Signals = _as_it_is,
) -> Localization:
    r"""Return what `descent.networks.localization.localize` tends to as the step size vanishes.

    .. math:: x = \frac{\sum_0 |g|}{\sum_0 |g| + \sum_1 |g|}, \qquad
        y = \frac{c}{c + d}, \quad c = \Bigl|\sum_{0, 0} g - \sum_{0, 1} g\Bigr|, \quad
        d = \Bigl|\sum_{1, 0} g - \sum_{1, 1} g\Bigr|,

    with the gradients g of the samples at the first parameters; the sums of x are over the sides
    of the late samples of the first phase, those of c and d over the parts of the rest.

    Parameters
    ----------
    networks : Perceptrons
        K networks with two outputs, at their initialization.
    first, rest : Samples
        Samples of the first phase and of the forks. Their order does not matter but for the
        half that is tallied.
    tally_from : float
        Share of the first phase that passes before updates are tallied, 0 ≤ share < 1.
    errors, slopes : callable, optional
        What to put in place of the errors of the outputs, shape (K, samples, 2), and of the
        slopes of the hidden neurons, shape (K, samples, hidden): to see what comes of one of them
        alone. Each gets the signal and returns one of its shape.

    Returns
    -------
    Localization
        Tallies and differences are those of η = 1, i.e. divided by the step size. `trained` and
        all four `forks` are the networks as they came.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or out of its range.

    Notes
    -----
    Of training, the error is of the order of η. It costs one pass over the images.

    Examples
    --------
    >>> from descent.networks.localization import localize, questions
    >>> from descent.networks.perceptrons import he_initialization
    >>> rng = np.random.default_rng(0)
    >>> samples = questions(rng.random((80, 6)), np.resize([1, 6, 7, 8], 80))
    >>> networks = he_initialization(3, (6, 5, 2), rng)
    >>> limit = small_step_limit(networks, samples[:40], samples[40:])
    >>> near = localize(networks, samples[:40], samples[40:], 1e-8)
    >>> bool(abs(near.updating["hidden_weights"] - limit.updating["hidden_weights"]).max() < 1e-6)
    True
    """
    check_kind("networks", networks, Perceptrons)
    check_kind("first", first, Samples)
    check_kind("rest", rest, Samples)
    check_real("tally_from", tally_from, least=0, below=1)
    n_inputs = networks.hidden_weights.shape[2]
    for name, samples in (("first", first), ("rest", rest)):
        if samples.inputs.shape[1] != n_inputs or not np.isfinite(samples.inputs).all():
            raise ValueError(
                f"{name} must have {n_inputs} finite inputs, as the networks; "
                f"got shape {samples.inputs.shape}"
            )
    if networks.output_weights.shape[1] != 2:
        raise ValueError(f"networks must have two outputs; got {networks.output_weights.shape[1]}")
    start = round(tally_from * len(first))

    def of(samples: Samples, absolute: bool) -> dict[str, Array]:
        factors = _rank_one_factors(networks, samples, errors, slopes)
        return {name: _total(*pair, absolute) for name, pair in factors.items()}

    halves = {}
    for name, late in (("late", first[start:]), ("all", first)):
        sides = [of(late[late.side == side], True) for side in (0, 1)]
        halves[name] = {p: np.stack([side[p] for side in sides]) for p in PARAMETERS}
    sums = [
        [of(rest[(rest.side == side) & (rest.part == part)], False) for part in (0, 1)]
        for side in (0, 1)
    ]
    differences = {p: np.stack([abs(one[p] - other[p]) for one, other in sums]) for p in PARAMETERS}
    return Localization(
        updating={p: share(*tally) for p, tally in halves["late"].items()},
        updating_throughout={p: share(*tally) for p, tally in halves["all"].items()},
        difference={p: share(*pair) for p, pair in differences.items()},
        tallies=halves["late"],
        differences=differences,
        trained=networks,
        forks=(networks,) * 4,
    )
