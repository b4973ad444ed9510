"""The context-encoding variational autoencoder (Zimmerer et al. 2018; Giger 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from heliosynth.config.models import CevaeConfig
from heliosynth.errors import InputError
from heliosynth.models.blocks import group_norm

if TYPE_CHECKING:
    pass

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

    def __init__(self, settings: CevaeConfig, image_size: int) -> None:
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

    def draw(self, shape: torch.Size, generator: torch.Generator) -> dict[str, Tensor]:
        """Draw what the loss of images of a shape (N, 1, H, W) is random in.

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

    def loss(self, x: Tensor, drawn: Mapping[str, Tensor]) -> Tensor:
        """Give (1−f)(L1 + β KL) + f L1(inpainted), a scalar.

        L1 is the mean over images and pixels, KL = ½(μ² + σ² − 1 − ln σ²) the mean over images
        and latents. The context half encodes the masked image by the latents' mean alone and
        compares the whole of the decoded image with the unmasked one (Zimmerer et al. 2018).

        Parameters
        ----------
        x
            (N, 1, H, W) in [−1, 1].
        drawn
            As :meth:`draw` gives it.
        """
        f, beta = self.settings.context_fraction, self.settings.beta
        mean, log_variance = self.encode(x)
        reconstructed = self.decode(mean + (log_variance / 2).exp() * drawn["latent"])
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).mean()
        variational = functional.l1_loss(reconstructed, x) + beta * divergence
        masked = mask_squares(x, drawn["squares"], drawn["filling"])
        inpainted = self.decode(self.embed(masked))
        return (1 - f) * variational + f * functional.l1_loss(inpainted, x)


def mask_squares(x: Tensor, squares: Tensor, filling: Tensor) -> Tensor:
    """Fill squares of images with noise uniform in [−1, 1].

    Noise rather than a constant, so that a hole looks like nothing on the Sun.

    Parameters
    ----------
    x
        (N, 1, H, H).
    squares
        (N, 3, S) in [0, 1): width, top and left of each square, as shares of what they may be.
    filling
        (N, 1, H, H) in [0, 1).
    """
    size = x.shape[-1]
    sides = (size * (1 + 2 * squares[:, 0]) / 8).round()[..., None]
    starts = (squares[:, 1:, :, None] * (size - sides)[:, None]).round()
    pixels = torch.arange(size, device=x.device)
    inside = (pixels >= starts) & (pixels < starts + sides[:, None])
    rows, columns = inside[:, 0], inside[:, 1]
    masked = (rows[..., :, None] & columns[..., None, :]).any(dim=1, keepdim=True)
    return torch.where(masked, 2 * filling - 1, x)
