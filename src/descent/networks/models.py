"""Decision variables behind a network: x = F(z; W) with a learned input z and weights W.

A network maps no input to a point: ``network()`` is x, of shape (out_ch,). Optimizing f(x) directly
moves `parameter`, which is x itself; optimizing it indirectly moves the weights of `mlp5`, `mlp9`
or `mlp17` and their latent input, and x follows.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.nn.utils import skip_init
from torch.nn.utils.parametrizations import weight_norm

from descent.arguments import came, check_choice, check_count, check_flag, check_kind
from descent.tensor_arguments import check_placement, check_torch_generator

LAYERS_PER_GROUP = 4


class Parameter(nn.Module):
    """A bare decision variable, x ~ 0.01 N(0, I): no network at all.

    Not to be confused with `torch.nn.Parameter`, which it holds one of.

    Parameters
    ----------
    out_ch : int
        Dimension of x, at least 1.
    generator : torch.Generator
        Source of randomness.
    device : torch.device or str, optional
        Where the weights are kept. They are drawn where the generator is, so that the same seed
        gives the same weights everywhere.
    dtype : torch.dtype, optional
        Their precision; by default torch's.
    """

    def __init__(
        self,
        out_ch: int,
        *,
        generator: torch.Generator,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.out_ch = _check_width("out_ch", out_ch)
        check_torch_generator("generator", generator)
        where, precision = check_placement(device, dtype)
        x = torch.randn(self.out_ch, generator=generator, device=generator.device)
        self.x = nn.Parameter(0.01 * x)
        self.to(device=where, dtype=precision)

    def forward(self) -> torch.Tensor:
        """Return x, shape (out_ch,)."""
        return self.x


class SkipNetwork(nn.Module):
    """Groups of layers, each of which sees the latent input and all groups before it.

    ::

        h_0 = z,   h_k = group_k(h_0, ..., h_{k-1}),   x = A h_K + b

    Every layer of a group is ReLU(W h + c). With `normalized`, its rows are
    ``W_i = g_i v_i / |v_i|`` (weight normalization), and g and v are what is learned.

    Parameters
    ----------
    in_ch : int
        Width of the latent input z ~ U(0, 1), at least 1.
    groups : sequence of sequences of int
        Widths of the layers of each group.
    out_ch : int
        Dimension of x, at least 1.
    generator : torch.Generator
        Source of randomness. Weights and biases are uniform within ±1/sqrt(fan-in).
    normalized : bool
        Whether the groups' layers have weight normalization; the last layer never has.
    device : torch.device or str, optional
        Where the weights are kept. They are drawn where the generator is, so that the same seed
        gives the same weights everywhere.
    dtype : torch.dtype, optional
        Their precision; by default torch's.
    """

    def __init__(
        self,
        in_ch: int,
        groups: Sequence[Sequence[int]],
        out_ch: int,
        *,
        generator: torch.Generator,
        normalized: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.out_ch = _check_width("out_ch", out_ch)
        groups = _check_groups(groups)
        check_flag("normalized", normalized)
        check_torch_generator("generator", generator)
        where, precision = check_placement(device, dtype)
        shape = (1, _check_width("in_ch", in_ch))
        latent = torch.rand(shape, generator=generator, device=generator.device)
        self.latent = nn.Parameter(latent)
        self.groups = nn.ModuleList()
        seen = in_ch
        for widths in groups:
            layers: list[nn.Module] = []
            before = seen
            for width in widths:
                linear = _linear(before, width, generator)
                layers += [weight_norm(linear) if normalized else linear, nn.ReLU()]
                before = width
            self.groups.append(nn.Sequential(*layers))
            seen += before
        self.head = _linear(groups[-1][-1], out_ch, generator)
        self.to(device=where, dtype=precision)

    def forward(self) -> torch.Tensor:
        """Return x, shape (out_ch,)."""
        features: list[torch.Tensor] = [self.latent]
        for group in self.groups:
            features.append(group(torch.cat(features, dim=1)))
        x: torch.Tensor = self.head(features[-1]).squeeze(0)
        return x


def parameter(
    in_ch: int | None = None,
    hidden_ch: int | None = None,
    out_ch: int = 1,
    *,
    generator: torch.Generator,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> Parameter:
    """Return x itself as a network; it has no layers, so `in_ch` and `hidden_ch` have no effect.

    Examples
    --------
    >>> number_of_weights(parameter(out_ch=2, generator=torch.Generator().manual_seed(0)))
    2
    """
    return Parameter(out_ch, generator=generator, device=device, dtype=dtype)


def mlp5(
    in_ch: int = 128,
    hidden_ch: int = 512,
    out_ch: int = 1,
    *,
    generator: torch.Generator,
    normalized: bool = True,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> SkipNetwork:
    """Return a network of four hidden layers and a linear one.

    Examples
    --------
    >>> network = mlp5(4, 8, 2, generator=torch.Generator().manual_seed(0))
    >>> network().shape
    torch.Size([2])
    """
    widths = [_check_width("hidden_ch", hidden_ch)] * LAYERS_PER_GROUP
    return SkipNetwork(
        in_ch,
        [widths],
        out_ch,
        generator=generator,
        normalized=normalized,
        device=device,
        dtype=dtype,
    )


def mlp9(
    in_ch: int = 128,
    hidden_ch: int = 512,
    out_ch: int = 1,
    *,
    generator: torch.Generator,
    normalized: bool = True,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> SkipNetwork:
    """Return eight hidden layers; the latent input enters a second time after four of them.

    The fourth layer is narrower by `in_ch`, so that the fifth sees `hidden_ch` inputs. Needs
    hidden_ch > in_ch.

    Examples
    --------
    >>> network = mlp9(4, 8, 1, generator=torch.Generator().manual_seed(0))
    >>> [module.in_features for module in network.groups[1] if hasattr(module, "in_features")]
    [8, 8, 8, 8]
    """
    if _check_width("hidden_ch", hidden_ch) <= _check_width("in_ch", in_ch):
        raise ValueError(
            "mlp9 joins its latent input to the fourth hidden layer, so hidden_ch must exceed "
            f"in_ch; got hidden_ch={hidden_ch}, in_ch={in_ch}"
        )
    first = [hidden_ch] * (LAYERS_PER_GROUP - 1) + [hidden_ch - in_ch]
    groups = [first, [hidden_ch] * LAYERS_PER_GROUP]
    return SkipNetwork(
        in_ch,
        groups,
        out_ch,
        generator=generator,
        normalized=normalized,
        device=device,
        dtype=dtype,
    )


def mlp17(
    in_ch: int = 128,
    hidden_ch: int = 512,
    out_ch: int = 1,
    *,
    generator: torch.Generator,
    normalized: bool = True,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> SkipNetwork:
    """Return four groups of four hidden layers with dense skips between the groups.

    Each group sees the latent input and the outputs of all groups before it.

    Examples
    --------
    >>> network = mlp17(4, 8, 1, generator=torch.Generator().manual_seed(0))
    >>> [group[0].in_features for group in network.groups]
    [4, 12, 20, 28]
    """
    groups = [[_check_width("hidden_ch", hidden_ch)] * LAYERS_PER_GROUP] * 4
    return SkipNetwork(
        in_ch,
        groups,
        out_ch,
        generator=generator,
        normalized=normalized,
        device=device,
        dtype=dtype,
    )


MODELS: dict[str, Callable[..., nn.Module]] = {
    "parameter": parameter,
    "mlp5": mlp5,
    "mlp9": mlp9,
    "mlp17": mlp17,
}


def build(
    name: str,
    in_ch: int = 128,
    hidden_ch: int = 512,
    out_ch: int = 1,
    *,
    generator: torch.Generator,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> nn.Module:
    """Return the network of that name.

    Parameters
    ----------
    name : str
        One of `MODELS`.
    in_ch, hidden_ch, out_ch : int
        Widths of the latent input, of the hidden layers, and dimension of x; each at least 1.
    generator : torch.Generator
        Source of randomness: the same seed gives the same weights.
    device : torch.device or str, optional
        Where the weights are kept. They are drawn where the generator is, so that the same seed
        gives the same weights everywhere.
    dtype : torch.dtype, optional
        Their precision; by default torch's.

    Raises
    ------
    ValueError
        If there is no network of that name, or a width is out of range.

    Examples
    --------
    >>> build("mlp9", 4, 8, generator=torch.Generator().manual_seed(0))().shape
    torch.Size([1])
    >>> build("resnet", generator=torch.Generator())
    Traceback (most recent call last):
    ...
    ValueError: name must be one of parameter, mlp5, mlp9, mlp17; got 'resnet'
    """
    check_choice("name", name, MODELS)
    return MODELS[name](in_ch, hidden_ch, out_ch, generator=generator, device=device, dtype=dtype)


def number_of_weights(network: nn.Module) -> int:
    """Return the number of scalars that are learned, the latent input included."""
    check_kind("network", network, nn.Module)
    return sum(weight.numel() for weight in network.parameters())


def _linear(in_features: int, out_features: int, generator: torch.Generator) -> nn.Linear:
    """Return a linear layer with weights and biases uniform within ±1/sqrt(in_features)."""
    linear: nn.Linear = skip_init(  # type: ignore[no-untyped-call]
        nn.Linear, in_features, out_features, device=generator.device
    )
    bound = 1 / math.sqrt(in_features)
    for weight in (linear.weight, linear.bias):
        nn.init.uniform_(weight, -bound, bound, generator=generator)
    return linear


def _check_width(name: str, value: int) -> int:
    """Return a width; an error if it is not an integer of at least 1."""
    return check_count(name, value, 1)


def _check_groups(groups: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return widths of the layers of each group; an error if they are none."""
    lists = isinstance(groups, list | tuple) and all(isinstance(g, list | tuple) for g in groups)
    if not lists or not groups or not all(groups):
        raise ValueError(f"groups must hold sequences of widths, not empty; got {came(groups)}")
    return [[_check_width("each width of groups", width) for width in group] for group in groups]
