"""Random numbers for sampling: one stream per sample, independent of its batch."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor


class SampleNoise:
    """One random stream per sample of a batch (after ``StackedRandomGenerator`` of EDM).

    The numbers of a sample depend only on its seed and on how many were drawn before. The
    streams are numpy's, so that a seed leads to the same noise on every device; torch's own
    generators on the CPU use only 32 bits of a seed.

    Parameters
    ----------
    seeds
        One non-negative integer per sample.
    """

    def __init__(self, seeds: Iterable[int]) -> None:
        self._streams = [np.random.default_rng(int(seed)) for seed in seeds]

    def __len__(self) -> int:
        return len(self._streams)

    def normal(self, *shape: int) -> Tensor:
        """Draw standard normal numbers: (N, *shape) float32."""
        samples = [stream.standard_normal(shape, np.float32) for stream in self._streams]
        return torch.from_numpy(np.stack(samples))

    def uniform(self, *shape: int) -> Tensor:
        """Draw numbers uniform in [0, 1): (N, *shape) float32."""
        samples = [stream.random(shape, np.float32) for stream in self._streams]
        return torch.from_numpy(np.stack(samples))

    def like(self, x: Tensor) -> Tensor:
        """Draw standard normal numbers with the shape, dtype and device of ``x`` (N, …)."""
        return self.normal(*x.shape[1:]).to(x)
