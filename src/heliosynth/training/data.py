"""Training images in memory, and the order in which they are drawn."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import torch

from heliosynth.arrays import Classes, Floats, Integers

FLIPS = 4
"""Mirrored forms of an image: itself, east-west, north-south, both."""


@dataclass(frozen=True)
class ConditionedImages:
    """Images and their conditions, as tensors on one device.

    Attributes
    ----------
    pixels
        (N, 1, H, W) float32 in [−1, 1].
    condition
        (F, N, D) float32: the conditions of the images and, if F is 4, of their mirrored forms.
    """

    pixels: torch.Tensor
    condition: torch.Tensor

    def __len__(self) -> int:
        return len(self.pixels)

    def to(self, device: torch.device) -> ConditionedImages:
        """Move the tensors to a device."""
        return ConditionedImages(self.pixels.to(device), self.condition.to(device))

    def batch(self, index: Integers, flips: Integers) -> tuple[torch.Tensor, torch.Tensor]:
        """Return images and conditions of a batch.

        Parameters
        ----------
        index
            (B,) which images.
        flips
            (B,) how each is mirrored, 0…3.

        Returns
        -------
        images : (B, 1, H, W)
        condition : (B, D)
        """
        device = self.pixels.device
        image, flip = (torch.from_numpy(values).to(device) for values in (index, flips))
        return mirror(self.pixels[image], flip), self.condition[flip, image]


@dataclass(frozen=True)
class BatchOrder:
    """The order of the training images, a function of the seed and the step alone.

    An epoch is N draws. It holds every image in proportion to its weight, to within one draw
    (systematic resampling), so equal weights draw each image once, in random order.

    Attributes
    ----------
    weights
        (N,) shares of the draws; their sum is 1.
    batch_size
        Images per step.
    flips
        Whether images are mirrored at random.
    seed
        Seed of the order.
    """

    weights: Floats
    batch_size: int
    flips: bool
    seed: int

    def __call__(self, step: int) -> tuple[Integers, Integers]:
        """Return the images of a step (from 0), (B,), and how each is mirrored, 0…3, (B,)."""
        draws = np.arange(step * self.batch_size, (step + 1) * self.batch_size)
        epochs, positions = np.divmod(draws, len(self.weights))
        index = np.concatenate(
            [self._epoch(int(epoch))[positions[epochs == epoch]] for epoch in np.unique(epochs)]
        )
        rng = np.random.default_rng([self.seed, 1, step])
        flips = rng.integers(FLIPS, size=len(index)) if self.flips else np.zeros_like(index)
        return index, flips

    def _epoch(self, epoch: int) -> Integers:
        return _epoch_order(self.weights.tobytes(), self.seed, epoch)


@functools.lru_cache(maxsize=2)
def _epoch_order(weights: bytes, seed: int, epoch: int) -> Integers:
    rng = np.random.default_rng([seed, 0, epoch])
    order = rng.permutation(len(weights) // 8)
    edges = np.cumsum(np.frombuffer(weights)[order])
    # The offset stays away from 0 and 1, where rounding could draw an image twice.
    points = (np.arange(len(order)) + rng.uniform(0.01, 0.99)) / len(order) * edges[-1]
    return rng.permutation(order[np.searchsorted(edges, points)]).astype(np.int64)


def sampling_weights(goes_class: Classes, balance: float) -> Floats:
    """Return each image's share of the draws, ∝ (frequency of its class)^(−balance).

    Parameters
    ----------
    goes_class
        (N,) class numbers.
    balance
        0 draws images in their natural frequency, 1 draws every class equally often.
    """
    _, which, count = np.unique(goes_class, return_inverse=True, return_counts=True)
    weights = count[which].astype(np.float64) ** -balance
    return np.asarray(weights / weights.sum())


def mirror(images: torch.Tensor, flips: torch.Tensor) -> torch.Tensor:
    """Mirror images (N, 1, H, W), each by a number of (N,): 1 east-west, 2 north-south, 3 both."""
    east_west, north_south = ((flips & bit).bool()[:, None, None, None] for bit in (1, 2))
    images = torch.where(east_west, images.flip(-1), images)
    return torch.where(north_south, images.flip(-2), images)


def step_count(images: float, batch_size: int) -> int:
    """Return the number of steps in which at least ``images`` images are seen."""
    return max(1, math.ceil(images / batch_size))
