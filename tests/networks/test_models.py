"""The networks of a decision variable: sizes, wiring, gradients, seeds."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from descent.networks import models

WIDTHS = st.integers(1, 9)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def layer(before, after, normalized=True):
    """Number of weights of a linear layer: matrix, bias, and the rows' lengths."""
    return before * after + after * (2 if normalized else 1)


@settings(max_examples=8)
@given(WIDTHS, WIDTHS, WIDTHS, st.booleans())
def test_the_numbers_of_weights_are_those_of_the_layers(i, extra, o, normalized):
    h = i + extra

    def hidden(before, after):
        return layer(before, after, normalized)

    head = layer(h, o, normalized=False)
    expected = {
        "mlp5": i + hidden(i, h) + 3 * hidden(h, h) + head,
        "mlp9": i + hidden(i, h) + 2 * hidden(h, h) + hidden(h, h - i) + 4 * hidden(h, h) + head,
        "mlp17": i + sum(hidden(i + k * h, h) for k in range(4)) + 4 * 3 * hidden(h, h) + head,
    }
    for name, number in expected.items():
        network = models.MODELS[name](i, h, o, generator=seeded(), normalized=normalized)
        assert models.number_of_weights(network) == number
        assert network().shape == (o,)
    assert models.number_of_weights(models.parameter(i, h, o, generator=seeded())) == o


def forward(network, joined):
    """The network's output in NumPy, `joined(k)` naming the outputs that group k reads."""

    def relu(linear, x):
        w = linear.weight.detach().numpy()
        return np.maximum(w @ x + linear.bias.detach().numpy(), 0)

    outputs = [network.latent.detach().numpy()[0]]
    for k, group in enumerate(network.groups):
        x = np.concatenate([outputs[j] for j in joined(k)])
        for linear in itertools.islice(group, 0, None, 2):
            x = relu(linear, x)
        outputs.append(x)
    return network.head.weight.detach().numpy() @ outputs[-1] + network.head.bias.detach().numpy()


@pytest.mark.parametrize(
    ("name", "joined"),
    [
        ("mlp5", lambda k: [0]),
        ("mlp9", lambda k: [[0], [0, 1]][k]),
        ("mlp17", lambda k: range(k + 1)),
    ],
)
def test_each_group_reads_the_latent_input_and_the_groups_before_it(name, joined):
    network = models.build(name, 3, 7, 2, generator=seeded()).double()
    np.testing.assert_allclose(network().detach().numpy(), forward(network, joined), rtol=1e-12)


@pytest.mark.parametrize("name", models.MODELS)
def test_gradients_agree_with_finite_differences(name):
    network = models.build(name, 3, 7, 2, generator=seeded()).double()
    weights = list(network.parameters())
    direction = [torch.randn(w.shape, generator=seeded(i)).double() for i, w in enumerate(weights)]

    def moved(step):
        with torch.no_grad():
            for w, v in zip(weights, direction, strict=True):
                w += step * v
            x = network().clone()
            for w, v in zip(weights, direction, strict=True):
                w -= step * v
        return x

    step = 1e-6
    differences = (moved(step) - moved(-step)) / (2 * step)
    for i, difference in enumerate(differences):
        gradient = torch.autograd.grad(network()[i], weights, allow_unused=False)
        slope = sum(float((g * v).sum()) for g, v in zip(gradient, direction, strict=True))
        assert slope == pytest.approx(float(difference), rel=1e-6)


@pytest.mark.parametrize("name", models.MODELS)
def test_the_seed_makes_the_weights_and_nothing_else_does(name):
    before = torch.random.get_rng_state()
    first, same, other = (models.build(name, 3, 7, 2, generator=seeded(s)) for s in (1, 1, 2))
    for a, b, c in zip(first.parameters(), same.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_weight_normalization_makes_the_length_of_a_row_a_weight_of_its_own():
    network = models.mlp5(3, 7, 2, generator=seeded())
    plain = models.mlp5(3, 7, 2, generator=seeded(), normalized=False)
    torch.testing.assert_close(network(), plain())
    before = network().clone()
    rows = network.groups[0][0].parametrizations.weight
    with torch.no_grad():
        rows.original1 *= 3
    torch.testing.assert_close(network(), before)
    with torch.no_grad():
        rows.original0 *= 3
    assert not torch.allclose(network(), before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mlp9", 8, 8, 1), "hidden_ch must exceed in_ch; got hidden_ch=8, in_ch=8"),
        (("mlp3", 8, 16, 1), "name must be one of parameter, mlp5, mlp9, mlp17"),
        (("mlp5", 0, 16, 1), "in_ch must be at least 1; got 0"),
        (("mlp17", 8, 0, 1), "hidden_ch must be at least 1; got 0"),
        (("parameter", 8, 16, 0), "out_ch must be at least 1; got 0"),
    ],
)
def test_errors_name_the_argument(arguments, message):
    with pytest.raises(ValueError, match=message):
        models.build(*arguments, generator=seeded())


def test_a_width_is_an_integer():
    with pytest.raises(TypeError, match=r"hidden_ch must be an integer; got 7\.5"):
        models.mlp5(3, 7.5, 2, generator=seeded())


@pytest.mark.parametrize("name", models.MODELS)
def test_the_same_seed_gives_the_same_weights_in_every_precision(name):
    single, double = (
        models.build(name, 4, 8, 2, generator=torch.Generator().manual_seed(3), dtype=dtype)
        for dtype in (None, torch.float64)
    )
    for one, other in zip(single.parameters(), double.parameters(), strict=True):
        assert other.dtype == torch.float64
        torch.testing.assert_close(one.double(), other, rtol=0, atol=0)
    torch.testing.assert_close(double().float(), single(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", models.MODELS)
def test_weights_can_be_kept_elsewhere(name):
    """The meta device stands for any other: its tensors have a place and no numbers."""
    network = models.build(name, 4, 8, 2, generator=torch.Generator().manual_seed(3), device="meta")
    assert {weight.device.type for weight in network.parameters()} == {"meta"}
    assert network().device.type == "meta"


@pytest.mark.parametrize("device", ["cuda:99", torch.device("cuda", 99), "no device"])
def test_a_device_that_is_not_there_is_named(device):
    with pytest.raises(ValueError, match="device must be"):
        models.build("mlp5", 4, 8, 2, generator=torch.Generator(), device=device)
