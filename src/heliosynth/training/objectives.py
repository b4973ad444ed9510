"""Objectives of the models: what the trainer minimises for each kind of model."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from heliosynth.config.models import CevaeConfig, DdpmConfig
from heliosynth.diffusion.denoiser import Noise, build_denoiser
from heliosynth.models import build_network
from heliosynth.models.cevae import Cevae
from heliosynth.models.conditioning import ConditionEncoder, drop_labels
from heliosynth.training.objective import Objective


class DenoisingObjective(Objective):
    """A conditional diffusion model: a denoiser, and the encoder of its conditions.

    Parameters
    ----------
    config
        The model config.
    image_size
        Height and width, pixels.
    embedding_dim
        Length of the ceVAE embedding in the condition, 0 without one.
    """

    def __init__(self, config: DdpmConfig, image_size: int, embedding_dim: int = 0) -> None:
        super().__init__()
        self.label_dropout = config.label_dropout
        self.encoder = ConditionEncoder(config.condition, embedding_dim)
        network = build_network(config.network, image_size, self.encoder.dim)
        self.denoiser = build_denoiser(network, config.denoiser)

    def sample_noise(self, shape: torch.Size, generator: torch.Generator) -> Noise:
        """Draw the noise of the denoiser, and ``kept`` (N,) in [0, 1), which decides on dropout."""
        kept = torch.rand(shape[0], generator=generator, device=generator.device)
        return {"kept": kept, **self.denoiser.sample_noise(shape, generator)}

    def loss(self, images: Tensor, condition: Tensor, noise: Noise) -> Tensor:
        """Compute the denoising loss; in training, some labels are dropped for guidance."""
        if self.training:
            condition = drop_labels(condition, self.label_dropout, noise["kept"])
        return self.denoiser.loss(images, condition, noise)

    def compiled_modules(self) -> Iterator[nn.Module]:
        """Yield the network of the denoiser."""
        yield self.denoiser.network


class AutoencodingObjective(Objective):
    """The ceVAE, which takes no condition."""

    def __init__(self, config: CevaeConfig, image_size: int) -> None:
        super().__init__()
        self.cevae = Cevae(config, image_size)

    def sample_noise(self, shape: torch.Size, generator: torch.Generator) -> Noise:
        """Draw latents and masks."""
        return self.cevae.sample_noise(shape, generator)

    def loss(self, images: Tensor, condition: Tensor, noise: Noise) -> Tensor:
        """Compute the loss of the autoencoder."""
        return self.cevae.loss(images, noise)


def build_objective(
    config: DdpmConfig | CevaeConfig, image_size: int, embedding_dim: int = 0
) -> DenoisingObjective | AutoencodingObjective:
    """Build the objective of a model config, with random weights."""
    if isinstance(config, DdpmConfig):
        return DenoisingObjective(config, image_size, embedding_dim)
    return AutoencodingObjective(config, image_size)
