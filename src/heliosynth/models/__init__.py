"""Networks of the diffusion models, and the one mapping of their kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from torch import nn

from heliosynth.config.models import NetworkConfig
from heliosynth.models import modern_unet, study_unet
from heliosynth.models.stages import UnetStages


class NetworkModule(Protocol):
    """What the module of a network kind defines; ``config`` has the class of that kind."""

    @property
    def TITLE(self) -> str:  # noqa: N802
        """Title of the network in tables."""

    @property
    def DESCRIPTION(self) -> str:  # noqa: N802
        """Description in the paper: a noun phrase in LaTeX."""

    def build(self, config: Any, image_size: int, condition_dim: int) -> nn.Module:
        """Build the network with random weights; see :func:`build_network`."""

    def stages(self, config: Any, image_size: int) -> UnetStages:
        """Return the stages that the figure of the network shows."""


NETWORKS: Mapping[str, NetworkModule] = {
    "study_unet": study_unet,
    "modern_unet": modern_unet,
}
"""The modules of all network kinds, each named after its kind."""


def build_network(config: NetworkConfig, image_size: int, condition_dim: int) -> nn.Module:
    """Build the network of a diffusion model.

    Parameters
    ----------
    config
        Section ``network`` of a model.
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
    return NETWORKS[config.kind].build(config, image_size, condition_dim)


def network_title(config: NetworkConfig) -> str:
    """Return the title of a network in tables."""
    return NETWORKS[config.kind].TITLE


def network_description(config: NetworkConfig) -> str:
    """Return the description of a network in the paper: a noun phrase in LaTeX."""
    return NETWORKS[config.kind].DESCRIPTION


def network_stages(config: NetworkConfig, image_size: int) -> UnetStages:
    """Return the stages of a network for images of ``image_size`` pixels."""
    return NETWORKS[config.kind].stages(config, image_size)
