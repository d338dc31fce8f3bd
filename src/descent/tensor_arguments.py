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


def check_placement(
    device: torch.device | str | None, dtype: torch.dtype | None
) -> tuple[torch.device | None, torch.dtype | None]:
    """Return where and in which precision tensors are wanted; an error if there is no such."""
    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise TypeError(f"dtype must be a torch.dtype of floats, or None; got {came(dtype)}")
    if device is not None and not isinstance(device, torch.device):
        if not isinstance(device, str):
            raise TypeError(f"device must be a torch.device or its name; got {came(device)}")
        try:
            device = torch.device(device)
        except RuntimeError:
            raise ValueError(f"device must be the name of one; got {device!r}") from None
    if device is not None:
        try:
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:  # as it is built
            reason = str(error).partition("\n")[0]
            raise ValueError(
                f"device must be one of this machine; got {device}: {reason}"
            ) from None
    return device, dtype
