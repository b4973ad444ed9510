"""The DeiT of the application, apart from the classifier: timm takes seconds to import."""

from __future__ import annotations

import timm
from torch import nn

from heliosynth.config.evaluation import ApplicationConfig
from heliosynth.errors import InputError


def build_deit(config: ApplicationConfig, image_size: int, classes: int) -> nn.Module:
    """Build a DeiT for greyscale images with random weights (Touvron et al. 2021).

    A data-efficient image transformer: timm's ``deit_tiny`` at the configured depth and width,
    without distillation from a teacher.

    Parameters
    ----------
    config
        Section ``application``.
    image_size
        Height and width of the images, pixels.
    classes
        Number of classes.

    Returns
    -------
    A module from images (N, 1, H, W) to logits (N, K).

    Raises
    ------
    InputError
        If the patches do not tile the image, or the width is not a multiple of the heads.
    """
    if image_size % config.patch_px:
        raise InputError(
            f"application.patch_px: patches of {config.patch_px} px do not tile an image of "
            f"{image_size} px; choose a divisor of dataset.image_size_px"
        )
    if config.embedding_dim % config.heads:
        raise InputError(
            f"application.embedding_dim: {config.embedding_dim} is not a multiple of the "
            f"{config.heads} heads; change it or application.heads"
        )
    network: nn.Module = timm.create_model(
        "deit_tiny_patch16_224",
        pretrained=False,
        img_size=image_size,
        patch_size=config.patch_px,
        in_chans=1,
        embed_dim=config.embedding_dim,
        depth=config.depth,
        num_heads=config.heads,
        num_classes=classes,
    )
    return network
