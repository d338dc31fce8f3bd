"""Chapter 11: estimates of influence against exact retraining, and their table."""

import numpy as np
import pytest
import torch

from descent.chapters.finding_knowledge import influence_pictures, influence_study, influence_table
from descent.chapters.finding_knowledge.influence_sweeps import INFLUENCE
from descent.networks.retraining import losses, retrain


@pytest.fixture(scope="module")
def question():
    return influence_study.Question(passes=2, seed=50)


def test_a_half_is_a_half_and_no_image_is_asked_about_that_was_learnt(question):
    assert (question.groups.sum(axis=1) == 60).all()
    x, _ = question.images
    assert len(torch.unique(x, dim=0)) == influence_table.ALONE + influence_study.HELD_OUT
    assert 0 <= float(x.min()) <= float(x.max()) <= 1


def test_a_balanced_half_leaves_out_half_of_each_label(question):
    labels = question.images[1][: influence_table.ALONE]
    for label in range(3):
        mine = question.balanced[:, labels == label]
        assert (mine.sum(axis=1) == mine.shape[1] // 2).all()
    assert len(np.unique(question.balanced, axis=0)) == influence_table.GROUPS


def test_positive_is_an_image_that_helps(question):
    weights = torch.ones(2, influence_table.ALONE)
    weights[1, 17] = 0
    with_it, without = losses(
        question.training, retrain(question.training, weights), *question.asked
    )
    np.testing.assert_allclose(question.alone[17], without - with_it, rtol=1e-6, atol=1e-12)
    _, labels = question.images
    alike = labels[: influence_table.ALONE, None] == labels[influence_table.ALONE :]
    assert question.alone[alike].mean() > 0 > question.alone[~alike].mean()


def test_every_method_has_its_sign_and_its_control_has_none_of_its_own(question):
    scores = question.scores
    assert tuple(scores) == influence_table.METHODS
    assert (scores["tally"] >= 0).all()
    np.testing.assert_array_equal(abs(scores["tally, by label"]), scores["tally"])
    np.testing.assert_array_equal(np.sign(scores["another's tally"]), scores["label alone"])
    assert sorted(abs(scores["another's tally"][:, 0])) == pytest.approx(
        sorted(scores["tally"][:, 0])
    )
    r = influence_study.rank_correlations(scores["unrolled"], question.alone)
    assert r.mean() > 0.95
    assert influence_study.rank_correlations(-scores["TracIn"], question.alone).mean() < 0


def test_what_is_removed_is_what_a_method_holds_most_helpful(question):
    rises = question.forgotten()["forgotten"]
    assert np.shape(rises) == (2, len(influence_table.METHODS) + 1)
    weights = torch.ones(influence_study.TARGETS, influence_table.ALONE)
    for target, w in enumerate(weights):
        w[question.scores["unrolled"][:, target].argsort()[-12:]] = 0
    rise = question.rise(retrain(question.training, weights))
    own = np.diagonal(rise[:, : influence_study.TARGETS]).mean()
    assert own == pytest.approx(rises[1][influence_table.METHODS.index("unrolled")], rel=1e-6)
    assert own > 2 * rises[1][-1]


def test_correlations_of_rows():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 3, 20))
    expected = np.corrcoef(first, second)[:3, 3:]
    np.testing.assert_allclose(influence_study.correlations(first, second), expected)


def test_the_exact_ones_stand_at_one_in_the_table():
    for passes in influence_table.PASSES:
        np.testing.assert_allclose(influence_table.scores("rank", "leave-one-out", passes), 1)
        np.testing.assert_allclose(influence_pictures.part_of_exact("leave-one-out", passes), 1)
        np.testing.assert_allclose(influence_pictures.part_of_exact("random", passes), 0)


def test_predictions_are_decided_by_the_table_and_can_fail(monkeypatch):
    assert all(isinstance(p.holds(), bool | np.bool_) for p in influence_table.PREDICTIONS)
    monkeypatch.setattr(influence_table, "_mean", lambda *_: 0.5)
    assert not influence_table.PREDICTIONS[0].holds()
    assert not influence_table.PREDICTIONS[5].holds()


def test_the_sweep_runs_what_the_chapter_tells():
    assert {p["passes"] for p in INFLUENCE.points} == set(influence_table.PASSES)
    assert len(INFLUENCE.points) == 30


def test_a_tally_asked_about_another_image_is_worse_by_what_belongs_to_the_pair():
    for passes in influence_table.PASSES:
        for name, method in (("rank_of_sizes", "tally"), ("balanced", "tally, by label")):
            own = influence_table.scores(name, method, passes)
            assert (own > influence_table.other_asked(name, passes)).all()


def test_nobody_is_asked_about_itself(monkeypatch):
    """If all images that are asked about were one, asking another would change nothing."""
    monkeypatch.setattr(influence_study, "HELD_OUT", 2)
    question = influence_study.Question(passes=2, seed=50)
    own = influence_study.rank_correlations(question.scores["tally"], abs(question.alone))
    swapped = influence_study.rank_correlations(
        question.scores["tally"][:, ::-1], abs(question.alone)
    )
    found = influence_study.run_other_asked(2, 50)["rank_of_sizes"]
    assert found == pytest.approx(swapped.mean(), rel=1e-9)
    assert found != pytest.approx(own.mean(), rel=1e-3)
