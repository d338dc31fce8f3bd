"""Rules on losses that carry a graph: gradients by torch, weights by the rule."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from descent.aggregation.rule import Combined, Rule, check_finite


def combine(
    rule: Rule,
    losses: Any,
    parameters: Sequence[torch.Tensor],
    state: Any,
    options: dict[str, Any],
) -> Combined:
    """Return Σ w_i ∇l_i as a list of tensors shaped like the parameters; see `Rule`.

    The graph of the losses is used up.
    """
    stacked = losses if isinstance(losses, torch.Tensor) else torch.stack(list(losses))
    parameters = list(parameters)
    if stacked.ndim != 1 or not parameters:
        raise ValueError(
            "losses must be m scalars and parameters a list of tensors; got shape "
            f"{tuple(stacked.shape)} and {len(parameters)} tensors"
        )
    values = stacked.detach().double().cpu().numpy()
    check_finite("losses", values)
    if not rule.needs_gradients:
        weights, state = rule.weights(values, None, state, **options)
        factors = torch.as_tensor(weights, dtype=stacked.dtype, device=stacked.device)
        return Combined(_gradients(factors @ stacked, parameters, False), weights, state)
    rows = [_gradients(loss, parameters, True) for loss in stacked]
    jacobian = torch.stack([torch.cat([part.reshape(-1) for part in row]) for row in rows])
    gramian = (jacobian @ jacobian.T).double().cpu().numpy()
    check_finite("gradients", gramian)
    weights, state = rule.weights(values, gramian, state, **options)
    factors = torch.as_tensor(weights, dtype=jacobian.dtype, device=jacobian.device)
    parts = torch.split(factors @ jacobian, [p.numel() for p in parameters])
    shaped = [part.reshape(p.shape) for part, p in zip(parts, parameters, strict=True)]
    return Combined(shaped, np.asarray(weights), state)


def _gradients(
    loss: torch.Tensor, parameters: list[torch.Tensor], retain: bool
) -> list[torch.Tensor]:
    """Return ∇loss; zero where a loss does not depend on a parameter."""
    found = torch.autograd.grad(loss, parameters, retain_graph=retain, allow_unused=True)
    return [torch.zeros_like(p) if g is None else g for g, p in zip(found, parameters, strict=True)]
