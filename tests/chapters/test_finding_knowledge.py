"""Chapter 11: what its figures and verdicts rest on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from descent.chapters.finding_knowledge import numbers, update_profiles
from descent.networks.perceptrons import he_initialization, train


def test_effective_share_of_equal_amounts_and_of_one_place():
    assert numbers.effective_share(np.full(7, 3.0)) == pytest.approx(1)
    assert numbers.effective_share(np.eye(7)[2]) == pytest.approx(1 / 7)
    half = np.r_[np.ones(50), np.zeros(50)]
    assert numbers.effective_share(half) == pytest.approx(0.5)


@given(st.lists(st.floats(0.01, 10), min_size=2, max_size=20), st.floats(0.01, 100))
def test_effective_share_has_no_unit_and_no_order(amounts, factor):
    share = numbers.effective_share(amounts)
    assert 1 / len(amounts) - 1e-12 <= share <= 1 + 1e-12
    assert numbers.effective_share(np.array(amounts[::-1]) * factor) == pytest.approx(share)


@pytest.mark.parametrize("amounts", [[-1.0, 2.0], [0.0, 0.0]])
def test_effective_share_refuses_what_is_no_amount(amounts):
    with pytest.raises(ValueError, match="must not be negative, and not all zero"):
        numbers.effective_share(amounts)


@pytest.mark.parametrize("change", numbers.CHANGES)
def test_a_change_leaves_the_other_digit_alone(change):
    data = numbers.task()
    images = numbers.changed(data.inputs, data.dog, change)
    if change in ("third eye", "mirror", "order"):
        np.testing.assert_array_equal(images[~data.dog], data.inputs[~data.dog])
    assert (images[data.dog] != data.inputs[data.dog]).any() == (change != "order")


def test_changes_of_equal_size_have_it_image_by_image():
    data = numbers.task()
    norms = {
        change: np.linalg.norm(numbers.changed(data.inputs, data.dog, change) - data.inputs, axis=1)
        for change in ("third eye", "pattern", "noise")
    }
    np.testing.assert_allclose(norms["pattern"], norms["third eye"], atol=1e-12)
    np.testing.assert_allclose(norms["noise"], norms["third eye"], atol=1e-12)
    assert norms["third eye"][data.dog].min() > 1
    assert (norms["third eye"][~data.dog] == 0).all()


def test_the_pattern_is_one_and_the_noise_is_many():
    data = numbers.task()
    rank = {
        change: np.linalg.matrix_rank(
            (numbers.changed(data.inputs, data.dog, change) - data.inputs)[data.dog]
        )
        for change in ("pattern", "noise")
    }
    assert rank == {"pattern": 1, "noise": 64}


def test_an_unknown_change_is_named():
    data = numbers.task()
    with pytest.raises(ValueError, match=r"change must be one of .*got 'blue'"):
        numbers.changed(data.inputs, data.dog, "blue")


def test_the_same_world_gives_the_same_parameters():
    data = numbers.task()
    steps = np.arange(numbers.N_TRAINING)
    again = train(numbers.untrained(), data.inputs[steps], data.targets[steps], numbers.STEP_SIZE)
    np.testing.assert_array_equal(again.hidden_weights, numbers.trained(None, 1).hidden_weights)
    assert (numbers.difference("order", 1) != 0).any()


def test_untrained_networks_differ_by_their_start_alone():
    for other in numbers.OTHER_DATA:
        parameters, outputs = numbers.origins(0, other)
        assert not parameters.by_data.any()
        assert not outputs.by_data.any()
        assert parameters.share_of_start == outputs.share_of_start == 1
    # squared distance of two draws of N(0, 2/64) in 20 · 64 places: 2 · 2/64 each
    expected = 20 * 64 * 2 * 2 / 64
    assert parameters.by_start.mean() == pytest.approx(expected, rel=0.05)


def test_networks_go_on_from_the_stage_before():
    data = numbers.task()
    half = np.split(np.random.default_rng(3).permutation(numbers.N_TRAINING), 2)[0]
    steps = np.tile(half, 2)
    whole = train(numbers.untrained(), data.inputs[steps], data.targets[steps], numbers.STEP_SIZE)
    staged = numbers._trained_on("one half", 2, 3)
    np.testing.assert_allclose(staged.hidden_weights, whole.hidden_weights, atol=1e-12)


def test_more_different_data_take_more_of_the_distance():
    shares = [numbers.origins(2, other)[0].share_of_start for other in numbers.OTHER_DATA]
    assert shares[0] > max(shares[1:])
    assert min(shares) > 0.5


def test_leaving_out_follows_the_definition():
    run = update_profiles.leave_one_out(seeds=2)
    data = numbers.task()
    networks = he_initialization(
        2, (64, 20, 2), np.random.default_rng(1), output_activation="linear"
    )
    ends = []
    for kept in (np.arange(update_profiles.FEW), np.delete(np.arange(update_profiles.FEW), 3)):
        steps = np.tile(kept, update_profiles.FEW_EPOCHS)
        ends.append(
            train(networks, data.inputs[steps], data.targets[steps], update_profiles.FEW_STEP_SIZE)
        )
    expected = abs(ends[0].hidden_weights - ends[1].hidden_weights).reshape(2, -1)
    np.testing.assert_allclose(run.differences[:, 3], expected, rtol=1e-7, atol=1e-13)


def test_cross_correlations_are_correlations():
    run = update_profiles.leave_one_out(seeds=2)
    r = update_profiles.cross_correlations(run)
    assert r[1, 2, 5] == pytest.approx(
        np.corrcoef(run.updates[1, 2], run.differences[1, 5])[0, 1], rel=1e-9
    )


def test_agreement_of_unrelated_arrays_is_that_of_chance():
    rng = np.random.default_rng(0)
    shape = (4, update_profiles.FEW, 500)
    run = update_profiles.LeaveOneOut(rng.random(shape), rng.random(shape), numbers.task().dog[:60])
    found = update_profiles.agreement(run)
    assert abs(found.own.mean()) < 0.01
    assert found.rank.mean() == pytest.approx(0.5, abs=0.06)
    same = update_profiles.LeaveOneOut(run.updates, run.updates, run.dog)
    assert update_profiles.agreement(same).rank.mean() == 1


def test_largest_takes_the_fraction_that_is_asked_for():
    values = np.arange(24.0).reshape(2, 3, 4)
    chosen = update_profiles.largest(values, 0.25)
    assert chosen.sum(axis=(1, 2)).tolist() == [3, 3]
    assert chosen[0].ravel()[-3:].all()


def test_of_equal_values_the_first_count_as_largest_on_every_processor():
    """All neurons of a pixel have the same mean share: numpy's plain sort orders them by chance."""
    values = np.repeat(np.arange(40.0), 64).reshape(1, 40, 64)
    chosen = update_profiles.largest(values, 0.12)[0].ravel()
    assert chosen[64 * 36 :].all()
    assert np.flatnonzero(chosen[: 64 * 36]).tolist() == list(range(64 * 35, 64 * 35 + 51))


def test_resetting_nothing_costs_nothing_and_all_costs_everything():
    own, others = update_profiles.forgetting("updating", 0.0, epochs=1)
    assert not own.any()
    assert not others.any()
    whole = update_profiles.recall(update_profiles.history(40, 1).after).mean()
    own, others = update_profiles.forgetting("updating", 1.0, epochs=1)
    assert own.mean() > whole - 0.25  # what is left is a guess
    np.testing.assert_allclose(own, others, atol=1e-12)


def test_profiles_of_a_permuted_network_find_every_neuron():
    run = update_profiles.history(20, 1)
    order = np.random.default_rng(0).permutation(20)
    first = run.profiles[:, 0]
    _, found = linear_sum_assignment(-update_profiles.likeness(first, first[:, order]))
    np.testing.assert_array_equal(order[found], np.arange(20))


def test_matching_beats_its_null_for_relu():
    found = update_profiles.matching(3, "ReLU")
    for pairing in update_profiles.PAIRINGS:
        assert (found.best >= found.alike[pairing] - 1e-12).all()
    assert (found.score("update profiles") > 0.3).all()
    assert abs(found.score("shuffled profiles").mean()) < 0.1
    # The rival that sees no updates.
    assert found.score("answers in training").mean() > found.score("update profiles").mean()


def test_preferred_digit_is_the_one_with_the_largest_mean():
    labels = np.tile(np.arange(10), 3)
    answers = np.stack([1.0 * (labels == 4), 0.1 * (labels == 7) - 1.0 * (labels == 4)], axis=1)
    np.testing.assert_array_equal(update_profiles.preferred_digit(answers, labels), [4, 7])


def test_rules_of_pixels_know_no_neuron():
    """One takes whole pixels, the other as many weights a pixel as the published rule."""
    run = update_profiles.history(40, 1)
    share = run.weight_updates[3] / run.weight_updates.sum(axis=0)
    chosen = update_profiles.largest(
        np.broadcast_to(share.mean(axis=1, keepdims=True), share.shape), 0.25
    )
    assert (chosen.sum(axis=1)[0] % share.shape[1] == 0).all()  # 16 of 64 pixels
    exchanged = share[:, np.random.default_rng(0).permutation(share.shape[1])]
    same, other = (update_profiles.largest(v, 0.1) for v in (share, exchanged))
    np.testing.assert_array_equal(same.sum(axis=1), other.sum(axis=1))
    assert (same != other).any()


def test_updates_by_digit_add_up():
    run = update_profiles.history(20, 3)
    assert (run.weight_updates >= 0).all()
    moved = abs(run.after.hidden_weights - run.before.hidden_weights)
    assert (run.weight_updates.sum(axis=0) >= moved - 1e-9).all()
