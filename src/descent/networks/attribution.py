r"""What leaving an image out will change, estimated without training again.

Two kinds of estimates for a `descent.networks.retraining.DrawnTraining` with n images:

- of the *parameters*, shape (n, P): what leaving image i out changes in each. Times the gradients
  of m losses, ``changes @ gradients.T``, they are estimates of the losses, shape (n, m).
- of the *losses* at once, shape (n, m).

Signs and factors are those of `descent.networks.retraining`: without minus with, times no n.
Positive, for a loss, means that the image helps.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad, jacrev, vmap

from descent.arguments import check_count, check_kind, check_real
from descent.networks.retraining import (
    DrawnTraining,
    _gradients,
    _logits,
    _objective,
    check_questions,
    layers,
    path,
    softplus,
)
from descent.tensor_arguments import check_torch_generator

__all__ = [
    "HessianChanges",
    "OwnUpdates",
    "ekfac_changes",
    "hessian_changes",
    "own_updates",
    "tracin",
    "trak",
]


class OwnUpdates(NamedTuple):
    """Sums over the steps of an image, both of shape (n, P).

    Attributes
    ----------
    sizes : tensor
        U, the absolute updates by the image: the update tally of source 003.
    sums : tensor
        The updates with the opposite sign: what would be missing in the end if the image's own
        updates were taken away and no other step would change.
    """

    sizes: Tensor
    sums: Tensor


def _own_steps(training: DrawnTraining) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield parameters (P,), batch (B,) and what each of its images takes from them, (B, P)."""
    for theta, batch, eta in zip(path(training), training.order, training.step_sizes, strict=False):
        slopes = _gradients(training, theta, training.images[batch], training.labels[batch])
        yield theta, batch, eta / len(batch) * slopes


def own_updates(training: DrawnTraining) -> OwnUpdates:
    r"""Sum the updates that each image causes in each parameter, with and without their signs.

    .. math:: U_i = \sum_{t \ni i} \frac{\eta_t}{B} |\nabla l_i(\theta_t)|, \qquad
        S_i = \sum_{t \ni i} \frac{\eta_t}{B} \nabla l_i(\theta_t)

    Parameters
    ----------
    training : DrawnTraining

    Returns
    -------
    OwnUpdates

    Notes
    -----
    Source: 003, post 3, "The Training Process", for U. Both ignore what later steps make of an
    update, which `descent.networks.unrolled.unrolled_changes` follows. U has no sign.
    In a batch each image counts with its own part of the step, without the weight decay.

    Examples
    --------
    >>> from descent.networks.retraining import draw_training
    >>> x, y = torch.rand(6, 4), torch.tensor([0, 1, 0, 1, 0, 1])
    >>> made = draw_training(x, y, hidden=2, classes=2, passes=5, batch_size=3, step_size=0.1,
    ...                      weight_decay=0.01, generator=torch.Generator().manual_seed(0))
    >>> found = own_updates(made)
    >>> bool((found.sizes >= found.sums.abs()).all())
    True
    """
    check_kind("training", training, DrawnTraining)
    sizes = training.start.new_zeros(len(training.images), len(training.start))
    sums = sizes.clone()
    for _, batch, step in _own_steps(training):
        sizes[batch] += step.abs()
        sums[batch] += step
    return OwnUpdates(sizes, sums)


def tracin(training: DrawnTraining, images: Tensor, labels: Tensor) -> Tensor:
    r"""Return what the steps on each image took from the losses of others, TracIn.

    .. math:: \sum_{t \ni i} \frac{\eta_t}{B} \nabla l_i(\theta_t) \cdot \nabla l_j(\theta_t)

    Parameters
    ----------
    training : DrawnTraining
    images, labels : tensor, shapes (m, d) and (m,)
        Whose losses.

    Returns
    -------
    tensor, shape (n, m)
        Positive: the steps on image i lowered the loss of image j.

    Notes
    -----
    Pruthi, Liu, Kale and Sundararajan (2020), with every step as a checkpoint, and the step size
    and batch of each. It is no estimate of what training without the image would give: the
    other steps stay where they were.

    Examples
    --------
    >>> from descent.networks.retraining import draw_training
    >>> x, y = torch.rand(6, 4), torch.tensor([0, 1, 0, 1, 0, 1])
    >>> made = draw_training(x, y, hidden=2, classes=2, passes=5, batch_size=3, step_size=0.1,
    ...                      weight_decay=0.01, generator=torch.Generator().manual_seed(0))
    >>> bool((tracin(made, x, y).diag() > 0).all())
    True
    """
    check_kind("training", training, DrawnTraining)
    check_questions(training, training.start, images, labels)
    found = training.start.new_zeros(len(training.images), len(images))
    for theta, batch, step in _own_steps(training):
        found[batch] += step @ _gradients(training, theta, images, labels).T
    return found


class HessianChanges(NamedTuple):
    """What the influence function says of the parameters, and how it was damped.

    Attributes
    ----------
    changes : tensor, shape (n, P)
    damping : float
        What was added to each eigenvalue, 0 if nothing had to be.
    least_eigenvalue : float
        Of the Hessian of the objective before damping; where it is negative, the parameters are no
        minimum.
    """

    changes: Tensor
    damping: float
    least_eigenvalue: float


def hessian_changes(
    training: DrawnTraining, parameters: Tensor, floor: float | None = None
) -> HessianChanges:
    r"""Return the influence function of each image, with the exact Hessian.

    .. math:: \frac1n (H + \delta)^{-1} \nabla l_i, \qquad
        H = \nabla^2 \Bigl( \frac1n \sum_k l_k + \frac{\lambda}{2} |\theta|^2 \Bigr)

    Parameters
    ----------
    training : DrawnTraining
        For its images and its weight decay; the path is not asked.
    parameters : tensor, shape (P,)
        Where to take gradients and Hessian: the end of the training.
    floor : float, optional
        The smallest eigenvalue of H + δ is at least this, > 0; δ ≥ 0 is the least that does it.
        By default the weight decay, i.e. what is left of the curvature in directions that no
        image sees; in a network, H may have eigenvalues below it, or negative ones.

    Returns
    -------
    HessianChanges

    Raises
    ------
    ValueError
        If the floor is not positive, or is left out where there is no weight decay.

    Notes
    -----
    Koh and Liang (2017), eqs. (1) and (2), with the sign of leaving out. Derived at a minimum;
    elsewhere it is a formula.

    Examples
    --------
    >>> from descent.networks.retraining import draw_training
    >>> x, y = torch.rand(6, 4), torch.tensor([0, 1, 0, 1, 0, 1])
    >>> made = draw_training(x, y, hidden=0, classes=2, passes=5, batch_size=3, step_size=0.1,
    ...                      weight_decay=0.01, generator=torch.Generator().manual_seed(0))
    >>> round(hessian_changes(made, made.start).damping, 5)  # convex: λ is its floor
    0.0
    """
    check_kind("training", training, DrawnTraining)
    check_questions(training, parameters, training.images, training.labels)
    floor = check_real("floor", training.weight_decay if floor is None else floor, above=0)
    slope = grad(partial(_objective, training, training.images, training.labels))
    values, vectors = torch.linalg.eigh(jacrev(slope)(parameters))
    damping = max(0.0, floor - float(values[0]))
    own = _gradients(training, parameters, training.images, training.labels)
    changes = ((own @ vectors) / (values + damping)) @ vectors.T / len(own)
    return HessianChanges(changes, damping, float(values[0]))


def _layer_signals(training: DrawnTraining, parameters: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Return, for each layer, its inputs (n, a) and, for each label, its errors (n, classes, b).

    The errors are the derivatives of the loss by what the layer puts out, if the label were it.
    """
    *first, last = layers(training, parameters)
    x = training.images
    ones = x.new_ones(len(x), 1)
    p = _logits(training, parameters, x).softmax(-1)
    errors = p[:, None, :] - torch.eye(training.classes, dtype=x.dtype)
    if not first:
        return [(torch.cat([x, ones], 1), errors)]
    z = x @ first[0][:, :-1].T + first[0][:, -1]
    h = softplus(z)
    back = (errors @ last[:, :-1]) * z.sigmoid()[:, None]
    return [(torch.cat([x, ones], 1), back), (torch.cat([h, ones], 1), errors)]


def ekfac_changes(
    training: DrawnTraining, parameters: Tensor, damping: float | None = None
) -> Tensor:
    r"""Return the influence function with the Kronecker factors of the curvature, EK-FAC.

    .. math:: \frac1n (U_S \otimes U_A) (\Lambda + \delta)^{-1} (U_S \otimes U_A)^\top
        \nabla l_i, \qquad \Lambda_{bc} = \mathbb E\,
        \bigl[(U_S^\top e)_b^2\, (U_A^\top a)_c^2\bigr],

    for each layer alone, with its inputs a (a one for the bias among them), its errors e, and
    the eigenvectors of ``A = E a aᵀ`` and ``S = E e eᵀ``. The mean is over the images and over the
    labels that the network itself would draw, summed exactly: of the Fisher information.

    Parameters
    ----------
    training : DrawnTraining
    parameters : tensor, shape (P,)
    damping : float, optional
        δ > 0; by default the weight decay, whose curvature it is.

    Returns
    -------
    tensor, shape (n, P)

    Notes
    -----
    George and others (2018) for the corrected eigenvalues; Grosse and others (2023) for influence,
    who add a tenth of the mean eigenvalue where there is no weight decay. What lies between
    two layers is left out, and so is the curvature of the network itself: never indefinite.

    Examples
    --------
    >>> from descent.networks.retraining import draw_training
    >>> x, y = torch.rand(6, 4), torch.tensor([0, 1, 0, 1, 0, 1])
    >>> made = draw_training(x, y, hidden=2, classes=2, passes=5, batch_size=3, step_size=0.1,
    ...                      weight_decay=0.01, generator=torch.Generator().manual_seed(0))
    >>> tuple(ekfac_changes(made, made.start).shape)
    (6, 16)
    """
    check_kind("training", training, DrawnTraining)
    check_questions(training, parameters, training.images, training.labels)
    damping = check_real("damping", training.weight_decay if damping is None else damping, above=0)
    own = _gradients(training, parameters, training.images, training.labels)
    p = _logits(training, parameters, training.images).softmax(-1)
    n, found, at = len(own), [], 0
    for inputs, errors in _layer_signals(training, parameters):
        rows, columns = errors.shape[2], inputs.shape[1]
        block = own[:, at : at + rows * columns].view(n, rows, columns)
        at += rows * columns
        of_inputs = torch.linalg.eigh(inputs.T @ inputs / n).eigenvectors
        weighted = torch.einsum("nk,nkb,nkc->bc", p, errors, errors) / n
        of_errors = torch.linalg.eigh(weighted).eigenvectors
        turned = torch.einsum("nk,nkb->nb", p, (errors @ of_errors) ** 2)
        curvatures = turned.T @ (inputs @ of_inputs) ** 2 / n
        solved = (of_errors.T @ block @ of_inputs) / (curvatures + damping)
        found.append((of_errors @ solved @ of_inputs.T).reshape(n, -1) / n)
    return torch.cat(found, 1)


def _log_odds(training: DrawnTraining, theta: Tensor, images: Tensor, labels: Tensor) -> Tensor:
    """Return log p / (1 - p) of the labels, finite where p rounds to 1 too."""
    z = _logits(training, theta, images)
    mine = labels[:, None] == torch.arange(training.classes)
    found: Tensor = (z * mine).sum(-1) - z.masked_fill(mine, -torch.inf).logsumexp(-1)
    return found


def _log_odds_slopes(
    training: DrawnTraining, parameters: Tensor, images: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the gradients of the log-odds, shape (m, P), and 1 - p, shape (m,)."""

    def one(theta: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return _log_odds(training, theta, x[None], y[None])[0]

    slopes = vmap(grad(one), (None, 0, 0))(parameters, images, labels)
    return slopes, (-_log_odds(training, parameters, images, labels)).sigmoid()


def trak(
    training: DrawnTraining,
    parameters: Tensor,
    images: Tensor,
    labels: Tensor,
    *,
    dimension: int,
    generator: torch.Generator,
) -> Tensor:
    r"""Return TRAK's estimate from R networks and as many random projections.

    .. math:: (1 - p_j)\; \Bigl( \frac1R \sum_r \varphi_r(j)^\top
        (\Phi_r^\top \Phi_r)^{-1} \varphi_r(i) \Bigr)
        \Bigl( \frac1R \sum_r (1 - p_{r,i}) \Bigr), \qquad
        \varphi_r(k) = P_r^\top \nabla \log \frac{p_k}{1 - p_k}

    Parameters
    ----------
    training : DrawnTraining
    parameters : tensor, shape (R, P)
        Networks of the same sizes, trained on the same images, from other starts if R > 1. The
        first one is that whose losses are estimated.
    images, labels : tensor, shapes (m, d) and (m,)
        Whose losses.
    dimension : int
        Columns of each P_r, from 1 to the smaller of n and P.
    generator : torch.Generator
        Source of the projections, with independent standard normal entries.

    Returns
    -------
    tensor, shape (n, m)

    Notes
    -----
    Park, Georgiev, Ilyas, Leclerc and Madry (2023), section 3; they estimate the change of the
    log-odds. 1 - p_j in front, of the first network, makes it one of the loss, and
    changes no order among images. Their sparsification is left out. Where the projected gradients
    do not span all dimensions, as with few different images, the inverse is the
    pseudo-inverse.

    Examples
    --------
    >>> from descent.networks.retraining import draw_training
    >>> x, y = torch.rand(6, 4), torch.tensor([0, 1, 0, 1, 0, 1])
    >>> made = draw_training(x, y, hidden=2, classes=2, passes=5, batch_size=3, step_size=0.1,
    ...                      weight_decay=0.01, generator=torch.Generator().manual_seed(0))
    >>> found = trak(made, made.start[None], x, y, dimension=3,
    ...              generator=torch.Generator().manual_seed(0))
    >>> tuple(found.shape)
    (6, 6)
    """
    check_questions(training, parameters, images, labels, many=True)
    check_torch_generator("generator", generator)
    n, size = len(training.images), len(training.start)
    check_count("dimension", dimension, 1)
    if dimension > min(n, size):
        raise ValueError(f"dimension must be at most {min(n, size)}; got {dimension}")
    kernel = training.start.new_zeros(n, len(images))
    wrong = training.start.new_zeros(n)
    for theta in parameters:
        projection = torch.randn(size, dimension, generator=generator, dtype=torch.float64)
        projection = projection.to(theta.dtype)
        mine, missing = _log_odds_slopes(training, theta, training.images, training.labels)
        theirs, _ = _log_odds_slopes(training, theta, images, labels)
        wrong = wrong + missing
        # Φ (ΦᵀΦ)⁻¹ is the transposed pseudo-inverse of Φ, without squaring its condition.
        kernel = kernel + torch.linalg.pinv(mine @ projection).T @ (theirs @ projection).T
    of_loss = (-_log_odds(training, parameters[0], images, labels)).sigmoid()
    return of_loss * kernel * wrong[:, None] / len(parameters) ** 2
