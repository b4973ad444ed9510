"""Random numbers for sampling: one stream a sample, so that no image depends on its batch."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor


class SampleNoise:
    """One random stream for each sample of a batch (after ``StackedRandomGenerator`` of EDM).

    What sample i draws follows from its seed and its earlier draws alone. The streams are
    numpy's, so that a seed means the same image on every device; torch's own generators on
    the CPU would keep no more than 32 bits of it.

    Parameters
    ----------
    seeds
        One non-negative integer a sample.
    """

    def __init__(self, seeds: Iterable[int]) -> None:
        self._streams = [np.random.default_rng(int(seed)) for seed in seeds]

    def __len__(self) -> int:
        return len(self._streams)

    def normal(self, *shape: int) -> Tensor:
        """Draw standard normal numbers: (N, *shape) float32."""
        drawn = [stream.standard_normal(shape, np.float32) for stream in self._streams]
        return torch.from_numpy(np.stack(drawn))

    def uniform(self, *shape: int) -> Tensor:
        """Draw numbers uniform in [0, 1): (N, *shape) float32."""
        drawn = [stream.random(shape, np.float32) for stream in self._streams]
        return torch.from_numpy(np.stack(drawn))

    def like(self, x: Tensor) -> Tensor:
        """Draw standard normal numbers of the shape, type and device of ``x`` (N, …)."""
        return self.normal(*x.shape[1:]).to(x)
