"""Noise schedules: the levels σ for training and for sampling."""

from __future__ import annotations

import numpy as np

from heliosynth.arrays import Floats
from heliosynth.errors import InputError


def linear_sigmas(noise_steps: int, beta_first: float, beta_last: float) -> Floats:
    """Return σ_t of the linear β schedule, t = 0…T−1 (Ho et al. 2020, section 4).

    σ_t = √((1 − ᾱ_t)/ᾱ_t) is the noise level of x_t/√ᾱ_t = x_0 + σ_t ε.

    Returns
    -------
    (noise_steps,) increasing.
    """
    signal = np.cumprod(1 - np.linspace(beta_first, beta_last, noise_steps))
    return np.sqrt((1 - signal) / signal)


def subset(levels: Floats, steps: int) -> Floats:
    """Return evenly spaced levels of a discrete schedule, from the last to the first, then 0.

    Parameters
    ----------
    levels
        (T,) increasing.
    steps
        Number of levels to return, at most T.

    Returns
    -------
    (steps + 1,) decreasing, the last 0.

    Raises
    ------
    InputError
        If ``steps`` is larger than T.
    """
    if steps > len(levels):
        raise InputError(
            f"sampling.steps is {steps}, but the schedule has {len(levels)} noise steps; "
            f"set at most {len(levels)}"
        )
    indices = np.linspace(len(levels) - 1, 0, steps).round().astype(int)
    return np.append(levels[indices], 0.0)


def karras_sigmas(steps: int, sigma_min: float, sigma_max: float, rho: float = 7.0) -> Floats:
    """Return levels evenly spaced in σ^(1/ρ), then 0 (Karras et al. 2022, equation 5).

    Returns
    -------
    (steps + 1,) decreasing from ``sigma_max``, the last 0.
    """
    ramp = np.linspace(0, 1, steps)
    root_max, root_min = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    return np.append((root_max + ramp * (root_min - root_max)) ** rho, 0.0)
