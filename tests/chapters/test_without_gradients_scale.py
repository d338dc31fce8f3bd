"""What the section on a million parameters rests on."""

import math
from collections import Counter

import pytest
import torch
from scipy.stats import t as student

from descent import claims
from descent.chapters.without_gradients import scale, scale_pictures, scale_rank
from descent.chapters.without_gradients import scale_sweeps as sweeps
from descent.networks.character_transformer import batch_of
from descent.sweeps import load

MATRIX = torch.diag(torch.tensor([8.0, 4.0, 1.0, 0.5, 0.0, 0.0], dtype=torch.float64))


class Bowl(torch.nn.Module):
    """A quadratic in two tensors, whose batch turns it."""

    def __init__(self):
        super().__init__()
        self.a = torch.nn.Parameter(torch.tensor([[1.0, -1.0], [2.0, 0.5]], dtype=torch.float64))
        self.b = torch.nn.Parameter(torch.tensor([3.0, 1.0], dtype=torch.float64))

    def loss(self, batch):
        x = batch @ torch.cat([self.a.flatten(), self.b])
        return 0.5 * x @ MATRIX @ x


@pytest.fixture
def slopes():
    turn = torch.linalg.qr(
        torch.randn(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    )[0]
    return scale_rank.Slopes(Bowl(), turn)


def source():
    return torch.Generator().manual_seed(1)


def test_trace_and_largest_curvature_of_a_quadratic(slopes):
    found, error = scale_rank.trace(slopes, 400, source())
    assert abs(found - 13.5) < 4 * error < 2
    assert scale_rank.steepest(slopes, 60, source()) == pytest.approx(8, rel=1e-9)


def test_a_step_along_a_random_direction_changes_the_loss_as_the_formula_says(slopes):
    square = scale_rank.dot(slopes.gradient, slopes.gradient)
    along = scale_rank.dot(slopes.gradient, slopes.times_hessian(slopes.gradient)) / square
    lr, rng, changes = 0.03, source(), []
    for _ in range(8000):
        z = slopes.normal(rng)
        changes.append(slopes.change(z, -lr * scale_rank.dot(slopes.gradient, z)))
    values = torch.tensor(changes)
    expected = -lr * square + lr**2 / 2 * square * (13.5 + 2 * along)
    error = float(values.std() / math.sqrt(len(values)))
    assert abs(float(values.mean()) - expected) < 4 * error
    assert error < 0.05 * abs(expected)


def test_of_what_is_curved_alike_the_rank_is_the_dimension(slopes):
    d = 6
    square, curvature = 2.0, 3.0  # tr H = d c and q = c
    best = square / (2 * (d * curvature + 2 * curvature))
    along = square / (2 * curvature)
    assert along / best == pytest.approx(d + 2)


def test_a_change_leaves_the_parameters_where_they_were(slopes):
    before = [p.detach().clone() for p in slopes.params]
    slopes.change(slopes.gradient, 0.3)
    assert all(torch.equal(p, q) for p, q in zip(slopes.params, before, strict=True))


def test_what_is_held_is_counted():
    x = torch.zeros(1000)
    with scale.Held([x]) as held:
        kept = x + 1
        for _ in range(5):
            x * 2  # let go at once
        view = kept[:10]
    assert held.most == 2 * kept.nbytes
    assert view.shape == (10,)


def test_memory_is_in_order():
    taken = {m: scale.copies(m, 64) for m in ("evaluation", *scale.METHODS)}
    assert taken["MeZO"] < taken["forward gradient"]
    assert taken["MeZO"] < taken["evaluation"] + 0.4
    # A pass back holds a gradient more than activations, Adam two moments more.
    assert taken["gradient"] > taken["evaluation"] + 1
    assert taken["Adam"] == pytest.approx(taken["gradient"] + 2, abs=0.3)


def test_the_texts_are_those_of_the_tables():
    for name in ("10-scale", "10-scale-tuning", "10-scale-first-steps"):
        assert set(load(name)["texts"]) == {scale.fingerprint()}
    train, held = scale.halves("code")
    assert len(held) == pytest.approx(scale.HELD_OUT * len(train) / (1 - scale.HELD_OUT), abs=1)


def test_the_chosen_step_sizes_ended_lowest_for_the_tuning_seed():
    frame = load("10-scale-tuning")
    frame = frame[frame["width"] == sweeps.WIDTH]
    assert set(frame["seed"]) == {sweeps.TUNING_SEED}
    assert set(frame["evaluations"]) == {sweeps.EVALUATIONS}, "as long as the runs"
    assert sweeps.TUNING_SEED not in sweeps.SEEDS
    for row, (method, pretraining) in sweeps.STARTS.items():
        if row == sweeps.AS_MEZO:
            assert sweeps.CHOSEN[row] == sweeps.CHOSEN["MeZO"]
            continue
        tried = frame[(frame["method"] == method) & (frame["pretraining"] == pretraining)]
        assert sorted(tried["lr"]) == sorted(sweeps.TRIED[method])
        best = tried.loc[tried["held"].str[-1].idxmin(), "lr"]
        assert best == sweeps.CHOSEN[row]


def test_frequencies_know_the_characters_and_not_their_order():
    counted = Counter(scale.CHARACTERS) + Counter(
        scale.read("code")[: len(scale.halves("code")[0])]
    )
    total = sum(counted.values())
    held = scale.read("code")[len(scale.halves("code")[0]) :]
    all_of_it = -sum(math.log(counted[c] / total) for c in held) / len(held)
    assert scale.frequencies("code") == pytest.approx(all_of_it, abs=0.15)  # 32 stretches of it
    assert scale.frequencies("code") < scale.frequencies("prose") < math.log(96)


def test_the_first_steps_are_those_of_descent():
    lr, small = 0.1, {**sweeps.SMALL, "pretraining": 3}
    found = scale.first_steps(**small, lr=lr, steps=2)["held"]
    network = scale.started(small["width"], small["pretraining"], small["seed"])
    draws = torch.Generator().manual_seed(10 * small["seed"] + 4)
    judged = batch_of(scale.halves("code")[1], 32, scale.CONTEXT, torch.Generator().manual_seed(3))
    for n in range(3):
        assert float(network.loss(judged).detach()) == pytest.approx(found[n], abs=1e-4)
        batch = batch_of(scale.halves("code")[0], scale.BATCH, scale.CONTEXT, draws)
        slopes = torch.autograd.grad(network.loss(batch), list(network.parameters()))
        with torch.no_grad():
            for p, slope in zip(network.parameters(), slopes, strict=True):
                p -= lr * slope
    assert found[2] < found[0]


def test_directions_know_of_the_gradient_what_the_law_says():
    frame = load("10-scale-rank")
    law = (2 / (math.pi * frame["d"])) ** 0.5
    # The mean of so many cosines has a relative error of 0.76 over their root.
    within = 4 * 0.76 / math.sqrt(scale_rank.DIRECTIONS)
    assert ((frame["cosine"] / law - 1).abs() < within).all()


def test_a_step_of_the_forward_gradient_takes_longer_than_one_with_a_pass_back():
    runs = scale_pictures.Runs()
    assert runs.milliseconds("forward gradient") > runs.milliseconds("gradient")
    assert runs.milliseconds("MeZO") == pytest.approx(2 * runs.of("MeZO")["milliseconds"].mean())


def test_what_the_claims_say_beside_their_values_is_what_the_tables_hold():
    """Numbers that are typed in a control or a reason, computed."""
    runs, said = scale_pictures.Runs(), {claim.id: claim for claim in claims.load()}
    by_ratio = runs.cosines_by_ratio
    found = runs.rank(sweeps.WIDTH, True).iloc[0]
    assert by_ratio.max() >= math.sqrt(found["d"] / found["measured"]) >= by_ratio.min() > 1
    mean = math.exp(sum(map(math.log, by_ratio)) / len(by_ratio))
    numbers = (f"{by_ratio.min():.0f} to {by_ratio.max():.0f} times", f"{mean:.0f} times")
    assert all(n in said["directions-know-what-the-law-says"].control for n in numbers)
    value, error = runs.untrained_over_trained
    half = float(student.ppf(0.975, 5)) * error
    ends = " to ".join(f"{math.exp(value + side * half):.2f}" for side in (-1, 1))
    assert ends in said["untrained-networks-pay-as-little"].why
    held = {row: f"{runs.of(row)['copies'].iloc[0]:.1f}" for row in sweeps.STARTS}
    for row in ("Adam", "gradient", "forward gradient"):
        assert held[row] in said["mezo-keeps-no-copy"].control
    for loss in (scale.frequencies(), runs.end(sweeps.UNTRAINED)):
        assert f"{loss:.2f}" in said["mezo-after-two-thousand"].control


def test_a_failed_forecast_is_named_though_a_later_one_has_its_name(monkeypatch):
    runs, name = scale_pictures.Runs(), "how far the gradient is ahead"
    assert name in runs.forecasts()
    assert name in runs.later_forecasts()
    assert len(runs.failed()) == 12 - sum(
        sum(part.values()) for part in (runs.forecasts(), runs.later_forecasts())
    )
    monkeypatch.setattr(runs, "forecasts", lambda: {name: False})
    monkeypatch.setattr(runs, "later_forecasts", lambda: {name: True})
    assert runs.failed() == [name]


def test_the_least_sure_ratio_is_the_least_and_the_sign_of_rank_one_is_not_sure():
    """The page says both: an error as large as the ratio, and an interval that holds zero."""
    runs = scale_pictures.Runs()
    ratios = runs.ranks["gradient_fall"] / runs.ranks["fall"]
    assert runs.errors_of_ratios.argmax() == ratios.to_numpy().argmin()
    low_rank = runs.differences("low rank", "MeZO")
    assert 0 < low_rank.mean() < 4.3 * low_rank.std(ddof=1) / math.sqrt(3)
