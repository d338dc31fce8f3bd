"""What every idea keeps to, whatever it does."""

import copy
import io
import math
import pickle

import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from descent.zeroth_order import REGISTRY, NonFiniteLoss, RandomGrad

CURVATURE = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)
START = torch.tensor([1.0, -1.0, 0.5, 1.5], dtype=torch.float64)
WITH_RATE = [name for name, idea in REGISTRY.items() if idea.kind != "population"]
WITH_RATE = [name for name in WITH_RATE if name not in ("breeding", "rebirth")]
INNER = (
    *("accumulated", "after-momentum-step", "after-adam-step", "random-grad-adam"),
    *("averaged-differences-adam", "spsa-adam", "breeding", "rebirth"),
)
POPULATIONS = [name for name, idea in REGISTRY.items() if idea.kind == "population"]
ALL = pytest.mark.parametrize("name", REGISTRY)
RATED = pytest.mark.parametrize("name", WITH_RATE)


def takes_residuals(search):
    return getattr(getattr(search, "population", None), "residuals", False)


def sum_of_squares(search, *tensors):
    """Return a closure of the sum of squares of some tensors, as the search wants it."""

    def closure():
        residuals = torch.cat([tensor.flatten() for tensor in tensors])
        return residuals if takes_residuals(search) else 0.5 * residuals.square().sum()

    return closure


class Run:
    """One search on a quadratic, which counts for itself."""

    def __init__(self, name, seed=0, start=START, shift=0.0, spoil=None, **options):
        self.x = torch.nn.Parameter(start.clone())
        self.search = REGISTRY[name].optimizer([self.x], seed, **options)
        self.residuals = takes_residuals(self.search)
        self.shift, self.spoil = shift, spoil
        self.losses = []

    def value(self):
        return 0.5 * (CURVATURE * self.x**2).sum() + self.shift

    def closure(self):
        value = self.value()
        if len(self.losses) == self.spoil:
            value = value * math.nan
        self.losses.append(value.item())
        return CURVATURE.sqrt() * self.x * (value / value) if self.residuals else value

    def steps(self, n):
        """Make n steps; return the parameters after each."""
        path = []
        for _ in range(n):
            self.search.step(self.closure)
            path.append(self.x.detach().clone())
        return torch.stack(path)


@ALL
def test_a_quadratic_is_solved(name):
    run = Run(name)
    # Gradients that are never set to zero only pass the minimum.
    share = 0.2 if name == "accumulated" else 0.02
    goal = share * run.value().item()
    while run.search.best_loss > goal and len(run.losses) < 4000:
        run.steps(1)
    assert run.search.best_loss <= goal


@ALL
def test_evaluations_and_the_best_point_are_kept(name):
    run = Run(name)
    run.steps(15)
    assert run.search.evaluations == len(run.losses)
    assert run.search.best_loss == pytest.approx(min(run.losses), rel=1e-12)
    run.search.restore_best()
    assert run.value().item() == pytest.approx(min(run.losses), rel=1e-12)


def test_of_points_with_equal_losses_the_first_is_the_best():
    w = torch.tensor([1.0, 2.0])
    search = RandomGrad([w], generator=torch.Generator().manual_seed(0))
    search.evaluate(lambda: torch.tensor(3.0))
    w += 1
    search.evaluate(lambda: torch.tensor(3.0))
    search.restore_best()
    assert w.tolist() == [1.0, 2.0]


@ALL
def test_a_generator_determines_the_run(name):
    first, same, other = (Run(name, seed).steps(10) for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


@pytest.mark.slow
@ALL
def test_a_saved_state_continues_the_run(name):
    run = Run(name)
    run.steps(13)
    file = io.BytesIO()
    torch.save(run.search.state_dict(), file)
    held = run.search.state_dict()
    resumed = [Run(name, seed=9, start=run.x.detach()) for _ in range(2)]
    # With a period of ten, an optimizer dies before and after the state is saved.
    continued = run.steps(13)
    file.seek(0)
    resumed[0].search.load_state_dict(torch.load(file))
    resumed[1].search.load_state_dict(held)
    for other in resumed:
        assert torch.equal(other.steps(13), continued)
        assert other.search.evaluations == run.search.evaluations
        assert other.search.best_loss == run.search.best_loss
        assert torch.equal(other.search.best, run.search.best)


def pickled(value):
    return pickle.loads(pickle.dumps(value))


@ALL
@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_a_copy_continues_the_run(name, copied):
    run = Run(name)
    run.steps(13)
    twin = copied(run)
    assert twin.search.param_groups[0]["params"][0] is twin.x
    before = run.x.detach().clone()
    continued = twin.steps(13)
    assert torch.equal(run.x.detach(), before)
    assert torch.equal(run.steps(13), continued)
    assert twin.losses == run.losses
    assert twin.search.evaluations == run.search.evaluations
    assert torch.equal(twin.search.best, run.search.best)


@ALL
def test_a_copy_alone_has_parameters_and_groups_of_its_own(name):
    run = Run(name)
    LambdaLR(run.search, lambda epoch: 1.0) if name in WITH_RATE else None
    twin = copy.deepcopy(run.search)
    (x,) = twin.param_groups[0]["params"]
    for _ in range(4):
        twin.step(sum_of_squares(twin, x))
    assert torch.equal(run.x.detach(), START)
    assert not torch.equal(x.detach(), START)
    assert run.search.evaluations == 0
    inner = getattr(twin, "optimizer", None)
    assert inner is None or inner.param_groups[0] is twin.param_groups[0]


def frozen_state(search):
    """Return a state as bytes, to be compared."""
    file = io.BytesIO()
    torch.save(search.state_dict(), file)
    return file.getvalue()


@ALL
def test_a_foreign_state_is_refused_before_anything_changes(name):
    run = Run(name)
    run.steps(3)
    before, x = frozen_state(run.search), run.x.detach().clone()
    adam = torch.optim.Adam([torch.zeros(4)]).state_dict()
    longer = Run(name, start=torch.ones(5, dtype=torch.float64)).search.state_dict()
    foreign = [Run(other).search.state_dict() for other in REGISTRY]
    refused = 0
    for state in (adam, longer, {}, *foreign):
        own = state.get("search", {}).get("kind") == run.search.kind
        if own and state is not longer:
            continue
        refused += 1
        with pytest.raises(ValueError, match="state_dict must"):
            run.search.load_state_dict(state)
    assert refused > 20
    assert frozen_state(run.search) == before
    assert torch.equal(run.x.detach(), x)


@RATED
@pytest.mark.parametrize("by_hook", [False, True])
def test_a_rate_edited_in_a_saved_state_counts(name, by_hook):
    run = Run(name)
    state = run.search.state_dict()

    def edit(_, state):
        state["param_groups"] = [{**group, "lr": 1e-12} for group in state["param_groups"]]
        return state

    if by_hook:
        run.search.register_load_state_dict_pre_hook(edit)
    else:
        state = edit(None, state)
    run.search.load_state_dict(state)
    assert (run.steps(2) - START).abs().max() < 1e-10


@ALL
def test_hooks_see_the_whole_state(name):
    run = Run(name)
    seen = []
    run.search.register_state_dict_pre_hook(lambda search: seen.append(search is run.search))
    run.search.register_state_dict_post_hook(
        lambda _, state: {**state, "saved by": "hook"} if "search" in state else None
    )
    run.search.register_load_state_dict_pre_hook(
        lambda _, state: seen.append({"search", "saved by", "param_groups"} <= state.keys())
    )
    run.search.register_load_state_dict_post_hook(
        lambda search: seen.append(search.evaluations > 0)
    )
    run.steps(1)
    run.search.load_state_dict(run.search.state_dict())
    assert seen == [True] * 3


@ALL
def test_hooks_of_all_optimizers_are_called_around_a_step(name):
    run = Run(name)
    seen = []
    handles = [
        register_optimizer_step_pre_hook(
            lambda search, *_: seen.append("before") if search is run.search else None
        ),
        register_optimizer_step_post_hook(
            lambda search, *_: seen.append("after") if search is run.search else None
        ),
    ]
    try:
        run.steps(2)
    finally:
        for handle in handles:
            handle.remove()
    assert seen == ["before", "after"] * 2
    run.steps(1)
    assert len(seen) == 4


@ALL
def test_parameters_may_be_cast_and_given_new_data(name):
    module = torch.nn.Linear(2, 1)
    for tensor in module.parameters():
        torch.nn.init.constant_(tensor, 2.0)
    search = REGISTRY[name].optimizer(module.parameters(), 0)
    closure = sum_of_squares(search, module.weight, module.bias)
    for _ in range(3):
        search.step(closure)
    module.double()
    closure = sum_of_squares(search, module.weight, module.bias)
    for _ in range(12):
        search.step(closure)
    assert module.weight.dtype == search.best.dtype == torch.float64
    module.weight.data = torch.full((1, 2), 9.0)
    module.float()
    search.restore_best()
    value = closure()
    value = 0.5 * value.square().sum() if takes_residuals(search) else value
    assert value.item() == pytest.approx(search.best_loss, rel=1e-5)


@ALL
def test_frozen_parameters_stay(name):
    free, frozen = torch.nn.Parameter(START[:2].clone()), torch.nn.Parameter(START[2:].clone())
    frozen.requires_grad_(False)
    frozen.grad = torch.ones(2, dtype=torch.float64)
    search = REGISTRY[name].optimizer([frozen, free], 0)
    for _ in range(12):
        search.step(sum_of_squares(search, free, frozen))
    assert torch.equal(frozen, START[2:])
    assert not torch.equal(free.detach(), START[:2])
    frozen.requires_grad_(True)
    with pytest.raises(ValueError, match="frozen"):
        search.step(sum_of_squares(search, free, frozen))


@ALL
def test_views_and_other_optimizers_see_the_parameters(name):
    base = torch.full((6,), 2.0, dtype=torch.float64)
    parts = [base[:2].view(2, 1), base[4:]]
    search = REGISTRY[name].optimizer(parts, 0)
    other = REGISTRY["random-grad"].optimizer(parts[::-1], 0)
    for _ in range(6):
        search.step(sum_of_squares(search, *parts))
        other.step(lambda: base.square().sum())
    assert torch.equal(base[:2], parts[0].flatten())
    assert torch.equal(base[2:4], torch.full((2,), 2.0, dtype=torch.float64))
    assert not torch.equal(base[4:], base[2:4])
    other.restore_best()
    assert base.square().sum().item() == pytest.approx(other.best_loss, rel=1e-12)


@ALL
@pytest.mark.parametrize("fails_at", [0, 1, 2, 25])
@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_an_error_in_the_closure_leaves_the_parameters_where_the_step_began(name, fails_at, error):
    run = Run(name)

    def closure():
        if len(run.losses) == fails_at:
            raise error("stop")
        return run.closure()

    def step():
        step.began = run.x.detach().clone()
        run.search.step(closure)

    with pytest.raises(error, match="stop"):
        any(step() for _ in range(100))
    assert torch.equal(run.x.detach(), step.began)
    assert torch.is_grad_enabled()
    assert run.steps(2).isfinite().all()


@ALL
def test_a_closure_that_calls_backward_is_told(name):
    run = Run(name)

    def closure():
        value = run.value()
        value.backward()
        return value

    with pytest.raises(RuntimeError, match="only evaluates the loss"):
        run.search.step(closure)


@ALL
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_every_real_type_is_searched_in_its_own(name, dtype):
    run = Run(name, start=START.to(dtype))
    before = run.value().item()
    run.steps(30)
    assert run.x.dtype == run.search.best.dtype == dtype
    assert run.search.best_loss < before


@ALL
def test_what_cannot_be_searched_is_refused(name):
    build = REGISTRY[name].optimizer
    with pytest.raises(TypeError, match="complex"):
        build([torch.ones(2, dtype=torch.complex64)], 0)
    with pytest.raises(TypeError, match="dtype"):
        build([torch.ones(2), torch.ones(2, dtype=torch.float64)], 0)
    with pytest.raises(TypeError, match="maximize"):
        build([torch.ones(2)], 0, maximize=True)
    with pytest.raises(ValueError, match="start"):
        build([torch.ones(2)], 0).add_param_group({"params": [torch.ones(2)]})


@pytest.mark.parametrize("name", [name for name in REGISTRY if name not in WITH_RATE])
def test_a_scheduler_of_what_has_no_rate_is_told(name):
    run = Run(name)
    run.search.load_state_dict(run.search.state_dict())
    with pytest.raises(KeyError, match="no learning rate"):
        LambdaLR(run.search, lambda epoch: 1.0)


@ALL
def test_zero_grad_clears_the_gradients(name):
    run = Run(name)
    run.steps(2)
    run.x.grad = torch.ones_like(run.x)
    run.search.zero_grad()
    assert run.x.grad is None


# Common random numbers


class Noisy(Run):
    """A loss with noise from one of torch's generators, which keeps what it drew."""

    generator = torch.default_generator

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.drawn = []

    def closure(self):
        self.drawn.append(torch.rand((), generator=self.generator).item())
        value = super().closure()
        return value if self.residuals else value * (1 + self.drawn[-1])

    def draws(self, n):
        """Return the draws of each of n steps."""
        found = []
        for _ in range(n):
            begin = len(self.drawn)
            self.search.step(self.closure)
            found.append(self.drawn[begin:])
        return found


@ALL
def test_a_step_sees_one_draw_and_the_next_step_another(name):
    torch.manual_seed(0)
    run = Noisy(name)
    draws = run.draws(8)
    assert all(len(set(step)) == 1 for step in draws)
    assert len({step[0] for step in draws}) == 8
    # Whoever draws outside goes on as if the loss had been evaluated once a step.
    expected = torch.Generator().manual_seed(0)
    for _ in range(8):
        torch.rand((), generator=expected)
    assert torch.rand(()).item() == torch.rand((), generator=expected).item()


@ALL
def test_every_evaluation_sees_another_draw_if_that_is_asked_for(name):
    run = Noisy(name)
    for search in (run.search, getattr(run.search, "optimizer", None)):
        if search is not None:
            search.common_random_numbers = False
    for member in getattr(run.search, "members", ()):
        member.common_random_numbers = False
    run.draws(6)
    assert len(set(run.drawn)) == len(run.drawn)


@ALL
def test_a_generator_of_the_loss_can_be_named(name):
    run = Noisy(name)
    run.generator = torch.Generator().manual_seed(1)
    run.search.loss_generators = [run.generator]
    assert all(len(set(step)) == 1 for step in run.draws(5))


@ALL
def test_a_loss_that_draws_nothing_leaves_torchs_generator_alone(name):
    before = torch.get_rng_state()
    Run(name).steps(3)
    assert torch.equal(torch.get_rng_state(), before)


@ALL
def test_a_method_that_draws_from_torchs_generator_does_not_repeat_itself(name):
    if name in POPULATIONS:
        pytest.skip("they draw from NumPy's")
    torch.manual_seed(3)
    x = START.clone()
    search = REGISTRY[name].build([x], generator=torch.default_generator)
    seen = set()
    for _ in range(4):
        search.step(lambda: seen.add(tuple(x.tolist())) or (x**2).sum())
    assert len(seen) >= 4


@ALL
def test_a_constant_added_to_the_loss_changes_nothing(name):
    if Run(name).residuals:
        pytest.skip("residuals have no free constant")
    torch.testing.assert_close(
        Run(name, shift=64.0).steps(12), Run(name).steps(12), rtol=1e-7, atol=1e-8
    )


@ALL
@pytest.mark.parametrize("bad", [None, 3.0])
def test_what_is_no_closure_is_named(name, bad):
    if name == "accumulated" and bad is None:
        bad = "closure"
    with pytest.raises(TypeError, match="closure"):
        Run(name).search.step(bad)


@ALL
@pytest.mark.parametrize(
    ("returned", "error"),
    [(None, TypeError), ("low", TypeError), (torch.ones(2, 2), ValueError)],
)
def test_a_closure_that_returns_no_loss_is_named(name, returned, error):
    run = Run(name)
    if run.residuals and error is ValueError:
        pytest.skip("several numbers are what it wants")
    with pytest.raises(error, match="closure must return"):
        run.search.step(lambda: returned)


@ALL
@pytest.mark.parametrize("spoil", [0, 1, 37])
def test_nan_stops_with_the_best_so_far(name, spoil):
    run = Run(name, spoil=spoil)
    with pytest.raises(NonFiniteLoss, match="nan"):
        run.steps(40)
    assert len(run.losses) == spoil + 1 == run.search.evaluations
    finite = run.losses[:-1]
    if finite:
        assert run.search.best_loss == pytest.approx(min(finite), rel=1e-12)
        assert run.value().item() == pytest.approx(min(finite), rel=1e-12)
    else:
        assert torch.equal(run.x.detach(), START)
    # The search can go on with a loss that is mended.
    run.steps(3)
    assert run.search.evaluations == len(run.losses)
    assert torch.is_grad_enabled()


@ALL
def test_infinity_stops_as_well(name):
    run = Run(name)
    with pytest.raises(NonFiniteLoss, match="inf"):
        run.search.step(lambda: run.x / 0 if run.residuals else run.value() / 0)
    assert torch.equal(run.x.detach(), START)


@RATED
def test_a_scheduler_holds_the_rate(name):
    run = Run(name)
    scheduler = LambdaLR(run.search, lambda epoch: 1e-9 if epoch == 0 else 1.0)
    with_small_rate = (run.steps(1)[0] - START).abs().max()
    scheduler.step()
    assert with_small_rate < 1e-6
    assert (run.steps(3)[-1] - START).abs().max() > 1e-4


@RATED
def test_a_scheduler_holds_the_rate_after_a_state_was_loaded(name):
    run = Run(name)
    run.search.load_state_dict(Run(name).search.state_dict())
    for group in run.search.param_groups:
        group["lr"] = 1e-12
    assert (run.steps(1)[0] - START).abs().max() < 1e-9


@RATED
def test_groups_have_rates_of_their_own(name):
    moving, resting = (torch.nn.Parameter(START[i : i + 2].clone()) for i in (0, 2))
    rest = {"params": [resting], "lr": 1e-12}
    if name == "best-momentum":
        rest["h"] = 1e-12  # else it is drawn to where the loss was probed
    search = REGISTRY[name].optimizer([{"params": [moving]}, rest], seed=0)
    for _ in range(5):
        search.step(lambda: (moving**2).sum() + (resting**2).sum())
    assert (resting.detach() - START[2:]).abs().max() < 1e-9
    assert (moving.detach() - START[:2]).abs().max() > 1e-4


@ALL
def test_integers_and_booleans_stand_beside_reals(name):
    x, count, flag = torch.zeros(2), torch.tensor([9, -9]), torch.tensor(False)
    search_of = REGISTRY[name].optimizer
    if name in (*INNER, "forward-gradient"):
        with pytest.raises(ValueError, match="integers"):
            search_of([x, count], 0).step(lambda: (x**2).sum())
        return
    search = search_of([x, count, flag], 0)
    residuals = getattr(getattr(search, "population", None), "residuals", False)

    def closure():
        misses = torch.cat([x - 1, count - 3.0, ~flag[None]])
        return misses if residuals else (misses**2).sum()

    for _ in range(10):
        search.step(closure)
    assert (count.dtype, flag.dtype) == (torch.int64, torch.bool)
    search.restore_best()
    found = closure()
    found = 0.5 * (found**2).sum() if residuals else found
    assert found.item() == pytest.approx(search.best_loss, rel=1e-6)


@ALL
def test_the_parameters_of_a_module_stay_its_own(name):
    """Shapes, identity and the module's own access survive being views of one vector."""
    module = torch.nn.Linear(2, 2).double()
    weight, bias = module.weight, module.bias
    search = REGISTRY[name].optimizer(module.parameters(), seed=0)
    if getattr(getattr(search, "population", None), "residuals", False):
        search.step(lambda: module.weight @ module.bias)
    else:
        search.step(lambda: (module.weight**2).sum() + (module.bias**2).sum())
    assert module.weight is weight
    assert module.bias is bias
    assert (weight.shape, bias.shape) == ((2, 2), (2,))
    assert weight.is_leaf


@pytest.mark.parametrize("name", WITH_RATE)
def test_generator_and_rate_are_checked(name):
    with pytest.raises(TypeError, match="generator"):
        REGISTRY[name].build([START.clone()], generator=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"lr|learning rate"):
        REGISTRY[name].optimizer([START.clone()], 0, lr=-1.0)
