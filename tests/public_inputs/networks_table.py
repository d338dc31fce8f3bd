"""Valid calls: rules for several losses, models, and training through them."""

import math

import numpy as np
import torch
from kinds import (
    anything,
    array,
    case,
    count,
    flag,
    function,
    given,
    instance,
    positive,
    real,
    rng,
    tensor,
    torch_rng,
)

from descent import aggregation
from descent.networks.character_transformer import CharacterTransformer, encoded
from descent.networks.models import mlp5, parameter
from descent.networks.reparameterization import ADAM
from descent.networks.retraining import draw_training
from descent.networks.variational_autoencoder import VariationalAutoencoder

LOSSES, GRADIENTS = [1.0, 0.5], [[1.0, 0.0], [-1.0, 1.0]]
TRUNK, HEAD, OTHER = (torch.ones(2, requires_grad=True) for _ in range(3))


def rule(state=None, **options):
    """Return a valid call of a rule; it takes gradients where its weights take their products."""
    return case(
        losses=array(LOSSES, [1.0, 2.0, 3.0], 1.0, free=True),
        gradients=array(GRADIENTS, np.ones((3, 2)), 1.0, free=True),
        state=state or anything(None, "what the rule itself returned"),
        **options,
    )


def drawn():
    return rng()


def previous():
    return given(lambda: None, [1.0, 2.0, 3.0], "x", np.array([np.nan, 1.0]))


def network():
    return parameter(out_ch=2, generator=torch.Generator().manual_seed(0))


def small_training():
    return draw_training(
        torch.linspace(0, 1, 18).view(6, 3),
        CLASSES,
        hidden=2,
        classes=3,
        passes=2,
        batch_size=3,
        step_size=0.3,
        weight_decay=0.01,
        generator=torch.Generator().manual_seed(5),
    )


CLASSES = torch.tensor([0, 1, 2, 0, 1, 2])
CLASS = given(
    lambda: CLASSES, CLASSES + 1, -CLASSES, CLASSES[:3], CLASSES.float(), 1, None, "x", [0, 1]
)
SMALL = small_training()
SMALL_IMAGES = tensor(SMALL.images, nan=False)
HELD_OUT = tensor(SMALL.images, torch.ones(6, 2), nan=False)
ONE = tensor(SMALL.start, torch.ones(3), nan=False)
MANY = tensor(SMALL.start.expand(2, -1), torch.ones(2, 3), nan=False)
A_TRAINING = instance(small_training)
ASKED = dict(training=A_TRAINING, images=HELD_OUT, labels=CLASS)


def square(x):
    return (x**2).sum(-1)


def vae():
    return VariationalAutoencoder(
        torch.zeros(3, 32, 32), torch.Generator().manual_seed(0), latent=2, channels=1
    )


SCORES = np.array([[1.0, 3.0], [2.0, 1.0], [5.0, 2.0]])


def reader():
    return CharacterTransformer(
        width=8, layers=1, heads=2, context=4, generator=torch.Generator().manual_seed(0)
    )


def text(shape, *refused):
    """Return characters as integers."""
    written = encoded("ten letters").repeat(2)[: torch.Size(shape).numel()].view(shape)
    return given(lambda: written, "ten letters", None, 1.0, written.double(), *refused)


IMAGES = torch.linspace(0, 1, 2 * 3072).reshape(2, 3, 32, 32)
BATCH = tensor([[1.0, 2.0], [0.5, -1.0], [0.0, 0.3]])
WIDTH = count(4, least=1)
PLACED = dict(
    device=given(lambda: "cpu", "nowhere", 1.0, [0]),
    dtype=given(lambda: torch.float64, torch.int64, "float64", float),
)
WIDTHS = dict(
    in_ch=count(2, least=1),
    hidden_ch=count(4, least=1),
    out_ch=count(2, least=1),
    generator=torch_rng(),
    **PLACED,
)
PAIR = dict(
    images=tensor(IMAGES, torch.ones(2, 3, 5, 5)),
    made=tensor(IMAGES, torch.ones(3, 3, 32, 32)),
    latent=count(5, least=1),
)
FACTORY = function(ADAM, lambda parameters: 1.0)
TRAINING = dict(
    network=instance(network),
    objective=function(square, lambda x: 1.0, lambda x: x),
    initial=given(
        lambda: [0.1, 0.2],
        [0.1],
        [np.nan, 0.1],
        "x",
        0.1,
        [[0.1], [0.1, 0.2]],
        [None, 0.1],
        [1j, 1.0],
    ),
    epochs=count(3),
    optimizer=FACTORY,
    main_optimizer=FACTORY,
    carry_over=flag(),
    schedule=function(lambda epoch: 1.0),
    tolerance=positive(1e-6),
    max_fit_steps=count(5),
)

CASES = {
    "aggregation.equal_sum": rule(),
    "aggregation.fixed_weights": rule(weights=array([0.9, 0.1], [-1.0, 1.0], [1.0])),
    "aggregation.gradient_norm": rule(),
    "aggregation.inverse_gradient_norm": rule(),
    "aggregation.largest_gradient": rule(),
    "aggregation.loss_slope": rule(rate=real(0.1, above=0, most=1), window=count(1, least=1)),
    "aggregation.softadapt": rule(previous(), beta=real(1.0)),
    "aggregation.dwa": rule(previous(), temperature=positive(2.0)),
    "aggregation.pcgrad": rule(drawn()),
    "aggregation.mgda": rule(),
    "aggregation.upgrad": rule(),
    "aggregation.imtl_g": rule(),
    "aggregation.aligned_mtl": rule(),
    "aggregation.cagrad": rule(radius=real(0.5, least=0)),
    "aggregation.nash_mtl": rule(),
    "aggregation.random_alternation": rule(drawn()),
    "aggregation.matched_noise": rule(drawn()),
    "aggregation.Rule": case(
        weights=function(np.square),
        needs_gradients=flag(),
        properties=given(
            lambda: {"not negative"}, {"swift"}, "not negative", 3, None, [["not negative"]]
        ),
    ),
    "aggregation.Rule.backward": case(
        of=lambda: aggregation.mgda,
        losses=given(
            lambda: [(TRUNK**2).sum() + HEAD.sum(), TRUNK.sum()],
            [1.0, 2.0],
            np.ones(2),
            torch.ones(2),
            [(TRUNK**2).sum(), TRUNK],
            [TRUNK.sum() * np.nan, TRUNK.sum()],
            "x",
            None,
        ),
        parameters=given(lambda: TRUNK, [], [TRUNK, TRUNK], [torch.ones(2)], np.ones(2), "x", 1.0),
        state=anything(None, "what the rule itself returned"),
        own=given(
            lambda: [HEAD, OTHER], [HEAD], [HEAD, HEAD], [HEAD, [1.0]], 1.0, "xy", [1.0, 2.0]
        ),
        options=anything({}, "the rule's own"),
    ),
    "aggregation.AccumulatedLoss": case(),
    "aggregation.AccumulatedLoss.add": case(
        of=aggregation.AccumulatedLoss, losses=array(LOSSES), weights=array([0.5, 0.5], [0.5])
    ),
    "networks.models.Parameter": case(out_ch=count(2, least=1), generator=torch_rng(), **PLACED),
    "networks.models.Parameter.forward": case(of=network),
    "networks.models.SkipNetwork": case(
        in_ch=count(2, least=1),
        groups=given(lambda: [[3, 3]], [], [[]], [[0]], [[2.5]], 5, None, "x", [[3], 3]),
        out_ch=count(2, least=1),
        generator=torch_rng(),
        normalized=flag(True),
        **PLACED,
    ),
    "networks.character_transformer.CharacterTransformer": case(
        width=given(lambda: 8, 0, -1, 2.5, "x", None, 7),
        layers=count(1, least=1),
        heads=given(lambda: 2, 0, -1, 2.5, "x", None, 3),
        context=count(4, least=1),
        generator=torch_rng(),
        **PLACED,
    ),
    "networks.character_transformer.CharacterTransformer.forward": case(
        of=reader, text=text((2, 4), encoded("ten"), encoded("a long line")[None])
    ),
    "networks.character_transformer.CharacterTransformer.loss": case(
        of=reader, batch=text((2, 5), encoded("ten"), encoded("a")[None])
    ),
    "networks.character_transformer.batch_of": case(
        text=text((11,), encoded("a b"), encoded("a b")[None]),
        size=count(2, least=1),
        context=count(4, least=1),
        generator=torch_rng(),
    ),
    "networks.character_transformer.encoded": case(text=given(lambda: "a b", "é", 1, None, b"a")),
    "networks.models.SkipNetwork.forward": case(
        of=lambda: mlp5(2, 4, 2, generator=torch.Generator())
    ),
    "networks.models.parameter": case(
        in_ch=anything(2, "has no effect"),
        hidden_ch=anything(4, "has no effect"),
        out_ch=count(2, least=1),
        generator=torch_rng(),
        **PLACED,
    ),
    **{
        f"networks.models.{name}": case(**WIDTHS, normalized=flag(True))
        for name in ("mlp5", "mlp9", "mlp17")
    },
    "networks.models.build": case(**WIDTHS, name=given(lambda: "mlp5", "mlp3", None, 5, ["mlp5"])),
    "networks.models.number_of_weights": case(network=instance(network)),
    "networks.reparameterization.Training": case(**TRAINING | dict(main_optimizer=function(ADAM))),
    "networks.reparameterization.train": case(**TRAINING),
    "networks.retraining.count_parameters": case(
        n_inputs=count(3, least=1), hidden=count(2), classes=count(3, least=2)
    ),
    "networks.retraining.DrawnTraining": case(
        images=SMALL_IMAGES,
        labels=CLASS,
        start=ONE,
        order=given(
            lambda: SMALL.order, SMALL.order + 1, SMALL.order * 0, SMALL.order.float(), 1, None, [0]
        ),
        step_sizes=tensor(SMALL.step_sizes, -SMALL.step_sizes, torch.ones(3), nan=False),
        hidden=count(2),
        classes=count(3, least=2),
        weight_decay=real(0.01, least=0),
    ),
    "networks.retraining.draw_training": case(
        images=SMALL_IMAGES,
        labels=CLASS,
        hidden=count(2),
        classes=count(3, least=2),
        passes=count(2, least=1),
        batch_size=given(lambda: 3, 4, 0, 2.5, None, "x", True),
        step_size=positive(0.3),
        weight_decay=real(0.01, least=0),
        generator=torch_rng(),
    ),
    "networks.retraining.losses": case(parameters=MANY, **ASKED),
    "networks.retraining.gradients": case(parameters=ONE, **ASKED),
    "networks.retraining.retrain": case(
        training=A_TRAINING,
        weights=tensor(torch.ones(2, 6), torch.ones(2, 5), nan=False),
        starts=given(lambda: None, 1.0, "x", torch.ones(2, 3), torch.ones(3), SMALL.start),
    ),
    "networks.retraining.path": case(training=A_TRAINING),
    "networks.unrolled.unrolled_changes": case(training=A_TRAINING),
    "networks.attribution.own_updates": case(training=A_TRAINING),
    "networks.attribution.tracin": case(**ASKED),
    "networks.attribution.hessian_changes": case(
        training=A_TRAINING, parameters=ONE, floor=given(lambda: 0.01, 0.0, -1.0, math.nan, "x", 1j)
    ),
    "networks.attribution.ekfac_changes": case(
        training=A_TRAINING,
        parameters=ONE,
        damping=given(lambda: 0.01, 0.0, -1.0, math.nan, "x", 1j),
    ),
    "networks.attribution.trak": case(
        parameters=MANY,
        dimension=given(lambda: 3, 0, 7, 2.5, None, "x", True),
        generator=torch_rng(),
        **ASKED,
    ),
    "networks.attribution_scores.rank_correlations": case(
        first=array(SCORES), second=array(SCORES, SCORES[:2])
    ),
    "networks.attribution_scores.linear_datamodeling_score": case(
        scores=array(SCORES),
        left_out=array(np.eye(3), np.eye(2), np.eye(3) / 2),
        outcomes=array(SCORES, SCORES[:2]),
    ),
    "networks.variational_autoencoder.VariationalAutoencoder": case(
        mean_image=tensor(torch.zeros(3, 32, 32), torch.zeros(3, 5, 5), nan=False),
        generator=torch_rng(),
        latent=count(2, least=1),
        channels=count(1, least=1),
    ),
    "networks.variational_autoencoder.VariationalAutoencoder.encode": case(
        of=vae, images=tensor(IMAGES, torch.ones(2, 3, 5, 5))
    ),
    "networks.variational_autoencoder.VariationalAutoencoder.decode": case(
        of=vae, z=tensor(torch.ones(3, 2), torch.ones(3, 5))
    ),
    "networks.variational_autoencoder.VariationalAutoencoder.forward": case(
        of=vae, images=tensor(IMAGES, torch.ones(2, 3, 5, 5)), generator=torch_rng()
    ),
    "networks.variational_autoencoder.reconstruction": case(**PAIR),
    "networks.variational_autoencoder.gradient_domain": case(**PAIR),
    "networks.variational_autoencoder.kl_divergence": case(mean=BATCH, log_variance=BATCH),
    **{
        f"networks.variational_autoencoder.batch_{name}": case(z=BATCH)
        for name in ("mean", "covariance", "skewness", "kurtosis")
    },
    "networks.variational_autoencoder.losses": case(
        images=tensor(IMAGES, torch.ones(2, 3, 5, 5)),
        passed=given(lambda: vae()(IMAGES, torch.Generator()), None, 1.0, (1, 2), "x"),
        higher_moments=flag(),
    ),
}

EXEMPT = {
    "networks.one_thread.one_thread": "takes nothing",
    "networks.reparameterization.Record": "what train returns",
    **{
        f"networks.reparameterization.Training.{name}": "takes nothing, or its own state"
        for name in ("step", "run", "record", "state", "load_state")
    },
}
