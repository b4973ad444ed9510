"""The convolutional image classifier of the metrics."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from heliosynth.config.evaluation import ClassifierConfig

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
