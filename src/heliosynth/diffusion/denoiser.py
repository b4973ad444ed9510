"""Denoisers: networks that estimate the clean image x0 in x = x0 + σ n.

Samplers and guidance call only ``denoiser(x, sigma, condition)``; each denoiser defines how its
network is scaled, what it predicts and on which noise levels it is trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from heliosynth.diffusion.schedules import karras_sigmas, linear_sigmas, subset

if TYPE_CHECKING:
    from heliosynth.config.models import PreconditionedConfig, VariancePreservingConfig


Noise = Mapping[str, Tensor]
"""Random numbers by name, each (N, …) with one row per image of the batch."""


class Denoiser(nn.Module):
    """A network wrapped so that it estimates the clean image.

    Parameters
    ----------
    network
        ``network(x (N, 1, H, W), noise_label (N,), condition (N, D)) -> (N, 1, H, W)``.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, sigma: Tensor, condition: Tensor) -> Tensor:
        """Estimate the clean images.

        Parameters
        ----------
        x
            (N, 1, H, W), clean images plus noise of standard deviation ``sigma``.
        sigma
            (N,), above 0.
        condition
            (N, D); a row of zeros means no label.

        Returns
        -------
        (N, 1, H, W)
        """
        raise NotImplementedError

    def sample_noise(self, shape: torch.Size, generator: torch.Generator) -> Noise:
        """Draw the random numbers that the loss of a batch needs.

        Parameters
        ----------
        shape
            Shape (N, 1, H, W) of the images.
        generator
            Source of every random number.

        Returns
        -------
        dict
            ``level`` (N,) float64, the quantile of each image's noise level in [0, 1);
            ``noise`` (N, 1, H, W), standard normal.
        """
        noise = torch.randn(shape, generator=generator, device=generator.device)
        return {"level": self.sample_quantiles(shape[0], generator), "noise": noise}

    def sample_quantiles(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw quantiles of the distribution of noise levels: (count,) float64 in [0, 1)."""
        return torch.rand(count, generator=generator, device=generator.device, dtype=torch.float64)

    def loss(self, images: Tensor, condition: Tensor, noise: Noise) -> Tensor:
        """Return the training loss of a batch, a scalar, the mean over its images.

        Parameters
        ----------
        images
            (N, 1, H, W) in [−1, 1].
        condition
            (N, D), with labels already dropped for guidance.
        noise
            From :meth:`sample_noise`.
        """
        raise NotImplementedError

    def sigmas(self, steps: int) -> Tensor:
        """Return the noise levels of a sampler: (steps + 1,) float32, decreasing, the last 0."""
        raise NotImplementedError


class VariancePreservingDenoiser(Denoiser):
    """An ε-network on the linear schedule of Ho et al. (2020): D = x − σ ε(x/√(1+σ²), t).

    The input of the network is the variance-preserving x_t = √ᾱ_t x0 + √(1−ᾱ_t) ε, which
    equals x/√(1+σ²), and its noise label is the step t = 0…T−1.
    """

    levels: Tensor

    def __init__(self, network: nn.Module, config: VariancePreservingConfig) -> None:
        super().__init__(network)
        self._levels = linear_sigmas(config.noise_steps, config.beta_first, config.beta_last)
        levels = torch.from_numpy(self._levels).float()
        self.register_buffer("levels", levels, persistent=False)

    def forward(self, x: Tensor, sigma: Tensor, condition: Tensor) -> Tensor:
        scale, sigma_ = (1 + _per_image(sigma) ** 2).rsqrt(), _per_image(sigma)
        denoised: Tensor = x - sigma_ * self.network(scale * x, self.step(sigma), condition)
        return denoised

    def step(self, sigma: Tensor) -> Tensor:
        """Return the (fractional) step t of noise levels, linear in log σ between steps."""
        log_levels, log_sigma = self.levels.log(), sigma.log().contiguous()
        above = torch.searchsorted(log_levels, log_sigma).clamp(1, len(log_levels) - 1)
        low, high = log_levels[above - 1], log_levels[above]
        step: Tensor = above - 1 + ((log_sigma - low) / (high - low)).clamp(0, 1)
        return step

    def loss(self, images: Tensor, condition: Tensor, noise: Noise) -> Tensor:
        """Return the mean square error of the predicted noise, t uniform (Ho et al., eq. 14)."""
        t, epsilon = (noise["level"] * len(self.levels)).long(), noise["noise"]
        sigma = _per_image(self.levels[t])
        noisy = (images + sigma * epsilon) * (1 + sigma**2).rsqrt()
        predicted: Tensor = self.network(noisy, t.to(images), condition)
        return nn.functional.mse_loss(predicted, epsilon)

    def sigmas(self, steps: int) -> Tensor:
        """Return evenly spaced levels of the schedule, all of them if ``steps`` is T, then 0."""
        return torch.from_numpy(subset(self._levels, steps)).to(self.levels)


class PreconditionedDenoiser(Denoiser):
    """A preconditioned denoiser (Karras et al. 2022, table 1, column "ours").

    D = c_skip x + c_out F(c_in x, c_noise), with c_skip = σ_d²/(σ²+σ_d²),
    c_out = σ σ_d/√(σ²+σ_d²), c_in = 1/√(σ²+σ_d²) and c_noise = ln(σ)/4.
    """

    def __init__(self, network: nn.Module, config: PreconditionedConfig) -> None:
        super().__init__(network)
        self.config = config

    def forward(self, x: Tensor, sigma: Tensor, condition: Tensor) -> Tensor:
        sigma_, data = _per_image(sigma), self.config.sigma_data
        total = (sigma_**2 + data**2).sqrt()
        residual = self.network(x / total, sigma.log() / 4, condition)
        denoised: Tensor = (data / total) ** 2 * x + sigma_ * data / total * residual
        return denoised

    def sample_quantiles(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw stratified quantiles: each one is uniform, and together they are evenly spaced.

        This reduces the variance of the gradient.
        """
        offset = torch.rand((), generator=generator, device=generator.device, dtype=torch.float64)
        return (offset + torch.arange(count, device=generator.device) / count) % 1

    def loss(self, images: Tensor, condition: Tensor, noise: Noise) -> Tensor:
        """Return the mean of λ(σ) (D − x0)², λ = (σ²+σ_d²)/(σ σ_d)², ln σ normal."""
        config = self.config
        normal = torch.special.ndtri(noise["level"].clamp(1e-6, 1 - 1e-6))
        sigma = (config.log_sigma_mean + config.log_sigma_std * normal).exp().to(images)
        sigma_ = _per_image(sigma)
        weight = (sigma_**2 + config.sigma_data**2) / (sigma_ * config.sigma_data) ** 2
        denoised: Tensor = self(images + sigma_ * noise["noise"], sigma, condition)
        loss: Tensor = (weight * (denoised - images) ** 2).mean()
        return loss

    def sigmas(self, steps: int) -> Tensor:
        """Return the levels of Karras et al. (2022), equation 5, ρ = 7."""
        levels = karras_sigmas(steps, self.config.sigma_min, self.config.sigma_max)
        return torch.from_numpy(levels).float().to(next(self.parameters()).device)


class Guided(nn.Module):
    """Classifier-free guidance: D_c + w (D_c − D_0) (Ho & Salimans 2022, equation 6).

    D_c and D_0, with and without label, are evaluated in one batch; w = 0 is the conditional
    model itself. The study's code interpolates D_0 + s (D_c − D_0), so that w = s − 1.
    """

    def __init__(self, denoiser: Denoiser, guidance: float) -> None:
        super().__init__()
        self.denoiser = denoiser
        self.guidance = guidance

    def forward(self, x: Tensor, sigma: Tensor, condition: Tensor) -> Tensor:
        if self.guidance == 0:
            conditional: Tensor = self.denoiser(x, sigma, condition)
            return conditional
        conditions = torch.cat([condition, torch.zeros_like(condition)])
        both = self.denoiser(torch.cat([x, x]), torch.cat([sigma, sigma]), conditions)
        with_label, without = both.chunk(2)
        guided: Tensor = with_label + self.guidance * (with_label - without)
        return guided

    def sigmas(self, steps: int) -> Tensor:
        return self.denoiser.sigmas(steps)


def build_denoiser(
    network: nn.Module, config: VariancePreservingConfig | PreconditionedConfig
) -> VariancePreservingDenoiser | PreconditionedDenoiser:
    """Wrap a network in the denoiser that the config names."""
    if config.kind == "variance_preserving":
        return VariancePreservingDenoiser(network, config)
    return PreconditionedDenoiser(network, config)


def _per_image(values: Tensor) -> Tensor:
    return values[:, None, None, None]
