"""Flux response: whether the activity in generated images rises with the requested X-ray flux.

The activity of an image is its bright area: the share of the solar disk's pixels at or above a
threshold in DN, which is determined from the training images. The response is the rank correlation
(Spearman) of bright area and log₁₀ flux; it is 1 if one always rises with the other. The same
correlation of real frames is the benchmark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from scipy.stats import spearmanr

from heliosynth.arrays import DISK_RADIUS, AnyFloats, Booleans, Images, Integers
from heliosynth.dataset.scaling import unscale
from heliosynth.dataset.store import (
    Description,
    GeneratedImages,
    LabelledImages,
    read_description,
    read_samples,
)
from heliosynth.errors import InputError
from heliosynth.evaluation.estimate import CORRELATION, Estimate, EstimateJson
from heliosynth.evaluation.reference import read_population, read_trained
from heliosynth.evaluation.resampling import bootstrap, bootstrap_groups, time_blocks
from heliosynth.io.provenance import stamp
from heliosynth.io.tables import table_schema

RESPONSE_SETS = ("grid", "population", "train", "test")
FLUX_RESPONSE = table_schema(
    {
        "set": pa.Column(str, pa.Check.isin(RESPONSE_SETS)),
        "group": pa.Column(np.int64),
        "log10_flux": pa.Column(np.float64),
        "bright_area": pa.Column(np.float64, pa.Check.in_range(0, 1)),
    }
)
"""``metrics/flux_response/<model>.csv``, one row per image. ``grid`` are a model's images at a grid
of fluxes, ``population`` those with the class mix of the training split, ``train`` and ``test``
real frames; ``group`` is the seed of a generated image, or the block of time of a real frame."""

BRIGHT_QUANTILE = 0.95
"""Share of the training images' disk pixels below the threshold. Active regions cover a few percent
of the disk; a lower quantile includes the quiet Sun. A higher one leaves too few pixels to rank
images by: at 32 pixels, 1 % of the disk is 5 pixels, and at a quantile of 0.99 a third of the
default run's training images have none."""
SLAB = 1024
"""Number of images whose intensities are computed at a time."""

LEAST_GROUPS = 2
"""Smallest number of seeds or blocks of time; one has no spread."""

GRID, POPULATION, TRAINING, TEST = RESPONSE_SETS


@dataclass(frozen=True)
class Response:
    """Flux and bright area of a set of images; all arrays (N,).

    Attributes
    ----------
    log10_flux
        Requested flux of a generated image, or labelled flux of a real one, log₁₀ W m⁻².
    bright_area
        Share of the disk's pixels that are bright, 0…1.
    group
        Number shared by images that are not independent: generated images of one seed, which
        start from the same noise, and real frames of one block of time.
    """

    log10_flux: AnyFloats
    bright_area: AnyFloats
    group: Integers


def solar_disk(size_px: int) -> Booleans:
    """Return the pixels (size_px, size_px) whose centres are on the Sun."""
    offset = (np.arange(size_px) + 0.5) / size_px - 0.5
    return np.asarray(np.hypot(offset[:, None], offset[None, :]) < DISK_RADIUS)


def disk_intensities(images: Images, description: Description) -> Images:
    """Return the intensities on the disk, in DN, (N, pixels), of scaled images (N, 1, H, W)."""
    disk, limits = solar_disk(images.shape[-1]), (description.minimum_dn, description.maximum_dn)
    intensities = np.empty((len(images), np.count_nonzero(disk)), np.float32)
    for first in range(0, len(images), SLAB):
        slab = slice(first, first + SLAB)
        intensities[slab] = unscale(images[slab, 0][:, disk], *limits)
    return intensities


def bright_threshold(training: Images, description: Description) -> float:
    """Return the quantile :data:`BRIGHT_QUANTILE` of the intensities on the disks, in DN."""
    return float(np.quantile(disk_intensities(training, description), BRIGHT_QUANTILE))


def bright_area(images: Images, description: Description, threshold_dn: float) -> AnyFloats:
    """Return the share (N,) of the disk's pixels at or above the threshold."""
    # Not only above it: where intensities are clipped, the threshold can be the maximum.
    bright = disk_intensities(images, description) >= np.float32(threshold_dn)
    return np.asarray(bright.mean(axis=1))


def rank_correlation(log10_flux: AnyFloats, area: AnyFloats) -> float:
    """Return Spearman's rank correlation, defined as 0 if either quantity is constant."""
    if np.ptp(log10_flux) == 0 or np.ptp(area) == 0:
        return 0.0
    return float(spearmanr(log10_flux, area).statistic)


def correlate(response: Response, repeats: int, seed: int) -> Estimate:
    """Correlate flux and bright area over all images; the spread is that of resampled groups."""

    def correlation_of(rows: Integers | slice) -> float:
        return rank_correlation(response.log10_flux[rows], response.bright_area[rows])

    resamples = bootstrap_groups(response.group, repeats, np.random.default_rng(seed))
    spread = [correlation_of(rows) for rows in resamples]
    return Estimate.over(
        spread,
        len(response.group),
        correlation_of(slice(None)),
        units=len(np.unique(response.group)),
        bounds=CORRELATION,
    )


def correlate_within(response: Response, repeats: int, seed: int) -> Estimate:
    """Return the mean of the correlations within each group; groups are resampled."""
    members = [response.group == group for group in np.unique(response.group)]
    correlations = np.array(
        [rank_correlation(response.log10_flux[m], response.bright_area[m]) for m in members]
    )
    rows = bootstrap(len(correlations), repeats, np.random.default_rng(seed))
    return Estimate.over(
        correlations[rows].mean(axis=1),
        len(response.group),
        float(correlations.mean()),
        units=len(correlations),
        bounds=CORRELATION,
    )


def measure_flux_response(
    *,
    dataset: Path | str,
    grid: Path | str,
    samples: Path | str,
    repeats: int,
    block_days: float,
    seed: int,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Measure the response of a model, and that of real frames.

    Parameters
    ----------
    dataset
        ``dataset.h5``; its training split sets the threshold.
    grid
        ``samples/flux_response/<model>.h5``, the model's images at a grid of fluxes.
    samples
        ``samples/<model>.h5``; its population has the fluxes of the training split, so that it
        can be compared with real frames.
    repeats
        Number of bootstrap resamples for every standard error.
    block_days
        Length of the blocks of time in which real frames are resampled.
    seed
        Seed of the resamples.

    Returns
    -------
    report : dict
        ``correlation`` of each set, ``correlation_within_seeds`` of the grid, the threshold,
        and ``about``.
    table : pandas.DataFrame
        One row per image, with the schema :data:`FLUX_RESPONSE`.

    Raises
    ------
    InputError
        If a product cannot be read, a split has no frame of a trained class, or all of one split
        are in one block of time.
    """
    description, generated = read_description(dataset), read_samples(grid)
    training = read_trained(dataset, TRAINING)
    threshold_dn = bright_threshold(training.images, description)
    images = {
        GRID: generated,
        POPULATION: read_population(samples),
        TRAINING: training,
        TEST: read_trained(dataset, TEST),
    }
    responses = {
        name: _respond(part, description, threshold_dn, block_days) for name, part in images.items()
    }
    for name, response in responses.items():
        if len(np.unique(response.group)) < LEAST_GROUPS:
            raise InputError(
                f"{dataset}: all {name} images are in one block of {block_days:g} days, so their "
                "correlation has no standard error; shorten evaluation.block_days"
            )
    correlations: dict[str, EstimateJson] = {
        name: correlate(response, repeats, seed).to_json() for name, response in responses.items()
    }
    blocks = f"blocks of {block_days:g} days"
    report = {
        "correlation": correlations,
        "correlation_within_seeds": correlate_within(responses[GRID], repeats, seed).to_json(),
        "threshold_dn": threshold_dn,
        "fluxes": len(np.unique(generated.log10_flux)),
        "images_per_flux": len(np.unique(generated.seed)),
        "about": stamp(
            bright_quantile=BRIGHT_QUANTILE,
            disk_radius=DISK_RADIUS,
            resampled={GRID: "seeds", POPULATION: "seeds", TRAINING: blocks, TEST: blocks},
            seed=seed,
            images=read_description(grid).provenance,
        ),
    }
    return report, _table(responses)


def _respond(
    images: LabelledImages, description: Description, threshold_dn: float, block_days: float
) -> Response:
    if isinstance(images, GeneratedImages):
        group = images.seed
    else:
        group = time_blocks(images.time, block_days)
    return Response(
        log10_flux=images.log10_flux,
        bright_area=bright_area(images.images, description, threshold_dn),
        group=group,
    )


def _table(responses: Mapping[str, Response]) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "set": name,
                "group": response.group,
                "log10_flux": response.log10_flux.astype(np.float64),
                "bright_area": response.bright_area,
            }
        )
        for name, response in responses.items()
    ]
    return pd.concat(parts, ignore_index=True)
