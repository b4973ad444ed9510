"""TrainingConfig a network to tell classes, by the one training loop, and asking it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from heliosynth.config.models import TrainingConfig
from heliosynth.dataset.store import LabelledImages
from heliosynth.diffusion.denoiser import Noise
from heliosynth.training.checkpoint import StateFolder
from heliosynth.training.data import FLIPS, Images, sampling_weights
from heliosynth.training.trainer import Objective, TrainingResult, train

Classes = npt.NDArray[np.int8]


class Classification(Objective):
    """A network that gives logits; its condition is the class, one-hot."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def draw(self, shape: torch.Size, generator: torch.Generator) -> Noise:
        """Draw nothing: the loss is random in nothing but dropout."""
        return {}

    def loss(self, images: torch.Tensor, condition: torch.Tensor, drawn: Noise) -> torch.Tensor:
        """Give the mean cross-entropy; in validation, the share of wrong answers.

        Cross-entropy grows with confidence long after the answers stop getting worse, so it
        would pick too early an epoch.
        """
        logits: torch.Tensor = self.network(images)
        if self.training:
            return functional.cross_entropy(logits, condition)
        return (logits.argmax(dim=1) != condition.argmax(dim=1)).float().mean()

    def trunks(self) -> Iterator[nn.Module]:
        """Give the whole network."""
        yield self.network


def fit(
    network: nn.Module,
    training: LabelledImages,
    validation: LabelledImages,
    classes: Sequence[int],
    settings: TrainingConfig,
    seed: int,
) -> TrainingResult:
    """Train a network on labelled images and leave it with the weights that are kept.

    Parameters
    ----------
    network
        From images (N, 1, H, W) to logits (N, K).
    training, validation
        Images of the K classes only. The weights kept are those with the lowest validation
        error, or the last ones where there are no validation images.
    classes
        Class numbers in the order of the logits.
    settings
        Length, optimiser, moving average.
    seed
        Seed of the order of the images.
    """
    device = _device()
    objective = Classification(network).to(device)
    # A training this short starts anew rather than resume, so its states are not kept.
    with tempfile.TemporaryDirectory(prefix="heliosynth-") as folder:
        outcome = train(
            objective,
            _images(training, classes).to(device),
            sampling_weights(training.goes_class, settings.class_balance),
            _images(validation, classes).to(device),
            settings,
            seed,
            StateFolder(folder, {}),
        )
    objective.load_state_dict(outcome.weights)
    objective.requires_grad_(False).eval()
    return outcome


@torch.inference_mode()
def predict(
    network: nn.Module,
    images: npt.NDArray[np.float32],
    classes: Sequence[int],
    batch_size: int = 256,
) -> Classes:
    """Give the most likely class number (N,) of images (N, 1, H, W)."""
    network.eval().to(_device())
    places = [
        network(torch.from_numpy(images[first : first + batch_size]).to(_device())).argmax(dim=1)
        for first in range(0, len(images), batch_size)
    ]
    numbers: Classes = np.asarray(classes, dtype=np.int8)
    return numbers.take(torch.cat(places).cpu().numpy())


def _images(labelled: LabelledImages, classes: Sequence[int]) -> Images:
    wanted = labelled.goes_class[:, None] == np.asarray(classes, dtype=np.int8)
    condition = torch.from_numpy(wanted.astype(np.float32))
    # A mirrored Sun is of the same class.
    return Images(torch.from_numpy(labelled.images), condition.expand(FLIPS, -1, -1))


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
