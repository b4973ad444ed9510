"""What an image is made for: a GOES class, a flux or a class and an embedding, as one vector.

The last entry of a condition is a flag, 1; the condition of no label is the zero vector. So
networks see one vector, whatever it came from, and dropping a label multiplies it by 0.
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
"""Smooth features of the flux beside the flux itself."""
FLUX_MARGIN = 0.25
"""How far beyond the training fluxes a flux still counts, dex."""
QUANTILES = 129
"""Points of each class's inverse distribution of the flux."""
SMALLEST_DEVIATION = 0.1
"""An embedding's dimension that varies less is one that its ceVAE leaves unused: the latents'
prior has deviation 1, and standardising such a dimension would only blow up noise."""
SMALLEST_VARIANCE = 1e-3
"""Added to the diagonal of covariances of standardised embeddings."""


class ConditionEncoder(nn.Module):
    """Turns labels into conditions, and draws labels for sampling.

    All that it knows of the training split lives in buffers, so that it is kept beside the
    weights of the network.

    Parameters
    ----------
    settings
        Section ``condition`` of a row.
    embedding_dim
        Length of a ceVAE embedding; 0 where the condition has none.

    Raises
    ------
    ValueError
        If the settings name a ceVAE and there is no length, or the other way round.
    """

    counts: Tensor
    flux_quantiles: Tensor
    flux_scale: Tensor
    embedding_scale: Tensor
    embedding_means: Tensor
    embedding_factors: Tensor

    def __init__(
        self, settings: ClassConditionConfig | FluxConditionConfig, embedding_dim: int = 0
    ) -> None:
        super().__init__()
        takes_embedding = settings.kind == "goes_class" and settings.embedding_of is not None
        if takes_embedding != (embedding_dim > 0):
            raise ValueError(f"embedding_dim = {embedding_dim} does not fit {settings}")
        self.settings = settings
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
        if self.settings.kind == "xray_flux":
            return 1 + COSINES + 1
        return CLASSES + self.embedding_dim + 1

    @property
    def flux_range(self) -> tuple[float, float]:
        """Lowest and highest training flux, log₁₀ W m⁻²."""
        _, _, lowest, highest = self.flux_scale.tolist()
        return lowest, highest

    def fit(self, goes_class: Tensor, log10_flux: Tensor, embedding: Tensor | None = None) -> None:
        """Learn scales and distributions from the training split.

        Parameters
        ----------
        goes_class
            (N,) integers 0…4 = A…X; classes that are missing cannot be drawn later.
        log10_flux
            (N,) log₁₀ of the flux in W m⁻².
        embedding
            (N, E), only where the condition has one.
        """
        goes_class, flux = goes_class.long().cpu(), log10_flux.double().cpu()
        self.counts.copy_(torch.bincount(goes_class, minlength=CLASSES))
        scale = (flux.mean(), flux.std(correction=0).clamp_min(1e-3), flux.min(), flux.max())
        self.flux_scale.copy_(torch.stack(scale))
        levels = torch.linspace(0, 1, QUANTILES, dtype=torch.float64)
        for number in self.counts.nonzero().flatten().tolist():
            self.flux_quantiles[number] = flux[goes_class == number].quantile(levels).float()
        if (given := self._checked(embedding)) is not None:
            self._fit_embedding(goes_class, given.double().cpu())

    def encode(
        self, goes_class: Tensor, log10_flux: Tensor, embedding: Tensor | None = None
    ) -> Tensor:
        """Give the conditions of labels.

        Parameters
        ----------
        goes_class
            (N,) integers 0…4 = A…X.
        log10_flux
            (N,) log₁₀ of the flux in W m⁻².
        embedding
            (N, E) as the ceVAE gives it, only where the condition has one.

        Returns
        -------
        (N, dim) float32.
        """
        if self.settings.kind == "xray_flux":
            parts = [self._flux_features(log10_flux.float())]
        else:
            parts = [functional.one_hot(goes_class.long(), CLASSES).float()]
        if (given := self._checked(embedding)) is not None:
            mean, deviation = self.embedding_scale
            # Divided by √E, so that the embedding is about as long a vector as the class.
            parts.append((given.float() - mean) / deviation / math.sqrt(self.embedding_dim))
        return torch.cat([*parts, torch.ones_like(parts[0][:, :1])], dim=1)

    def draw(self, goes_class: Tensor, noise: SampleNoise) -> tuple[Tensor, Tensor]:
        """Draw what to ask of each image of given classes.

        The flux comes from the class's training fluxes, the embedding from a Gaussian with
        the class's mean and shrunk covariance: never one that an image was trained with.
        Without a flux condition the flux is one that the network is not told.

        Parameters
        ----------
        goes_class
            (N,) integers 0…4 = A…X.
        noise
            One random stream an image.

        Returns
        -------
        condition : (N, dim) float32
        log10_flux : (N,) float32

        Raises
        ------
        InputError
            If a class has no training image.
        """
        numbers = goes_class.long()
        unseen = sorted({NAMES[n] for n in numbers.tolist() if self.counts[n] == 0})
        if unseen:
            raise InputError(
                f"no image of class {', '.join(unseen)} was trained on, so none can be made; "
                "leave it out of the classes to sample"
            )
        flux = self._quantile(numbers, noise.uniform().to(self.flux_quantiles))
        if self.embedding_dim == 0:
            return self.encode(numbers, flux), flux
        normal = noise.normal(self.embedding_dim).to(self.embedding_means)
        # One product an image: a batched one would round by the size of the batch.
        drawn = [
            self.embedding_means[n] + self.embedding_factors[n] @ z
            for n, z in zip(numbers.tolist(), normal, strict=True)
        ]
        mean, deviation = self.embedding_scale
        return self.encode(numbers, flux, torch.stack(drawn) * deviation + mean), flux

    def _flux_features(self, flux: Tensor) -> Tensor:
        mean, deviation, lowest, highest = self.flux_scale
        lowest, highest = lowest - FLUX_MARGIN, highest + FLUX_MARGIN
        flux = flux.clamp(lowest, highest)
        place = ((flux - lowest) / (highest - lowest))[:, None]
        orders = torch.arange(1, COSINES + 1, device=flux.device)
        standardised = ((flux - mean) / deviation)[:, None]
        return torch.cat([standardised, (math.pi * orders * place).cos()], dim=1)

    def _quantile(self, numbers: Tensor, uniform: Tensor) -> Tensor:
        place = uniform * (QUANTILES - 1)
        below = place.long().clamp(max=QUANTILES - 2)
        low, high = self.flux_quantiles[numbers, below], self.flux_quantiles[numbers, below + 1]
        return low + (high - low) * (place - below)

    def _fit_embedding(self, goes_class: Tensor, embedding: Tensor) -> None:
        """Fit one Gaussian a class, its covariance shrunk to the one within classes.

        With E degrees of freedom for the common covariance, this is the mean of the
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
            own = centred[goes_class == n]
            shrunk = own.T @ own + self.embedding_dim * within
            covariance = shrunk / (len(own) + self.embedding_dim) + diagonal
            self.embedding_means[n] = means[n].float()
            self.embedding_factors[n] = torch.linalg.cholesky(covariance).float()

    def _checked(self, embedding: Tensor | None) -> Tensor | None:
        given = 0 if embedding is None else embedding.shape[1]
        if given != self.embedding_dim:
            raise ValueError(f"embeddings of length {given}, not {self.embedding_dim}")
        return embedding


def drop_labels(condition: Tensor, share: float, uniform: Tensor) -> Tensor:
    """Make those conditions (N, D) the condition of no label whose number (N,) is below a share."""
    return condition * (uniform >= share)[:, None].to(condition)
