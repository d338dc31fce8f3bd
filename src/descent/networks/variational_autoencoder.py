"""A small convolutional variational autoencoder, and losses on its images and its latent."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from descent.arguments import check_count, check_flag, check_kind
from descent.tensor_arguments import check_tensor, check_torch_generator

PIXELS = 3 * 32 * 32
LATENT = PIXELS // 10
IMAGES = ("n", 3, 32, 32)
DECODER_SD = 0.1  # of a colour value in [0, 1]
FIRST_LOG_VARIANCE = -2.0  # of the latent before training, or the decoder sees mostly noise


class Pass(NamedTuple):
    """What one pass through the autoencoders gives for a batch of images."""

    mean: Tensor
    log_variance: Tensor
    sample: Tensor
    images: Tensor


class VariationalAutoencoder(nn.Module):
    """Images of 3 by 32 by 32 numbers as a normal law on a latent of 307, and back.

    z = m(x) + exp(v(x) / 2) ε with ε standard normal; the decoder returns the mean image plus
    what it makes of z. The encoder has two convolutions and a full layer, the decoder mirrors
    it.

    Parameters
    ----------
    mean_image : tensor (3, 32, 32)
        What the decoder starts from: the mean of the training images. The weights have its
        dtype, and are kept on its device.
    generator : torch.Generator
        Source of the first weights.
    latent : int
        Size of the latent, at least 1. The compression is 3072 / latent.
    channels : int
        Of the first layer, at least 1.

    Raises
    ------
    ValueError
        If a size is not positive or the mean image has another shape.

    Notes
    -----
    Source: 000, the example of compression; Kingma and Welling (2014) for the model.

    Examples
    --------
    >>> vae = VariationalAutoencoder(torch.zeros(3, 32, 32), torch.Generator())
    >>> vae.latent, round(vae.compression, 2)
    (307, 10.01)
    """

    mean_image: Tensor

    def __init__(
        self,
        mean_image: Tensor,
        generator: torch.Generator,
        *,
        latent: int = LATENT,
        channels: int = 16,
    ) -> None:
        super().__init__()
        check_count("latent", latent, 1)
        check_count("channels", channels, 1)
        check_tensor("mean_image", mean_image, (3, 32, 32))
        check_torch_generator("generator", generator)
        self.latent = latent
        self.register_buffer("mean_image", mean_image)
        inner = 2 * channels * 4 * 4
        last = nn.Linear(inner, 2 * latent)
        self.encoder = nn.Sequential(
            nn.Conv2d(3, channels, 4, 4), nn.ReLU(),
            nn.Conv2d(channels, 2 * channels, 4, 2, 1), nn.ReLU(),
            nn.Flatten(),
            last,
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Linear(latent, inner), nn.ReLU(),
            nn.Unflatten(1, (2 * channels, 4, 4)),
            nn.ConvTranspose2d(2 * channels, channels, 4, 2, 1), nn.ReLU(),
            nn.ConvTranspose2d(channels, 3, 4, 4),
        )  # fmt: skip
        for weights in self.parameters():
            if weights.ndim == 1:
                nn.init.zeros_(weights)
            else:
                nn.init.kaiming_uniform_(weights, math.sqrt(5), generator=generator)
        nn.init.constant_(last.bias[latent:], FIRST_LOG_VARIANCE)
        self.to(device=mean_image.device, dtype=mean_image.dtype)

    @property
    def compression(self) -> float:
        """Numbers of an image over numbers of its latent."""
        return PIXELS / self.latent

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, (n, latent) each, for images (n, 3, 32, 32)."""
        check_tensor("images", images, IMAGES, finite=False)
        self._check_precision("images", images)
        code = self.encoder(4 * (images - self.mean_image))
        mean, log_variance = code.split(self.latent, 1)
        return mean, log_variance

    def decode(self, z: Tensor) -> Tensor:
        """Return images (n, 3, 32, 32) for latents (n, latent)."""
        check_tensor("z", z, ("n", self.latent), finite=False)
        self._check_precision("z", z)
        images: Tensor = self.mean_image + self.decoder(z) / 4
        return images

    def forward(self, images: Tensor, generator: torch.Generator) -> Pass:
        """Encode, sample, decode."""
        check_torch_generator("generator", generator)
        mean, log_variance = self.encode(images)
        noise = torch.randn(
            mean.shape, generator=generator, device=generator.device, dtype=mean.dtype
        )
        z = mean + (log_variance / 2).exp() * noise.to(mean.device)
        return Pass(mean, log_variance, z, self.decode(z))

    def _check_precision(self, name: str, values: Tensor) -> None:
        """Raise a TypeError unless a tensor has the dtype of the weights."""
        dtype = next(self.parameters()).dtype
        if values.dtype != dtype:
            raise TypeError(
                f"{name} must have the autoencoder's dtype, {dtype}; got {values.dtype}"
            )


def _check_pair(images: Tensor, made: Tensor, latent: int) -> None:
    """Raise an error unless both are as many images; NaN is the training's to report."""
    for name, pictures in (("images", images), ("made", made)):
        check_tensor(name, pictures, ("n", "colours", "height", "width"), finite=False)
    if made.shape != images.shape:
        raise ValueError(
            f"images and made must share a shape; got {tuple(images.shape)} and {tuple(made.shape)}"
        )
    check_count("latent", latent, 1)


def reconstruction(images: Tensor, made: Tensor, latent: int = LATENT) -> Tensor:
    """Gaussian negative log-likelihood, Σ (x - y)² / (2 s²), s = 0.1, per latent number.

    Its sum with `kl_divergence` is the negative evidence bound per latent number, up to a
    constant.
    """
    _check_pair(images, made, latent)
    return (images - made).square().sum() / (2 * DECODER_SD**2 * latent * len(images))


def gradient_domain(images: Tensor, made: Tensor, latent: int = LATENT) -> Tensor:
    """`reconstruction` of the differences between neighbouring pixels.

    Σ (∂x - ∂y)² / (8 s²) per latent number, over both directions. It ignores a constant
    offset, and equals `reconstruction` in the mean where the errors of neighbours are
    independent, up to the pixels at the border.
    """
    _check_pair(images, made, latent)
    error = images - made
    squares = error.diff(dim=2).square().sum() + error.diff(dim=3).square().sum()
    return squares / (8 * DECODER_SD**2 * latent * len(images))


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of N(m, e^v) from N(0, 1): mean of ½ (m² + e^v - 1 - v), in nats.

    The mean is over the images and the latent numbers.
    """
    check_tensor("mean", mean, ("n", "d"), finite=False)
    check_tensor("log_variance", log_variance, ("n", "d"), finite=False)
    if mean.shape != log_variance.shape:
        raise ValueError(
            "mean and log_variance must share a shape (n, d); "
            f"got {tuple(mean.shape)} and {tuple(log_variance.shape)}"
        )
    return (mean.square() + log_variance.exp() - 1 - log_variance).mean() / 2


def batch_mean(z: Tensor) -> Tensor:
    """Mean over the latent numbers of the square of the batch's mean; 0 is wanted."""
    check_tensor("z", z, ("n", "d"), finite=False)
    return z.mean(0).square().mean()


def batch_covariance(z: Tensor) -> Tensor:
    """Return ``|C - I|² / d``, C the covariance over the batch (by n - 1) of d latent numbers."""
    _check_rows(z, "a covariance")
    centred = z - z.mean(0)
    covariance = centred.T @ centred / (len(z) - 1)
    identity = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
    return (covariance - identity).square().sum() / z.shape[1]


def batch_skewness(z: Tensor) -> Tensor:
    r"""Mean square, over the latents, of the batch's skewness :math:`E c^3 / (E c^2)^{3/2}`.

    NaN where a latent number is the same for the whole batch.
    """
    centred, square, variance = _centred(z)
    return ((square * centred).mean(0) / variance**1.5).square().mean()


def batch_kurtosis(z: Tensor) -> Tensor:
    """Mean square, over the latent numbers, of the batch's kurtosis E c⁴ / (E c²)² minus 3.

    NaN where a latent number is the same for the whole batch.
    """
    _, square, variance = _centred(z)
    return (square.square().mean(0) / variance**2 - 3).square().mean()


def _check_rows(z: Tensor, what: str) -> None:
    check_tensor("z", z, ("n", "d"), finite=False)
    if len(z) < 2:
        raise ValueError(f"z must have 2 rows or more, for {what}; got shape {tuple(z.shape)}")


def _centred(z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return c, c² and E c² of each latent number, in a unit of its own: no power of it is lost."""
    _check_rows(z, "moments")
    centred = z - z.mean(0)
    largest = centred.detach().abs().amax(0)
    centred = centred / torch.ldexp(torch.ones_like(largest), torch.frexp(largest).exponent)
    square = centred.square()
    return centred, square, square.mean(0)


LOSSES = ("reconstruction", "gradient domain", "KL", "batch mean", "batch covariance")
HIGHER_MOMENTS = ("skewness", "kurtosis")


def losses(images: Tensor, passed: Pass, *, higher_moments: bool = False) -> dict[str, Tensor]:
    """Return the losses of a batch by name: five, or seven with the higher moments."""
    check_kind("passed", passed, Pass)
    check_flag("higher_moments", higher_moments)
    mean, log_variance, z, made = passed
    latent = z.shape[1]
    values = {
        "reconstruction": reconstruction(images, made, latent),
        "gradient domain": gradient_domain(images, made, latent),
        "KL": kl_divergence(mean, log_variance),
        "batch mean": batch_mean(z),
        "batch covariance": batch_covariance(z),
    }
    if higher_moments:
        values |= {"skewness": batch_skewness(z), "kurtosis": batch_kurtosis(z)}
    return values
