"""Networks and what they are conditioned on."""

from __future__ import annotations

from torch import nn

from heliosynth.config.models import ModernUnetConfig, StudyUnetConfig
from heliosynth.models.modern_unet import ModernUnet
from heliosynth.models.study_unet import StudyUnet

__all__ = ["build_network"]


def build_network(
    settings: StudyUnetConfig | ModernUnetConfig, image_size: int, condition_dim: int
) -> nn.Module:
    """Build the network of a diffusion model.

    Parameters
    ----------
    settings
        Section ``network`` of a row.
    image_size
        Height and width of the images, pixels.
    condition_dim
        Length D of a condition.

    Returns
    -------
    A module ``network(x (N, 1, H, W), noise_label (N,), condition (N, D)) -> (N, 1, H, W)``.

    Raises
    ------
    InputError
        If the image size does not fit the network.
    """
    if settings.kind == "study_unet":
        return StudyUnet(settings, image_size, condition_dim)
    return ModernUnet(settings, image_size, condition_dim)
