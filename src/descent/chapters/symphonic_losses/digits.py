"""Chapter 9: an autoencoder of small digits whose code must have the moments of a normal law."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from descent import aggregation
from descent.adam import FRESH, adam_step
from descent.arguments import Array, check_count, check_step_size
from descent.networks.digit_images import load_digits8

PIXELS = 64
HIDDEN = 64
BATCH = 64
WATCHED = 50  # steps between two looks at all gradients
CODE = 6
"""Numbers of the code: a compression of 64 / 6, the source's ten times."""
FIRST_LOG_VARIANCE = -4.0
CONSTRAINTS = ("batch mean", "batch covariance", "skewness", "kurtosis")
LOSSES = {
    "moments": ("reconstruction", *CONSTRAINTS),
    "noisy": ("reconstruction", "KL", *CONSTRAINTS),
}
"""The losses of a setting: a code without noise, or a normal law with a KL divergence."""


class Data(NamedTuple):
    """Images (n, 64) less the mean image of those for training, whose variance is 1 in all."""

    train: Array
    test: Array


@cache
def data() -> Data:
    """Return scikit-learn's digits, 1,437 for training and 360 for testing."""
    digits = load_digits8()
    pixels = digits.pixels.reshape(-1, PIXELS).astype(float)
    train, test = pixels[: digits.n_training], pixels[digits.n_training :]
    unit = np.sqrt(((train - train.mean(axis=0)) ** 2).sum(axis=1).mean())
    return Data((train - train.mean(axis=0)) / unit, (test - train.mean(axis=0)) / unit)


def principal_component_error(code: int) -> float:
    """Return the share of the test images' variance that so many components leave."""
    sets = data()
    axes = np.linalg.svd(sets.train, full_matrices=False)[2][:code]
    left = sets.test - sets.test @ axes.T @ axes
    return float((left**2).sum() / (sets.test**2).sum())


SHAPES = {
    "w1": (PIXELS, HIDDEN), "b1": (HIDDEN,), "w2": (HIDDEN, -2), "b2": (-2,),
    "w3": (-1, HIDDEN), "b3": (HIDDEN,), "w4": (HIDDEN, PIXELS), "b4": (PIXELS,),
}  # fmt: skip
"""Weights and biases; -1 is the size of the code, and -2 twice that, for mean and log-variance."""


class Network:
    """S networks at once, x → tanh → (mean, log-variance) and z → tanh → image, in one vector.

    Parameters
    ----------
    code : int
        Numbers K of the code.
    generators : sequence of numpy.random.Generator
        One a network, for its first weights.
    """

    def __init__(self, code: int, generators: list[np.random.Generator]) -> None:
        self.code, self.slices, at = code, {}, 0
        for name, shape in SHAPES.items():
            full = tuple({-1: code, -2: 2 * code}.get(n, n) for n in shape)
            self.slices[name] = (slice(at, at + int(np.prod(full))), full)
            at += int(np.prod(full))
        self.vector = np.zeros((len(generators), at))
        for row, rng in zip(self.vector, generators, strict=True):
            for name in ("w1", "w2", "w3", "w4"):
                place, full = self.slices[name]
                row[place] = rng.standard_normal(full).ravel() / np.sqrt(full[0])
            row[self.slices["w1"][0]] *= 8  # an image has length 1, and a pixel 1/8
            row[self.slices["b2"][0]][code:] = FIRST_LOG_VARIANCE
            w2 = row[self.slices["w2"][0]].reshape(HIDDEN, 2 * code)
            w2[:, code:] = 0.0

    def part(self, name: str, vector: Array | None = None) -> Array:
        """Return a weight (..., rows, columns) or a bias (..., 1, columns) of a vector (..., n)."""
        vector = self.vector if vector is None else vector
        place, shape = self.slices[name]
        shape = shape if len(shape) == 2 else (1, *shape)
        return vector[..., place].reshape(*vector.shape[:-1], *shape)

    def encode(self, x: Array) -> tuple[Array, Array, Array]:
        """Return the hidden layer, the mean and the log-variance of the code, (S, n, ·)."""
        hidden = np.tanh(x @ self.part("w1") + self.part("b1"))
        both = hidden @ self.part("w2") + self.part("b2")
        return hidden, both[..., : self.code], both[..., self.code :]

    def decode(self, z: Array) -> tuple[Array, Array]:
        """Return the hidden layer and the images of codes (S, n, K)."""
        hidden = np.tanh(z @ self.part("w3") + self.part("b3"))
        return hidden, hidden @ self.part("w4") + self.part("b4")


def moments(z: Array) -> tuple[Array, Array]:
    """Return the four constraints (S, 4) on codes (S, n, K), and their slopes (S, 4, n, K).

    Mean squares, over the K numbers, of the batch's mean, of C - I times K, of the skewness
    and of the kurtosis less 3: the losses of `descent.networks.variational_autoencoder`.
    """
    n, k = z.shape[-2:]
    mean = z.mean(axis=-2, keepdims=True)
    c = z - mean
    off = c.swapaxes(-1, -2) @ c / (n - 1) - np.eye(k)
    c2 = c * c
    m2 = c2.mean(axis=-2, keepdims=True) + 1e-12
    m3, m4 = ((c2 * p).mean(axis=-2, keepdims=True) for p in (c, c2))
    skew, kurt = m3 / m2**1.5, m4 / m2**2
    values = np.stack(
        [
            (mean**2).mean(axis=(-2, -1)),
            (off**2).sum(axis=(-2, -1)) / k,
            (skew**2).mean(axis=(-2, -1)),
            ((kurt - 3) ** 2).mean(axis=(-2, -1)),
        ],
        axis=-1,
    )
    slopes = np.stack(
        [
            np.broadcast_to(2 * mean / (k * n), z.shape),
            4 * c @ off / ((n - 1) * k),
            2 * skew / (k * n) * 3 * ((c2 - m2) / m2**1.5 - m3 * c / m2**2.5),
            2 * (kurt - 3) / (k * n) * 4 * ((c2 * c - m3) / m2**2 - m4 * c / m2**3),
        ],
        axis=-3,
    )
    return values, slopes


class Slopes(NamedTuple):
    """Losses (S, m), slopes by mean and log-variance (S, m, n, 2K), the decoder's gradient."""

    values: Array
    slopes: Array
    decoder: dict[str, Array]
    x: Array
    hidden: Array


def losses(network: Network, x: Array, noise: Array, setting: str, strength: float) -> Slopes:
    """Return the losses of a batch x (S, n, 64) with noise (S, n, K), constraints times strength.

    The reconstruction is the squared error over the variance of the images: 1 for the answer
    "the mean image".
    """
    n, k = x.shape[-2], network.code
    hidden, mean, log_variance = network.encode(x)
    spread = np.exp(log_variance / 2) * noise if setting == "noisy" else np.zeros_like(noise)
    z = mean + spread
    inner, made = network.decode(z)
    error = made - x
    down = 2 * error / n
    back = (down @ network.part("w4").swapaxes(-1, -2)) * (1 - inner**2)
    by_z = back @ network.part("w3").swapaxes(-1, -2)
    decoder = {
        "w4": inner.swapaxes(-1, -2) @ down, "b4": down.sum(axis=-2, keepdims=True),
        "w3": z.swapaxes(-1, -2) @ back, "b3": back.sum(axis=-2, keepdims=True),
    }  # fmt: skip
    values, slopes = moments(z)
    values = np.concatenate([(error**2).sum(axis=(-2, -1))[..., None] / n, strength * values], -1)
    slopes = np.concatenate([by_z[..., None, :, :], strength * slopes], axis=-3)
    by_both = np.concatenate([slopes, slopes * (spread / 2)[..., None, :, :]], axis=-1)
    if setting == "noisy":
        variance = np.exp(log_variance)
        kl = (mean**2 + variance - 1 - log_variance).mean(axis=(-2, -1)) / 2
        by_kl = np.concatenate([mean, (variance - 1) / 2], axis=-1) / (n * k)
        values = np.insert(values, 1, strength * kl, axis=-1)
        by_both = np.insert(by_both, 1, strength * by_kl, axis=-3)
    return Slopes(values, by_both, decoder, x, hidden)


def gradients(network: Network, found: Slopes) -> Array:
    """Return the gradients (S, m, n) of all losses: the decoder's is the reconstruction's alone."""
    return _backward(network, found, found.slopes, np.eye(found.slopes.shape[1])[0])


def _backward(network: Network, found: Slopes, slopes: Array, decoder: Array) -> Array:
    """Send slopes (S, r, n, 2K) back through the encoder; row i has its share of the decoder's."""
    up = (slopes @ network.part("w2").swapaxes(-1, -2)[:, None]) * (1 - found.hidden**2)[:, None]
    parts = {
        "w1": found.x.swapaxes(-1, -2)[:, None] @ up, "b1": up.sum(axis=-2, keepdims=True),
        "w2": found.hidden.swapaxes(-1, -2)[:, None] @ slopes,
        "b2": slopes.sum(axis=-2, keepdims=True),
    }  # fmt: skip
    gradient = np.zeros((*slopes.shape[:2], network.vector.shape[-1]))
    for name, value in parts.items():
        gradient[..., network.slices[name][0]] = value.reshape(*slopes.shape[:2], -1)
    shares = np.broadcast_to(decoder, slopes.shape[:2])[..., None]
    for name, value in found.decoder.items():
        gradient[..., network.slices[name][0]] = shares * value.reshape(len(value), 1, -1)
    return gradient


class Training(NamedTuple):
    """Trained networks; every 50 steps losses, weights (t, S, m), and cosines (t, S, m, m)."""

    network: Network
    losses: Array
    weights: Array
    lengths: Array
    cosines: Array
    finite: Array


def train(
    setting: str,
    rule: str,
    strength: float,
    step_sizes: tuple[float, ...],
    budget: int,
    seeds: tuple[int, ...],
    code: int = CODE,
    weights: Array | None = None,
) -> Training:
    """Train with Adam on the direction of a rule, for a budget of gradients.

    A rule that reads the gradients asks for m of them in a step, one that does not for one,
    that of the weighted sum: it takes m times as many steps. All rules see the same first
    weights, and batches from the same generator.

    Parameters
    ----------
    setting : {"moments", "noisy"}
        Whether the code is noisy; see `LOSSES`.
    rule : str
        A name in `descent.aggregation.RULES`, or "plain" for the reconstruction alone.
    strength : float
        Factor on all losses but the reconstruction.
    step_sizes : tuple of float
        Adam's, one a network.
    budget : int
        Gradients that may be asked for.
    seeds : tuple of int
        One a network.
    code : int
        Numbers of the code.
    weights : array (m,), optional
        Of the rule "fixed_weights".
    """
    for step_size in step_sizes:
        check_step_size(step_size)
    check_count("budget", budget)
    m, n = len(LOSSES[setting]), len(seeds)
    if rule == "plain":
        rule, weights = "fixed_weights", np.eye(m)[0]
    follow = aggregation.RULES[rule]
    options: dict[str, Any] = {} if weights is None else {"weights": weights}
    generators = [np.random.default_rng([21, seed]) for seed in seeds]
    network, sets = Network(code, generators), data()
    eta = np.array(step_sizes)[:, None]
    state: Any = None
    if "deterministic" not in follow.properties:
        state = np.random.default_rng([22, *seeds])
    memory, finite = FRESH, np.ones(n, bool)
    history: list[list[Array]] = [[], [], [], []]
    for step in range(budget // (m if follow.needs_gradients else 1)):
        x = np.stack([sets.train[g.integers(len(sets.train), size=BATCH)] for g in generators])
        noise = np.stack([g.standard_normal((BATCH, code)) for g in generators])
        found = losses(network, x, noise, setting, strength)
        seen = step % WATCHED == 0
        rows = gradients(network, found) if seen or follow.needs_gradients else None
        given = rows if follow.needs_gradients else None
        finite &= np.isfinite(found.values).all(axis=-1)
        if not finite.all():
            break
        share, state = follow.weights(found.values, given, state, **options)
        if rows is None:
            combined = np.einsum("sm,smnk->snk", share, found.slopes)[:, None]
            gradient = _backward(network, found, combined, share[:, :1])[:, 0]
        else:
            gradient = np.einsum("sm,smn->sn", share, rows)
        if seen and rows is not None:
            length = np.sqrt((rows * rows).sum(axis=-1))
            unit = rows / np.maximum(length, 1e-300)[..., None]
            cosine = unit @ unit.swapaxes(-1, -2)
            for kept, value in zip(history, (found.values, share, length, cosine), strict=True):
                kept.append(value)
        moved, memory = adam_step(gradient, memory, eta)
        network.vector = network.vector - moved
    values, shares, lengths, cosines = (np.array(kept) for kept in history)
    return Training(network, values, shares, lengths, cosines, finite)


def measure(trained: Training, setting: str) -> dict[str, Array]:
    """Measure networks on the test images, each result (S,).

    ``error`` is the share of the images' variance that is lost, decoded from the code's mean;
    ``mean``, ``covariance``, ``skewness`` and ``kurtosis`` are root mean squares, over the
    entries, of the code's constraints with all test images as one batch, and ``kl`` is in nats
    for the whole code.
    """
    network, sets = trained.network, data()
    rng, s = np.random.default_rng(23), len(network.vector)
    x = np.broadcast_to(sets.test, (s, *sets.test.shape))
    _, mean, log_variance = network.encode(x)
    z = mean
    if setting == "noisy":
        z = mean + np.exp(log_variance / 2) * rng.standard_normal(mean.shape)
    made = network.decode(mean)[1]
    roots = np.sqrt(moments(z)[0] / np.array([1, network.code, 1, 1]))
    kl = (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(axis=-1).mean(axis=-1) / 2
    found = {"error": ((made - x) ** 2).sum(axis=(1, 2)) / (sets.test**2).sum()}
    found |= dict(zip(("mean", "covariance", "skewness", "kurtosis"), roots.T, strict=True))
    return found | {"kl": kl if setting == "noisy" else np.zeros(s)}
