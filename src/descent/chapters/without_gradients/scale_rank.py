"""Chapter 10: how far one step along a random direction comes, and what that hangs on.

On a quadratic with gradient g and Hessian H, the step -η (g·z) z has the mean change

    -η |g|² + η²/2 (|g|² tr H + 2 g·Hg),

lowest at η = 1/(tr H + 2 q) with q = g·Hg/|g|², the curvature along the gradient. The best step
along the gradient itself comes down by |g|²/(2 q). So one comes 1/(r + 2) as far as the other,
with r = tr H / q; and where all curvatures are equal, r = d.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Generator, Tensor

from descent.chapters.without_gradients.scale import CONTEXT, halves, started
from descent.networks.character_transformer import batch_of

PROBES = 12
"""Random vectors for the trace."""
POWERS = 12
"""Products with the Hessian for its largest eigenvalue."""
DIRECTIONS = 24
"""Random directions along which steps are made."""
STEPS = tuple(2.0**-k for k in range(8))
"""Steps along random directions that are tried, times the largest curvature."""
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Steps along the gradient that are tried, times the curvature along it."""

Vector = Sequence[Tensor]
grad: Any = torch.autograd.grad


def dot(a: Vector, b: Vector) -> float:
    """Return the product of two vectors that are lists of tensors."""
    return sum(float((x * y).sum()) for x, y in zip(a, b, strict=True))


class Slopes:
    """The loss of one batch around one point: its gradient, and products with its Hessian."""

    def __init__(self, network: Any, batch: Tensor) -> None:
        self.params = list(network.parameters())
        self._loss: Callable[[], Tensor] = lambda: network.loss(batch)
        value = self._loss()
        self.value: float = value.item()
        self._graph: Vector = grad(value, self.params, create_graph=True)
        self.gradient = [part.detach() for part in self._graph]

    def times_hessian(self, v: Vector) -> Vector:
        """Return H v."""
        product: Vector = grad(self._graph, self.params, v, retain_graph=True)
        return product

    def normal(self, generator: Generator) -> list[Tensor]:
        """Return a standard normal vector."""
        return [torch.empty_like(p).normal_(generator=generator) for p in self.gradient]

    @torch.no_grad()
    def change(self, v: Vector, by: float) -> float:
        """Return by how much the loss changes with a move along v."""
        start = [param.clone() for param in self.params]
        torch._foreach_add_(self.params, list(v), alpha=by)
        changed = float(self._loss().item())
        torch._foreach_copy_(self.params, start)
        return changed - self.value


def trace(slopes: Slopes, n: int, generator: Generator) -> tuple[float, float]:
    """Return Hutchinson's estimate of the trace of the Hessian, and its standard error."""
    found = []
    for _ in range(n):
        signs = [part.sign() for part in slopes.normal(generator)]
        found.append(dot(signs, slopes.times_hessian(signs)))
    values = torch.tensor(found)
    return float(values.mean()), float(values.std() / math.sqrt(n))


def steepest(slopes: Slopes, n: int, generator: Generator) -> float:
    """Return the eigenvalue of the Hessian that is largest in size, by power iteration."""
    v: Vector = slopes.normal(generator)
    value = 0.0
    for _ in range(n):
        length = math.sqrt(dot(v, v))
        v = [part / length for part in v]
        product = slopes.times_hessian(v)
        value, v = dot(v, product), product
    return value


def rank(width: int, pretraining: int, seed: int, device: str = "cpu") -> dict[str, Any]:
    """Measure curvatures of the loss of one batch of code, and what one best step brings."""
    torch.set_num_threads(1)
    network = started(width, pretraining, seed, device)
    source = torch.Generator().manual_seed(10 * seed + 5)
    slopes = Slopes(network, batch_of(halves("code")[0].to(device), 8, CONTEXT, source))
    square = dot(slopes.gradient, slopes.gradient)
    along = dot(slopes.gradient, slopes.times_hessian(slopes.gradient)) / square
    total, error = trace(slopes, PROBES, source)
    most = steepest(slopes, POWERS, source)
    tried = [step / abs(most) for step in STEPS]
    d = sum(part.numel() for part in slopes.gradient)
    cosines, changes = [], []
    for _ in range(DIRECTIONS):
        z = slopes.normal(source)
        slope = dot(slopes.gradient, z)
        cosines.append(abs(slope) / math.sqrt(square * dot(z, z)))
        # The mean of the part that is linear in the step is known: it is put in its place.
        changes.append([slopes.change(z, -lr * slope) + lr * (slope**2 - square) for lr in tried])
    table = torch.tensor(changes, dtype=torch.float64)
    means, errors = table.mean(0), table.std(0) / math.sqrt(DIRECTIONS)
    lowest = int(means.argmin())
    descent = [slopes.change(slopes.gradient, -f / abs(along)) for f in FACTORS]
    return {
        "d": d,
        "loss": slopes.value,
        "square": square,
        "along": along,
        "trace": total,
        "trace_error": error,
        "steepest": most,
        "cosine": float(torch.tensor(cosines).mean()),
        "fall": float(-means[lowest]),
        "fall_error": float(errors[lowest]),
        "step": tried[lowest],
        "gradient_fall": -min(descent),
    }
