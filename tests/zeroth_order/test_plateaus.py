"""Every search on a plateau and on stairs, where most differences of the loss are zero."""

import copy

import pytest
import torch

from descent.zeroth_order import REGISTRY

START = torch.tensor([1.0, -1.0, 0.5, 1.5], dtype=torch.float64)
CONSTANT = 3.0
ALL = pytest.mark.parametrize("name", REGISTRY)


class Search:
    """One search, told a loss without slope almost everywhere."""

    def __init__(self, name, rise, seed=0):
        self.x = torch.nn.Parameter(START.clone())
        self.search = REGISTRY[name].optimizer([self.x], seed)
        self.residuals = getattr(getattr(self.search, "population", None), "residuals", False)
        self.rise = rise

    def loss(self):
        return CONSTANT + self.rise * self.x.square().sum().floor()

    def closure(self):
        if self.residuals:  # their squares sum to twice the loss
            return (2 * self.loss()).sqrt().expand(1)
        loss = self.loss()
        return loss + 0 * self.x.sum() if torch.is_grad_enabled() else loss

    def steps(self, n):
        for _ in range(n):
            self.search.step(self.closure)
        return self


@ALL
def test_a_plateau_stops_nobody_and_the_best_stays_the_start(name):
    run = Search(name, rise=0).steps(20)
    assert torch.isfinite(run.x).all()
    assert run.search.best_loss == pytest.approx(CONSTANT, rel=1e-15)


@ALL
def test_stairs_are_never_ended_above_the_start(name):
    run = Search(name, rise=1)
    start = run.loss().item()
    run.steps(60).search.restore_best()
    assert torch.isfinite(run.x).all()
    assert run.loss().item() <= start


@ALL
@pytest.mark.parametrize("rise", [0, 1])
def test_a_copy_goes_on_alike_where_all_values_tie(name, rise):
    run = Search(name, rise).steps(7)
    other = copy.deepcopy(run)
    assert torch.equal(run.steps(7).x, other.steps(7).x)
