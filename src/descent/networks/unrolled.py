"""What leaving an image out changes, exact to first order: differentiation through a training."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.func import grad, vjp, vmap

from descent.arguments import check_kind
from descent.networks.retraining import DrawnTraining, _gradients, _objective, check_convergence

__all__ = ["unrolled_changes"]


def _step(training: DrawnTraining, parameters: Tensor, t: int) -> Tensor:
    """Return the parameters after step t, by automatic differentiation."""
    batch = training.order[t]
    x, y = training.images[batch], training.labels[batch]
    slope: Tensor = grad(partial(_objective, training, x, y))(parameters)
    return parameters - training.step_sizes[t] * slope


def unrolled_changes(training: DrawnTraining) -> Tensor:
    r"""Return what leaving out each image changes in the end, exact to first order in its weight.

    .. math:: -\frac{\partial \theta_T}{\partial w_i}, \qquad
        \frac{\partial \theta_{t+1}}{\partial w_i} = (1 - \eta_t (H_t + \lambda))
        \frac{\partial \theta_t}{\partial w_i} - \frac{\eta_t}{B} [i \in t] \nabla l_i(\theta_t)

    with the Hessian H_t of the loss of the batch.

    Parameters
    ----------
    training : DrawnTraining

    Returns
    -------
    tensor, shape (n, P)
        Times a gradient of a loss it is the first-order change of that loss without the image;
        positive: the image helps.

    Raises
    ------
    FloatingPointError
        When the training or the change diverges.

    Notes
    -----
    Differentiation through the training run, forwards, for all losses at once; backwards, for one
    loss, it is Hara, Nitanda and Maehara (2019), "Data cleansing for models trained with SGD". It
    needs no minimum, no inverse and no convexity. It is not the influence function
    (`descent.networks.attribution.hessian_changes`), which forgets the path and agrees with
    it where training has converged on a strictly convex loss.

    Examples
    --------
    >>> import torch
    >>> from descent.networks.retraining import draw_training, retrain
    >>> x, y = torch.rand(6, 4, dtype=torch.float64), torch.tensor([0, 1, 0, 1, 0, 1])
    >>> made = draw_training(x, y, hidden=2, classes=2, passes=5, batch_size=3, step_size=0.1,
    ...                      weight_decay=0.01, generator=torch.Generator().manual_seed(0))
    >>> weights = torch.ones(2, 6, dtype=torch.float64)
    >>> weights[0, 3], weights[1, 3] = 1 - 1e-5, 1 + 1e-5
    >>> less, more = retrain(made, weights)
    >>> bool(torch.isclose(unrolled_changes(made)[3], (less - more) / 2e-5, 1e-6, 1e-9).all())
    True
    """
    check_kind("training", training, DrawnTraining)
    theta = training.start
    change = theta.new_zeros(len(training.images), len(theta))
    for t, batch in enumerate(training.order):
        own = _gradients(training, theta, training.images[batch], training.labels[batch])
        # The derivative of a step by the parameters is symmetric: backwards it is as forwards.
        theta, back = vjp(lambda p, t=t: _step(training, p, t), theta)[:2]
        change = vmap(back)(change)[0]
        change[batch] += training.step_sizes[t] / len(batch) * own
    check_convergence(training, torch.cat([theta[None], change]))
    return change
