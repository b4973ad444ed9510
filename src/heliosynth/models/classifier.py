"""Networks that tell the class of an image: the convolutional judge, and the DeiT."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import timm
from torch import Tensor, nn
from torch.nn import functional

from heliosynth.config.evaluation import ApplicationConfig, ClassifierConfig
from heliosynth.errors import InputError

if TYPE_CHECKING:
    pass

STAGES = 3
STEM_PX = 4


class Classifier(nn.Module):
    """A small residual network on patches of 4 pixels, of three stages.

    Each stage has half the pixels of the one before and twice its width.

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
        """Give the logits (N, K) of images (N, 1, H, W)."""
        logits: Tensor = self.head(self.stages(images).mean(dim=(2, 3)))
        return logits


class _Stage(nn.Module):
    """Reduce the pixels by a strided convolution, then refine by a residual one."""

    def __init__(self, reduce: nn.Conv2d, width: int) -> None:
        super().__init__()
        # What is reduced is not normalised, or the brightness, which tells of activity, is lost.
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


def _halve(entry: int, width: int) -> nn.Conv2d:
    return nn.Conv2d(entry, width, 3, stride=2, padding=1)


def build_classifier(settings: ClassifierConfig, classes: int) -> Classifier:
    """Build the convolutional judge, with random weights."""
    return Classifier(settings.width, classes)


def build_deit(settings: ApplicationConfig, image_size: int, classes: int) -> nn.Module:
    """Build a DeiT for grey images, with random weights (Touvron et al. 2021).

    The architecture is timm's ``deit_tiny``, without a teacher, at the configured depth and
    width.

    Parameters
    ----------
    settings
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
        If the patches do not tile the image, or the heads do not share the width.
    """
    if image_size % settings.patch_px:
        raise InputError(
            f"application.patch_px: patches of {settings.patch_px} px do not tile {image_size} px"
        )
    if settings.embedding_dim % settings.heads:
        raise InputError(
            f"application.embedding_dim: {settings.embedding_dim} cannot be shared by "
            f"{settings.heads} heads"
        )
    network: nn.Module = timm.create_model(
        "deit_tiny_patch16_224",
        pretrained=False,
        img_size=image_size,
        patch_size=settings.patch_px,
        in_chans=1,
        embed_dim=settings.embedding_dim,
        depth=settings.depth,
        num_heads=settings.heads,
        num_classes=classes,
    )
    return network
