"""Image classifiers: a convolutional network for the metrics, and a DeiT for the application."""

from __future__ import annotations

from itertools import pairwise

import timm
from torch import Tensor, nn
from torch.nn import functional

from heliosynth.config.evaluation import ApplicationConfig, ClassifierConfig
from heliosynth.errors import InputError

STAGES = 3
STEM_PX = 4
"""Size of the patches of the first stage, pixels."""


class Classifier(nn.Module):
    """A small residual network of three stages on patches of 4 × 4 pixels.

    Each stage has half the resolution and twice the width of the previous one.

    Parameters
    ----------
    width
        Channels of the first stage.
    classes
        Number of classes.
    """

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        widths = [width * 2**stage for stage in range(STAGES)]
        stem = nn.Conv2d(1, width, STEM_PX, stride=STEM_PX)
        self.stages = nn.Sequential(
            _Stage(stem, width), *(_Stage(_halve(a, b), b) for a, b in pairwise(widths))
        )
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (N, K) of images (N, 1, H, W)."""
        logits: Tensor = self.head(self.stages(images).mean(dim=(2, 3)))
        return logits


class _Stage(nn.Module):
    """A strided convolution and a residual block."""

    def __init__(self, reduce: nn.Conv2d, width: int) -> None:
        super().__init__()
        # No normalisation here: it would remove the brightness, which depends on the activity.
        self.reduce = reduce
        self.refine = nn.Sequential(
            nn.GroupNorm(1, width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.GroupNorm(1, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.reduce(x)
        return functional.relu(x + self.refine(x))


def _halve(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)


def build_classifier(config: ClassifierConfig, classes: int) -> Classifier:
    """Build the convolutional classifier with random weights."""
    return Classifier(config.width, classes)


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
