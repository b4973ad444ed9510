"""The context-encoding variational autoencoder (Zimmerer et al. 2018; Giger 2022)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from heliosynth.errors import InputError
from heliosynth.models.blocks import group_norm

if TYPE_CHECKING:
    from heliosynth.config import schema

SQUARES = 3
"""Masked squares an image, each 1/8 to 3/8 of its side wide; they may overlap."""
LOG_VARIANCE_LIMIT = 10.0


class Cevae(nn.Module):
    """A convolutional variational autoencoder that also learns to fill masked squares.

    Every stage halves the image by a 4×4 convolution of stride 2; a linear layer gives the
    latents' mean and log variance. The decoder mirrors it.

    Parameters
    ----------
    settings
        A row of kind ``cevae``.
    image_size
        Height and width of the images, pixels.

    Raises
    ------
    InputError
        If the image size cannot be halved once a stage.
    """

    def __init__(self, settings: schema.Cevae, image_size: int) -> None:
        super().__init__()
        widths, fold = settings.widths, 2 ** len(settings.widths)
        if image_size % fold:
            raise InputError(
                f"dataset.image_size_px is {image_size}; a ceVAE of {len(widths)} widths needs "
                f"a multiple of {fold}"
            )
        self.settings = settings
        self.latent_dim = settings.latent_dim
        self.smallest = (widths[-1], image_size // fold, image_size // fold)
        features = widths[-1] * (image_size // fold) ** 2
        encoder: list[nn.Module] = [nn.Conv2d(1, widths[0], 4, stride=2, padding=1)]
        decoder: list[nn.Module] = []
        for a, b in pairwise(widths):
            shrink = nn.Conv2d(a, b, 4, stride=2, padding=1)
            grow = nn.ConvTranspose2d(b, a, 4, stride=2, padding=1)
            encoder += [nn.LeakyReLU(0.2), shrink, group_norm(b)]
            decoder = [grow, group_norm(a), nn.LeakyReLU(0.2), *decoder]
        decoder.append(nn.ConvTranspose2d(widths[0], 1, 4, stride=2, padding=1))
        self.encoder = nn.Sequential(*encoder, nn.LeakyReLU(0.2), nn.Flatten())
        self.posterior = nn.Linear(features, 2 * settings.latent_dim)
        self.prior = nn.Sequential(
            nn.Linear(settings.latent_dim, features),
            nn.Unflatten(1, self.smallest),
            nn.LeakyReLU(0.2),
        )
        self.decoder = nn.Sequential(*decoder)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Give the mean and log variance (N, Z) each of the latents of images (N, 1, H, W)."""
        mean, log_variance = self.posterior(self.encoder(x)).chunk(2, dim=1)
        return mean, log_variance.clamp(-LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT)

    def embed(self, x: Tensor) -> Tensor:
        """Give the embedding of images: the latents' mean (N, Z)."""
        return self.encode(x)[0]

    def decode(self, z: Tensor) -> Tensor:
        """Give the images (N, 1, H, W) of latents (N, Z); they may leave [−1, 1] a little."""
        images: Tensor = self.decoder(self.prior(z))
        return images

    def sample(self, z: Tensor) -> Tensor:
        """Give generated images (N, 1, H, W) in [−1, 1] of latents (N, Z) drawn from N(0, 1)."""
        return self.decode(z).clamp(-1, 1)

    def loss(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Give (1−f)(L1 + β KL) + f L1(inpainted), a scalar.

        L1 is the mean over images and pixels, KL = ½(μ² + σ² − 1 − ln σ²) the mean over images
        and latents. The context half encodes the masked image by the latents' mean alone and
        compares the whole of the decoded image with the unmasked one (Zimmerer et al. 2018).

        Parameters
        ----------
        x
            (N, 1, H, W) in [−1, 1].
        generator
            Source of the reparametrisation and the masks.
        """
        f, beta = self.settings.context_fraction, self.settings.beta
        mean, log_variance = self.encode(x)
        normal = torch.randn(mean.shape, generator=generator, device=generator.device).to(x)
        reconstructed = self.decode(mean + (log_variance / 2).exp() * normal)
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).mean()
        variational = functional.l1_loss(reconstructed, x) + beta * divergence
        inpainted = self.decode(self.embed(mask_squares(x, generator)))
        return (1 - f) * variational + f * functional.l1_loss(inpainted, x)


def mask_squares(x: Tensor, generator: torch.Generator) -> Tensor:
    """Fill random squares of images with noise uniform in [−1, 1].

    Noise rather than a constant, so that a hole looks like nothing on the Sun.

    Parameters
    ----------
    x
        (N, 1, H, H).
    generator
        Source of the squares and of the noise.
    """
    count, size, device = len(x), x.shape[-1], generator.device
    draws = torch.rand(3, count, SQUARES, 1, generator=generator, device=device).to(x.device)
    sides = (size * (1 + 2 * draws[0]) / 8).round()
    starts = (draws[1:] * (size - sides)).round()
    pixels = torch.arange(size, device=x.device)
    rows, columns = (pixels >= starts) & (pixels < starts + sides)
    masked = (rows[..., :, None] & columns[..., None, :]).any(dim=1, keepdim=True)
    noise = 2 * torch.rand(x.shape, generator=generator, device=device).to(x) - 1
    return torch.where(masked, noise, x)
