"""Conditions: GOES class, X-ray flux, or class and ceVAE embedding, encoded as one vector.

The last entry of a condition is a flag, 1; the condition without a label is the zero vector. All
networks therefore receive one vector, whatever it encodes, and a label is dropped by multiplying
it by 0.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from heliosynth.diffusion.noise import SampleNoise
from heliosynth.errors import InputError
from heliosynth.goes_class import NAMES

if TYPE_CHECKING:
    from heliosynth.config.models import ClassConditionConfig, FluxConditionConfig

CLASSES = len(NAMES)
COSINES = 4
"""Cosine features of the flux, in addition to the flux itself."""
FLUX_MARGIN = 0.25
"""Fluxes are clamped to the training range, extended by this on both sides, dex."""
QUANTILES = 129
"""Points of each class's quantile function of the flux."""
SMALLEST_DEVIATION = 0.1
"""Smallest standard deviation by which a dimension of the embedding is divided. The latents'
prior has deviation 1; the ceVAE does not use a dimension that varies less than this, and
standardising it would only amplify noise."""
SMALLEST_VARIANCE = 1e-3
"""Added to the diagonal of covariances of standardised embeddings."""


class ConditionEncoder(nn.Module):
    """Encodes labels as conditions, and samples conditions of a class.

    All statistics of the training split are buffers, so they are stored with the weights of
    the network.

    Parameters
    ----------
    config
        Section ``condition`` of a model.
    embedding_dim
        Length E of a ceVAE embedding; 0 if the condition has none.

    Raises
    ------
    ValueError
        If the config names a ceVAE and the length is 0, or vice versa.
    """

    counts: Tensor
    flux_quantiles: Tensor
    flux_scale: Tensor
    embedding_scale: Tensor
    embedding_means: Tensor
    embedding_factors: Tensor

    def __init__(
        self, config: ClassConditionConfig | FluxConditionConfig, embedding_dim: int = 0
    ) -> None:
        super().__init__()
        has_embedding = config.kind == "goes_class" and config.embedding_of is not None
        if has_embedding != (embedding_dim > 0):
            raise ValueError(f"embedding_dim = {embedding_dim} does not fit {config!r}")
        self.config = config
        self.embedding_dim = E = embedding_dim
        self.register_buffer("counts", torch.zeros(CLASSES, dtype=torch.int64))
        self.register_buffer("flux_quantiles", torch.zeros(CLASSES, QUANTILES))
        self.register_buffer("flux_scale", torch.tensor([0.0, 1.0, -1.0, 1.0]))
        self.register_buffer("embedding_scale", torch.stack([torch.zeros(E), torch.ones(E)]))
        self.register_buffer("embedding_means", torch.zeros(CLASSES, E))
        self.register_buffer("embedding_factors", torch.zeros(CLASSES, E, E))

    @property
    def dim(self) -> int:
        """Length of a condition."""
        if self.config.kind == "xray_flux":
            return 1 + COSINES + 1
        return CLASSES + self.embedding_dim + 1

    @property
    def flux_range(self) -> tuple[float, float]:
        """Lowest and highest training flux, log₁₀ W m⁻²."""
        _, _, lowest, highest = self.flux_scale.tolist()
        return lowest, highest

    def fit(self, goes_class: Tensor, log10_flux: Tensor, embedding: Tensor | None = None) -> None:
        """Fit scales and distributions to the training split.

        Parameters
        ----------
        goes_class
            (N,) integers 0…4 = A…X; classes that are missing cannot be sampled later.
        log10_flux
            (N,) log₁₀ of the flux in W m⁻².
        embedding
            (N, E), only if the condition has one.
        """
        goes_class, flux = goes_class.long().cpu(), log10_flux.double().cpu()
        self.counts.copy_(torch.bincount(goes_class, minlength=CLASSES))
        scale = (flux.mean(), flux.std(correction=0).clamp_min(1e-3), flux.min(), flux.max())
        self.flux_scale.copy_(torch.stack(scale))
        levels = torch.linspace(0, 1, QUANTILES, dtype=torch.float64)
        for number in self.counts.nonzero().flatten().tolist():
            self.flux_quantiles[number] = flux[goes_class == number].quantile(levels).float()
        self._check_length(embedding)
        if embedding is not None:
            self._fit_embedding(goes_class, embedding.double().cpu())

    def encode(
        self, goes_class: Tensor, log10_flux: Tensor, embedding: Tensor | None = None
    ) -> Tensor:
        """Return the conditions of labels.

        Parameters
        ----------
        goes_class
            (N,) integers 0…4 = A…X.
        log10_flux
            (N,) log₁₀ of the flux in W m⁻².
        embedding
            (N, E) from the ceVAE, not standardised, only if the condition has one.

        Returns
        -------
        (N, dim) float32.
        """
        if self.config.kind == "xray_flux":
            parts = [self._flux_features(log10_flux.float())]
        else:
            parts = [functional.one_hot(goes_class.long(), CLASSES).float()]
        self._check_length(embedding)
        if embedding is not None:
            mean, deviation = self.embedding_scale
            # Divided by √E, so that its norm is about 1, like that of the one-hot class.
            parts.append((embedding.float() - mean) / deviation / math.sqrt(self.embedding_dim))
        return torch.cat([*parts, torch.ones_like(parts[0][:, :1])], dim=1)

    def sample(self, goes_class: Tensor, noise: SampleNoise) -> tuple[Tensor, Tensor]:
        """Sample conditions of images of given classes.

        The flux is drawn from the class's training fluxes, the embedding from a Gaussian with
        the class's mean and shrunk covariance: it is never that of a training image. The flux is
        returned for every kind of condition, but only a flux condition contains it.

        Parameters
        ----------
        goes_class
            (N,) integers 0…4 = A…X.
        noise
            One random stream per image.

        Returns
        -------
        condition : (N, dim) float32
        log10_flux : (N,) float32, log₁₀ W m⁻²

        Raises
        ------
        InputError
            If a class has no training image.
        """
        numbers = goes_class.long()
        unseen = sorted({NAMES[n] for n in numbers.tolist() if self.counts[n] == 0})
        if unseen:
            raise InputError(
                f"the training split had no image of class {', '.join(unseen)}, so it cannot be "
                "sampled; leave it out of the classes to sample"
            )
        flux = self._quantile(numbers, noise.uniform().to(self.flux_quantiles))
        if self.embedding_dim == 0:
            return self.encode(numbers, flux), flux
        normal = noise.normal(self.embedding_dim).to(self.embedding_means)
        # One product per image: the rounding of a batched one depends on the batch size.
        standardised = [
            self.embedding_means[n] + self.embedding_factors[n] @ z
            for n, z in zip(numbers.tolist(), normal, strict=True)
        ]
        mean, deviation = self.embedding_scale
        return self.encode(numbers, flux, torch.stack(standardised) * deviation + mean), flux

    def _flux_features(self, flux: Tensor) -> Tensor:
        mean, deviation, lowest, highest = self.flux_scale
        lowest, highest = lowest - FLUX_MARGIN, highest + FLUX_MARGIN
        flux = flux.clamp(lowest, highest)
        position = ((flux - lowest) / (highest - lowest))[:, None]
        orders = torch.arange(1, COSINES + 1, device=flux.device)
        standardised = ((flux - mean) / deviation)[:, None]
        return torch.cat([standardised, (math.pi * orders * position).cos()], dim=1)

    def _quantile(self, numbers: Tensor, uniform: Tensor) -> Tensor:
        position = uniform * (QUANTILES - 1)
        below = position.long().clamp(max=QUANTILES - 2)
        low, high = self.flux_quantiles[numbers, below], self.flux_quantiles[numbers, below + 1]
        return low + (high - low) * (position - below)

    def _fit_embedding(self, goes_class: Tensor, embedding: Tensor) -> None:
        """Fit one Gaussian per class, its covariance shrunk towards that within all classes.

        With E degrees of freedom for the common covariance S, it is the mean of the
        inverse-Wishart posterior: (n S_c + E S)/(n + E).
        """
        mean, deviation = embedding.mean(0), embedding.std(0, correction=0)
        deviation = deviation.clamp_min(SMALLEST_DEVIATION)
        self.embedding_scale.copy_(torch.stack([mean, deviation]))
        standardised = (embedding - mean) / deviation
        present = self.counts.nonzero().flatten().tolist()
        means = {n: standardised[goes_class == n].mean(0) for n in present}
        centred = standardised - torch.stack([means[n] for n in goes_class.tolist()])
        within = centred.T @ centred / len(centred)
        diagonal = SMALLEST_VARIANCE * torch.eye(self.embedding_dim, dtype=torch.float64)
        for n in present:
            of_class = centred[goes_class == n]
            scatter = of_class.T @ of_class + self.embedding_dim * within
            covariance = scatter / (len(of_class) + self.embedding_dim) + diagonal
            self.embedding_means[n] = means[n].float()
            self.embedding_factors[n] = torch.linalg.cholesky(covariance).float()

    def _check_length(self, embedding: Tensor | None) -> None:
        length = 0 if embedding is None else embedding.shape[1]
        if length != self.embedding_dim:
            raise ValueError(f"embeddings have length {length}, not {self.embedding_dim}")


def drop_labels(condition: Tensor, share: float, uniform: Tensor) -> Tensor:
    """Replace conditions by the one without a label, with a given probability.

    Parameters
    ----------
    condition
        (N, D).
    share
        Probability of a replacement.
    uniform
        (N,) uniform in [0, 1): a condition is replaced if its number is below ``share``.
    """
    return condition * (uniform >= share)[:, None].to(condition)
