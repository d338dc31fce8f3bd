"""A transformer of characters: its size, what it learns, and where it is."""

import math

import pytest
import torch

from descent.networks.character_transformer import (
    CHARACTERS,
    CharacterTransformer,
    batch_of,
    encoded,
)


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def small(**options):
    kwargs = dict(width=16, layers=2, heads=2, context=16, generator=source())
    return CharacterTransformer(**kwargs | options)


def test_characters_are_told_apart():
    assert len(set(CHARACTERS)) == 96
    assert encoded(CHARACTERS).tolist() == list(range(96))


@pytest.mark.parametrize("width", [16, 144])
def test_the_number_of_its_parameters(width):
    network = small(width=width, layers=4, context=64)
    layers = 4 * (12 * width**2 + 9 * width)  # five vectors of biases' widths, four of norms'
    assert sum(p.numel() for p in network.parameters()) == layers + (96 + 64 + 2) * width


def test_before_training_every_character_is_as_likely():
    batch = batch_of(encoded("the quick brown fox jumps over it " * 9), 8, 16, source())
    assert small().loss(batch).item() == pytest.approx(math.log(96), abs=0.1)


def test_it_learns_a_text_that_repeats_itself_and_not_one_that_is_drawn():
    drawn = torch.randint(96, (20_000,), generator=source(3))
    losses = []
    for text in (encoded("abcdefgh" * 50), drawn):
        network, rng = small(), source(1)
        adam = torch.optim.Adam(network.parameters(), lr=1e-2)
        for _ in range(60):
            adam.zero_grad()
            loss = network.loss(batch_of(text, 8, 16, rng))
            loss.backward()
            adam.step()
        losses.append(loss.item())
    assert losses[0] < 0.5  # less than what the next of eight letters at random takes, 2.1
    assert losses[1] > math.log(96) - 0.3


@pytest.mark.parametrize("strange", [-100, -1, 96])
def test_numbers_that_stand_for_no_character_are_refused(strange):
    """Torch would leave a target of -100 out of the mean without a word."""
    batch = encoded("some text")[None].clone()
    batch[0, -1] = strange
    for act in (small().loss, small()):
        with pytest.raises(ValueError, match=f"must hold numbers from 0 to 95; got {strange}"):
            act(batch)


def test_weights_come_from_the_generator_alone():
    torch.manual_seed(1)
    first = small().state_dict()
    torch.manual_seed(2)
    again = small().state_dict()
    other = small(generator=source(5)).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["places"], other["places"])


def test_device_and_type_are_taken():
    network = small(dtype=torch.float64)
    assert {p.dtype for p in network.parameters()} == {torch.float64}
    assert {p.device.type for p in small(device="meta").parameters()} == {"meta"}
