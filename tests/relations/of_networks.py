"""Relations of networks, of what is measured in them, of entropies and of estimates."""

from dataclasses import replace

import numpy as np
import torch
from relation import relation, same

from descent import estimates, information
from descent.networks import (
    activations,
    attribution,
    attribution_scores,
    character_transformer,
    localization,
    models,
    perceptrons,
    retraining,
    small_steps,
    unrolled,
    update_shares,
    variational_autoencoder,
)

Z = np.linspace(-6, 6, 25)
RNG = np.random.default_rng(0)
INPUTS = RNG.random((24, 4))
LABELS = np.resize([1, 7, 6, 8], 24)
TARGETS = np.eye(2)[LABELS % 2]


@relation(
    "networks.activations.softplus",
    "networks.activations.relu",
    "networks.activations.gelu",
    "networks.activations.linear",
    "networks.activations.tanh",
    "networks.activations.sigmoid",
)
def activations_have_their_symmetries():
    """value(z) ± value(-z), and with it slope(z) ∓ slope(-z)."""
    one = np.ones_like(Z)
    for name, sign, total, slope in (
        ("softplus", -1, Z, one),
        ("relu", -1, Z, np.where(Z == 0, 0.0, 1.0)),
        ("gelu", -1, Z, one),
        ("linear", 1, 0 * Z, 0 * Z),
        ("tanh", 1, 0 * Z, 0 * Z),
        ("sigmoid", 1, one, 0 * Z),
    ):
        function = getattr(activations, name)
        value, slope_here = function(Z)
        mirror, slope_there = function(-Z)
        same(value + sign * mirror, total, atol=1e-14)
        same(slope_here - sign * slope_there, slope, atol=1e-14)
        single = function(Z.astype(np.float32))
        same(single, (value, slope_here), rtol=1e-4, atol=1e-6)


def networks(dtype=np.float64, n=2):
    rng = np.random.default_rng(0)
    return perceptrons.he_initialization(n, (4, 3, 2), rng, dtype=dtype)


def reordered(made, order=(2, 0, 1)):
    """Return the same networks with their hidden neurons in another order."""
    order = list(order)
    return perceptrons.Perceptrons(
        hidden_weights=made.hidden_weights[:, order],
        hidden_biases=made.hidden_biases[:, order],
        output_weights=made.output_weights[:, :, order],
        output_biases=made.output_biases,
        activation=made.activation,
        output_activation=made.output_activation,
    )


@relation(
    "networks.perceptrons.Perceptrons",
    "networks.perceptrons.Perceptrons.parameters",
    "networks.perceptrons.Perceptrons.copy",
    "networks.perceptrons.he_initialization",
    "networks.perceptrons.hidden_outputs",
    "networks.perceptrons.outputs",
    "networks.perceptrons.accuracy",
    "networks.perceptrons.mean_loss",
    "networks.perceptrons.train",
    "networks.perceptrons.train_with_tallies",
)
def the_order_of_neurons_and_of_outputs_changes_nothing():
    made = perceptrons.he_initialization(2, (4, 3, 2), np.random.default_rng(0))
    same(networks(n=5).hidden_weights[:2], made.hidden_weights)
    other = reordered(made.copy())
    hidden = perceptrons.hidden_outputs(made, INPUTS)
    same(perceptrons.hidden_outputs(other, INPUTS), hidden[..., [2, 0, 1]])
    for function in (perceptrons.accuracy, perceptrons.mean_loss):
        same(function(other, INPUTS, TARGETS), function(made, INPUTS, TARGETS), rtol=1e-10)
        same(function(made, INPUTS[::-1], TARGETS[::-1]), function(made, INPUTS, TARGETS))
    given = (INPUTS, TARGETS, 0.05)
    trained = perceptrons.train(made, *given)
    in_two = perceptrons.train(
        perceptrons.train(made, INPUTS[:9], TARGETS[:9], 0.05), INPUTS[9:], TARGETS[9:], 0.05
    )
    same(in_two.parameters(), trained.parameters(), rtol=1e-9)
    same(perceptrons.train(made, *given, block=5).parameters(), trained.parameters(), rtol=1e-9)
    with_tallies, tallies = perceptrons.train_with_tallies(made, *given, LABELS % 2, 2)
    same(with_tallies.parameters(), trained.parameters(), rtol=1e-9)
    swapped = perceptrons.train_with_tallies(made, *given, 1 - LABELS % 2, 2)[1]
    same([tally[::-1] for tally in swapped.values()], list(tallies.values()), rtol=1e-9)
    single = networks(np.float32)
    for one in (made, single):
        answers = perceptrons.outputs(one, INPUTS)
        same(answers, perceptrons.outputs(reordered(one), INPUTS), rtol=1e-5)
        same(answers, perceptrons.outputs(networks(), INPUTS), rtol=1e-4)


# Where knowledge is

X, Y = RNG.random((2, 3, 40))


@relation(
    "networks.localization.share",
    "networks.localization.correlation",
    "networks.localization.partial_correlation",
    "networks.localization.pixel_correlations",
    "networks.localization.within_pixel_correlation",
)
def correlations_know_no_unit_and_no_order():
    same(localization.share(1e200 * X, 1e200 * Y), localization.share(X, Y))
    same(localization.share(Y, X), 1 - localization.share(X, Y))
    order = np.random.default_rng(1).permutation(40)
    cause = X + Y**2
    for function in (
        lambda x, y, c: localization.correlation(x, y),
        lambda x, y, c: localization.within_pixel_correlation(x, y),
        localization.partial_correlation,
    ):
        plain = function(X, Y, cause)
        same(function(Y, X, cause), plain, rtol=1e-9)
        same(function(X[:, order], Y[:, order], cause[:, order]), plain, rtol=1e-9)
        for factor in (1e-30, -1e30):
            other = function(factor * X, Y, -3e30 * cause)
            same(other, np.sign(factor) * plain, rtol=1e-9)
    plain = localization.pixel_correlations(X, Y)
    same(localization.pixel_correlations(-3 * X, Y), -plain, rtol=1e-9)
    same(localization.pixel_correlations(X[:, order], Y[:, order]), plain[order], rtol=1e-9)
    same(plain[7], localization.correlation(X[:, 7], Y[:, 7]))


@relation("networks.update_shares.split_correlation")
def parts_of_a_correlation_add_up_and_know_no_order():
    parts = update_shares.split_correlation(X, Y)
    same(sum(parts), localization.correlation(X, Y))
    same(update_shares.split_correlation(Y, X), parts)
    same(update_shares.split_correlation(-1e30 * X, Y + 3), [-p for p in parts], rtol=1e-9)
    same(update_shares.split_correlation(X[:, ::-1], Y[:, ::-1]), parts, rtol=1e-9)
    turned = update_shares.split_correlation(X.T, Y.T)
    same(turned, [parts.neurons, parts.pixels, parts.weights], rtol=1e-9)


def samples():
    return localization.questions(INPUTS, LABELS)


@relation("networks.small_steps.small_step_limit")
def a_limit_does_not_see_the_order_of_images_and_neurons():
    whole = samples()
    first, rest = whole[:12], whole[12:]
    plain = small_steps.small_step_limit(networks(), first, rest)
    other = small_steps.small_step_limit(reordered(networks()), first, rest)
    same(other.updating["hidden_weights"][:, [1, 2, 0]], plain.updating["hidden_weights"], 1e-8)
    turned = small_steps.small_step_limit(networks(), first, rest[np.arange(len(rest))[::-1]])
    same(turned.differences["hidden_biases"], plain.differences["hidden_biases"], rtol=1e-8)
    near = localization.localize(networks(), first, rest, 1e-8)
    same(near.updating["hidden_weights"], plain.updating["hidden_weights"], rtol=1e-5)


@relation(
    "networks.localization.localize",
    "networks.localization.Localization.correlations",
    "networks.localization.Samples",
    "networks.localization.Samples.without",
    "networks.localization.questions",
    "networks.localization.activity_share",
    "networks.localization.contrast_share",
    "networks.localization.shuffled_parts",
    "networks.localization.shuffled_digits",
)
def a_localization_does_not_see_the_order_of_the_neurons():
    whole = samples()
    first, rest = whole[:12], whole[12:]
    plain = localization.localize(networks(), first, rest, 0.05)
    other = localization.localize(reordered(networks()), first, rest, 0.05)
    same(other.updating["hidden_weights"][:, [1, 2, 0]], plain.updating["hidden_weights"], 1e-8)
    for parameter in ("hidden_weights", "output_weights"):
        same(other.correlations(parameter), plain.correlations(parameter), rtol=1e-6)
    sides = [len(whole.without(side, part)) for side in (0, 1) for part in (0, 1)]
    assert sum(sides) == 3 * len(whole)
    swapped = localization.questions(INPUTS, LABELS, sides=((6, 8), (1, 7)))
    scaled = localization.questions(4 * INPUTS, LABELS)
    for share in (localization.activity_share, localization.contrast_share):
        same(share(swapped), 1 - share(whole))
        same(share(scaled), share(whole))
    for shuffled in (localization.shuffled_parts, localization.shuffled_digits):
        made = shuffled(whole, np.random.default_rng(0))
        same(np.sort(made.inputs, axis=0), np.sort(INPUTS, axis=0), rtol=0)
        assert made.part.sum() == whole.part.sum()


# Networks of torch


def seeded():
    return torch.Generator().manual_seed(0)


@relation(
    "networks.models.Parameter",
    "networks.models.Parameter.forward",
    "networks.models.SkipNetwork",
    "networks.models.SkipNetwork.forward",
    "networks.models.parameter",
    "networks.models.mlp5",
    "networks.models.mlp9",
    "networks.models.mlp17",
    "networks.models.build",
    "networks.models.number_of_weights",
)
def a_network_by_name_is_the_network_in_either_precision():
    for name in ("parameter", "mlp5", "mlp9", "mlp17"):
        direct = getattr(models, name)(in_ch=3, hidden_ch=4, out_ch=2, generator=seeded())
        double = models.build(
            name, in_ch=3, hidden_ch=4, out_ch=2, generator=seeded(), dtype=torch.float64
        )
        found = direct().detach().numpy()
        same(double().detach().numpy(), found, rtol=1e-4, atol=1e-6)
        assert models.number_of_weights(direct) == sum(p.numel() for p in double.parameters())
        assert found.shape == (2,)
        assert isinstance(direct, models.Parameter if name == "parameter" else models.SkipNetwork)


VAE = variational_autoencoder
BATCH = torch.randn(12, 3, generator=seeded(), dtype=torch.float64)


@relation(*(f"networks.variational_autoencoder.batch_{name}" for name in ("mean", "covariance")))
def moments_of_a_batch_see_no_order():
    for function in (VAE.batch_mean, VAE.batch_covariance):
        plain = function(BATCH).item()
        same(function(BATCH.flip(0)).item(), plain)
        same(function(BATCH[:, [2, 0, 1]]).item(), plain)
        same(function(-BATCH).item(), plain)
    same(VAE.batch_mean(4 * BATCH).item(), 16 * VAE.batch_mean(BATCH).item())


@relation(
    "networks.variational_autoencoder.batch_skewness",
    "networks.variational_autoencoder.batch_kurtosis",
)
def higher_moments_know_no_unit_and_no_origin():
    for function in (VAE.batch_skewness, VAE.batch_kurtosis):
        same(function(4 * BATCH + 2).item(), function(BATCH).item(), rtol=1e-9)
        same(function(-BATCH).item(), function(BATCH).item(), rtol=1e-9)


@relation(
    "networks.variational_autoencoder.VariationalAutoencoder",
    "networks.variational_autoencoder.VariationalAutoencoder.encode",
    "networks.variational_autoencoder.VariationalAutoencoder.decode",
    "networks.variational_autoencoder.VariationalAutoencoder.forward",
    "networks.variational_autoencoder.reconstruction",
    "networks.variational_autoencoder.gradient_domain",
    "networks.variational_autoencoder.kl_divergence",
    "networks.variational_autoencoder.losses",
)
def an_autoencoder_sees_each_image_by_itself():
    vae = VAE.VariationalAutoencoder(torch.zeros(3, 32, 32), seeded(), latent=2, channels=1)
    images = torch.rand(4, 3, 32, 32, generator=seeded())
    with torch.no_grad():
        whole = vae.encode(images)
        same([part[1:3].numpy() for part in whole],
             [part.numpy() for part in vae.encode(images[1:3])], rtol=1e-4, atol=1e-5)  # fmt: skip
        made = vae.decode(whole[0])
        same(made[:1].numpy(), vae.decode(whole[0][:1]).numpy(), rtol=1e-4, atol=1e-5)
        passed = vae(images, seeded())
        assert passed.images.shape == images.shape
        found = VAE.losses(images, passed)
        same(VAE.losses(images, vae(images, seeded())), found)
        order = [2, 0, 3, 1]
        for function in (VAE.reconstruction, VAE.gradient_domain):
            plain = function(images, made).item()
            same(function(made, images).item(), plain, rtol=1e-5)
            same(function(images[order], made[order]).item(), plain, rtol=1e-5)
        plain = VAE.kl_divergence(*whole).item()
        same(VAE.kl_divergence(whole[0][order], whole[1][order]).item(), plain, rtol=1e-5)
        same(VAE.kl_divergence(-whole[0], whole[1]).item(), plain, rtol=1e-5)


IMAGES = torch.rand(6, 3, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
CLASSES = torch.tensor([0, 1, 2, 0, 1, 2])
OTHERWISE = torch.tensor([3, 1, 5, 0, 2, 4])


def a_training(passes=4):
    return retraining.draw_training(
        IMAGES,
        CLASSES,
        hidden=2,
        classes=3,
        passes=passes,
        batch_size=3,
        step_size=0.3,
        weight_decay=0.01,
        generator=torch.Generator().manual_seed(5),
    )


def with_images_in_another_order(training):
    """Return the same training of images that have other numbers."""
    return replace(
        training,
        images=training.images[OTHERWISE],
        labels=training.labels[OTHERWISE],
        order=OTHERWISE.argsort()[training.order],
    )


@relation(
    "networks.retraining.DrawnTraining",
    "networks.retraining.count_parameters",
    "networks.retraining.draw_training",
    "networks.retraining.gradients",
    "networks.retraining.losses",
    "networks.retraining.path",
    "networks.retraining.retrain",
    "networks.unrolled.unrolled_changes",
    "networks.attribution.own_updates",
    "networks.attribution.tracin",
    "networks.attribution.trak",
    "networks.attribution.hessian_changes",
    "networks.attribution.ekfac_changes",
)
def what_an_image_did_does_not_hang_on_its_number():
    plain = a_training()
    other = with_images_in_another_order(plain)
    assert isinstance(other, retraining.DrawnTraining)
    assert len(plain.start) == retraining.count_parameters(3, 2, 3)
    same(a_training().start, plain.start)
    theta, asked = plain.start, (IMAGES[:2] + 0.5, CLASSES[:2])
    both = torch.stack([theta, theta + 0.1])
    weights = torch.linspace(0, 1, 12, dtype=torch.float64).view(2, 6)
    same(retraining.path(other), retraining.path(plain), rtol=1e-9)
    same(
        retraining.retrain(other, weights[:, OTHERWISE]),
        retraining.retrain(plain, weights),
        rtol=1e-9,
    )
    found = retraining.losses(plain, both, IMAGES, CLASSES)
    again = retraining.losses(plain, both, IMAGES[OTHERWISE], CLASSES[OTHERWISE])
    same(again, found[:, OTHERWISE], rtol=1e-9)
    found = retraining.gradients(plain, theta, IMAGES, CLASSES)
    again = retraining.gradients(plain, theta, IMAGES[OTHERWISE], CLASSES[OTHERWISE])
    same(again, found[OTHERWISE], rtol=1e-9, atol=1e-15)
    for estimate in (
        unrolled.unrolled_changes,
        lambda t: attribution.own_updates(t).sizes,
        lambda t: attribution.own_updates(t).sums,
        lambda t: attribution.tracin(t, *asked),
        lambda t: attribution.hessian_changes(t, theta).changes,
        lambda t: attribution.ekfac_changes(t, theta),
        lambda t: attribution.trak(t, both, *asked, dimension=3, generator=seeded()),
    ):
        same(estimate(other), estimate(plain)[OTHERWISE], rtol=1e-6, atol=1e-12)


@relation(
    "networks.attribution_scores.rank_correlations",
    "networks.attribution_scores.linear_datamodeling_score",
)
def ranks_know_no_unit_and_turn_in_the_mirror():
    first, second = np.random.default_rng(3).normal(size=(2, 12, 3))
    plain = attribution_scores.rank_correlations(first, second)
    same(attribution_scores.rank_correlations(np.exp(4 * second), first), plain)
    same(attribution_scores.rank_correlations(first[::-1], -second[::-1]), -plain)
    groups = np.random.default_rng(4).integers(0, 2, (20, 12))
    outcomes = groups @ first + np.random.default_rng(5).normal(size=(20, 3))
    plain = attribution_scores.linear_datamodeling_score(first, groups, outcomes)
    score = attribution_scores.linear_datamodeling_score
    same(score(4 * first[::-1], groups[:, ::-1], 7 + outcomes**3), plain)
    same(score(-first, groups[::-1], outcomes[::-1]), -plain)


# A transformer of characters


@relation(
    "networks.character_transformer.CharacterTransformer",
    "networks.character_transformer.CharacterTransformer.forward",
    "networks.character_transformer.CharacterTransformer.loss",
    "networks.character_transformer.batch_of",
    "networks.character_transformer.encoded",
)
def what_comes_later_is_not_seen_and_neighbours_in_a_batch_neither():
    network = character_transformer.CharacterTransformer(
        width=8,
        layers=2,
        heads=2,
        context=12,
        generator=torch.Generator().manual_seed(0),
        dtype=torch.float64,
    )
    text = character_transformer.encoded("what is told first, and what is told last")
    batch = character_transformer.batch_of(text, 3, 12, torch.Generator().manual_seed(0))
    with torch.no_grad():
        plain = network(batch[:, :-1])
        other = batch[:, :-1].clone()
        other[:, 7:] = 5
        same(network(other)[:, :7], plain[:, :7], rtol=1e-12)
        assert (network(other)[:, 7:] - plain[:, 7:]).abs().max() > 1e-3
        same(network(batch[[2, 0, 1], :-1]), plain[[2, 0, 1]], rtol=1e-12)
        parts = [network.loss(row[None]).item() for row in batch]
        same(network.loss(batch).item(), np.mean(parts), rtol=1e-12)


# Estimates


@relation("estimates.mean_with_error", "estimates.clustered_rate", "estimates.wilson")
def estimates_know_no_unit_and_no_order():
    values = np.array([3.0, 1.0, -2.0, 7.5])
    plain, other = estimates.mean_with_error(values), estimates.mean_with_error(4 * values[::-1])
    same(other, 4 * np.array(plain))
    low, high = estimates.wilson(3, 11)
    same(estimates.wilson(8, 11), (1 - high, 1 - low))
    outcomes = np.random.default_rng(0).random((7, 4)) < 0.6
    rate = estimates.clustered_rate(outcomes)
    same(estimates.clustered_rate(outcomes[::-1, ::-1]), rate)
    same(estimates.clustered_rate(~outcomes).share, 1 - rate.share)


@relation("information.mutual_information", "information.decorrelate")
def what_two_share_does_not_depend_on_their_names():
    joint = np.random.default_rng(0).random((3, 4))
    joint /= joint.sum()
    plain = information.mutual_information(joint)
    same(information.mutual_information(joint.T), plain)
    same(information.mutual_information(joint[[2, 0, 1]][:, ::-1]), plain)
    apart = information.decorrelate(joint)
    same(information.mutual_information(apart), 0.0, atol=1e-14)
    same(information.decorrelate(apart), apart)
    same(information.entropy(apart) - information.entropy(joint), plain)
