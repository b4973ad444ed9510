"""Near copies in every set of images: ``metrics/memorisation.json`` and ``.csv``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from heliosynth import goes_class
from heliosynth.arrays import Booleans, Classes, Images, Integers, Seconds
from heliosynth.config.evaluation import REAL
from heliosynth.dataset.likeness import reduced
from heliosynth.dataset.store import LazySplit, read_description, read_samples
from heliosynth.errors import InputError
from heliosynth.evaluation.copy_share import DRAWS, LeftOut, measure_share
from heliosynth.evaluation.effect_size import NULL_BLOCKS
from heliosynth.evaluation.memorisation import (
    CRITERIA,
    FALSE_ALARM,
    GAP_DAYS,
    MIRRORINGS,
    RATIO,
    SEARCH_RADIUS,
    Matches,
    SearchSet,
    search,
    search_other_weeks,
)
from heliosynth.evaluation.planted_copies import PowerJson, measure_power
from heliosynth.evaluation.resampling import time_blocks
from heliosynth.io.provenance import stamp
from heliosynth.io.tables import TIME, table_schema
from heliosynth.seeds import derive_seed

LARGEST_SET = 4000
"""Images of a population, and of a balanced set, that are searched for."""
SLAB = 256
"""Images that are read at a time."""
TOO_FEW_WEEKS = (
    f"no two training images are more than {GAP_DAYS:g} days and a block apart, so that near "
    "copies cannot be told from frames of the same days"
)

MATCHES = table_schema(
    {
        "set": pa.Column(str),
        "row": pa.Column(np.int64, pa.Check.ge(0)),
        "goes_class": pa.Column(np.int64),
        "population": pa.Column(bool),
        "ratio": pa.Column(np.float64, pa.Check.in_range(0, 1)),
        "correlation": pa.Column(np.float64, pa.Check.in_range(-1, 1)),
        "near_copy": pa.Column(bool),
        "training_row": pa.Column(np.int64, pa.Check.ge(0)),
        "training_time": pa.Column(TIME),
        "mirroring": pa.Column(str, pa.Check.isin(list(MIRRORINGS))),
    }
)
"""``metrics/memorisation.csv``: the nearest training image of each image. ``row`` is that in the
file of samples, or in the test split for the set ``real``; ``training_row`` that in the training
split, and ``training_time`` its time, UTC; ``near_copy`` is by the ratio."""


@dataclass(frozen=True)
class SearchedSet:
    """Images that are searched for.

    Attributes
    ----------
    images
        (n, H, W), at most 64 pixels wide.
    rows
        Row of each in its file (n,).
    goes_class
        Class numbers (n,).
    population
        The images whose share is that of the set (n,).
    blocks
        Block of time of each real image (n,); None for generated ones.
    """

    images: Images
    rows: Integers
    goes_class: Classes
    population: Booleans
    blocks: Integers | None = None


@dataclass(frozen=True)
class Calibration:
    """What the shares of all sets have in common.

    Attributes
    ----------
    training
        The training images.
    rows
        Their rows in the training split (N,).
    classes
        Their class numbers (N,).
    left_out
        Near copies among other weeks.
    power
        Power for planted copies, by their kind.
    """

    training: SearchSet
    rows: Integers
    classes: Classes
    left_out: LeftOut
    power: Mapping[str, PowerJson]


def measure_memorisation(
    *,
    dataset: Path | str,
    samples: Mapping[str, Path | str],
    block_days: float,
    seed: int,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Measure the share of near copies in every set of generated images, and in the test split.

    Parameters
    ----------
    dataset
        ``dataset.h5``; its training images of trained classes are those that can be copied.
    samples
        Files of generated images by the name of their set.
    block_days
        Length of the blocks of time, days.
    seed
        Seed of the random sets of blocks and of the planted copies.

    Returns
    -------
    report : dict
        By name of the set: the keys of :class:`~heliosynth.evaluation.copy_share.ShareJson` by
        the ratio, the same under ``correlation``, ``both`` and by class under ``by_class``, then
        ``power``, ``false_alarm``, ``thresholds``, ``reason`` and ``about``. If the training images
        are of too few weeks, all but the last two are None.
    table : pandas.DataFrame
        One row per image, with the schema :data:`MATCHES`; empty if there are too few weeks.

    Raises
    ------
    InputError
        If a product cannot be read, the training split has no image of a trained class, or
        generated images are of another size.
    """
    trained = read_description(dataset).trained_classes
    calibration = calibrate(dataset, trained, block_days, derive_seed(seed, "memorisation"))
    report: dict[str, Any] = {}
    tables = []
    for name in (REAL, *samples):
        if calibration is None:
            report[name] = _without_calibration(trained)
            continue
        if name == REAL:
            searched = read_split_images(dataset, "test", trained, block_days)
        else:
            searched = read_generated(samples[name], calibration.training.mean.shape)
        matches = search(searched.images, calibration.training)
        report[name] = _entry(searched, matches, calibration, trained)
        tables.append(_table(name, searched, matches, calibration))
    about = stamp(
        training_images=0 if calibration is None else len(calibration.rows),
        neighbours=0 if calibration is None else calibration.training.neighbours,
        block_days=block_days,
        null_blocks=NULL_BLOCKS,
        draws=DRAWS,
        gap_days=GAP_DAYS,
        radius=SEARCH_RADIUS,
        false_alarm=FALSE_ALARM,
        seed=seed,
    )
    table = pd.concat(tables, ignore_index=True) if tables else _empty_table()
    return {name: {**entry, "about": about} for name, entry in report.items()}, table


def calibrate(
    dataset: Path | str, trained: Sequence[int], block_days: float, seed: int
) -> Calibration | None:
    """Search for each training image in other weeks, and for planted copies.

    None if the training images are of too few weeks.

    Raises
    ------
    InputError
        If the training split has no image of a trained class.
    """
    read, time = _read_split(dataset, "train", trained)
    if not len(read.rows):
        raise InputError(f"{dataset}: no train image of a trained class; enlarge this split")
    training = SearchSet.of(read.images, time, time_blocks(time, block_days))
    if not training.neighbours:
        return None
    matches = search_other_weeks(read.images, training)
    left_out = LeftOut.of(matches, training.blocks, seed)
    power = measure_power(read.images, training, left_out.thresholds, seed)
    return Calibration(training, read.rows, read.goes_class, left_out, power)


def read_split_images(
    dataset: Path | str, split: str, trained: Sequence[int], block_days: float
) -> SearchedSet:
    """Read the images of trained classes of a split, with their blocks of time."""
    read, time = _read_split(dataset, split, trained)
    return replace(read, blocks=time_blocks(time, block_days))


def read_generated(path: Path | str, shape: tuple[int, ...]) -> SearchedSet:
    """Read generated images: at most :data:`LARGEST_SET` of the population, and balanced ones.

    Parameters
    ----------
    path
        File of samples.
    shape
        Size (H, W) of the training images that are searched.

    Raises
    ------
    InputError
        If the images are of another size.
    """
    samples = read_samples(path)
    population, balanced = (
        _evenly_spaced(np.flatnonzero(marked)) for marked in (samples.population, samples.balanced)
    )
    rows = np.union1d(population, balanced)
    images = _reduced_images(samples.images[rows])
    if images.shape[1:] != shape:
        raise InputError(
            f"{path}: images of {images.shape[2]} pixels, not {shape[1]} as those of the training "
            "split; sample the model again"
        )
    return SearchedSet(images, rows, samples.goes_class[rows], np.isin(rows, population))


def _read_split(
    dataset: Path | str, split: str, trained: Sequence[int]
) -> tuple[SearchedSet, Seconds]:
    """Read images of trained classes, reduced, and their times."""
    lazy = LazySplit(dataset, split)
    labels = lazy.labels
    rows = np.flatnonzero(np.isin(labels.goes_class, list(trained)))
    slabs = [
        _reduced_images(lazy[rows[n : n + SLAB]].images) for n in range(0, max(len(rows), 1), SLAB)
    ]
    everything = np.ones(len(rows), np.bool_)
    read = SearchedSet(np.concatenate(slabs), rows, labels.goes_class[rows], everything)
    return read, labels.time[rows]


def _reduced_images(images: Images) -> Images:
    return reduced(images[:, 0])


def _evenly_spaced(rows: Integers) -> Integers:
    """Return at most :data:`LARGEST_SET` of the rows; they are sorted by class."""
    if len(rows) <= LARGEST_SET:
        return rows
    return rows[np.linspace(0, len(rows) - 1, LARGEST_SET).round().astype(np.int64)]


def _entry(
    searched: SearchedSet, matches: Matches, calibration: Calibration, trained: Sequence[int]
) -> dict[str, Any]:
    """Return the entry of a set in the report, without its provenance."""
    left_out = calibration.left_out
    flags = left_out.thresholds.flag(matches)

    def share(criterion: str, images: Booleans, training: Booleans) -> dict[str, Any]:
        groups = None if searched.blocks is None else searched.blocks[images]
        expected = left_out.expect(criterion, training)
        return {**measure_share(flags[criterion][images], groups, expected)}

    everything = np.ones(len(calibration.classes), np.bool_)
    shares = {name: share(name, searched.population, everything) for name in CRITERIA}
    of_class = {c: searched.goes_class == c for c in trained}
    return {
        **shares.pop(RATIO),
        **shares,
        "by_class": {
            goes_class.NAMES[c]: share(RATIO, images, calibration.classes == c)
            if images.any()
            else None
            for c, images in of_class.items()
        },
        "power": calibration.power,
        "false_alarm": left_out.alarms,
        "thresholds": vars(left_out.thresholds),
        "reason": None,
    }


def _without_calibration(trained: Sequence[int]) -> dict[str, Any]:
    """Return the entry of a set where the training images are of too few weeks."""
    keys = ("copy_share", "copy_share_low", "copy_share_high", "n", "expected", "low", "high")
    others = [name for name in CRITERIA if name != RATIO]
    return {
        **dict.fromkeys([*keys, *others]),
        "by_class": {goes_class.NAMES[c]: None for c in trained},
        **dict.fromkeys(["power", "false_alarm", "thresholds"]),
        "reason": TOO_FEW_WEEKS,
    }


def _table(
    name: str, searched: SearchedSet, matches: Matches, calibration: Calibration
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "set": name,
            "row": searched.rows,
            "goes_class": searched.goes_class.astype(np.int64),
            "population": searched.population,
            "ratio": matches.ratio,
            "correlation": matches.correlation,
            "near_copy": calibration.left_out.thresholds.flag(matches)[RATIO],
            "training_row": calibration.rows[matches.nearest],
            "training_time": calibration.training.time[matches.nearest].astype(TIME),
            "mirroring": np.array(list(MIRRORINGS))[matches.mirroring],
        }
    )


def _empty_table() -> pd.DataFrame:
    columns = MATCHES.columns.items()
    return pd.DataFrame({name: pd.Series(dtype=str(column.dtype)) for name, column in columns})
