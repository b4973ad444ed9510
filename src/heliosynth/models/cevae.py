"""The context-encoding variational autoencoder (Zimmerer et al. 2018; Giger 2022)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from heliosynth.config.models import CevaeConfig
from heliosynth.diffusion.denoiser import Noise
from heliosynth.errors import InputError
from heliosynth.models.blocks import group_norm

SQUARES = 3
"""Masked squares per image, each 1/8 to 3/8 of its width; they can overlap."""
LOG_VARIANCE_LIMIT = 10.0
"""Largest absolute log variance of a latent."""


class Cevae(nn.Module):
    """A convolutional variational autoencoder that also learns to fill masked squares.

    Each stage halves the image by a 4×4 convolution of stride 2; a linear layer maps the last
    features to the latents' mean and log variance. The decoder mirrors the encoder.

    Parameters
    ----------
    config
        A model of kind ``cevae``.
    image_size
        Height and width of the images, pixels.

    Raises
    ------
    InputError
        If the image size cannot be halved once per stage.
    """

    def __init__(self, config: CevaeConfig, image_size: int) -> None:
        super().__init__()
        widths = config.widths
        if image_size % config.size_multiple:
            raise InputError(
                f"dataset.image_size_px: {image_size} px do not fit a ceVAE of {len(widths)} "
                f"widths; choose a multiple of {config.size_multiple}"
            )
        self.config = config
        self.latent_dim = config.latent_dim
        lowest_size = image_size // config.size_multiple
        features = widths[-1] * lowest_size**2
        encoder: list[nn.Module] = [nn.Conv2d(1, widths[0], 4, stride=2, padding=1)]
        decoder: list[nn.Module] = []
        for a, b in pairwise(widths):
            halve = nn.Conv2d(a, b, 4, stride=2, padding=1)
            double = nn.ConvTranspose2d(b, a, 4, stride=2, padding=1)
            encoder += [nn.LeakyReLU(0.2), halve, group_norm(b)]
            decoder = [double, group_norm(a), nn.LeakyReLU(0.2), *decoder]
        decoder.append(nn.ConvTranspose2d(widths[0], 1, 4, stride=2, padding=1))
        self.encoder = nn.Sequential(*encoder, nn.LeakyReLU(0.2), nn.Flatten())
        self.posterior = nn.Linear(features, 2 * config.latent_dim)
        self.prior = nn.Sequential(
            nn.Linear(config.latent_dim, features),
            nn.Unflatten(1, (widths[-1], lowest_size, lowest_size)),
            nn.LeakyReLU(0.2),
        )
        self.decoder = nn.Sequential(*decoder)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance, both (N, Z), of the latents of images (N, 1, H, W)."""
        mean, log_variance = self.posterior(self.encoder(x)).chunk(2, dim=1)
        return mean, log_variance.clamp(-LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT)

    def embed(self, x: Tensor) -> Tensor:
        """Return the embedding of images: the latents' mean (N, Z)."""
        return self.encode(x)[0]

    def decode(self, z: Tensor) -> Tensor:
        """Return the images (N, 1, H, W) of latents (N, Z), not clipped to [−1, 1]."""
        images: Tensor = self.decoder(self.prior(z))
        return images

    def sample(self, z: Tensor) -> Tensor:
        """Return images (N, 1, H, W) in [−1, 1] generated from latents (N, Z) ~ N(0, 1)."""
        return self.decode(z).clamp(-1, 1)

    def sample_noise(self, shape: torch.Size, generator: torch.Generator) -> Noise:
        """Draw the random numbers that the loss of a batch needs.

        Parameters
        ----------
        shape
            Shape (N, 1, H, W) of the images.
        generator
            Source of every random number.

        Returns
        -------
        dict
            ``latent`` (N, Z), standard normal; ``squares`` (N, 3, S) and ``filling``
            (N, 1, H, W), uniform in [0, 1).
        """
        count, device = shape[0], generator.device
        return {
            "latent": torch.randn(count, self.latent_dim, generator=generator, device=device),
            "squares": torch.rand(count, 3, SQUARES, generator=generator, device=device),
            "filling": torch.rand(shape, generator=generator, device=device),
        }

    def loss(self, x: Tensor, noise: Noise) -> Tensor:
        """Return (1−f)(L1 + β KL) + f L1(inpainted), a scalar.

        L1 is the mean over images and pixels, KL = ½(μ² + σ² − 1 − ln σ²) the mean over images
        and latents. The context-encoding term decodes the latents' mean of the masked image and
        compares all pixels with the unmasked image (Zimmerer et al. 2018).

        Parameters
        ----------
        x
            (N, 1, H, W) in [−1, 1].
        noise
            From :meth:`sample_noise`.
        """
        f, beta = self.config.context_fraction, self.config.beta
        mean, log_variance = self.encode(x)
        reconstructed = self.decode(mean + (log_variance / 2).exp() * noise["latent"])
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).mean()
        variational = functional.l1_loss(reconstructed, x) + beta * divergence
        masked = mask_squares(x, noise["squares"], noise["filling"])
        inpainted = self.decode(self.embed(masked))
        return (1 - f) * variational + f * functional.l1_loss(inpainted, x)


def mask_squares(x: Tensor, squares: Tensor, filling: Tensor) -> Tensor:
    """Fill squares of images with noise uniform in [−1, 1].

    Noise rather than a constant, so that a masked square does not resemble a part of the Sun.

    Parameters
    ----------
    x
        (N, 1, H, H).
    squares
        (N, 3, S) in [0, 1): width, top and left of each square, as fractions of their ranges.
    filling
        (N, 1, H, H) in [0, 1).

    Returns
    -------
    (N, 1, H, H)
    """
    size = x.shape[-1]
    sides = (size * (1 + 2 * squares[:, 0]) / 8).round()[..., None]
    starts = (squares[:, 1:, :, None] * (size - sides)[:, None]).round()
    pixels = torch.arange(size, device=x.device)
    inside = (pixels >= starts) & (pixels < starts + sides[:, None])
    rows, columns = inside[:, 0], inside[:, 1]
    masked = (rows[..., :, None] & columns[..., None, :]).any(dim=1, keepdim=True)
    return torch.where(masked, 2 * filling - 1, x)
