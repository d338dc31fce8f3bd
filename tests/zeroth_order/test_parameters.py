"""Parameters as one vector."""

import numpy as np
import pytest
import torch

from descent.zeroth_order import Driven, ParameterVector, ParticleSwarm, RandomGrad


def vector_of(*tensors):
    return ParameterVector([{"params": list(tensors)}])


def test_reals_are_read_and_written_in_their_order():
    weight, bias = torch.nn.Parameter(torch.ones(2, 3)), torch.nn.Parameter(torch.zeros(3))
    vector = vector_of(weight, bias)
    vector.write(torch.arange(9.0))
    assert weight.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert bias.tolist() == [6, 7, 8]
    with torch.no_grad():
        bias.mul_(2)
    assert vector.read().tolist() == [0, 1, 2, 3, 4, 5, 12, 14, 16]


def test_nobodys_storage_is_taken():
    """What shares memory with a parameter still does after it was written."""
    array = np.zeros(4)
    base = torch.from_numpy(array)
    addresses = [base[:1].data_ptr(), base[2:].data_ptr()]
    parts = [base[:1], base[2:]]
    vector_of(*parts).write(torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    assert array.tolist() == [1, 0, 2, 3]
    assert [part.data_ptr() for part in parts] == addresses


def test_two_vectors_over_the_same_parameters_agree():
    weight, bias = torch.ones(2, 3), torch.zeros(3)
    first, second = vector_of(weight, bias), vector_of(bias, weight)
    second.write(torch.arange(9.0))
    assert first.read().tolist() == [3, 4, 5, 6, 7, 8, 0, 1, 2]


def test_the_vector_has_the_type_that_the_parameters_have_now():
    module = torch.nn.Linear(2, 1)
    vector = vector_of(*module.parameters())
    assert vector.read().dtype == torch.float32
    module.double()
    assert vector.read().dtype == torch.float64
    vector.write(torch.arange(3.0, dtype=torch.float64))
    assert module.weight.tolist() == [[0, 1]]
    assert module.weight.dtype == torch.float64


def test_parameters_that_have_changed_their_length_are_named():
    x = torch.zeros(3)
    vector = vector_of(x)
    x.data = torch.zeros(4)
    with pytest.raises(ValueError, match="3 coordinates; got 4"):
        vector.read()


def test_integers_that_single_precision_cannot_hold_are_kept():
    count = torch.tensor([2**40 + 1, -3])
    vector = vector_of(count, torch.zeros(2))
    vector.write(vector.read())
    assert count.tolist() == [2**40 + 1, -3]
    count[1] = 2**24 + 1
    vector.write(vector.read())
    assert count.tolist() == [2**40 + 1, 2**24 + 1]
    for large in (2**53 + 1, 2**63 - 1):
        with pytest.raises(ValueError, match=r"2\*\*53"):
            vector_of(torch.tensor([large]))


@pytest.mark.parametrize("frozen", [0, 1])
def test_what_requires_no_gradient_is_frozen_beside_what_does(frozen):
    tensors = [torch.ones(2), torch.ones(3)]
    count = torch.tensor([5])
    tensors[1 - frozen].requires_grad_()
    vector = vector_of(*tensors, count)
    length = len(tensors[1 - frozen]) + 1
    vector.write(torch.full((length,), 7.0))
    assert tensors[frozen].tolist() == [1.0] * len(tensors[frozen])
    assert count.item() == 7
    # Where none requires one, none is frozen.
    assert len(vector_of(torch.ones(2), torch.ones(3)).read()) == 5


def test_what_a_read_returns_is_a_copy():
    x = torch.ones(2)
    read = vector_of(x).read()
    x += 1
    assert read.tolist() == [1, 1]


@pytest.mark.parametrize("transpose", [False, True])
def test_parameters_that_were_given_new_data_keep_them(transpose):
    weight = torch.nn.Parameter(torch.zeros(2, 2))
    vector = vector_of(weight)
    new = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    weight.data = new.T if transpose else new
    assert vector.read().tolist() == weight.detach().flatten().tolist()
    vector.write(torch.full((4,), 7.0))
    assert weight.tolist() == [[7, 7], [7, 7]]


def test_a_tensor_that_is_not_contiguous_is_read_in_its_own_order():
    weight = torch.arange(6.0).view(2, 3).T
    assert vector_of(weight).read().tolist() == [0, 3, 1, 4, 2, 5]


def test_integers_are_rounded_and_clipped_booleans_are_thresholded():
    count = torch.zeros(4, dtype=torch.uint8)
    flag = torch.zeros(3, dtype=torch.bool)
    x = torch.zeros(1)
    vector = vector_of(count, x, flag)
    vector.write(torch.tensor([0.4, 2.6, -5.0, 900.0, 0.25, -3.0, 0.4, 0.6]))
    assert count.tolist() == [0, 3, 0, 255]
    assert flag.tolist() == [False, False, True]
    assert x.item() == 0.25
    # The latent reals are not lost in rounding ...
    assert vector.read()[0].item() == pytest.approx(0.4)
    # ... unless the integer was changed from outside.
    count[1] = 8
    assert vector.read()[:2].tolist() == pytest.approx([0.4, 8.0])


def test_integers_take_no_gradient_and_need_none():
    with pytest.raises(RuntimeError, match="floating"):
        torch.tensor([1, 2]).requires_grad_()
    count = torch.tensor([20, -20])
    # A distance of about one integer, so that rounding lets the loss be felt.
    search = RandomGrad([count], lr=0.5, h=1.0, generator=torch.Generator().manual_seed(0))
    for _ in range(400):
        search.step(lambda: ((count - 3) ** 2).sum())
    search.restore_best()
    assert count.tolist() == [3, 3]


def test_mixed_parameters_are_solved_by_a_swarm():
    x, count, flag = torch.zeros(1), torch.tensor([7]), torch.tensor([False])
    search = Driven(
        [x, count, flag],
        lambda start: ParticleSwarm(start, spread=3.0, generator=np.random.default_rng(0)),
    )
    for _ in range(60):
        search.step(lambda: (x - 0.5) ** 2 + (count - 3) ** 2 + ~flag)
    assert (count.item(), flag.item()) == (3, True)
    assert x.item() == pytest.approx(0.5, abs=1e-2)


def test_what_cannot_be_one_vector_is_named():
    with pytest.raises(TypeError, match="complex"):
        vector_of(torch.zeros(1, dtype=torch.complex64))
    with pytest.raises(TypeError, match="dtype"):
        vector_of(torch.zeros(1), torch.zeros(1, dtype=torch.float64))
    with pytest.raises(ValueError, match="coordinate"):
        vector_of(torch.zeros(0))
    with pytest.raises(ValueError, match="device"):
        vector_of(torch.zeros(1), torch.zeros(1, device="meta"))


def test_parameters_are_given_at_the_start():
    search = RandomGrad([torch.zeros(1)], generator=torch.Generator())
    with pytest.raises(ValueError, match="start"):
        search.add_param_group({"params": [torch.zeros(1)]})


def test_hooks_of_torch_are_called():
    search = RandomGrad([torch.zeros(1)], generator=torch.Generator())
    seen = []
    search.register_step_pre_hook(lambda *_: seen.append("before"))
    search.register_step_post_hook(lambda *_: seen.append("after"))
    search.step(lambda: seen.append("loss") or 1.0)
    assert seen == ["before", "loss", "loss", "after"]
