"""What each kind of row trains, made from its settings."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from heliosynth.config.models import CevaeConfig, DdpmConfig
from heliosynth.diffusion.denoiser import Noise, build_denoiser
from heliosynth.models import build_network
from heliosynth.models.cevae import Cevae
from heliosynth.models.conditioning import ConditionEncoder, drop_labels
from heliosynth.training.trainer import Objective


class DenoisingObjective(Objective):
    """A conditional diffusion model: its denoiser, and the encoder of its conditions.

    Parameters
    ----------
    row
        The row of the study.
    image_size
        Height and width, pixels.
    embedding_dim
        Length of the ceVAE embedding in the condition, 0 without one.
    """

    def __init__(self, row: DdpmConfig, image_size: int, embedding_dim: int = 0) -> None:
        super().__init__()
        self.label_dropout = row.label_dropout
        self.encoder = ConditionEncoder(row.condition, embedding_dim)
        network = build_network(row.network, image_size, self.encoder.dim)
        self.denoiser = build_denoiser(network, row.denoiser)

    def draw(self, shape: torch.Size, generator: torch.Generator) -> Noise:
        """Draw levels, noise, and ``kept`` (N,), which tells whose label is dropped."""
        kept = torch.rand(shape[0], generator=generator, device=generator.device)
        return {"kept": kept, **self.denoiser.draw(shape, generator)}

    def loss(self, images: torch.Tensor, condition: torch.Tensor, drawn: Noise) -> torch.Tensor:
        """Give the denoising loss; in training, some labels are dropped for guidance."""
        if self.training:
            condition = drop_labels(condition, self.label_dropout, drawn["kept"])
        return self.denoiser.loss(images, condition, drawn)

    def trunks(self) -> Iterator[nn.Module]:
        """Give the network under the denoiser."""
        yield self.denoiser.network


class AutoencodingObjective(Objective):
    """The ceVAE, which knows no condition."""

    def __init__(self, row: CevaeConfig, image_size: int) -> None:
        super().__init__()
        self.cevae = Cevae(row, image_size)

    def draw(self, shape: torch.Size, generator: torch.Generator) -> Noise:
        """Draw latents and masks."""
        return self.cevae.draw(shape, generator)

    def loss(self, images: torch.Tensor, condition: torch.Tensor, drawn: Noise) -> torch.Tensor:
        """Give the loss of the autoencoder."""
        return self.cevae.loss(images, drawn)


def build_objective(
    row: DdpmConfig | CevaeConfig, image_size: int, embedding_dim: int = 0
) -> DenoisingObjective | AutoencodingObjective:
    """Make the objective of a row, with random weights."""
    if isinstance(row, DdpmConfig):
        return DenoisingObjective(row, image_size, embedding_dim)
    return AutoencodingObjective(row, image_size)
