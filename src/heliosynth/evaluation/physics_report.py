"""Physical statistics and curves of all sets of images: ``metrics/physics.json``.

The reference is the training split of the trained classes. ``real`` is the test split of these
classes, complete; every other row is a file of generated images, of which those marked
``population`` are measured. Real images are resampled by blocks of time, generated ones one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from heliosynth.arrays import AnyFloats, Booleans, Images, Integers
from heliosynth.config.evaluation import REAL
from heliosynth.dataset.store import (
    read_description,
)
from heliosynth.errors import InputError
from heliosynth.evaluation.effect_size import (
    DRAWS,
    EffectJson,
    Sample,
    block_sets,
    measure_effect,
    null_values,
    resample_weights,
)
from heliosynth.evaluation.physics import bin_centres
from heliosynth.evaluation.physics_curves import CURVES, CurveJson, summarise_curve
from heliosynth.evaluation.reference import read_population, read_trained
from heliosynth.evaluation.resampling import time_blocks
from heliosynth.evaluation.statistics import STATISTICS, Statistic
from heliosynth.evaluation.suns import PhysicsReference, Suns, describe_training
from heliosynth.io.provenance import stamp
from heliosynth.registry import resolve

SLAB_PIXELS = 1 << 22
"""Pixels of the images that are measured at a time."""

PhysicsRow = dict[str, EffectJson | None]
"""The entries of a row by statistic, None where a statistic does not apply."""


@dataclass(frozen=True)
class MeasuredImages:
    """Values of a set of images.

    Attributes
    ----------
    samples
        Values of each statistic.
    curves
        Values of each curve (N, K).
    groups
        Number shared by images that are not independent (N,).
    """

    samples: Mapping[str, Sample]
    curves: Mapping[str, AnyFloats]
    groups: Integers


def measure_images(images: Images, reference: PhysicsReference, groups: Integers) -> MeasuredImages:
    """Measure all statistics and curves of images (N, 1, H, W), a few at a time."""
    step = max(SLAB_PIXELS // images[0].size, 1)
    values: dict[str, list[AnyFloats]] = {key: [] for key in STATISTICS}
    curves: dict[str, list[AnyFloats]] = {key: [] for key in CURVES}
    for first in range(0, len(images), step):
        suns = Suns(images[first : first + step], reference)
        for key, row in STATISTICS.items():
            arguments = () if row.argument is None else (row.argument,)
            values[key].append(resolve(row.function)(suns, *arguments))
        for key, curve in CURVES.items():
            curves[key].append(curve.values(suns))
    return MeasuredImages(
        samples={key: _sample(STATISTICS[key], np.concatenate(v)) for key, v in values.items()},
        curves={key: np.concatenate(v) for key, v in curves.items()},
        groups=groups,
    )


def compare_rows(
    rows: Mapping[str, MeasuredImages], reference: MeasuredImages, sets: Booleans, seed: int
) -> dict[str, PhysicsRow]:
    """Compare the statistics of each row with those of the training images.

    Parameters
    ----------
    rows
        The measured sets.
    reference
        The measured training images.
    sets
        Random sets of training blocks, from :func:`heliosynth.evaluation.effect_size.block_sets`.
    seed
        Seed of the bootstrap resamples.

    Returns
    -------
    dict
        ``{row: {statistic: entry or None}}``.
    """
    null = {
        key: null_values(row.kind, reference.samples[key], sets) for key, row in STATISTICS.items()
    }
    report: dict[str, PhysicsRow] = {}
    for name, measured in rows.items():
        weights = resample_weights(measured.groups, np.random.default_rng(seed))
        report[name] = {
            key: measure_effect(
                row.kind,
                measured.samples[key],
                reference.samples[key],
                weights,
                null[key],
                units=len(np.unique(measured.groups)),
            )
            for key, row in STATISTICS.items()
        }
    return report


def measure_physics(
    *,
    dataset: Path | str,
    samples: Sequence[Path | str],
    block_days: float,
    seed: int,
) -> tuple[dict[str, PhysicsRow], dict[str, Any]]:
    """Measure the test split and files of generated images against the training split.

    Parameters
    ----------
    dataset
        ``dataset.h5``.
    samples
        ``samples/<row>.h5`` of models and controls; the name of a file is that of its row.
    block_days
        Length of the blocks of time, days.
    seed
        Seed of all random draws.

    Returns
    -------
    report : dict
        ``{row: {statistic: entry or None}}``, ``real`` first.
    curves : dict
        ``curves`` with a :class:`CurveJson` each, and ``about``.

    Raises
    ------
    InputError
        If a product cannot be read, a split has no image of a trained class, or images differ in
        size.
    """
    description = read_description(dataset)
    training = read_trained(dataset, "train")
    reference = describe_training(training.images, description)
    blocks = time_blocks(training.time, block_days)
    measured_training = measure_images(training.images, reference, blocks)
    size_px = training.images.shape[-1]
    del training
    test = read_trained(dataset, "test")
    rows = {REAL: measure_images(test.images, reference, time_blocks(test.time, block_days))}
    for path in map(Path, samples):
        images = _population(path, size_px)
        rows[path.stem] = measure_images(images, reference, np.arange(len(images)))
    sets = block_sets(blocks, np.random.default_rng(seed))
    curves: dict[str, CurveJson] = {
        key: summarise_curve(
            key,
            curve.positions(size_px, reference),
            {name: row.curves[key] for name, row in rows.items()},
            measured_training.curves[key],
            sets,
        )
        for key, curve in CURVES.items()
    }
    about = stamp(
        reference={"split": "train", "n": len(blocks), "blocks_of_time": len(np.unique(blocks))},
        rows={name: len(row.groups) for name, row in rows.items()},
        null={"sets": len(sets), "blocks_of_a_set": _blocks_of_a_set(sets, blocks)},
        block_days=block_days,
        resamples=DRAWS,
        solar_radius=reference.solar_radius,
        residual_std=reference.residual_std,
        seed=seed,
    )
    return compare_rows(rows, measured_training, sets, seed), {"curves": curves, "about": about}


def _sample(row: Statistic, values: AnyFloats) -> Sample:
    return Sample(bin_centres(), values) if row.kind == "histogram" else Sample(values)


def _blocks_of_a_set(sets: Booleans, blocks: Integers) -> int:
    """Return the number of blocks in a random set; 0 without sets."""
    return len(np.unique(blocks[sets[0]])) if len(sets) else 0


def _population(path: Path, size_px: int) -> Images:
    images = read_population(path).images
    if images.shape[-1] != size_px:
        raise InputError(
            f"{path}: images of {images.shape[-1]} pixels, not {size_px} as in the dataset; "
            "sample the model again"
        )
    return images
