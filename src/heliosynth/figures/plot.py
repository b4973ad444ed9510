"""From the name of a figure to its drawing and its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from heliosynth.errors import InputError
from heliosynth.figures import (
    application,
    architecture,
    coverage,
    curves,
    deviation,
    diffusion,
    distribution,
    embedding,
    frames,
    grids,
    metrics,
    observations,
    response,
    simulated,
    style,
)
from heliosynth.results.run import Run

Drawing = Callable[[Run], Figure]

DRAWINGS: Mapping[str, Drawing] = {
    "xrs_and_frames": observations.xrs_and_frames,
    "class_distribution": distribution.class_distribution,
    "coverage": coverage.coverage,
    "label_agreement": coverage.label_agreement,
    "class_montage": frames.class_montage,
    "refused_frames": frames.refused_frames,
    "forward_diffusion": diffusion.forward_diffusion,
    "unet": architecture.unet,
    "training_curves": curves.training_curves,
    "cevae_samples": grids.cevae_samples,
    "class_grid_ddpm_discrete": partial(grids.class_grid, model="ddpm_discrete"),
    "class_grid_ddpm_continuous": partial(grids.class_grid, model="ddpm_continuous"),
    "class_grid_ddpm_cevae": partial(grids.class_grid, model="ddpm_cevae"),
    "activity_levels": grids.activity_levels,
    "flux_response": response.flux_response,
    "standard_deviation_maps": deviation.standard_deviation_maps,
    "cevae_embedding": embedding.cevae_embedding,
    "metrics_comparison": metrics.metrics_comparison,
    "application_accuracy": application.application_accuracy,
    "simulated_against_real": simulated.simulated_against_real,
}
"""The figures of :data:`heliosynth.figures.registry.FIGURES`, drawn."""


def plot_figure(name: str, products: Run, pdf: Path | str, png: Path | str) -> None:
    """Draw a figure and write it as PDF and PNG.

    Raises
    ------
    InputError
        If the name is not registered or a product is missing.
    """
    if name not in DRAWINGS:
        raise InputError(f"{name!r} is no figure: it must be one of {', '.join(DRAWINGS)}")
    with style.styled():
        style.save(DRAWINGS[name](products), pdf, png)
