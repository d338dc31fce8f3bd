"""Checks of tensors and of torch's generators: the errors name what came and what is expected."""

import torch

from descent.arguments import Shape, came, check_shape


def check_tensor(name: str, value: object, shape: Shape, *, finite: bool = True) -> None:
    """Raise an error unless the value is a tensor of finite reals with the shape.

    A letter in the shape stands for any length but zero.
    """
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{name} must be a tensor; got {came(value)}")
    if not value.is_floating_point():
        raise TypeError(f"{name} must hold real numbers; got dtype {value.dtype}")
    check_shape(name, tuple(value.shape), shape)
    if finite and not torch.isfinite(value).all():
        raise ValueError(f"{name} must be finite; got NaN or infinity in {came(value)}")


def check_torch_generator(name: str, value: object) -> None:
    """Raise a TypeError unless the value is a torch.Generator."""
    if not isinstance(value, torch.Generator):
        raise TypeError(f"{name} must be a torch.Generator; got {came(value)}")
