"""What a rule is: it sees losses and their gradients, and answers with weights."""

from collections.abc import Callable, Collection, Sequence
from functools import update_wrapper
from typing import Any, NamedTuple

import numpy as np

from descent.arguments import (
    Array,
    came,
    check_array,
    check_callable,
    check_flag,
)

Weighting = Callable[..., tuple[Array, Any]]

PROPERTIES = {
    "non-conflicting": "minus the direction raises no loss, to first order",
    "descends on every loss": "minus the direction is downhill for each, or 0 where none is",
    "sums to one": "the weights sum to 1",
    "not negative": "no weight is below 0",
    "order does not matter": "permuted losses give the same direction",
    "scale does not matter": "one factor on all losses and gradients leaves the weights",
    "linear under scaling": "linear in factors c_i > 0 on the gradients, at the same losses",
    "rests only in balance": "0 only where a sum of all gradients with positive weights is",
    "deterministic": "it draws nothing, so it needs no generator as its state",
    "memoryless": "it does not look at earlier losses",
}
"""What may hold for a rule, for all losses and gradients, in words; see `Rule.properties`."""


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

    .. math:: g = \sum_i w_i \nabla l_i, \qquad (w, s') = \text{weights}(l, J, s)

    with J the Jacobian whose rows are the gradients. The weights depend on lengths and
    angles of the gradients alone, and are constants to the optimizer that follows g.

    Parameters
    ----------
    weights : callable
        ``(losses (..., m), gradients (..., m, k), state, **options)`` to weights
        ``(..., m)`` and the next state; pure, for any leading axes. The gradients are those
        of the losses, or any rows with the same lengths and angles.
    needs_gradients : bool
        Whether it reads the gradients. If not, it is given None, and with torch one
        backward pass through the weighted sum is enough.
    properties : collection of str
        Which of `PROPERTIES` hold for it.

    Examples
    --------
    >>> from descent.aggregation import mgda
    >>> "non-conflicting" in mgda.properties
    True
    """

    def __init__(
        self,
        weights: Weighting,
        needs_gradients: bool = True,
        properties: Collection[str] = (),
    ) -> None:
        check_callable("weights", weights)
        self.weights = weights
        self.needs_gradients = check_flag("needs_gradients", needs_gradients)
        if not isinstance(properties, Collection) or not all(
            name in tuple(PROPERTIES) for name in properties
        ):
            raise ValueError(
                f"properties must be some of {', '.join(PROPERTIES)}; got {came(properties)}"
            )
        self.properties = frozenset(properties)
        update_wrapper(self, weights)

    def __repr__(self) -> str:
        return f"<rule {self.weights.__name__}>"

    def __call__(self, losses: Any, parameters: Any, state: Any = None, **options: Any) -> Combined:
        """Combine the gradients of several losses.

        Parameters
        ----------
        losses : tensor (m,), sequence of m scalar tensors, or array (..., m)
            Tensors carry their graph, which is used up.
        parameters : tensor or iterable of tensors, or array (..., m, d)
            With tensors, what the gradients are taken of. With arrays, the gradients.
        state : object, optional
            None at first, then the state of the last answer. Rules that draw need a
            `numpy.random.Generator` from the start.
        **options
            The rule's own.

        Returns
        -------
        Combined
            Gradient, weights, state. With tensors the gradient is a list, shaped like
            the parameters, each in its parameter's dtype and on its device.

        Raises
        ------
        ValueError
            If shapes do not agree, there is no loss, a loss or gradient is not finite, or
            the answer does not fit the floats.
        """
        if _are_tensors(losses):
            from descent.aggregation.autograd import combine

            return combine(self, losses, parameters, state, options)
        _check_some(losses)
        if _are_tensors(parameters):
            raise TypeError(f"losses must be tensors, as the parameters are; got {came(losses)}")
        values = check_array("losses", losses)
        gradients = check_array("gradients, given as parameters,", parameters)
        if values.ndim == 0 or gradients.shape[:-1] != values.shape:
            raise ValueError(
                "losses (..., m) and gradients (..., m, d), given as parameters, must agree in "
                f"all but the last axis; got shapes {values.shape} and {gradients.shape}"
            )
        if not values.size:
            raise ValueError(f"losses must hold at least one loss; got shape {values.shape}")
        weights, state = self.weights(
            values, gradients if self.needs_gradients else None, state, **options
        )
        with np.errstate(over="ignore", invalid="ignore"):
            direction = (weights[..., None, :] @ gradients)[..., 0, :]
        check_finite("weights and gradient", weights)
        check_finite("weights and gradient", direction)
        return Combined(direction, weights, state)

    def backward(
        self,
        losses: Any,
        parameters: Any,
        state: Any = None,
        *,
        own: Sequence[Any] | None = None,
        **options: Any,
    ) -> Combined:
        r"""Add the combined gradient to ``.grad`` of the parameters, as ``loss.backward()`` does.

        .. math:: \theta\text{.grad} \mathrel{+}= \sum_i w_i \nabla_\theta l_i, \qquad
                  \phi_i\text{.grad} \mathrel{+}= \nabla_{\phi_i} l_i

        with shared parameters θ, for which the losses contend, and parameters :math:`\phi_i`
        of loss i alone: a trunk and the heads of several tasks. The rule sees the gradients
        by the shared parameters alone.

        Parameters
        ----------
        losses : tensor (m,) or sequence of m scalar tensors
            With their graph, which is used up.
        parameters : tensor or iterable of tensors
            The shared parameters.
        state : object, optional
            As for a call of the rule.
        own : sequence of m, each a tensor or an iterable of tensors, optional
            The parameters of each loss alone.
        **options
            The rule's own.

        Returns
        -------
        Combined
            What the rule returns for the shared parameters.

        Raises
        ------
        ValueError, TypeError
            As for a call of the rule, or if a parameter is shared and own, or in two places.
            Nothing is written then.

        Examples
        --------
        >>> import torch
        >>> from descent.aggregation import upgrad
        >>> trunk = torch.nn.Parameter(torch.ones(2))
        >>> heads = [torch.nn.Parameter(torch.ones(1)) for _ in range(2)]
        >>> losses = [(trunk * h).sum() * s for h, s in zip(heads, (1.0, -1.0))]
        >>> _ = upgrad.backward(losses, trunk, own=heads)
        >>> trunk.grad, heads[1].grad
        (tensor([0., 0.]), tensor([-2.]))
        """
        if not _are_tensors(losses):
            _check_some(losses)
            raise TypeError(f"losses must be tensors that carry their graph; got {came(losses)}")
        from descent.aggregation.autograd import backward

        return backward(self, losses, parameters, state, own, options)


def _are_tensors(values: Any) -> bool:
    """Say whether the losses are tensors: one, or a sequence of them."""
    first = values[0] if isinstance(values, list | tuple) and values else values
    return hasattr(first, "requires_grad")


def _check_some(losses: Any) -> None:
    """Raise a ValueError if there is no loss, whatever it would be made of."""
    if isinstance(losses, list | tuple) and not losses:
        raise ValueError(f"losses must hold at least one loss; got {losses!r}")


def check_previous(state: Any, losses: Array) -> None:
    """Raise an error unless the state is None or losses of the same shape."""
    if state is not None and check_array("state", state).shape != losses.shape:
        raise ValueError(f"state must have the shape of losses; got {came(state)}")


def check_finite(name: str, values: Array) -> None:
    """Raise a ValueError that says which losses or gradients are not finite."""
    bad = ~np.isfinite(values)
    if bad.any():
        raise ValueError(f"{name} must be finite; got {values[bad].ravel()[0]}")


def generator(state: object, rule: str) -> np.random.Generator:
    """Return the generator of a rule that draws; a TypeError if the state is none."""
    if not isinstance(state, np.random.Generator):
        raise TypeError(
            f"state must be a numpy.random.Generator, since {rule} draws; got {came(state)}"
        )
    return state
