"""Chapter 6: a regulator and a leak of equal Op, and heads of networks that learn to copy."""

import numpy as np
import pytest
import torch

from descent.chapters.thermostats_and_lorenz import head_maps, heads, network_thermostat, set_point
from descent.chapters.thermostats_and_lorenz.sweeps import HEADS, SWAPPED

# The set point.


@pytest.mark.parametrize("kind", set_point.KINDS)
@pytest.mark.parametrize("level", [4.0, 10.0, 22.0])
def test_slopes_by_roots_are_those_of_tangents(kind, level):
    by_roots = set_point.slope(kind, level)
    assert set_point.slope_by_tangents(kind, level) == pytest.approx(by_roots, abs=1e-9)


def test_op_cannot_tell_them_apart_where_they_stand():
    found = [set_point.slope_by_tangents(kind, set_point.LEVEL) for kind in set_point.KINDS]
    assert found[0] == pytest.approx(found[1], abs=1e-12)


@pytest.mark.parametrize("asked", [6.0, 18.0])
def test_the_experiment_tells_them_apart(asked):
    """Both go where they are asked; only the valve stays as firm, and 10 is the sham."""
    for kind in set_point.KINDS:
        times, levels = set_point.course(kind, asked, set_point.INFLOW)
        assert levels[0] == set_point.LEVEL
        assert levels[-1] == pytest.approx(asked, abs=0.05)
        still = set_point.course(kind, set_point.LEVEL, set_point.INFLOW)[1]
        np.testing.assert_allclose(still, set_point.LEVEL, atol=1e-9)
        assert (np.diff(times) > 0).all()
    gap = [set_point.slope(kind, asked) - set_point.slope(kind, 10.0) for kind in set_point.KINDS]
    assert gap[0] == 0
    assert abs(gap[1]) > 0.1


def test_where_a_hole_holds_and_how_firmly_are_one():
    """Whatever its size: the derivative of c sqrt(x) at rest is q / 2x."""
    rng = np.random.default_rng(1)
    for size, inflow in rng.uniform(0.5, 3, (20, 2)):
        level = set_point.at_rest("hole", size, inflow)
        h = 1e-5 * level
        measured = size * (np.sqrt(level + h) - np.sqrt(level - h)) / (2 * h)
        assert measured == pytest.approx(set_point.steepness("hole", level, inflow), rel=1e-8)
        end = set_point.bucket("hole", size, inflow).rate([level, inflow], 0.0)
        assert np.allclose(np.array(end, float), 0, atol=1e-12)


def test_a_network_whose_wires_are_swapped_learns_to_turn_round():
    found = set_point.adapted()
    assert len(found.before) == len(SWAPPED.points)
    assert found.before.min() > 10
    assert found.swapped.max() < 0
    assert found.after.min() > 10
    # By the identity of Op, without tangents, for a run that is made anew.
    learned = network_thermostat.trained(0)[160]
    other = learned._replace(p=-learned.p)
    by_identity = network_thermostat.op_by_identity(other, np.zeros(1))
    assert by_identity[0] == pytest.approx(found.swapped[0], rel=1e-6)


# Heads.


@pytest.fixture(scope="module")
def briefly():
    """A network after thirty steps of training, and a question."""
    rng = seeded(3)
    w = {name: value.requires_grad_() for name, value in heads.network(rng).items()}
    adam = torch.optim.Adam(w.values(), lr=heads.STEP)
    for _ in range(30):
        adam.zero_grad()
        heads.loss(w, *heads.sequences(16, rng)).backward()
        adam.step()
    return {name: value.detach() for name, value in w.items()}, heads.question(rng, 6)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("head", heads.EACH)
@pytest.mark.parametrize("name", heads.DISTURBED)
def test_op_of_a_head_is_that_of_patched_runs(briefly, head, name):
    """Three runs for each direction of the embedding, one head replayed from the first."""
    w, asked = briefly
    x, rows, h = heads.embedded(w, asked.tokens), torch.arange(6), 1e-5
    recorded = (*head, heads.forward(w, x).outputs[head[0]][:, head[1]])
    apart = torch.zeros(2, 6, heads.WIDTH, dtype=torch.float64)
    for axis in range(heads.WIDTH):
        moved = torch.zeros_like(x)
        moved[rows, asked.disturbed(name), axis] = h
        for world, held in enumerate((None, recorded)):
            up, down = (
                heads.measured(heads.forward(w, x + s * moved, held), asked) for s in (1, -1)
            )
            apart[world, :, axis] = (up - down) / (2 * h)
    x_size, y_size = apart.norm(dim=2)
    found = heads.op(w, asked, head)[name]
    np.testing.assert_allclose(found, torch.log(y_size / x_size), atol=1e-6)


def test_blocks_repeat_and_the_answer_follows_the_cue():
    tokens, periods = heads.sequences(40, seeded(1))
    for row, period in zip(tokens.tolist(), periods.tolist(), strict=True):
        assert row[period:] == row[:-period]
        assert len(set(row[:period])) == period
    asked, rows = heads.question(seeded(2), 20), torch.arange(20)
    assert (asked.tokens[rows, asked.disturbed("answer")] == asked.right).all()
    assert (asked.tokens[rows, asked.disturbed("cue")] == asked.tokens[rows, asked.place]).all()
    assert (asked.tokens[rows, asked.place + 1] == asked.right).all()
    assert (asked.other != asked.right).all()


def test_a_shuffled_head_keeps_its_sizes_and_an_opposed_one_undoes_half(briefly):
    w, asked = briefly
    made = heads.random_head(w, (1, 0), seeded(0))
    for kind in "QKVO":
        one, other = w[f"{kind}1"][0], made[f"{kind}1"][0]
        assert not torch.equal(one, other)
        assert torch.equal(one.flatten().sort().values, other.flatten().sort().values)
        assert torch.equal(w[f"{kind}1"][1], made[f"{kind}1"][1])
    made, other = heads.opposed(w, (1, 1))
    assert other == (1, 0)
    outputs = heads.forward(made, heads.embedded(w, asked.tokens)).outputs[1]
    torch.testing.assert_close(outputs[:, 0], -outputs[:, 1] / 2)


def test_heads_carry_and_do_not_hold():
    found = head_maps.heads()
    assert len(found.right) == len(HEADS.points) >= 8
    assert found.right[:, 0].max() < 0.2
    assert found.right[:, -1].min() > 0.9
    for name in head_maps.DISTURBED:
        trained, random = found.op[name][:, -1], found.random[name][:, -1]
        assert np.median(trained[:, 2]) < -0.5
        assert np.abs(random).max() < 0.3
        place = head_maps.DISTURBED.index(name)
        assert found.opposed[:, -1, place].min() > 0.3  # the measure does see one that holds
        assert np.median(np.abs(random)) < 0.05
