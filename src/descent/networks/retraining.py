r"""Training again without some of the images, exactly.

A training is a start, an order of batches, step sizes, and one weight for each image::

    θ_{t+1} = θ_t - η_t ((1/B) Σ_{n in batch t} w_n ∇l_n(θ_t) + λ θ_t),

with the loss ``l_n`` of image n, minus the logarithm of the probability that the network gives to
its label. All weights are 1; w_n = 0 leaves image n out. The start, the order, the size B by which
a batch is divided, and the decay λ stay as they are, so that nothing else differs, and the end is a
smooth function of the weights.

Signs and factors, here and in `descent.networks.attribution`: what belongs to image n is the
change that comes when it is *left out*, w_n from 1 to 0: *without minus with*, and no other
factor, no n and no 1/n. For a loss, positive means that the image helps: without it the
loss is higher.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.nn import functional

from descent.arguments import came, check_count, check_kind, check_real, check_shape
from descent.tensor_arguments import check_tensor, check_torch_generator

__all__ = [
    "DrawnTraining",
    "count_parameters",
    "draw_training",
    "gradients",
    "losses",
    "path",
    "retrain",
]


def count_parameters(n_inputs: int, hidden: int, classes: int) -> int:
    """Return P, the number of weights and biases; without hidden neurons: softmax regression.

    Examples
    --------
    >>> count_parameters(64, 6, 3), count_parameters(64, 0, 3)
    (411, 195)
    """
    check_count("n_inputs", n_inputs, 1)
    check_count("hidden", hidden)
    check_count("classes", classes, 2)
    if hidden == 0:
        return classes * (n_inputs + 1)
    return hidden * (n_inputs + 1) + classes * (hidden + 1)


@dataclass(frozen=True)
class DrawnTraining:
    """All that decides how a network with at most one hidden layer ends, to the last digit.

    Attributes
    ----------
    images : tensor, shape (n, d)
    labels : tensor of int64, shape (n,)
        0 ≤ label < classes.
    start : tensor, shape (P,)
        For each layer its matrix, row by row, the bias last in each row. P: `count_parameters`.
    order : tensor of int64, shape (T, B)
        The images of each step; none is twice in a step.
    step_sizes : tensor, shape (T,)
        η_t ≥ 0.
    hidden : int
        Hidden neurons with softplus; 0 for softmax regression, whose loss is convex.
    classes : int
        At least 2.
    weight_decay : float
        λ ≥ 0.
    """

    images: Tensor
    labels: Tensor
    start: Tensor
    order: Tensor
    step_sizes: Tensor
    hidden: int
    classes: int
    weight_decay: float

    def __post_init__(self) -> None:
        check_tensor("images", self.images, ("n", "d"))
        n, d = self.images.shape
        count = count_parameters(d, self.hidden, self.classes)
        _check_reals(self.images, "start", self.start, (count,))
        _check_integers("labels", self.labels, (n,), self.classes)
        _check_integers("order", self.order, ("T", "B"), n)
        twice = self.order.sort(1).values.diff(dim=1) == 0
        if twice.any():
            raise ValueError(f"order must not have an image twice in a step; got {self.order}")
        check_tensor("step_sizes", self.step_sizes, (len(self.order),))
        if (self.step_sizes < 0).any():
            raise ValueError(f"step_sizes must not be negative; got {self.step_sizes.min()}")
        check_real("weight_decay", self.weight_decay, least=0)


def _check_reals(images: Tensor, name: str, value: Tensor, shape: tuple[int | str, ...]) -> None:
    """Raise an error unless the value has the shape, and the dtype of a training's images."""
    check_tensor(name, value, shape)
    if value.dtype != images.dtype:
        raise TypeError(f"{name} must be {images.dtype}, as the training is; got {value.dtype}")


def _check_integers(name: str, value: Any, shape: tuple[int | str, ...], below: int) -> None:
    """Raise an error unless the value is a tensor of integers from 0 on, of the shape."""
    if not isinstance(value, Tensor) or value.dtype != torch.int64:
        raise TypeError(f"{name} must be a tensor of int64; got {came(value)}")
    check_shape(name, tuple(value.shape), shape)
    if not 0 <= int(value.min()) <= int(value.max()) < below:
        raise ValueError(
            f"{name} must lie in 0 … {below - 1}; got {int(value.min())} … {int(value.max())}"
        )


def draw_training(
    images: Tensor,
    labels: Tensor,
    *,
    hidden: int,
    classes: int,
    passes: int,
    batch_size: int,
    step_size: float,
    weight_decay: float,
    generator: torch.Generator,
) -> DrawnTraining:
    """Draw a start and an order of batches.

    Parameters
    ----------
    images, labels : tensor, shapes (n, d) and (n,)
        As in `DrawnTraining`.
    hidden, classes : int
        Sizes of the network.
    passes : int
        Passes through the images, at least 1; each has an order of its own.
    batch_size : int
        B; it divides n.
    step_size : float
        η > 0 in the first half of the steps; then it falls linearly, to 0 after the last.
    weight_decay : float
        λ ≥ 0.
    generator : torch.Generator
        Source of the start, N(0, 1/fan-in) for each weight and bias, and of the order.

    Returns
    -------
    DrawnTraining

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or out of its range.

    Examples
    --------
    >>> x, y = torch.rand(6, 4), torch.tensor([0, 1, 0, 1, 0, 1])
    >>> made = draw_training(x, y, hidden=2, classes=2, passes=5, batch_size=3, step_size=0.1,
    ...                      weight_decay=0.01, generator=torch.Generator().manual_seed(0))
    >>> tuple(made.order.shape), tuple(made.start.shape)
    ((10, 3), (16,))
    """
    check_tensor("images", images, ("n", "d"))
    n, d = images.shape
    check_torch_generator("generator", generator)
    check_count("passes", passes, 1)
    check_count("batch_size", batch_size, 1)
    if n % batch_size:
        raise ValueError(f"batch_size must divide the {n} images; got {batch_size}")
    check_real("step_size", step_size, above=0)
    count_parameters(d, hidden, classes)
    shapes = [(classes, d)] if hidden == 0 else [(hidden, d), (classes, hidden)]
    start = [
        torch.randn(rows, fan_in + 1, generator=generator, dtype=torch.float64) / fan_in**0.5
        for rows, fan_in in shapes
    ]
    order = [torch.randperm(n, generator=generator).view(-1, batch_size) for _ in range(passes)]
    steps = passes * (n // batch_size)
    fall = 2 * (1 - torch.arange(steps, dtype=torch.float64) / steps)
    return DrawnTraining(
        images,
        labels,
        torch.cat([layer.ravel() for layer in start]).to(images.dtype),
        torch.cat(order),
        (step_size * fall.clamp(max=1)).to(images.dtype),
        hidden,
        classes,
        weight_decay,
    )


def layers(training: DrawnTraining, parameters: Tensor) -> list[Tensor]:
    """Return the matrices of one network's layers, the bias in the last column."""
    d, hidden, classes = training.images.shape[1], training.hidden, training.classes
    if hidden == 0:
        return [parameters.view(classes, d + 1)]
    border = hidden * (d + 1)
    return [parameters[:border].view(hidden, d + 1), parameters[border:].view(classes, hidden + 1)]


def softplus(z: Tensor) -> Tensor:
    """Return log(1 + exp(z)), which is z to all digits above 40; exp(40) is finite in float32."""
    found: Tensor = functional.softplus(z, threshold=40)
    return found


def _logits(training: DrawnTraining, parameters: Tensor, images: Tensor) -> Tensor:
    *first, last = layers(training, parameters)
    for w in first:
        images = softplus(images @ w[:, :-1].T + w[:, -1])
    found: Tensor = images @ last[:, :-1].T + last[:, -1]
    return found


def _losses(training: DrawnTraining, parameters: Tensor, images: Tensor, labels: Tensor) -> Tensor:
    log_p = _logits(training, parameters, images).log_softmax(-1)
    found: Tensor = -log_p.gather(-1, labels[:, None])[:, 0]
    return found


def _objective(training: DrawnTraining, images: Tensor, labels: Tensor, theta: Tensor) -> Tensor:
    loss = _losses(training, theta, images, labels).mean()
    return loss + training.weight_decay / 2 * (theta @ theta)


def _slopes(training: DrawnTraining, theta: Tensor, weights: Tensor, batch: Tensor) -> Tensor:
    """Return the gradients of R objectives, (R, P), for weights of the images of a batch, (R, B).

    Written out, since one product with the images then serves all networks.
    """
    x, y = training.images[batch], training.labels[batch]
    x = torch.cat([x, x.new_ones(len(x), 1)], 1)
    many, size = weights.shape
    border = training.hidden * x.shape[1]
    if training.hidden:
        first = theta[:, :border].reshape(-1, x.shape[1])
        z = (first @ x.T).view(many, training.hidden, size)
        h = softplus(z)
        last = theta[:, border:].view(many, training.classes, -1)
        out = torch.baddbmm(last[:, :, -1:], last[:, :, :-1], h)
    else:
        out = (theta.reshape(-1, x.shape[1]) @ x.T).view(many, training.classes, size)
    errors = out.softmax(1)
    errors[:, y, torch.arange(size)] -= 1
    errors = errors * (weights / size)[:, None]
    if not training.hidden:
        return (errors.reshape(-1, size) @ x).view(many, -1) + training.weight_decay * theta
    back = torch.bmm(last[:, :, :-1].mT, errors) * z.sigmoid()
    of_first = (back.view(-1, size) @ x).view(many, -1)
    of_last = torch.cat([torch.bmm(errors, h.mT), errors.sum(2, keepdim=True)], 2).view(many, -1)
    return torch.cat([of_first, of_last], 1) + training.weight_decay * theta


def check_questions(
    training: DrawnTraining, parameters: Tensor, images: Tensor, labels: Tensor, many: bool = False
) -> None:
    """Raise an error unless the parameters, images and labels fit a training."""
    check_kind("training", training, DrawnTraining)
    shape = ("R", len(training.start)) if many else (len(training.start),)
    _check_reals(training.images, "parameters", parameters, shape)
    _check_reals(training.images, "images", images, ("m", training.images.shape[1]))
    _check_integers("labels", labels, (len(images),), training.classes)


def losses(training: DrawnTraining, parameters: Tensor, images: Tensor, labels: Tensor) -> Tensor:
    r"""Return the losses of R networks on m images, in nats.

    .. math:: l_j = -\log p(y_j \mid x_j)

    Parameters
    ----------
    training : DrawnTraining
        For the sizes of the network.
    parameters : tensor, shape (R, P)
    images, labels : tensor, shapes (m, d) and (m,)

    Returns
    -------
    tensor, shape (R, m)

    Examples
    --------
    >>> x, y = torch.rand(6, 4), torch.tensor([0, 1, 0, 1, 0, 1])
    >>> made = draw_training(x, y, hidden=0, classes=2, passes=5, batch_size=3, step_size=0.1,
    ...                      weight_decay=0.01, generator=torch.Generator().manual_seed(0))
    >>> bool(torch.isclose(losses(made, torch.zeros(1, 10), x, y), torch.tensor(2.0).log()).all())
    True
    """
    check_questions(training, parameters, images, labels, many=True)
    found: Tensor = vmap(lambda theta: _losses(training, theta, images, labels))(parameters)
    return found


def gradients(
    training: DrawnTraining, parameters: Tensor, images: Tensor, labels: Tensor
) -> Tensor:
    """Return the gradients of the losses of single images, shape (m, P), without weight decay.

    Parameters
    ----------
    training : DrawnTraining
        For the sizes of the network.
    parameters : tensor, shape (P,)
    images, labels : tensor, shapes (m, d) and (m,)
    """
    check_questions(training, parameters, images, labels)
    return _gradients(training, parameters, images, labels)


def _gradients(training: DrawnTraining, theta: Tensor, images: Tensor, labels: Tensor) -> Tensor:
    def loss(theta: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return _losses(training, theta, x[None], y[None])[0]

    found: Tensor = vmap(grad(loss), (None, 0, 0))(theta, images, labels)
    return found


def retrain(training: DrawnTraining, weights: Tensor, starts: Tensor | None = None) -> Tensor:
    """Train R networks together, each with its own weights of the images.

    Parameters
    ----------
    training : DrawnTraining
    weights : tensor, shape (R, n)
        0 leaves an image out, 1 takes it as it is; any real number will do.
    starts : tensor, shape (R, P), optional
        First parameters in place of the training's own.

    Returns
    -------
    tensor, shape (R, P)
        The last parameters of each.

    Raises
    ------
    FloatingPointError
        When the training of a network diverges.

    Notes
    -----
    It is retraining proper, step by step, and no approximation; the runs share the order of the
    batches, so that one product with their images serves all.

    Examples
    --------
    >>> x, y = torch.rand(6, 4), torch.tensor([0, 1, 0, 1, 0, 1])
    >>> made = draw_training(x, y, hidden=2, classes=2, passes=5, batch_size=3, step_size=0.1,
    ...                      weight_decay=0.01, generator=torch.Generator().manual_seed(0))
    >>> leave_one_out = retrain(made, 1 - torch.eye(6))
    >>> tuple(leave_one_out.shape)
    (6, 16)
    """
    check_kind("training", training, DrawnTraining)
    check_tensor("weights", weights, ("R", len(training.images)))
    weights = weights.to(training.images.dtype)
    if starts is None:
        theta = training.start.expand(len(weights), -1)
    else:
        _check_reals(training.images, "starts", starts, (len(weights), len(training.start)))
        theta = starts
    for t, batch in enumerate(training.order):
        slopes = _slopes(training, theta, weights[:, batch], batch)
        theta = theta - training.step_sizes[t] * slopes
    check_convergence(training, theta)
    return theta


def check_convergence(training: DrawnTraining, found: Tensor) -> None:
    """Raise a FloatingPointError if infinities or NaN came of a training."""
    if not torch.isfinite(found).all():
        largest = float(training.step_sizes.max())
        raise FloatingPointError(f"training diverged at step_sizes up to {largest:g}")


def path(training: DrawnTraining) -> Tensor:
    """Return the parameters before each step and after the last, shape (T + 1, P).

    Raises
    ------
    FloatingPointError
        When the training diverges.
    """
    check_kind("training", training, DrawnTraining)
    theta = training.start[None]
    ones, seen = theta.new_ones(1, training.order.shape[1]), [theta]
    for batch, eta in zip(training.order, training.step_sizes, strict=True):
        theta = theta - eta * _slopes(training, theta, ones, batch)
        seen.append(theta)
    check_convergence(training, theta)
    return torch.cat(seen)
