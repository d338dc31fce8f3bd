"""Rules on losses with a graph: dtypes, parameters of several kinds, .grad, and refusals."""

import numpy as np
import pytest
import torch
from gradient_sets import KINDS, gradients

from descent.aggregation import RULES, AccumulatedLoss

DRAWING = {name for name, rule in RULES.items() if "deterministic" not in rule.properties}
READING = [name for name, rule in RULES.items() if rule.needs_gradients]


def call(name, losses, parameters, method="__call__", **more):
    state = np.random.default_rng(0) if name in DRAWING else None
    options = {"weights": np.arange(max(len(losses), 2)) / 2} if name == "fixed_weights" else {}
    return getattr(RULES[name], method)(losses, parameters, state, **options, **more)


def leaf(*values, dtype=torch.float64):
    return torch.tensor(values, dtype=dtype, requires_grad=True)


def linear(jacobian, dtype=torch.float64, split=None):
    """Return losses whose gradients are the rows, by one parameter or by parts of it."""
    jacobian = torch.as_tensor(np.array(jacobian), dtype=dtype)
    sizes = split or [jacobian.shape[1]]
    parts = [torch.zeros(n, dtype=dtype, requires_grad=True) for n in sizes]
    blocks = torch.split(jacobian, sizes, dim=1)
    terms = [block @ part for block, part in zip(blocks, parts, strict=True)]
    return list((sum(terms) + 1).unbind()), parts


@pytest.mark.parametrize("name", RULES)
def test_one_tensor_is_a_list_of_one(name):
    found = []
    for parameters in (lambda x: x, lambda x: [x], lambda x: iter([x])):
        x = leaf(1.0, 2.0, 3.0)
        found.append(call(name, [(x**2).sum(), 9 - x[0]], parameters(x)))
    for one in found:
        assert [g.shape for g in one.gradient] == [(3,)]
        torch.testing.assert_close(one.gradient, found[0].gradient)
    if name != "random_alternation":
        assert found[0].gradient[0].abs().max() > 0


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize(
    "dtypes",
    [
        (torch.float32, torch.float64),
        (torch.float64, torch.bfloat16),
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.bfloat16),
    ],
)
def test_each_gradient_comes_in_its_parameters_dtype_and_can_be_assigned(name, dtypes):
    a, b = (leaf(1.0, 2.0, dtype=dtype) for dtype in dtypes)
    losses = [(a**2).sum().double() + (b**2).sum(), 9 - a.double() @ b.double()]
    step = call(name, losses, [a, b])
    for p, g in zip((a, b), step.gradient, strict=True):
        assert g.dtype == p.dtype
        assert not g.requires_grad
        p.grad = g


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", READING)
@pytest.mark.parametrize("split", [[2, 0, 37, 21], [1, 1023, 1024, 3000], [2048, 5]])
def test_parts_of_the_parameters_give_what_the_whole_gives(name, kind, split):
    """Parameter by parameter J is shortened by its own factor R, piece by piece."""
    if name == "largest_gradient" and kind in ("duplicates", "opposites", "weakly stationary"):
        pytest.skip("rounding decides between gradients of one length")
    jacobian = gradients(kind, 4, sum(split), np.random.default_rng(1))
    arrays = call(name, np.ones(4), jacobian)
    losses, parts = linear(jacobian, split=split)
    tensors = call(name, losses, parts)
    flat = torch.cat([g.ravel() for g in tensors.gradient]).numpy()
    size = np.abs(arrays.weights) @ np.linalg.norm(jacobian, axis=1)
    assert np.abs(flat - arrays.gradient).max() <= 1e-12 * size


@pytest.mark.parametrize("name", READING)
@pytest.mark.parametrize("scale", [1e-30, 1e-10, 1.0, 1e10, 1e30])
@pytest.mark.parametrize("kind", ["full", "low rank", "with zeros"])
def test_single_precision_of_any_scale_gives_the_weights_of_double(name, scale, kind):
    jacobian = gradients(kind, 4, 50, np.random.default_rng(4))
    exact = call(name, np.ones(4), jacobian)
    losses, parts = linear(jacobian * scale, torch.float32)
    single = call(name, losses, parts)
    size = np.abs(exact.weights) @ np.linalg.norm(jacobian, axis=1)
    assert np.abs(single.weights @ jacobian - exact.gradient).max() <= 3e-6 * size
    torch.testing.assert_close(
        single.gradient[0].double() / scale,
        torch.as_tensor(exact.gradient),
        rtol=0,
        atol=3e-6 * size,
    )


@pytest.mark.parametrize("name", READING)
def test_gradients_of_1e200_give_the_weights_of_1(name):
    jacobian = np.array([[1.0, 0.0, 0.0], [-1.0, 1.0, 0.0]])
    steps = [call(name, *linear(jacobian * scale)) for scale in (1.0, 1e200, 1e-200)]
    for step in steps:
        np.testing.assert_allclose(step.weights, steps[0].weights, rtol=1e-12)


@pytest.mark.parametrize("name", RULES)
def test_the_graph_is_used_up_and_the_result_has_none(name):
    x = leaf(1.0, 2.0)
    losses = [(x**2).sum(), x.exp().sum()]
    step = call(name, losses, x)
    assert not step.gradient[0].requires_grad
    with pytest.raises(RuntimeError, match="second time"):
        losses[1].backward()
    loss = x.exp().sum()
    call(name, [loss, torch.tensor(1.0, dtype=torch.float64)], x)  # a constant comes last
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


@pytest.mark.parametrize("name", RULES)
def test_a_constant_loss_has_no_gradient_wherever_it_stands(name):
    for place in range(3):
        x = leaf(1.0, 2.0)
        losses = [(x**2).sum(), x.sum()]
        losses.insert(place, torch.tensor(1.0, dtype=torch.float64))
        assert torch.isfinite(call(name, losses, x).gradient[0]).all()


@pytest.mark.parametrize("name", RULES)
def test_backward_adds_to_grad_what_the_rule_returns(name):
    jacobian = gradients("full", 3, 4, np.random.default_rng(5))
    returned = call(name, *linear(jacobian, split=[1, 3]))
    losses, parts = linear(jacobian, split=[1, 3])
    parts[0].grad = torch.ones(1, dtype=torch.float64)
    written = call(name, losses, parts, "backward")
    torch.testing.assert_close(written.gradient, returned.gradient)
    torch.testing.assert_close(parts[0].grad, 1 + returned.gradient[0])
    torch.testing.assert_close(parts[1].grad, returned.gradient[1])


def tasks():
    """Return a trunk and three heads with a loss each; the trunk's gradients conflict."""
    torch.manual_seed(0)
    trunk = torch.nn.Linear(4, 5).double()
    heads = [torch.nn.Linear(5, 1).double() for _ in range(3)]
    x, y = torch.randn(8, 4, dtype=torch.float64), torch.randn(3, 8, 1, dtype=torch.float64)

    def losses():
        shared = torch.tanh(trunk(x))
        return [((head(shared) - 10 * y[i]) ** 2).mean() for i, head in enumerate(heads)]

    return trunk, heads, losses


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("name", RULES)
def test_heads_follow_their_own_loss_and_the_trunk_the_rule(name, stacked):
    trunk, heads, losses = tasks()
    expected = call(name, losses(), trunk.parameters())
    own = [
        torch.autograd.grad(loss, list(head.parameters()))
        for loss, head in zip(losses(), heads, strict=True)
    ]
    values = torch.stack(losses()) if stacked else losses()
    call(name, values, trunk.parameters(), "backward", own=[head.parameters() for head in heads])
    torch.testing.assert_close([p.grad for p in trunk.parameters()], expected.gradient)
    for head, gradient in zip(heads, own, strict=True):
        torch.testing.assert_close([p.grad for p in head.parameters()], list(gradient))


@pytest.mark.slow
def test_heads_and_trunk_train_together():
    trunk, heads, losses = tasks()
    everything = [p for module in (trunk, *heads) for p in module.parameters()]
    adam, start = torch.optim.Adam(everything, 0.05), [float(v.detach()) for v in losses()]
    for _ in range(100):
        adam.zero_grad()
        RULES["upgrad"].backward(
            losses(), trunk.parameters(), own=[head.parameters() for head in heads]
        )
        adam.step()
    assert all(float(v.detach()) < 0.7 * s for v, s in zip(losses(), start, strict=True))


def test_nothing_is_written_where_an_own_gradient_is_not_finite():
    trunk, head = leaf(1.0), leaf(0.0)
    losses = [trunk.sum() + head.sqrt().sum(), trunk.sum()]
    with pytest.raises(ValueError, match="own parameter that is not"):
        RULES["mgda"].backward(losses, trunk, own=[head, leaf(1.0)])
    assert trunk.grad is None
    assert head.grad is None


def squares(n=2):
    x = leaf(1.0, 2.0)
    return [(x**2).sum() * (i + 1) for i in range(n)], x


@pytest.mark.parametrize(
    ("losses", "parameters", "message"),
    [
        (lambda x: [x.sum(), x.sum() / 0], lambda x: x, "losses must be finite; got inf"),
        (lambda x: [x.sum(), x.sum() * np.nan], lambda x: x, "losses must be finite; got nan"),
        (lambda x: [x, x.sum()], lambda x: x, "as number 0"),
        (lambda x: [x.sum(), 1.0], lambda x: x, "got 1.0 as number 1"),
        (lambda x: torch.zeros(0), lambda x: x, "at least one loss"),
        (lambda x: torch.zeros(2), lambda x: x, "losses must carry a graph"),
        (lambda x: [x.sum().detach()] * 2, lambda x: x, "losses must carry a graph"),
        (lambda x: x.outer(x), lambda x: x, "losses must be m scalars"),
        (lambda x: x * x, lambda x: [], "parameters must hold a tensor"),
        (lambda x: x * x, lambda x: [x, x], "parameters must be different"),
        (lambda x: x * x, lambda x: [x, torch.zeros(2)], r"parameters\[1\] must be a tensor"),
        (lambda x: x * x, lambda x: np.ones((2, 2)), r"parameters\[0\] must be a tensor"),
    ],
)
@pytest.mark.parametrize("name", RULES)
def test_bad_losses_and_parameters_are_named(name, losses, parameters, message):
    x = leaf(1.0, 2.0)
    with pytest.raises(ValueError, match=message):
        call(name, losses(x), parameters(x))


@pytest.mark.parametrize("name", RULES)
def test_a_gradient_that_is_not_finite_is_named(name):
    x = leaf(0.0, 1.0)
    with pytest.raises(ValueError, match="gradients must be finite"):
        call(name, [x.sqrt().sum(), x.sqrt().sum() * 2], x)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (lambda x, h: [h], "own must hold the parameters of 2 losses; got 1"),
        (lambda x, h: [h, h], "must not share a tensor"),
        (lambda x, h: [h, x], "must not share a tensor"),
        (lambda x, h: [h, torch.zeros(1)], r"own\[1\]\[0\] must be a tensor"),
        (lambda x, h: [h, leaf(1.0) * 2], "must be leaves"),
    ],
)
def test_bad_own_parameters_are_named(own, message):
    losses, x = squares()
    with pytest.raises(ValueError, match=message):
        RULES["mgda"].backward(losses, x, own=own(x, leaf(1.0)))
    assert x.grad is None


def test_the_accumulated_loss_takes_the_dtype_of_the_losses():
    x = leaf(1.0, 2.0, dtype=torch.float32)
    accumulated = AccumulatedLoss()
    for _ in range(2):
        assert accumulated.add(x * x, np.array([0.5, 0.5])).dtype == torch.float32
