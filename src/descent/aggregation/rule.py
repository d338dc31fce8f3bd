"""What a rule is: it sees losses and inner products of gradients, and answers with weights."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, NamedTuple

import numpy as np

from descent.arguments import (
    Array,
    came,
    check_array,
    check_callable,
    check_flag,
    check_generator,
)

Weighting = Callable[..., tuple[Array, Any]]


class Combined(NamedTuple):
    """One step's answer of a rule.

    Attributes
    ----------
    gradient : array (..., d) or list of tensors
        Σ w_i ∇l_i, with the weights held constant.
    weights : array (..., m)
        w_i.
    state : object
        To be handed to the next call.
    """

    gradient: Any
    weights: Array
    state: Any


class Rule:
    r"""A rule of aggregation: from m losses and their gradients to one direction.

    .. math:: g = \sum_i w_i \nabla l_i, \qquad (w, s') = \text{weights}(l, J J^T, s)

    with J the Jacobian whose rows are the gradients. The weights do not depend on the
    parameters otherwise, and are constants to the optimizer that follows g.

    Parameters
    ----------
    weights : callable
        ``(losses (..., m), gramian (..., m, m), state, **options)`` to weights
        ``(..., m)`` and the next state; pure, for any leading axes.
    needs_gradients : bool
        Whether it reads the Gramian. If not, it is given None, and with torch one
        backward pass through the weighted sum is enough.
    """

    def __init__(self, weights: Weighting, needs_gradients: bool = True) -> None:
        check_callable("weights", weights)
        self.weights = weights
        self.needs_gradients = check_flag("needs_gradients", needs_gradients)
        update_wrapper(self, weights)

    def __repr__(self) -> str:
        return f"<rule {self.weights.__name__}>"

    def __call__(self, losses: Any, parameters: Any, state: Any = None, **options: Any) -> Combined:
        """Combine the gradients of several losses.

        Parameters
        ----------
        losses : tensor (m,), sequence of m scalar tensors, or array (..., m)
            Tensors carry their graph.
        parameters : list of tensors, or array (..., m, d)
            With tensors, what the gradients are taken of. With arrays, the gradients.
        state : object, optional
            None at first, then the state of the last answer. For random rules a
            `numpy.random.Generator`; None stands for one with seed 0.
        **options
            The rule's own.

        Returns
        -------
        Combined
            Gradient, weights, state. With tensors the gradient is a list, shaped like
            the parameters.

        Raises
        ------
        ValueError
            If shapes do not agree or a loss or gradient is not finite.
        """
        if _are_tensors(losses):
            from descent.aggregation.autograd import combine

            return combine(self, losses, parameters, state, options)
        values = check_array("losses", losses)
        gradients = check_array("gradients (parameters)", parameters)
        if values.ndim == 0 or gradients.shape[:-1] != values.shape:
            raise ValueError(
                "losses (..., m) and gradients (..., m, d), given as parameters, must agree in "
                "all but the last axis; "
                f"got shapes {values.shape} and {gradients.shape}"
            )
        gramian = gradients @ gradients.swapaxes(-1, -2) if self.needs_gradients else None
        weights, state = self.weights(values, gramian, state, **options)
        return Combined((weights[..., None, :] @ gradients)[..., 0, :], weights, state)


def _are_tensors(losses: Any) -> bool:
    """Say whether the losses are tensors: one, or a sequence of them."""
    first = losses[0] if isinstance(losses, list | tuple) and losses else losses
    return hasattr(first, "requires_grad")


def check_previous(state: Any, losses: Array) -> None:
    """Raise an error unless the state is None or losses of the same shape."""
    if state is not None and check_array("state", state).shape != losses.shape:
        raise ValueError(f"state must have the shape of losses; got {came(state)}")


def check_finite(name: str, values: Array) -> None:
    """Raise a ValueError that says which losses or gradients are not finite."""
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite; got {values[~np.isfinite(values)].ravel()[0]}")


def shares(amounts: Array) -> Array:
    """Return each amount's share of the sum over the last axis; equal shares of nothing."""
    total = amounts.sum(axis=-1, keepdims=True)
    empty = total <= 0
    return np.where(empty, 1 / amounts.shape[-1], amounts / np.where(empty, 1.0, total))


def norms(gramian: Array) -> Array:
    """Return the lengths |∇l_i| of the gradients, shape (..., m)."""
    return np.sqrt(np.maximum(np.diagonal(gramian, axis1=-2, axis2=-1), 0))


def softmax(logits: Array) -> Array:
    """Return exp(logits) divided by its sum over the last axis."""
    return shares(np.exp(logits - logits.max(axis=-1, keepdims=True)))


def generator(state: np.random.Generator | None) -> np.random.Generator:
    """Return the generator of a random rule; None stands for one with seed 0."""
    if state is None:
        return np.random.default_rng(0)
    check_generator("state", state)
    return state
