"""Random directions that are drawn mostly where gradients have been."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from descent.arguments import check_callable, check_count, check_real
from descent.zeroth_order.base import Loss
from descent.zeroth_order.estimate import GradientEstimator

Surrogate = Callable[[Tensor], Tensor]


class GuidedEvolution(GradientEstimator):
    r"""Central differences along directions that a subspace guides.

    .. math::
        \hat g = \frac{\beta}{2 h P} \sum_{i=1}^P z_i \bigl[L(x + h z_i) - L(x - h z_i)\bigr],
        \qquad z_i \sim N(0, \Sigma), \qquad
        \Sigma = \frac{\alpha}{d} I + \frac{1 - \alpha}{k} U U^\top

    with the k orthonormal columns of U spanning the last k vectors of a surrogate of the
    gradient. On a linear loss the mean is :math:`\beta \Sigma \nabla L`: not the gradient, but
    always downhill, and longer in the subspace than across it by
    :math:`1 + (1 - \alpha) d / (\alpha k)`. Of a normal direction's length √d, :math:`z_i` has 1
    in the root mean square. 2 P evaluations a step.

    Standard name: guided ES. Without a surrogate it follows its own estimates, which hold less.

    Parameters
    ----------
    params, lr, h, generator, optimizer
        As for `GradientEstimator`.
    samples : int
        Pairs P, at least 1.
    guides : int
        k, at least 1; fewer at the start, and never more than d.
    share : float
        α in (0, 1]; 1 is isotropic.
    gain : float
        β, positive.
    surrogate : callable, optional
        From the parameter vector x, shape (d,), to what resembles a gradient there, shape (d,).

    Raises
    ------
    TypeError
        If surrogate is not callable.
    ValueError
        If another parameter is out of its range, or the surrogate has another shape than x or
        is not finite.

    Examples
    --------
        >>> ends = []
    >>> for surrogate in (None, lambda x: x + 1.0):
    ...     x = torch.full((50,), 1.0)
    ...     search = GuidedEvolution(
    ...         [x], lr=0.2, surrogate=surrogate, generator=torch.Generator().manual_seed(0)
    ...     )
    ...     for _ in range(50):
    ...         loss = search.step(lambda: (x**2).sum())
    ...     ends.append(float((x**2).sum()))
    >>> ends[1] < 0.5 * ends[0]
    True

    Notes
    -----
    Maheswaranathan, Metz, Tucker, Choi and Sohl-Dickstein (2018), "Guided evolutionary
    strategies: augmenting random search with surrogate gradients", arXiv:1806.10230.
    The last link of source 002 names it.
    """

    def __init__(
        self,
        params: ParamsT,
        *,
        lr: float | None = None,
        h: float = 0.01,
        samples: int = 1,
        guides: int = 1,
        share: float = 0.5,
        gain: float = 2.0,
        surrogate: Surrogate | None = None,
        generator: torch.Generator,
        optimizer: torch.optim.Optimizer | None = None,
    ) -> None:
        super().__init__(params, lr=lr, h=h, generator=generator, optimizer=optimizer)
        self.samples = check_count("samples", samples, 1)
        self.guides = check_count("guides", guides, 1)
        self.share = check_real("share", share, above=0, most=1)
        self.gain = check_real("gain", gain, above=0)
        if surrogate is not None:
            check_callable("surrogate", surrogate)
        self.surrogate = surrogate

    def estimate(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return the estimated gradient, and the mean of all losses."""
        if self.surrogate is not None:
            self._remember(self._asked(x))
        basis = self._basis(x)
        total, losses = torch.zeros_like(x), 0.0
        for _ in range(self.samples):
            z = self._direction(x, basis)
            above, below = (loss(self.shifted(x, "h", z, side)) for side in (1.0, -1.0))
            total += z * (above - below)
            losses += (above + below) / 2
        gradient = total * (self.gain / (2 * self.samples)) / self.each("h")
        if self.surrogate is None:
            self._remember(gradient)
        return gradient, losses / self.samples

    def _direction(self, x: Tensor, basis: Tensor | None) -> Tensor:
        """Draw from N(0, Σ)."""
        d = len(x)
        if basis is None:
            return self.normal(x).mul_(d**-0.5)
        k = basis.shape[1]
        inside = self.normal(x.new_empty(k))
        across = self.normal(x) * (self.share / d) ** 0.5
        z: Tensor = across + basis @ inside * ((1 - self.share) / k) ** 0.5
        return z

    def _basis(self, x: Tensor) -> Tensor | None:
        """Return the orthonormal columns of U, shape (d, k); None if nothing guides yet."""
        vectors = self.memory.get("guides")
        if vectors is None:
            return None
        # In double: no type of half precision can be factorized.
        left, lengths, _ = torch.linalg.svd(vectors.double().T, full_matrices=False)
        spanned = lengths > 1e-6 * lengths.max()
        return left[:, spanned].to(x) if bool(spanned.any()) else None

    def _remember(self, vector: Tensor) -> None:
        """Put a vector, of length 1, before the others, and forget the oldest."""
        length = vector.double().norm()
        if length == 0 or not bool(length.isfinite()):
            return
        newest = (vector.double() / length).to(vector)[None]
        old = self.memory.get("guides", newest[:0])
        self.memory["guides"] = torch.cat([newest, old])[: min(self.guides, len(vector))]

    def _asked(self, x: Tensor) -> Tensor:
        """Return what the surrogate says at x; an error unless it is a finite vector like x."""
        assert self.surrogate is not None
        said = torch.as_tensor(self.surrogate(x.clone())).detach().to(x)
        if said.shape != x.shape or not bool(said.isfinite().all()):
            raise ValueError(
                f"surrogate must return {len(x)} finite numbers; got shape {tuple(said.shape)}"
            )
        return said
