"""Denoisers: networks that estimate the clean image x0 in x = x0 + σ n.

Samplers and guidance know only ``denoiser(x, sigma, condition)``; how the network is
scaled, what it predicts and which noise levels it learns on is the denoiser's own business.
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
"""Random numbers by name, each (N, …), one row an image of the batch."""


class Denoiser(nn.Module):
    """A network made an estimate of the clean image.

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
            (N, D); a row of zeros asks for no label.

        Returns
        -------
        (N, 1, H, W)
        """
        raise NotImplementedError

    def draw(self, shape: torch.Size, generator: torch.Generator) -> Noise:
        """Draw what the loss of a batch is random in.

        Parameters
        ----------
        shape
            Of the images (N, 1, H, W).
        generator
            Source of every random number.

        Returns
        -------
        dict
            ``level`` (N,), where in the distribution of noise levels each image lies, in
            [0, 1); ``noise`` (N, 1, H, W), standard normal.
        """
        noise = torch.randn(shape, generator=generator, device=generator.device)
        return {"level": self.levels_of(shape[0], generator), "noise": noise}

    def levels_of(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw places in the distribution of noise levels: (count,) float64 in [0, 1)."""
        return torch.rand(count, generator=generator, device=generator.device, dtype=torch.float64)

    def loss(self, images: Tensor, condition: Tensor, drawn: Noise) -> Tensor:
        """Give the training loss of a batch, a scalar, which is a mean over the images.

        Parameters
        ----------
        images
            (N, 1, H, W) in [−1, 1].
        condition
            (N, D), labels already dropped where they are to be.
        drawn
            As :meth:`draw` gives it.
        """
        raise NotImplementedError

    def sigmas(self, steps: int) -> Tensor:
        """Give the noise levels of a sampler: (steps + 1,) float32, decreasing, the last 0."""
        raise NotImplementedError


class VariancePreservingDenoiser(Denoiser):
    """An ε-network on the linear schedule of Ho et al. (2020), as D = x − σ ε(x/√(1+σ²), t).

    The network sees the variance-preserving x_t = √ᾱ_t x0 + √(1−ᾱ_t) ε, which is
    x/√(1+σ²), and as noise label the step t = 0…T−1.
    """

    levels: Tensor

    def __init__(self, network: nn.Module, settings: VariancePreservingConfig) -> None:
        super().__init__(network)
        self._levels = linear_sigmas(settings.noise_steps, settings.beta_first, settings.beta_last)
        levels = torch.from_numpy(self._levels).float()
        self.register_buffer("levels", levels, persistent=False)

    def forward(self, x: Tensor, sigma: Tensor, condition: Tensor) -> Tensor:
        scale, sigma_ = (1 + _per_image(sigma) ** 2).rsqrt(), _per_image(sigma)
        denoised: Tensor = x - sigma_ * self.network(scale * x, self.step(sigma), condition)
        return denoised

    def step(self, sigma: Tensor) -> Tensor:
        """Give the (fractional) step t of noise levels, linear in log σ between steps."""
        log_levels, log_sigma = self.levels.log(), sigma.log().contiguous()
        above = torch.searchsorted(log_levels, log_sigma).clamp(1, len(log_levels) - 1)
        low, high = log_levels[above - 1], log_levels[above]
        step: Tensor = above - 1 + ((log_sigma - low) / (high - low)).clamp(0, 1)
        return step

    def loss(self, images: Tensor, condition: Tensor, drawn: Noise) -> Tensor:
        """Give the mean square error of the predicted noise, t uniform (Ho et al., eq. 14)."""
        t, noise = (drawn["level"] * len(self.levels)).long(), drawn["noise"]
        sigma = _per_image(self.levels[t])
        noisy = (images + sigma * noise) * (1 + sigma**2).rsqrt()
        predicted: Tensor = self.network(noisy, t.to(images), condition)
        return nn.functional.mse_loss(predicted, noise)

    def sigmas(self, steps: int) -> Tensor:
        """Give evenly spaced steps of the schedule; all of them when ``steps`` is T."""
        return torch.from_numpy(subset(self._levels, steps)).to(self.levels)


class PreconditionedDenoiser(Denoiser):
    """A preconditioned denoiser (Karras et al. 2022, table 1, column "ours").

    D = c_skip x + c_out F(c_in x, c_noise), with c_skip = σ_d²/(σ²+σ_d²),
    c_out = σ σ_d/√(σ²+σ_d²), c_in = 1/√(σ²+σ_d²) and c_noise = ln(σ)/4.
    """

    def __init__(self, network: nn.Module, settings: PreconditionedConfig) -> None:
        super().__init__(network)
        self.settings = settings

    def forward(self, x: Tensor, sigma: Tensor, condition: Tensor) -> Tensor:
        sigma_, data = _per_image(sigma), self.settings.sigma_data
        total = (sigma_**2 + data**2).sqrt()
        residual = self.network(x / total, sigma.log() / 4, condition)
        denoised: Tensor = (data / total) ** 2 * x + sigma_ * data / total * residual
        return denoised

    def levels_of(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw stratified places: each is uniform by itself, all together are evenly spread.

        That takes variance out of the gradient.
        """
        offset = torch.rand((), generator=generator, device=generator.device, dtype=torch.float64)
        return (offset + torch.arange(count, device=generator.device) / count) % 1

    def loss(self, images: Tensor, condition: Tensor, drawn: Noise) -> Tensor:
        """Give the mean of λ(σ) (D − x0)², λ = (σ²+σ_d²)/(σ σ_d)², ln σ normal."""
        settings = self.settings
        normal = torch.special.ndtri(drawn["level"].clamp(1e-6, 1 - 1e-6))
        sigma = (settings.log_sigma_mean + settings.log_sigma_std * normal).exp().to(images)
        sigma_ = _per_image(sigma)
        weight = (sigma_**2 + settings.sigma_data**2) / (sigma_ * settings.sigma_data) ** 2
        denoised: Tensor = self(images + sigma_ * drawn["noise"], sigma, condition)
        loss: Tensor = (weight * (denoised - images) ** 2).mean()
        return loss

    def sigmas(self, steps: int) -> Tensor:
        """Give the levels of Karras et al. (2022), equation 5, ρ = 7."""
        levels = karras_sigmas(steps, self.settings.sigma_min, self.settings.sigma_max)
        return torch.from_numpy(levels).float().to(next(self.parameters()).device)


class Guided(nn.Module):
    """Classifier-free guidance: D_c + w (D_c − D_0) (Ho & Salimans 2022, equation 6).

    Both halves go through the denoiser in one batch; w = 0 is the conditional model itself.
    The study's code interpolates D_0 + s (D_c − D_0), which is w = s − 1.
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
    network: nn.Module, settings: VariancePreservingConfig | PreconditionedConfig
) -> VariancePreservingDenoiser | PreconditionedDenoiser:
    """Make a network a denoiser, as the settings say."""
    if settings.kind == "variance_preserving":
        return VariancePreservingDenoiser(network, settings)
    return PreconditionedDenoiser(network, settings)


def _per_image(values: Tensor) -> Tensor:
    return values[:, None, None, None]
