"""Distributions whose perfect denoiser has a closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor


@dataclass(frozen=True)
class GaussianMixture:
    """Pixels drawn one by one from Gaussians of common width; its own perfect denoiser.

    D(x; σ) = E[x0 | x0 + σ n = x]: each component's posterior mean, weighed by how likely
    the component is. The condition's first entry is added to every mean.
    """

    means: tuple[float, ...]
    weights: tuple[float, ...]
    deviation: float

    def __call__(self, x: Tensor, sigma: Tensor, condition: Tensor) -> Tensor:
        shift, noise = condition[:, 0].view(-1, 1, 1, 1), sigma.view(-1, 1, 1, 1) ** 2
        total = self.deviation**2 + noise
        centres = [mean + shift for mean in self.means]
        logits = [
            torch.log(torch.tensor(w, dtype=x.dtype)) - (x - c) ** 2 / (2 * total)
            for w, c in zip(self.weights, centres, strict=True)
        ]
        shares = torch.stack(logits).softmax(0)
        posterior = [(self.deviation**2 * x + noise * c) / total for c in centres]
        return (shares * torch.stack(posterior)).sum(0)

    @property
    def mean(self) -> float:
        return sum(w * m for w, m in zip(self.weights, self.means, strict=True))

    @property
    def variance(self) -> float:
        square = sum(w * m**2 for w, m in zip(self.weights, self.means, strict=True))
        return square + self.deviation**2 - self.mean**2


@pytest.fixture
def gaussian() -> GaussianMixture:
    return GaussianMixture((0.3,), (1.0,), 0.5)


@pytest.fixture
def two_peaks() -> GaussianMixture:
    return GaussianMixture((-0.6, 0.5), (0.3, 0.7), 0.1)


@pytest.fixture
def no_label() -> Callable[[int], Tensor]:
    return lambda count: torch.zeros(count, 2)
