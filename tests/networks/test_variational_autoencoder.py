"""The autoencoder and its losses against closed forms."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch.distributions import Normal, kl_divergence

from descent.networks import variational_autoencoder as autoencoder
from descent.networks.variational_autoencoder import VariationalAutoencoder


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def random(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def test_shapes_and_compression():
    vae = VariationalAutoencoder(torch.full((3, 32, 32), 0.5), generator())
    images = torch.rand(5, 3, 32, 32, generator=generator(1))
    mean, log_variance = vae.encode(images)
    assert mean.shape == log_variance.shape == (5, 307)
    assert vae.decode(mean).shape == images.shape
    assert vae.compression == pytest.approx(10, rel=1e-2)
    assert images[0].numel() / mean[0].numel() == vae.compression


def test_all_of_the_latent_reaches_the_image():
    vae = VariationalAutoencoder(torch.zeros(3, 32, 32), generator())
    z = torch.randn(8, 307, generator=generator(1), requires_grad=True)
    vae.decode(z).square().sum().backward()
    assert (z.grad.abs().sum(0) > 0).all()


def test_the_sample_has_the_law_that_the_encoder_says():
    vae = VariationalAutoencoder(torch.zeros(3, 32, 32), generator())
    images = torch.rand(1, 3, 32, 32, generator=generator(1)).expand(4000, -1, -1, -1)
    with torch.no_grad():
        passed = vae(images, generator(2))
    scores = (passed.sample - passed.mean) / (passed.log_variance / 2).exp()
    assert stats.kstest(scores.numpy()[:, 5], "norm").pvalue > 1e-3
    assert float(scores.square().mean()) == pytest.approx(1, abs=5 * math.sqrt(2 / scores.numel()))


def test_same_seed_same_model():
    one, two, other = (
        VariationalAutoencoder(torch.zeros(3, 32, 32), generator=generator(seed))
        for seed in (3, 3, 4)
    )
    for a, b, c in zip(one.parameters(), two.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
        assert a.ndim == 1 or not torch.equal(a, c)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latent": 0}, "latent must be at least 1"),
        ({"channels": 0}, "channels must be at least 1"),
    ],
)
def test_bad_sizes(options, message):
    with pytest.raises(ValueError, match=message):
        VariationalAutoencoder(torch.zeros(3, 32, 32), generator(), **options)


def test_bad_mean_image():
    with pytest.raises(
        ValueError, match=r"mean_image must have shape \(3, 32, 32\); got \(32, 32, 3\)"
    ):
        VariationalAutoencoder(torch.zeros(32, 32, 3), generator())


def test_kl_is_the_gaussian_one():
    mean, log_variance = random(6, 4), random(6, 4, seed=1)
    law = Normal(mean, (log_variance / 2).exp())
    expected = kl_divergence(law, Normal(torch.zeros_like(mean), torch.ones_like(mean))).mean()
    assert float(autoencoder.kl_divergence(mean, log_variance)) == pytest.approx(float(expected))
    assert float(autoencoder.kl_divergence(torch.zeros(2, 3), torch.zeros(2, 3))) == 0


def test_reconstruction_is_the_log_likelihood():
    images, made = random(3, 3, 8, 8), random(3, 3, 8, 8, seed=1)
    law = Normal(made, autoencoder.DECODER_SD)
    best = Normal(images, autoencoder.DECODER_SD)
    expected = (best.log_prob(images) - law.log_prob(images)).sum() / (3 * 20)
    assert float(autoencoder.reconstruction(images, made, 20)) == pytest.approx(float(expected))


def test_gradient_domain_ignores_an_offset_and_sees_a_ramp():
    images = random(2, 3, 32, 32)
    assert float(autoencoder.gradient_domain(images, images + 0.7)) == pytest.approx(0, abs=1e-20)
    ramp = 0.1 * torch.arange(32, dtype=torch.float64).expand(2, 3, 32, 32)
    differences = 3 * 32 * 31 * 0.1**2
    expected = differences / (8 * autoencoder.DECODER_SD**2 * 307)
    for error in (ramp, ramp.mT):
        found = float(autoencoder.gradient_domain(images, images + error))
        assert found == pytest.approx(expected)


def test_gradient_domain_of_independent_errors_is_the_reconstruction():
    error = random(400, 3, 32, 32)
    zero = torch.zeros_like(error)
    ratio = autoencoder.gradient_domain(zero, error) / autoencoder.reconstruction(zero, error)
    assert float(ratio) == pytest.approx(31 / 32, rel=5e-3)  # 31 differences of 32 pixels


def test_batch_statistics_against_numpy_and_scipy():
    z = random(50, 7) @ random(7, 7, seed=1) + random(7, seed=2)
    table = z.numpy()
    assert float(autoencoder.batch_mean(z)) == pytest.approx(np.mean(table.mean(0) ** 2))
    excess = np.cov(table.T) - np.eye(7)
    assert float(autoencoder.batch_covariance(z)) == pytest.approx(np.sum(excess**2) / 7)
    skewness = np.mean(stats.skew(table) ** 2)
    assert float(autoencoder.batch_skewness(z)) == pytest.approx(skewness)
    kurtosis = np.mean(stats.kurtosis(table) ** 2)
    assert float(autoencoder.batch_kurtosis(z)) == pytest.approx(kurtosis)


def test_batch_covariance_of_normal_numbers_has_a_floor():
    """E |C - I|² / d = (d + 1) / (n - 1) for n standard normal vectors."""
    values = [float(autoencoder.batch_covariance(random(64, 20, seed=s))) for s in range(40)]
    error = np.std(values) / math.sqrt(40)
    assert np.mean(values) == pytest.approx(21 / 63, abs=4 * error)


def test_names_of_the_losses():
    vae = VariationalAutoencoder(torch.zeros(3, 32, 32), generator())
    images = torch.rand(4, 3, 32, 32, generator=generator(1))
    passed = vae(images, generator(2))
    assert tuple(autoencoder.losses(images, passed)) == autoencoder.LOSSES
    seven = autoencoder.losses(images, passed, higher_moments=True)
    assert tuple(seven) == (*autoencoder.LOSSES, *autoencoder.HIGHER_MOMENTS)


def test_the_weights_have_the_precision_of_the_mean_image():
    images = random(4, 3, 32, 32)
    passes = {}
    for dtype in (torch.float32, torch.float64):
        vae = VariationalAutoencoder(
            torch.zeros(3, 32, 32, dtype=dtype), generator(), latent=4, channels=2
        )
        passes[dtype] = vae(images.to(dtype), generator(1))
        assert all(part.dtype == dtype for part in passes[dtype])
    torch.testing.assert_close(
        passes[torch.float32].mean.double(), passes[torch.float64].mean, rtol=1e-4, atol=1e-5
    )


def test_another_precision_than_the_weights_is_named():
    vae = VariationalAutoencoder(torch.zeros(3, 32, 32), generator(), latent=4, channels=2)
    with pytest.raises(TypeError, match="images must have the autoencoder's dtype"):
        vae(random(4, 3, 32, 32).double(), generator())
    with pytest.raises(TypeError, match="z must have the autoencoder's dtype"):
        vae.decode(torch.zeros(2, 4, dtype=torch.float64))


def test_a_covariance_of_one_row_is_refused():
    with pytest.raises(ValueError, match="z must have 2 rows or more"):
        autoencoder.batch_covariance(torch.ones(1, 3))


@pytest.mark.parametrize("loss", [autoencoder.batch_skewness, autoencoder.batch_kurtosis])
def test_higher_moments_know_no_unit(loss):
    z = random(64, 3).float()
    for scale in (2.0**-60, 2.0**50):  # whose cubes and fourth powers are no numbers of float32
        assert loss(scale * z) == loss(z)
    assert math.isnan(loss(torch.ones(4, 3)))
    with pytest.raises(ValueError, match="z must have 2 rows or more, for moments"):
        loss(z[:1])
    z = random(8, 2).requires_grad_()
    assert torch.autograd.gradcheck(loss, z)
