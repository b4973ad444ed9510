"""The forward process on a true image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from heliosynth.config.models import VariancePreservingConfig
from heliosynth.figures import style
from heliosynth.figures.mosaic import mosaic
from heliosynth.results.run import Run

STUDY_SCHEDULE = VariancePreservingConfig(
    kind="variance_preserving", noise_steps=1000, beta_first=1e-4, beta_last=0.02
)
SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
"""Where along the schedule the image is shown."""


def forward_diffusion(products: Run) -> Figure:
    """Draw q(x_t | x_0) = N(√ᾱ_t x_0, (1 − ᾱ_t) I) along the schedule (Ho et al. 2020, eq. 4)."""
    image = _bright_image(products)
    schedule = products.presentation.schedule or STUDY_SCHEDULE
    kept = signal(schedule)
    noise = np.random.default_rng(products.presentation.seed).standard_normal(image.shape)
    grid = mosaic(1, [len(SHARES)], left=0.03, bottom=0.22, top=0.19)
    for axes, share in zip(grid.panels[0], SHARES, strict=True):
        t = round(share * schedule.noise_steps)
        noisy = np.sqrt(kept[t]) * image + np.sqrt(1 - kept[t]) * noise
        style.show_sun(axes, noisy.astype(np.float32), products.description)
        axes.set_title(f"$t$ = {t}")
        axes.set_xlabel(rf"$\sqrt{{\bar\alpha_t}}$ = {np.sqrt(kept[t]):.3f}", fontsize=6.5)
    grid.intensity_bar(products.description, label="DN")
    return grid.figure


def signal(schedule: VariancePreservingConfig) -> npt.NDArray[np.float64]:
    """Give ᾱ_t for t = 0…T: the share of the image's variance that is kept."""
    betas = np.linspace(schedule.beta_first, schedule.beta_last, schedule.noise_steps)
    return np.concatenate([[1.0], np.cumprod(1 - betas)])


def _bright_image(products: Run) -> npt.NDArray[np.float32]:
    """Give the test image of the largest flux."""
    test = products.split("test")
    if not len(test):
        test = products.split("train")
    image: npt.NDArray[np.float32] = test.images[int(np.argmax(test.log10_flux)), 0]
    return image
