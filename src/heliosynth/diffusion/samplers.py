"""Samplers: plain functions of a denoiser, noise levels and one random stream per sample.

All work on x = x0 + σ n (the variance of the noise grows, that of the image stays) and start
from ``x = sigmas[0] * noise.normal(1, H, W)``. A variance-preserving model is equivalent, with
x_t = √ᾱ_t x, so the samplers of Ho et al. (2020) and Song et al. (2021) are written in terms
of σ alone.

Parameters of every sampler
---------------------------
denoiser
    ``denoiser(x (N, 1, H, W), sigma (N,), condition (N, D)) -> (N, 1, H, W)``.
x
    (N, 1, H, W), noise of standard deviation ``sigmas[0]``.
sigmas
    (S + 1,) decreasing, the last 0.
condition
    (N, D); a row of zeros means no label.
noise
    One random stream per sample; only ``ddpm`` and ``ddim`` with η > 0 draw from it.
progress
    Wraps the range of steps, for example ``tqdm``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import torch
from torch import Tensor

from heliosynth.diffusion.noise import SampleNoise

DenoiserFunction = Callable[[Tensor, Tensor, Tensor], Tensor]
Progress = Callable[[range], Iterable[int]]


class Sampler(Protocol):
    """The signature of every sampler; see the top of this module."""

    def __call__(
        self,
        denoiser: DenoiserFunction,
        x: Tensor,
        sigmas: Tensor,
        condition: Tensor,
        noise: SampleNoise,
        *,
        progress: Progress = iter,
    ) -> Tensor: ...


@torch.no_grad()
def ddpm(
    denoiser: DenoiserFunction,
    x: Tensor,
    sigmas: Tensor,
    condition: Tensor,
    noise: SampleNoise,
    *,
    progress: Progress = iter,
) -> Tensor:
    """Draw each x_{t−1} from its posterior (Ho et al. 2020, algorithm 2, variance β̃_t)."""
    for i in progress(range(len(sigmas) - 1)):
        sigma, lower = sigmas[i], sigmas[i + 1]
        kept = (lower / sigma) ** 2
        denoised = denoiser(x, sigma.expand(len(x)), condition)
        x = denoised + kept * (x - denoised)
        if lower > 0:
            x = x + lower * (1 - kept).sqrt() * noise.like(x)
    return x


@torch.no_grad()
def ddim(
    denoiser: DenoiserFunction,
    x: Tensor,
    sigmas: Tensor,
    condition: Tensor,
    noise: SampleNoise,
    *,
    eta: float = 0.0,
    progress: Progress = iter,
) -> Tensor:
    """Step along the predicted noise (Song et al. 2021, equation 12); η = 1 is ``ddpm``."""
    for i in progress(range(len(sigmas) - 1)):
        sigma, lower = sigmas[i], sigmas[i + 1]
        fresh = eta * lower * (1 - (lower / sigma) ** 2).sqrt()
        denoised = denoiser(x, sigma.expand(len(x)), condition)
        x = denoised + (lower**2 - fresh**2).sqrt() * (x - denoised) / sigma
        if fresh > 0:
            x = x + fresh * noise.like(x)
    return x


@torch.no_grad()
def heun(
    denoiser: DenoiserFunction,
    x: Tensor,
    sigmas: Tensor,
    condition: Tensor,
    noise: SampleNoise,
    *,
    progress: Progress = iter,
) -> Tensor:
    """Solve dx/dσ = (x − D)/σ in second order (Karras et al. 2022, algorithm 1)."""
    for i in progress(range(len(sigmas) - 1)):
        sigma, lower = sigmas[i], sigmas[i + 1]
        slope = (x - denoiser(x, sigma.expand(len(x)), condition)) / sigma
        euler = x + (lower - sigma) * slope
        if lower > 0:
            ahead = (euler - denoiser(euler, lower.expand(len(x)), condition)) / lower
            x = x + (lower - sigma) * (slope + ahead) / 2
        else:
            x = euler
    return x


@torch.no_grad()
def dpm_solver_2m(
    denoiser: DenoiserFunction,
    x: Tensor,
    sigmas: Tensor,
    condition: Tensor,
    noise: SampleNoise,
    *,
    progress: Progress = iter,
) -> Tensor:
    """Solve the same equation as ``heun`` with one evaluation per step (Lu et al. 2022).

    In λ = −ln σ the linear part is exact and D is extrapolated from the last two steps (their
    algorithm 2); the first step and the last one, to σ = 0, are of first order.
    """
    earlier: Tensor | None = None
    for i in progress(range(len(sigmas) - 1)):
        sigma, lower = sigmas[i], sigmas[i + 1]
        denoised = denoiser(x, sigma.expand(len(x)), condition)
        estimate = denoised
        if earlier is not None and lower > 0:
            ratio = (sigmas[i - 1] / sigma).log() / (sigma / lower).log()
            estimate = denoised + (denoised - earlier) / (2 * ratio)
        x = estimate + (lower / sigma) * (x - estimate)
        earlier = denoised
    return x
