"""Rules on losses that carry a graph: gradients by torch, weights by the rule."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from descent.aggregation.rule import Combined, Rule, check_finite
from descent.arguments import Array, came


def combine(
    rule: Rule, losses: Any, parameters: Any, state: Any, options: dict[str, Any]
) -> Combined:
    """Return Σ w_i ∇l_i as a list of tensors shaped like the parameters; see `Rule`.

    The graph of the losses is used up.
    """
    values, shared = _scalars(losses), _tensors("parameters", parameters)
    numbers = torch.stack(values).detach().double().cpu().numpy()
    check_finite("losses", numbers)
    if not rule.needs_gradients:
        weights, state = rule.weights(numbers, None, state, **options)
        combined = _gradients(_weighted(weights, torch.stack(values)), shared, False)
    else:
        last = max(i for i, value in enumerate(values) if value.requires_grad)
        rows = [_gradients(value, shared, i < last) for i, value in enumerate(values)]
        blocks = [torch.stack(parts) for parts in zip(*rows, strict=True)]
        weights, state = rule.weights(numbers, _reduced(blocks), state, **options)
        check_finite("weights", weights)
        combined = [_weighted(weights, block) for block in blocks]
    for g in combined:
        if not torch.isfinite(g).all():
            raise ValueError(f"gradients must be finite; their weighted sum is not in {g.dtype}")
    return Combined(combined, np.asarray(weights), state)


def backward(
    rule: Rule,
    losses: Any,
    parameters: Any,
    state: Any,
    own: Sequence[Any] | None,
    options: dict[str, Any],
) -> Combined:
    """Add Σ w_i ∇l_i to the shared parameters' ``.grad``, ∇l_i to loss i's own; see `Rule`."""
    values, shared = _scalars(losses), _tensors("parameters", parameters)
    if own is not None and not isinstance(own, Sequence):
        raise TypeError(f"own must be a sequence of tensors or of several each; got {came(own)}")
    heads = [_tensors(f"own[{i}]", head) for i, head in enumerate(own or ())]
    if own is not None and len(heads) != len(values):
        raise ValueError(f"own must hold the parameters of {len(values)} losses; got {len(heads)}")
    everywhere = [p for group in (shared, *heads) for p in group]
    if len({id(p) for p in everywhere}) < len(everywhere):
        raise ValueError("parameters and own must not share a tensor; got one that is in two")
    if not all(p.is_leaf for p in everywhere):
        raise ValueError(
            "parameters and own must be leaves, which have a .grad; got one that isn't"
        )
    # The own gradients come first: they end at the heads, before the shared graph is used up.
    apart = [
        g for value, head in zip(values, heads, strict=False) for g in _gradients(value, head, True)
    ]
    if not all(torch.isfinite(g).all() for g in apart):
        raise ValueError("gradients must be finite; got one by an own parameter that is not")
    combined = combine(rule, values, shared, state, options)
    for p, g in zip(everywhere, (*combined.gradient, *apart), strict=True):
        p.grad = g.detach().clone() if p.grad is None else p.grad + g
    return combined


def _scalars(losses: Any) -> list[Tensor]:
    """Return the losses one by one, in one dtype and on one device; an error if they are none."""
    found = list(losses.unbind()) if _is_vector(losses) else losses
    if not isinstance(found, list | tuple):
        raise ValueError(f"losses must be m scalars; got {came(losses)}")
    for i, value in enumerate(found):
        if not isinstance(value, Tensor) or value.ndim or not value.is_floating_point():
            raise ValueError(
                f"losses must be m scalars, real tensors; got {came(value)} as number {i}"
            )
    if not found:
        raise ValueError(f"losses must hold at least one loss; got {came(losses)}")
    if not any(value.requires_grad for value in found):
        raise ValueError("losses must carry a graph to their parameters; got constants alone")
    dtype, device = found[0].dtype, found[0].device
    for value in found[1:]:
        dtype = torch.promote_types(dtype, value.dtype)
    return [value.to(device, dtype) for value in found]


def _is_vector(losses: Any) -> bool:
    return isinstance(losses, Tensor) and losses.ndim == 1


def _tensors(name: str, parameters: Any) -> list[Tensor]:
    """Return one tensor or several as a list; an error unless each takes a gradient."""
    if not isinstance(parameters, Iterable):
        raise TypeError(f"{name} must be a tensor or several; got {came(parameters)}")
    found = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for i, p in enumerate(found):
        if not isinstance(p, Tensor) or not p.requires_grad:
            raise ValueError(
                f"{name}[{i}] must be a tensor that requires a gradient; got {came(p)}"
            )
    if not found:
        raise ValueError(f"{name} must hold a tensor; got none")
    if len({id(p) for p in found}) < len(found):
        raise ValueError(f"{name} must be different tensors; got one of them twice")
    return found


def _gradients(loss: Tensor, parameters: list[Tensor], retain: bool) -> list[Tensor]:
    """Return ∇loss; zero where a loss does not depend on a parameter."""
    if not loss.requires_grad:
        return [torch.zeros_like(p) for p in parameters]
    found = torch.autograd.grad(loss, parameters, retain_graph=retain, allow_unused=True)
    return [torch.zeros_like(p) if g is None else g for g, p in zip(found, parameters, strict=True)]


def _weighted(weights: Array, parts: Tensor) -> Tensor:
    """Return Σ w_i part_i of parts (m, ...) in their dtype; summed in single precision at least."""
    wide = parts.to(torch.promote_types(parts.dtype, torch.float32))
    factors = torch.as_tensor(weights, dtype=wide.dtype, device=wide.device)
    return (factors @ wide.reshape(len(parts), -1)).reshape(parts.shape[1:]).to(parts.dtype)


def _reduced(blocks: list[Tensor]) -> Array:
    r"""Return short rows (m, k) with the gradients' lengths and angles, in double precision.

    From the gradients by one parameter after another, each (m, ...), :math:`J^T = QR`, of which
    Q leaves lengths and angles alone. Unlike the products :math:`J J^T` the factors lose no
    digits, and have the gradients' range. Each parameter is reduced on its own device.
    """
    short = []
    for block in blocks:
        m, n = len(block), block[0].numel()
        if not n:
            continue
        wide = block.reshape(m, n).to(torch.promote_types(block.dtype, torch.float32))
        largest = wide.abs().amax(dim=1).double().cpu().numpy()
        for i, value in enumerate(largest):
            if not np.isfinite(value):
                raise ValueError(f"gradients must be finite; got {value} in that of losses[{i}]")
        exponent = np.where(largest > 0, np.frexp(largest)[1] - 1, 0)
        if np.abs(exponent).max() > 30:  # divide by a power of two: nothing is rounded
            scale = torch.as_tensor(np.ldexp(1.0, exponent)).to(wide.dtype).to(wide.device)
            wide = wide / scale[:, None]
        else:
            exponent = np.zeros_like(exponent)
        wide = _factor(wide) if n > m else wide
        short.append(np.ldexp(wide.double().cpu().numpy(), exponent[:, None]))
    return np.concatenate(short, axis=1) if short else np.zeros((len(blocks[0]), 0))


def _factor(rows: Tensor) -> Tensor:
    """Return Rᵀ (m, m) of rows (m, n); first of pieces that fit a processor's cache."""
    m, n = rows.shape
    piece = max(1024, 4 * m)
    if whole := n // piece * piece:
        pieces = rows[:, :whole].reshape(m, -1, piece).permute(1, 2, 0)
        factors = torch.linalg.qr(pieces, mode="r").R.reshape(-1, m)
        rows = torch.cat([factors.T, rows[:, whole:]], dim=1)
    upper: Tensor = torch.linalg.qr(rows.T, mode="r").R
    return upper.T
