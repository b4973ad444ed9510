"""The forward process on an image of the dataset."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from heliosynth.arrays import Floats, Floats32
from heliosynth.config.models import VariancePreservingConfig
from heliosynth.figures import style
from heliosynth.figures.mosaic import mosaic
from heliosynth.results.run import Run

STUDY_SCHEDULE = VariancePreservingConfig(
    kind="variance_preserving", noise_steps=1000, beta_first=1e-4, beta_last=0.02
)
FRACTIONS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
"""Steps at which the image is shown, as fractions of the schedule."""


def forward_diffusion(run: Run) -> Figure:
    """Plot q(x_t | x_0) = N(√ᾱ_t x_0, (1 − ᾱ_t) I) along the schedule (Ho et al. 2020, eq. 4)."""
    image = _highest_flux_image(run)
    schedule = run.presentation.schedule or STUDY_SCHEDULE
    alpha_bar = cumulative_alphas(schedule)
    noise = np.random.default_rng(run.presentation.seed).standard_normal(image.shape)
    grid = mosaic(1, [len(FRACTIONS)], left=0.03, bottom=0.22, top=0.19)
    for axes, fraction in zip(grid.panels[0], FRACTIONS, strict=True):
        t = round(fraction * schedule.noise_steps)
        noisy = np.sqrt(alpha_bar[t]) * image + np.sqrt(1 - alpha_bar[t]) * noise
        style.show_sun(axes, noisy.astype(np.float32), run.description)
        axes.set_title(f"$t$ = {t}")
        axes.set_xlabel(rf"$\sqrt{{\bar\alpha_t}}$ = {np.sqrt(alpha_bar[t]):.3f}", fontsize=6.5)
    grid.intensity_bar(run.description, label="DN")
    return grid.figure


def cumulative_alphas(schedule: VariancePreservingConfig) -> Floats:
    """Return ᾱ_t for t = 0…T (T + 1,): the signal's share of the variance."""
    betas = np.linspace(schedule.beta_first, schedule.beta_last, schedule.noise_steps)
    return np.concatenate([[1.0], np.cumprod(1 - betas)])


def _highest_flux_image(run: Run) -> Floats32:
    """Return the test image (H, W) of the largest flux; without test images, a training image."""
    images = run.split("test")
    if not len(images):
        images = run.split("train")
    image: Floats32 = images.images[int(np.argmax(images.log10_flux)), 0]
    return image
