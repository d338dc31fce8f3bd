"""Parameters as one vector: views where they are real, decoded where they are not."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from descent.arguments import came


class ParameterVector:
    """All coordinates of some parameters as one vector of reals.

    Real tensors become views into one vector, so that writing it is a single copy. Integer and
    boolean tensors cannot require a gradient, but a search without gradients does not ask for
    one: each of their entries has a latent real beside it in the vector, and the tensor gets
    that real rounded (clipped to the range of its type; for booleans, true above one half).
    This is the only place that treats them apart.

    Parameters
    ----------
    groups : sequence of dict
        Parameter groups of a `torch.optim.Optimizer`. Real tensors share one dtype, all
        tensors one device.

    Raises
    ------
    TypeError
        If a tensor is complex, or two real tensors differ in dtype.
    ValueError
        If there are no coordinates, or tensors lie on several devices.

    Examples
    --------
    >>> weights, count = torch.zeros(2), torch.tensor([3])
    >>> vector = ParameterVector([{"params": [weights]}, {"params": [count]}])
    >>> vector.write(torch.tensor([0.5, 1.5, 6.7]))
    >>> weights, count
    (tensor([0.5000, 1.5000]), tensor([7]))

    Notes
    -----
    Source 002, other: "separate handling for integer and boolean learnable tensors".
    """

    def __init__(self, groups: Sequence[dict[str, Any]]) -> None:
        if not isinstance(groups, list | tuple) or not all("params" in group for group in groups):
            raise TypeError(f"groups must be dicts with the key params; got {came(groups)}")
        tensors: list[Tensor] = [tensor for group in groups for tensor in group["params"]]
        for tensor in tensors:
            if not isinstance(tensor, Tensor):
                raise TypeError(f"params of groups must be tensors; got {came(tensor)}")
        if sum(tensor.numel() for tensor in tensors) == 0:
            raise ValueError("params of groups must hold at least one coordinate; got none")
        if any(tensor.is_complex() for tensor in tensors):
            raise TypeError("params of groups must be real, integer or boolean; got a complex one")
        if len({tensor.device for tensor in tensors}) > 1:
            raise ValueError("params must lie on one device; got several")
        dtypes = {tensor.dtype for tensor in tensors if tensor.is_floating_point()}
        if len(dtypes) > 1:
            raise TypeError(f"real params must share one dtype; got {sorted(map(str, dtypes))}")
        dtype = dtypes.pop() if dtypes else torch.get_default_dtype()
        self.sizes = [sum(tensor.numel() for tensor in group["params"]) for group in groups]
        self._tensors = tensors
        common = _common_vector(tensors)
        if common is None:
            common = torch.cat([tensor.detach().reshape(-1).to(dtype) for tensor in tensors])
        self._vector: Tensor = common
        self._views: list[tuple[Tensor, Tensor, int]] = []
        self._discrete: list[tuple[Tensor, Tensor]] = []
        start = 0
        for tensor in tensors:
            view = self._vector[start : start + tensor.numel()].view(tensor.shape)
            start += tensor.numel()
            if tensor.is_floating_point():
                self._views.append((tensor, view, view.data_ptr()))
            else:
                self._discrete.append((tensor, view))
        self._attach()

    @property
    def discrete(self) -> bool:
        """Whether some of the parameters are integers or booleans."""
        return bool(self._discrete)

    @property
    def values(self) -> Tensor:
        """The vector itself, not a copy."""
        return self._vector

    def _attach(self) -> None:
        """Make the real tensors views again; a tensor that was given new data keeps them."""
        for tensor, view, address in self._views:
            if tensor.data_ptr() != address:
                view.copy_(tensor.detach())
                tensor.data = view  # .data, so that the tensor stays the same leaf
        for tensor, view in self._discrete:
            moved = tensor != _decode(view, tensor.dtype)
            view[moved] = tensor[moved].to(view.dtype)

    def read(self) -> Tensor:
        """Return a copy of the vector, with the latent reals of integers and booleans."""
        self._attach()
        return self._vector.clone()

    def write(self, vector: Tensor) -> None:
        """Set all parameters from a vector of reals."""
        self._vector.copy_(vector)
        for tensor, view in self._discrete:
            tensor.copy_(_decode(view, tensor.dtype))

    def per_coordinate(self, values: Sequence[float]) -> Tensor:
        """Repeat one value a group over the coordinates of that group."""
        vector = self._vector
        each = torch.tensor(values, dtype=vector.dtype, device=vector.device)
        return each.repeat_interleave(torch.tensor(self.sizes, device=vector.device))

    def set_gradients(self, gradient: Tensor) -> None:
        """Give each real tensor its part of a gradient, as ``.grad``."""
        if self._discrete:
            raise ValueError("integers and booleans take no gradient; use no inner optimizer")
        pieces = torch.split(gradient, [tensor.numel() for tensor in self._tensors])
        for tensor, piece in zip(self._tensors, pieces, strict=True):
            tensor.grad = piece.view(tensor.shape)

    def gradients(self) -> Tensor:
        """Return the ``.grad`` of all tensors as one vector; missing ones are zero."""
        return torch.cat(
            [
                (torch.zeros_like(tensor) if tensor.grad is None else tensor.grad).reshape(-1)
                for tensor in self._tensors
            ]
        )


def _decode(latent: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the integers or booleans that latent reals stand for."""
    if dtype == torch.bool:
        return latent > 0.5
    limits = torch.iinfo(dtype)
    return latent.round().clamp(limits.min, limits.max).to(dtype)


def _common_vector(tensors: Sequence[Tensor]) -> Tensor | None:
    """Return the vector that the tensors are consecutive views of already, or None."""
    first, start = tensors[0], tensors[0].data_ptr()
    for tensor in tensors:
        if (
            not tensor.is_floating_point()
            or not tensor.is_contiguous()
            or tensor.data_ptr() != start
            or tensor.untyped_storage().data_ptr() != first.untyped_storage().data_ptr()
        ):
            return None
        start += tensor.numel() * tensor.element_size()
    total = sum(tensor.numel() for tensor in tensors)
    return first.detach().as_strided((total,), (1,))
