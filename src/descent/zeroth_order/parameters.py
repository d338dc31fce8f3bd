"""Parameters as one vector: copied in and out, rounded where they are not real."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from descent.arguments import came


class ParameterVector:
    """All coordinates of some parameters as one vector of reals.

    The vector is copied from the parameters and into them, so nothing else holds their storage:
    a module may be cast, moved or given new data at any time, and views, copies and other
    optimizers see what is written. Integer and boolean tensors cannot require a gradient, but a
    search without gradients does not ask for one: each of their entries has a latent real in
    the vector, and the tensor gets that real rounded (clipped to the range of its type; for
    booleans, true above one half). This is the only place that treats them apart.

    Where one real tensor requires a gradient, those that do not are frozen, as everywhere in
    torch: they are no part of the vector. Where none does, all of them are searched.

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
        If there are no coordinates, tensors lie on several devices, or an integer is too large
        for a double; by `read`, if other parameters are frozen than at the start, or their
        number of entries has changed.

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
        if any(tensor.is_complex() for tensor in tensors):
            raise TypeError("params of groups must be real, integer or boolean; got a complex one")
        if len({tensor.device for tensor in tensors}) > 1:
            raise ValueError("params must lie on one device; got several")
        dtypes = {tensor.dtype for tensor in tensors if tensor.is_floating_point()}
        if len(dtypes) > 1:
            raise TypeError(f"real params must share one dtype; got {sorted(map(str, dtypes))}")
        self._all = tensors
        self._require = [tensor.requires_grad for tensor in tensors]
        self.tensors = searched(tensors)
        if sum(tensor.numel() for tensor in self.tensors) == 0:
            raise ValueError("params of groups must hold at least one coordinate; got none")
        kept = {id(tensor) for tensor in self.tensors}
        self.sizes = [
            sum(tensor.numel() for tensor in group["params"] if id(tensor) in kept)
            for group in groups
        ]
        self.groups = [
            number
            for number, group in enumerate(groups)
            for tensor in group["params"]
            if id(tensor) in kept
        ]
        self._lengths = [tensor.numel() for tensor in self.tensors]
        self.length = sum(self._lengths)
        self._flat = len(self.tensors) == 1 and self.tensors[0].dim() == 1
        dtype = dtypes.pop() if dtypes else torch.get_default_dtype()
        # The latent real of each integer or boolean entry, by the tensor's place.
        self._latent = {
            i: _encode(tensor, dtype)
            for i, tensor in enumerate(self.tensors)
            if not tensor.is_floating_point()
        }
        self._flat = self._flat and not self._latent

    @property
    def discrete(self) -> bool:
        """Whether some of the parameters are integers or booleans."""
        return bool(self._latent)

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.tensors[0].device

    def empty(self) -> Tensor:
        """Return a vector of no coordinates, of the type and device of the others."""
        return self._part(0).new_empty(0)

    def read(self) -> Tensor:
        """Return a copy of the vector, with the latent reals of integers and booleans."""
        self.check_kept()
        if self._flat:
            vector = self.tensors[0].clone()
            if vector.requires_grad:
                vector = vector.detach()
        else:
            vector = torch.cat([self._part(i).reshape(-1) for i in range(len(self.tensors))])
        return vector

    def check_kept(self) -> None:
        """Raise a ValueError if others are frozen than at the start, or they have other sizes."""
        length = sum([tensor.numel() for tensor in self.tensors])
        if length != self.length:
            raise ValueError(f"params must keep their {self.length} coordinates; got {length}")
        if [tensor.requires_grad for tensor in self._all] != self._require:
            self._check_frozen()

    def _check_frozen(self) -> None:
        now = searched(self._all)
        if [id(tensor) for tensor in now] != [id(tensor) for tensor in self.tensors]:
            raise ValueError(
                "params were frozen, or thawed, since this optimizer was made; make a new one"
            )
        self._require = [tensor.requires_grad for tensor in self._all]

    def _part(self, i: int) -> Tensor:
        """Return one tensor's entries, or the latent reals that they still stand for."""
        tensor = self.tensors[i].detach()
        if i not in self._latent:
            return tensor
        latent = self._latent[i] = self._latent[i].to(tensor.device)
        moved = tensor != _decode(latent, tensor.dtype)
        if moved.any():
            fresh = _encode(tensor, latent.dtype)
            latent = torch.where(moved, fresh, latent.to(fresh.dtype))
            self._latent[i] = latent
        return latent

    def parts(self, vector: Tensor) -> list[Tensor]:
        """Return views of a vector's parts, each in the shape of its tensor."""
        pieces = zip(torch.split(vector, self._lengths), self.tensors, strict=True)
        return [piece.view(tensor.shape) for piece, tensor in pieces]

    def write(self, vector: Tensor) -> None:
        """Set all parameters from a vector of reals."""
        if torch.is_grad_enabled():
            with torch.no_grad():
                self.write(vector)
            return
        if self._flat:
            self.tensors[0].copy_(vector)
            return
        parts = self.parts(vector)
        for i in self._latent:
            self._latent[i] = parts[i].clone()
            parts[i] = _decode(parts[i], self.tensors[i].dtype)
        torch._foreach_copy_(self.tensors, parts)

    def per_coordinate(self, values: Sequence[float]) -> Tensor:
        """Repeat one value a group over the coordinates of that group."""
        vector = self._part(0)
        each = torch.tensor(values, dtype=vector.dtype, device=vector.device)
        return each.repeat_interleave(torch.tensor(self.sizes, device=vector.device))

    def set_gradients(self, gradient: Tensor) -> None:
        """Give each real tensor its part of a gradient, as ``.grad``; frozen ones get none."""
        if self._latent:
            raise ValueError("integers and booleans take no gradient; use no inner optimizer")
        if len(self.tensors) < len(self._all):
            for tensor in self._all:
                tensor.grad = None
        for tensor, part in zip(self.tensors, self.parts(gradient), strict=True):
            tensor.grad = part

    def gradients(self) -> Tensor:
        """Return the ``.grad`` of all tensors as one vector; missing ones are zero."""
        return torch.cat(
            [
                (torch.zeros_like(tensor) if tensor.grad is None else tensor.grad).reshape(-1)
                for tensor in self.tensors
            ]
        )

    def has_gradients(self) -> bool:
        """Whether any tensor has a ``.grad``."""
        return any(tensor.grad is not None for tensor in self.tensors)


def searched(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return the tensors that are not frozen."""
    if not any(tensor.requires_grad for tensor in tensors):
        return list(tensors)
    return [each for each in tensors if each.requires_grad or not each.is_floating_point()]


def _encode(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """Return integers or booleans as reals of a type, or as doubles if it cannot hold them."""
    for kind in (dtype, torch.float64):
        latent = tensor.detach().to(kind)
        # A double also rounds the largest of int64 up, out of the range of int64.
        if bool((_decode(latent, tensor.dtype) == tensor).all()) and not bool(
            (latent.abs() > 2 / torch.finfo(kind).eps).any()
        ):
            return latent
    raise ValueError("params of integers must lie within 2**53; got a larger one")


def _decode(latent: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the integers or booleans that latent reals stand for."""
    if dtype == torch.bool:
        return latent > 0.5
    limits = torch.iinfo(dtype)
    return latent.round().clamp(limits.min, limits.max).to(dtype)
