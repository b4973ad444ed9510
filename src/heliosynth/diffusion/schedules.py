"""Noise levels σ: what a denoiser is trained on and what a sampler steps through."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heliosynth.errors import InputError

Levels = npt.NDArray[np.float64]


def linear_sigmas(noise_steps: int, beta_first: float, beta_last: float) -> Levels:
    """Give σ_t of the linear β schedule, t = 0…T−1 (Ho et al. 2020, section 4).

    σ_t = √((1 − ᾱ_t)/ᾱ_t) is the noise of x_t once it is divided by √ᾱ_t, so that
    x_t/√ᾱ_t = x_0 + σ_t ε.

    Returns
    -------
    (noise_steps,) increasing.
    """
    signal = np.cumprod(1 - np.linspace(beta_first, beta_last, noise_steps))
    return np.sqrt((1 - signal) / signal)


def subset(levels: Levels, steps: int) -> Levels:
    """Choose evenly spaced levels of a discrete schedule, from the last to the first, then 0.

    Parameters
    ----------
    levels
        (T,) increasing.
    steps
        How many levels to keep, at most T.

    Returns
    -------
    (steps + 1,) decreasing, the last 0.

    Raises
    ------
    InputError
        If there are more steps than levels.
    """
    if steps > len(levels):
        raise InputError(
            f"sampling.steps is {steps}, but the schedule has {len(levels)} noise steps; "
            "ask for as many or fewer"
        )
    kept = np.linspace(len(levels) - 1, 0, steps).round().astype(int)
    return np.append(levels[kept], 0.0)


def karras_sigmas(steps: int, sigma_min: float, sigma_max: float, rho: float = 7.0) -> Levels:
    """Space levels evenly in σ^(1/ρ) (Karras et al. 2022, equation 5), then 0.

    Returns
    -------
    (steps + 1,) decreasing from ``sigma_max``, the last 0.
    """
    ramp = np.linspace(0, 1, steps)
    root_max, root_min = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    return np.append((root_max + ramp * (root_min - root_max)) ** rho, 0.0)
