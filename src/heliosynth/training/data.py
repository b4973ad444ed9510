"""The training images in memory, and the order in which they are drawn."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

Integers = npt.NDArray[np.int64]
FLIPS = 4
"""As it is, mirrored east-west, mirrored north-south, both."""


@dataclass(frozen=True)
class Images:
    """Images with their conditions, as tensors on one device.

    Attributes
    ----------
    pixels
        (N, 1, H, W) float32 in [−1, 1].
    condition
        (F, N, D) float32: the conditions of each image as it is and, where F is 4, of its
        mirrored forms.
    """

    pixels: torch.Tensor
    condition: torch.Tensor

    def __len__(self) -> int:
        return len(self.pixels)

    def to(self, device: torch.device) -> Images:
        """Move all to a device."""
        return Images(self.pixels.to(device), self.condition.to(device))

    def batch(self, rows: Integers, flips: Integers) -> tuple[torch.Tensor, torch.Tensor]:
        """Give some images, mirrored as asked, with their conditions."""
        device = self.pixels.device
        row, flip = (torch.from_numpy(values).to(device) for values in (rows, flips))
        return mirrored(self.pixels[row], flip), self.condition[flip, row]


@dataclass(frozen=True)
class BatchOrder:
    """The order of the training images: a function of the seed and the step alone.

    An epoch is N draws. It holds every image as often as its weight says, within one draw
    (systematic resampling), so that equal weights give each image once, in random order.

    Attributes
    ----------
    weights
        (N,) shares of the draws; their sum is 1.
    batch_size
        Images a step.
    flips
        Whether images are mirrored at random.
    seed
        Seed of the order.
    """

    weights: npt.NDArray[np.float64]
    batch_size: int
    flips: bool
    seed: int

    def __call__(self, step: int) -> tuple[Integers, Integers]:
        """Give the rows of a step (from 0) and how each is mirrored, 0…3."""
        positions = np.arange(step * self.batch_size, (step + 1) * self.batch_size)
        epochs, places = np.divmod(positions, len(self.weights))
        rows = np.concatenate(
            [self._epoch(int(epoch))[places[epochs == epoch]] for epoch in np.unique(epochs)]
        )
        rng = np.random.default_rng([self.seed, 1, step])
        flips = rng.integers(FLIPS, size=len(rows)) if self.flips else np.zeros_like(rows)
        return rows, flips

    def _epoch(self, epoch: int) -> Integers:
        return _epoch_order(self.weights.tobytes(), self.seed, epoch)


@functools.lru_cache(maxsize=2)
def _epoch_order(weights: bytes, seed: int, epoch: int) -> Integers:
    rng = np.random.default_rng([seed, 0, epoch])
    order = rng.permutation(len(weights) // 8)
    edges = np.cumsum(np.frombuffer(weights)[order])
    # The offset stays clear of 0 and 1, where rounding could draw an image twice.
    points = (np.arange(len(order)) + rng.uniform(0.01, 0.99)) / len(order) * edges[-1]
    return rng.permutation(order[np.searchsorted(edges, points)]).astype(np.int64)


def sampling_weights(goes_class: npt.NDArray[np.int8], balance: float) -> npt.NDArray[np.float64]:
    """Give each image its share of the draws, ∝ (frequency of its class)^(−balance).

    Parameters
    ----------
    goes_class
        (N,) class numbers.
    balance
        0 draws images as they come, 1 draws every class as often.
    """
    _, which, count = np.unique(goes_class, return_inverse=True, return_counts=True)
    weights = count[which].astype(np.float64) ** -balance
    return np.asarray(weights / weights.sum())


def mirrored(images: torch.Tensor, flips: torch.Tensor) -> torch.Tensor:
    """Mirror each image of (N, 1, H, W): 1 east-west, 2 north-south, 3 both."""
    east_west, north_south = ((flips & bit).bool()[:, None, None, None] for bit in (1, 2))
    images = torch.where(east_west, images.flip(-1), images)
    return torch.where(north_south, images.flip(-2), images)


def steps_of(images: float, batch_size: int) -> int:
    """Give the number of steps in which at least so many images are seen."""
    return max(1, math.ceil(images / batch_size))
