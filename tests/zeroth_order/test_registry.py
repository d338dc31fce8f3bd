"""The rows of the registry say what is so."""

import re

import pytest
import torch

from descent.zeroth_order import REGISTRY, GradientGravity
from descent.zeroth_order.idea import Line
from descent.zeroth_order.registry import IDEAS

PARTS = {"several-rates": 4, "breeding": 6, "rebirth": 6, "averaged-differences": 10}
PARTS |= {"averaged-differences-adam": 10, "best-of-n": 10, "averaged": 10}
"""Directions, members or rates of an idea by default."""


def allowed(idea, n):
    """Return the evaluations per step that a row's text allows."""
    text = idea.cost.replace("one more a rate", "n more")
    extra = 2 if text.endswith("more") else 0  # RandomGrad's own
    costs = re.fullmatch(r"(?:(\d) or )?(\d?)(n?)(?: \+ (\d))?(?: more)?", text)
    assert costs, text
    lower, factor, many, plus = costs.groups()
    value = int(factor or 1) * (n if many else 1) + int(plus or 0)
    value = 0 if factor == "0" else value
    return {extra + value, *([extra + int(lower)] if lower else [])}


@pytest.mark.parametrize("slug", REGISTRY)
def test_a_step_costs_what_the_row_says(slug):
    idea = REGISTRY[slug]
    x = torch.tensor([1.0, -1.0, 0.5, 1.5], dtype=torch.float64)
    search = idea.optimizer([x], 0)
    spent = []
    for _ in range(30):
        before = search.evaluations
        search.step(lambda: 1 * x if idea.told == "residuals" else (x**2).sum())
        spent.append(search.evaluations - before)
    if idea.cost == "n, rising":
        assert spent[1:] == sorted(spent[1:])  # the first step looks at the start
        assert spent[-1] > spent[0]
        return
    n = len(idea.population(x.numpy(), 0).x) if idea.kind == "population" else PARTS.get(slug, 0)
    assert set(spent[1:]) <= allowed(idea, n)


def test_costs_are_not_just_any():
    assert allowed(REGISTRY["undo"], 0) == {3}
    assert allowed(REGISTRY["reverse"], 0) == {3, 4}
    assert allowed(REGISTRY["accumulated"], 0) == {2}
    assert allowed(REGISTRY["averaged"], 10) == {11}
    assert allowed(REGISTRY["gradient-gravity"], 7) == {14}


def test_ideas_have_slugs_and_names_of_their_own():
    for field in ("slug", "name"):
        assert len({getattr(idea, field) for idea in IDEAS}) == len(IDEAS)


def test_what_a_row_points_to_is_there():
    lines = {idea.slug for idea in IDEAS if isinstance(idea.line, Line)}
    for idea in IDEAS:
        if isinstance(idea.line, str):
            assert idea.line in lines
        elif idea.line is not None and not idea.line.note:
            assert REGISTRY[idea.line.base].trials, "a base is raced"


def test_the_chosen_settings_are_among_the_tried():
    for idea in REGISTRY.values():
        if idea.trials:
            for chosen in (idea.trials.landscape, idea.trials.network):
                assert chosen.keys() == idea.trials.tried.keys()
                assert all(value in idea.trials.tried[name] for name, value in chosen.items())


def test_only_kalman_is_told_residuals():
    told = {slug for slug, idea in REGISTRY.items() if idea.told == "residuals"}
    assert told == {slug for slug in REGISTRY if slug.startswith("ensemble-kalman")}
    assert REGISTRY["gradient-gravity"].method is GradientGravity


def test_the_judge_after_adam_and_the_judge_after_momentum_differ():
    x, y = (torch.ones(3, dtype=torch.float64) for _ in range(2))
    adam = REGISTRY["after-adam-step"].optimizer([x], 0, lr=0.1)
    momentum = REGISTRY["after-momentum-step"].optimizer([y], 0, lr=0.1)
    for search, at in ((adam, x), (momentum, y)):
        search.step(lambda at=at: (at**2).sum())
    # A first step of Adam has the length lr in every coordinate.
    torch.testing.assert_close((x - 1).abs(), torch.full_like(x, 0.1), rtol=1e-5, atol=0)
    assert (y - 1).abs().max() > 1.5 * (y - 1).abs().min()
