"""Whether the activity in generated images rises with the X-ray flux asked for.

The activity of an image is its bright area: the share of the solar disk's pixels that reach a
threshold in DN, which the training images alone set. The response is the rank correlation
(Spearman) of bright area and log₁₀ flux: 1 where the one rises with the other throughout. The
same correlation of real frames is the benchmark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
from scipy.stats import spearmanr

from heliosynth.dataset.scaling import unscale
from heliosynth.dataset.store import (
    Description,
    GeneratedImages,
    LabelledImages,
    read_description,
    read_samples,
    read_split,
)
from heliosynth.errors import InputError
from heliosynth.evaluation.estimate import Estimate, EstimateJson
from heliosynth.evaluation.resampling import Rows, bootstrap, bootstrap_groups
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
"""``metrics/flux_response/<model>.csv``: a row an image. ``grid`` are a model's images at a grid of
fluxes, ``population`` those with the class mix of the training split, ``train`` and ``test`` real
frames; ``group`` is the seed of a generated image and the day, since 1970, of a real frame."""

Images = npt.NDArray[np.float32]
Floats = npt.NDArray[np.floating[Any]]
Groups = npt.NDArray[np.int64]

DISK_RADIUS = 976 / 2457.6
"""The Sun's radius in widths of the field: SDOMLv2 sets every frame to 976″ of 2457.6″."""
BRIGHT_QUANTILE = 0.95
"""Share of the training images' disks below the threshold. Active regions cover a few percent of
the disk; a lower quantile counts the quiet Sun. A higher one leaves too few pixels to rank images
by: at 32 pixels, 1 % of the disk is 5 of them, and at a quantile of 0.99 a third of the default
run's training images have none."""
SLAB = 1024
"""Images whose intensities are computed together."""
DAY_S = 86400

GRID, POPULATION, TRAINING, TEST = RESPONSE_SETS


@dataclass(frozen=True)
class Response:
    """Flux and bright area of a set of images; all arrays (N,).

    Attributes
    ----------
    log10_flux
        Flux asked for, or of the label, log₁₀ W m⁻².
    bright_area
        Share of the disk's pixels.
    group
        Number that images share which are not independent: those of one seed, which start from
        one noise, and the real frames of one day, which are near copies.
    """

    log10_flux: Floats
    bright_area: Floats
    group: Groups


def solar_disk(size: int) -> npt.NDArray[np.bool_]:
    """Give the pixels (size, size) whose centres lie on the Sun."""
    offset = (np.arange(size) + 0.5) / size - 0.5
    return np.asarray(np.hypot(offset[:, None], offset[None, :]) < DISK_RADIUS)


def disk_intensities(images: Images, description: Description) -> Images:
    """Give the intensities on the disk, in DN, (N, pixels), of scaled images (N, 1, H, W)."""
    disk, limits = solar_disk(images.shape[-1]), (description.minimum_dn, description.maximum_dn)
    found = np.empty((len(images), np.count_nonzero(disk)), np.float32)
    for first in range(0, len(images), SLAB):
        slab = slice(first, first + SLAB)
        found[slab] = unscale(images[slab, 0][:, disk], *limits)
    return found


def bright_threshold(training: Images, description: Description) -> float:
    """Give the intensity in DN that :data:`BRIGHT_QUANTILE` of the disks' pixels lie below."""
    return float(np.quantile(disk_intensities(training, description), BRIGHT_QUANTILE))


def bright_area(images: Images, description: Description, threshold_dn: float) -> Floats:
    """Give the share (N,) of the disk's pixels that reach the threshold."""
    # Not above it: where the intensities are clipped, the threshold may be the highest there is.
    bright = disk_intensities(images, description) >= np.float32(threshold_dn)
    return np.asarray(bright.mean(axis=1))


def rank_correlation(log10_flux: Floats, area: Floats) -> float:
    """Give Spearman's correlation; 0 where one of the two is constant: nothing responds."""
    if np.ptp(log10_flux) == 0 or np.ptp(area) == 0:
        return 0.0
    return float(spearmanr(log10_flux, area).statistic)


def correlate(response: Response, repeats: int, seed: int) -> Estimate:
    """Correlate flux and bright area of all images; whole groups are resampled for the spread."""

    def of(rows: Rows | slice) -> float:
        return rank_correlation(response.log10_flux[rows], response.bright_area[rows])

    resamples = bootstrap_groups(response.group, repeats, np.random.default_rng(seed))
    return Estimate.over([of(rows) for rows in resamples], len(response.group), of(slice(None)))


def correlate_within(response: Response, repeats: int, seed: int) -> Estimate:
    """Correlate within each group, and give the mean over groups; groups are resampled."""
    own = [response.group == group for group in np.unique(response.group)]
    found = np.array(
        [rank_correlation(response.log10_flux[o], response.bright_area[o]) for o in own]
    )
    rows = bootstrap(len(found), repeats, np.random.default_rng(seed))
    return Estimate.over(found[rows].mean(axis=1), len(response.group), float(found.mean()))


def measure_flux_response(
    dataset: Path | str,
    grid: Path | str,
    samples: Path | str,
    repeats: int,
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
        ``samples/<model>.h5``: its population has the fluxes of the training split, so it can
        be set beside real frames.
    repeats
        Resamples behind every spread.
    seed
        Seed of the resamples.

    Returns
    -------
    found
        ``correlation`` of each set, ``correlation_within_seeds`` of the grid, the threshold,
        and ``about``.
    table_schema
        Every image, as :data:`heliosynth.FLUX_RESPONSE` has it.

    Raises
    ------
    InputError
        If a product cannot be read, or a split has no frame of a trained class.
    """
    description, generated = read_description(dataset), read_samples(grid)
    training = _known(dataset, TRAINING, description)
    threshold = bright_threshold(training.images, description)
    images = {
        GRID: generated,
        POPULATION: _population(samples),
        TRAINING: training,
        TEST: _known(dataset, TEST, description),
    }
    sets = {name: _respond(of_set, description, threshold) for name, of_set in images.items()}
    found: dict[str, EstimateJson] = {
        name: correlate(response, repeats, seed).to_json() for name, response in sets.items()
    }
    return {
        "correlation": found,
        "correlation_within_seeds": correlate_within(sets[GRID], repeats, seed).to_json(),
        "threshold_dn": threshold,
        "fluxes": len(np.unique(generated.log10_flux)),
        "images_per_flux": len(np.unique(generated.seed)),
        "about": stamp(
            bright_quantile=BRIGHT_QUANTILE,
            disk_radius=DISK_RADIUS,
            resampled={GRID: "seeds", POPULATION: "seeds", TRAINING: "days", TEST: "days"},
            seed=seed,
            images=read_description(grid).provenance,
        ),
    }, _table(sets)


def _known(dataset: Path | str, split: str, description: Description) -> LabelledImages:
    known = read_split(dataset, split).of_classes(description.trained_classes)
    if not len(known):
        raise InputError(f"{dataset}: no {split} image of a trained class; give the split more")
    return known


def _population(samples: Path | str) -> LabelledImages:
    images = read_samples(samples)
    rows = np.flatnonzero(images.population)
    if not len(rows):
        raise InputError(f"{samples}: no image of the population; sample the model again")
    return images.take(rows)


def _respond(images: LabelledImages, description: Description, threshold: float) -> Response:
    return Response(
        log10_flux=images.log10_flux,
        bright_area=bright_area(images.images, description, threshold),
        group=images.seed if isinstance(images, GeneratedImages) else images.time // DAY_S,
    )


def _table(sets: Mapping[str, Response]) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "set": name,
                "group": response.group,
                "log10_flux": response.log10_flux.astype(np.float64),
                "bright_area": response.bright_area,
            }
        )
        for name, response in sets.items()
    ]
    return pd.concat(parts, ignore_index=True)
