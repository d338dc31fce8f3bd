"""Valid calls: entropies, estimates, images, localization, perceptrons, activations."""

import numpy as np
from kinds import (
    anything,
    array,
    case,
    choice,
    count,
    flag,
    function,
    given,
    instance,
    positive,
    real,
    rng,
)

from descent.information import kernel_of
from descent.networks.digit_images import load_digits8
from descent.networks.localization import localize, questions
from descent.networks.perceptrons import he_initialization
from descent.systems import dumb_thermostat, linear_thermostat

JOINT = np.full((3, 3), 1 / 9)
KERNEL = kernel_of(dumb_thermostat(), 0.1).kernel
MATRIX = np.array([[1.0, 0.2], [0.2, 0.5]])
X = np.random.default_rng(1).random((24, 4))
LABELS = np.resize([1, 7, 6, 8], 24)
Y = np.eye(2)[(LABELS % 2 == 0) * 1]


def joint():
    return array(JOINT, -JOINT, 2 * JOINT, free=True)


def parts():
    """Return a joint distribution of any number of parts but one."""
    return array(JOINT, -JOINT, 2 * JOINT, JOINT.ravel(), free=True)


def groups():
    return given(lambda: [(0,), (1,)], [(0, 1)], [(0,)], [(0,), (0,)], [(0,), (2,)], 5, "ab", [0.5])


def networks():
    return he_initialization(2, (4, 3, 2), np.random.default_rng(0))


def samples():
    return questions(X, LABELS)


def shares():
    """Return an array that may have NaN, which means nothing is known."""
    return array([[0.1, 0.2], [0.3, 0.5], [0.2, 0.9]], nan=True)


def one_state():
    return dict(joint=array(JOINT, -JOINT, 2 * JOINT), system=instance(dumb_thermostat))


WIDTHS = dict(k=positive(0.3), width=positive(0.1))
SUM = dict(width=positive(1.0), other=positive(0.5))
INPUTS = array(X, X[:, :3])
TARGETS = array(Y, Y[:3], Y[:, :1])
TRAINING = dict(
    networks=instance(networks),
    inputs=INPUTS,
    targets=TARGETS,
    step_size=positive(0.05),
    batch_size=count(2, least=1),
)
NAMED = choice("softplus")
MATRIX_OF_TWO = array(MATRIX, np.eye(3))

CASES = {
    "information.differential_entropy.thermostat_matrix": case(k=positive(0.3)),
    "information.differential_entropy.sum_of_uniforms_entropy": case(**SUM),
    "information.differential_entropy.thermostat_entropies": case(**WIDTHS),
    "information.differential_entropy.trapezoidal_density": case(
        x=array([0.0, 0.2], free=True), **SUM
    ),
    "information.differential_entropy.entropy_by_quadrature": case(
        density=function(
            lambda x: np.exp(-x), lambda x: np.nan * x, lambda x: -np.exp(-x), lambda x: 1.0
        ),
        low=real(0.0, below=40.0),
        high=real(40.0, above=0.0),
        n=count(400, least=1),
    ),
    "information.differential_entropy.histogram_entropy": case(
        samples=array(X, X[:1]), bins=count(3, least=1)
    ),
    "information.differential_entropy.thermostat_samples": case(
        **WIDTHS, n=count(5, least=1), rng=rng(), centre=real(10.0)
    ),
    "information.differential_entropy.log_spread": case(
        covariance=array(MATRIX, np.eye(3), -MATRIX), measure=choice("determinant")
    ),
    "information.differential_entropy.log_variance_strength": case(
        covariance=array(MATRIX, np.eye(3), -MATRIX),
        matrix=MATRIX_OF_TWO,
        measure=choice("trace"),
        adjusted=flag(),
    ),
    "information.entropy": case(distribution=joint()),
    "information.decorrelate": case(joint=parts(), groups=groups()),
    "information.total_correlation": case(joint=parts(), groups=groups()),
    "information.mutual_information": case(joint=array(JOINT, -JOINT, 2 * JOINT)),
    **{
        f"information.{name}": case(**one_state())
        for name in ("push_forward", "erased_entropy", "created_entropy")
    },
    **{
        f"information.{name}": case(**one_state(), groups=groups())
        for name in ("optimizing_strength", "adjusted_optimizing_strength")
    },
    "information.FiniteKernel": case(
        kernel=array(KERNEL, KERNEL[0], KERNEL[:, :1], 2 * KERNEL, -KERNEL, [0.3, 0.7], free=True)
    ),
    "information.kernel_of": case(
        system=instance(dumb_thermostat, linear_thermostat(0.5, 25.0)),
        error=real(0.25, least=0, most=1),
    ),
    "information.narrow_start": case(epsilon=real(0.5, least=0, most=1)),
    "estimates.mean_with_error": case(samples=array([1.0, 2.0, 3.0], [1.0])),
    "estimates.clustered_rate": case(
        outcomes=array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]], [[1.0, 1.0]])
    ),
    "estimates.wilson": case(successes=count(3), runs=count(5, least=1)),
    "networks.activations.softplus": case(z=array([0.5, -0.5], nan=True, free=True)),
    **{
        f"networks.activations.{name}": case(z=array([0.5, -0.5], nan=True, free=True))
        for name in ["gelu", "linear", "relu", "sigmoid", "tanh"]
    },
    "networks.digit_images.load_digit_images": case(
        source=given(lambda: "digits", "nonsense", 1, None), download=flag()
    ),
    "networks.digit_images.DigitImages.inputs": case(
        of=load_digits8, which=given(lambda: slice(0, 2), "x", None, 2.5)
    ),
    "networks.image_patches.load": case(
        source=choice("photographs"), data_home=anything(None, "a folder for the download")
    ),
    "networks.image_patches.photograph_patches": case(stride=count(32, least=1)),
    "networks.image_patches.for_testing": case(row=count(1), column=count(2)),
    "networks.localization.Samples": case(
        inputs=array(X, X[:3], nan=True),
        side=given(lambda: LABELS % 2, LABELS, LABELS[:3] % 2, None, "x", 1.0),
        part=given(lambda: LABELS % 2, LABELS, LABELS[:3] % 2, None, "x", 1.0),
    ),
    "networks.localization.Samples.without": case(
        of=samples,
        side=given(lambda: 0, 2, -1, None, "0", 0.5),
        part=given(lambda: 1, 2, None, "1"),
    ),
    "networks.localization.questions": case(
        inputs=array(X, X[:3]),
        labels=given(lambda: LABELS, LABELS + 20, LABELS[:3], None, "x", np.nan),
        sides=given(
            lambda: ((1, 7), (6, 8)), ((1, 1), (6, 8)), ((1, 7),), 5, None, "x", ((1, 7), (6,))
        ),
    ),
    "networks.localization.shuffled_parts": case(samples=instance(samples), rng=rng()),
    "networks.localization.shuffled_digits": case(samples=instance(samples), rng=rng()),
    "networks.localization.share": case(
        first=array([1.0, 0.0], -np.ones(2), np.ones(3), free=True, nan=True),
        second=array([3.0, 1.0], -np.ones(2), np.ones(3), free=True, nan=True),
    ),
    "networks.localization.Localization.correlations": case(
        of=lambda: localize(networks(), samples()[:12], samples()[12:], 0.05),
        parameter=choice("hidden_weights"),
        throughout=flag(),
    ),
    "networks.localization.localize": case(
        networks=instance(networks),
        first=instance(samples),
        rest=instance(samples),
        step_size=positive(0.05),
        tally_from=real(0.5, least=0, below=1),
        power=count(1, least=1),
        batch_size=count(1, least=1),
    ),
    "networks.small_steps.small_step_limit": case(
        networks=instance(networks),
        first=instance(samples),
        rest=instance(samples),
        tally_from=real(0.5, least=0, below=1),
        errors=anything(np.ones_like, "a function of the errors"),
        slopes=anything(np.ones_like, "a function of the slopes"),
    ),
    "networks.update_shares.split_correlation": case(x=shares(), y=shares()),
    "networks.localization.correlation": case(x=shares(), y=shares()),
    "networks.localization.partial_correlation": case(
        x=shares(),
        y=shares(),
        given=given(lambda: np.ones(2), np.ones(7), None, "x", [[1], [1, 2]]),
    ),
    "networks.localization.pixel_correlations": case(x=shares(), y=shares()),
    "networks.localization.within_pixel_correlation": case(x=shares(), y=shares()),
    "networks.localization.activity_share": case(samples=instance(samples)),
    "networks.localization.contrast_share": case(samples=instance(samples)),
    "networks.perceptrons.Perceptrons": case(
        hidden_weights=array(np.ones((2, 3, 4))),
        hidden_biases=array(np.ones((2, 3)), np.ones((2, 4))),
        output_weights=array(np.ones((2, 2, 3)), np.ones((2, 2, 4))),
        output_biases=array(np.ones((2, 2)), np.ones((2, 3))),
        activation=NAMED,
        output_activation=NAMED,
    ),
    "networks.perceptrons.Perceptrons.parameters": case(of=networks),
    "networks.perceptrons.Perceptrons.copy": case(of=networks),
    "networks.perceptrons.he_initialization": case(
        n_networks=count(2, least=1),
        sizes=given(
            lambda: (4, 3, 2), (4, 3), (4, 3, 0), (4, 2.5, 2), 5, None, "abc", (4, 3, True)
        ),
        rng=rng(),
        activation=NAMED,
        output_activation=NAMED,
        dtype=given(lambda: np.float64, np.int64, "x", None, complex, 5),
    ),
    "networks.perceptrons.hidden_outputs": case(networks=instance(networks), inputs=INPUTS),
    "networks.perceptrons.outputs": case(networks=instance(networks), inputs=INPUTS),
    "networks.perceptrons.accuracy": case(
        networks=instance(networks), inputs=INPUTS, targets=TARGETS
    ),
    "networks.perceptrons.mean_loss": case(
        networks=instance(networks), inputs=INPUTS, targets=TARGETS
    ),
    "networks.perceptrons.train": case(**TRAINING, block=count(8, least=1)),
    "networks.perceptrons.train_with_tallies": case(
        **TRAINING,
        block=count(8, least=1),
        owners=given(lambda: LABELS % 2, LABELS, LABELS[:3], None, "x", [0.5] * 24, -(LABELS % 2)),
        n_owners=count(2, least=1),
        power=count(1, least=1),
    ),
}

EXEMPT = {
    "networks.digit_images.DigitImages": "what the loaders return",
    "networks.digit_images.load_mnist": "takes a folder; tests/networks has bad ones",
    "networks.digit_images.load_digits8": "takes nothing",
    "networks.image_patches.cifar_10": "takes a folder; tests/networks has bad data",
    "networks.localization.Localization": "what localize returns",
}
