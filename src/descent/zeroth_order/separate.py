"""Each individual is initialized separately."""

from collections.abc import Iterable

import numpy as np
import torch

from descent.arguments import Array, check_count, check_generator
from descent.zeroth_order.base import check_params


def separate_starts(
    params: Iterable[torch.Tensor], size: int, generator: np.random.Generator
) -> Array:
    """Draw starts that follow the law of the weights, tensor by tensor.

    Each entry of a start is normal with the mean and the standard deviation of the entries of
    its tensor, as it stands now: biases that are all zero stay so, weights of a layer keep
    their scale.

    Parameters
    ----------
    params : iterable of tensors
        The parameters, freshly initialized.
    size : int
        Number of individuals.
    generator : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    ndarray, shape (size, d)
        A start for each individual, for any `Population`.

    Examples
    --------
    >>> starts = separate_starts([torch.tensor([-1.0, 1.0]), torch.zeros(1)], 3,
    ...                          np.random.default_rng(0))
    >>> starts.shape, bool((starts[:, 2] == 0).all())
    ((3, 3), True)

    Notes
    -----
    Source 002, swarms: "initialize all individuals separately (while trying to follow parameter
    weight distribution)".
    """
    count = check_count("size", size)
    check_generator("generator", generator)
    params = check_params(params)
    pieces = []
    for tensor in params:
        if tensor.is_complex() or not tensor.numel():
            raise ValueError(f"params must be real and not empty; got {tensor!r}")
        entries = tensor.detach().double().numpy(force=True).ravel()
        noise = generator.standard_normal((count, entries.size))
        pieces.append(entries.mean() + entries.std() * noise)
    return np.concatenate(pieces, axis=1)
