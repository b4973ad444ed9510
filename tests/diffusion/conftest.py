"""Distributions whose optimal denoiser has a closed form."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class GaussianMixture:
    """Independent pixels from Gaussians of common width; the object is its optimal denoiser.

    D(x; σ) = E[x0 | x0 + σ n = x]: the posterior mean of each component, weighted by the
    posterior probability of the component. The condition's first entry is added to every mean.
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


@dataclass(frozen=True)
class PatchMixture:
    """Independent 2 × 2 px patches from Gaussians; the object is its optimal denoiser.

    ``means`` (K, 4) and ``covariances`` (K, 4, 4) have the pixel order of ``patches``. The
    condition is ignored.
    """

    weights: Tensor
    means: Tensor
    covariances: Tensor

    def __call__(self, x: Tensor, sigma: Tensor, condition: Tensor) -> Tensor:
        shares, posterior = self._components(self.patches(x), sigma.view(-1, 1, 1, 1))
        denoised = (shares[..., None] * posterior).sum(-2)
        size = (x.shape[2] // 2, x.shape[3] // 2)
        return functional.pixel_shuffle(denoised.transpose(1, 2).unflatten(2, size), 2)

    @staticmethod
    def patches(x: Tensor) -> Tensor:
        """Return the patches of images (N, 1, H, W) as rows: (N, H W / 4, 4)."""
        return functional.pixel_unshuffle(x, 2).flatten(2).transpose(1, 2)

    def shares(self, rows: Tensor) -> Tensor:
        """Return the posterior probability of each component, (..., K), for patches (..., 4)."""
        return self._components(rows, torch.zeros(()))[0]

    @property
    def mean(self) -> Tensor:
        return self.weights @ self.means

    @property
    def covariance(self) -> Tensor:
        centred = self.means - self.mean
        between = centred[:, :, None] * centred[:, None, :]
        return (self.weights[:, None, None] * (self.covariances + between)).sum(0)

    @functools.cached_property
    def _axes(self) -> tuple[Tensor, Tensor]:
        """Variances along the axes of the covariances, and the axes."""
        variances, axes = torch.linalg.eigh(self.covariances)
        return variances, axes

    def _components(self, rows: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        """Return weights and posterior means, along an axis of variance d μ + d/(d+σ²) (x−μ)."""
        variances, axes = self._axes
        total = variances + sigma**2
        along = torch.einsum("...ki,kij->...kj", rows[..., None, :] - self.means, axes)
        logits = self.weights.log() - 0.5 * (along**2 / total + total.log()).sum(-1)
        back = torch.einsum("...kj,kij->...ki", along * variances / total, axes)
        return logits.softmax(-1), self.means + back


@pytest.fixture
def gaussian() -> GaussianMixture:
    return GaussianMixture((0.3,), (1.0,), 0.5)


@pytest.fixture
def two_peaks() -> GaussianMixture:
    return GaussianMixture((-0.6, 0.5), (0.3, 0.7), 0.1)


@pytest.fixture
def patch_mixture() -> PatchMixture:
    """Three narrow ellipsoids whose axes are not aligned with the pixels."""
    generator = torch.Generator().manual_seed(0)
    mixing = 0.25 * torch.randn(3, 4, 4, generator=generator, dtype=torch.float64)
    covariances = mixing @ mixing.mT + 0.01 * torch.eye(4, dtype=torch.float64)
    means = torch.tensor([[-1, -1, 0, 1], [1, 0, 1, -1], [0, 1, -1, 0]], dtype=torch.float64)
    return PatchMixture(torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64), means, covariances)
