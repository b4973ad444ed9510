"""Training of a classifier with the shared trainer, and prediction."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from heliosynth.arrays import Classes, Images
from heliosynth.config.models import TrainingConfig
from heliosynth.dataset.store import LabelledImages
from heliosynth.diffusion.denoiser import Noise
from heliosynth.jobs.device import default_device
from heliosynth.training.checkpoint import CheckpointFolder
from heliosynth.training.data import FLIPS, ConditionedImages, sampling_weights
from heliosynth.training.distributed import DistributedContext
from heliosynth.training.objective import Objective
from heliosynth.training.trainer import Trainer, TrainingResult


class Classification(Objective):
    """Objective of a classifier; the condition of an image is its class, one-hot."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def sample_noise(self, shape: torch.Size, generator: torch.Generator) -> Noise:
        """Return an empty mapping: the loss has no random numbers besides dropout."""
        return {}

    def loss(self, images: torch.Tensor, condition: torch.Tensor, noise: Noise) -> torch.Tensor:
        """Return the mean cross-entropy; in validation, the share of wrong predictions.

        Validation cross-entropy rises with overconfidence although the predictions do not get
        worse, so it would select an epoch that is too early.
        """
        logits: torch.Tensor = self.network(images)
        if self.training:
            return functional.cross_entropy(logits, condition)
        return (logits.argmax(dim=1) != condition.argmax(dim=1)).float().mean()

    def compiled_modules(self) -> Iterator[nn.Module]:
        """Yield the network."""
        yield self.network


def fit(
    network: nn.Module,
    training: LabelledImages,
    validation: LabelledImages,
    classes: Sequence[int],
    settings: TrainingConfig,
    seed: int,
) -> TrainingResult:
    """Train a network on labelled images, in place.

    Parameters
    ----------
    network
        Network from images (N, 1, H, W) to logits (N, K). Its final weights are those with the
        lowest validation error, or the last ones if there are no validation images.
    training, validation
        Images of the K classes only.
    classes
        Class numbers in the order of the logits.
    settings
        Length, optimiser, EMA.
    seed
        Seed of the order of the images.
    """
    device = default_device()
    objective = Classification(network).to(device)
    # Such a short training restarts rather than resumes, so its checkpoints are not kept.
    with tempfile.TemporaryDirectory(prefix="heliosynth-") as folder:
        result = Trainer(
            objective=objective,
            images=_to_tensors(training, classes).to(device),
            sampling_weights=sampling_weights(training.goes_class, settings.class_balance),
            validation=_to_tensors(validation, classes).to(device),
            settings=settings,
            seed=seed,
            checkpoints=CheckpointFolder(folder, {}),
            distributed=DistributedContext(device=device),
        ).fit()
    objective.load_state_dict(result.weights)
    objective.requires_grad_(False).eval()
    return result


@torch.inference_mode()
def predict(
    network: nn.Module, images: Images, classes: Sequence[int], batch_size: int = 256
) -> Classes:
    """Return the most likely class number (N,) of images (N, 1, H, W)."""
    device = default_device()
    network.eval().to(device)
    indices = [
        network(torch.from_numpy(images[first : first + batch_size]).to(device)).argmax(dim=1)
        for first in range(0, len(images), batch_size)
    ]
    numbers: Classes = np.asarray(classes, dtype=np.int8)
    return numbers.take(torch.cat(indices).cpu().numpy())


def _to_tensors(labelled: LabelledImages, classes: Sequence[int]) -> ConditionedImages:
    one_hot = labelled.goes_class[:, None] == np.asarray(classes, dtype=np.int8)
    condition = torch.from_numpy(one_hot.astype(np.float32))
    # A mirrored Sun is of the same class.
    return ConditionedImages(torch.from_numpy(labelled.images), condition.expand(FLIPS, -1, -1))
