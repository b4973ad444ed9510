"""Construction of ``dataset.h5`` from the index and the averaged frames."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from heliosynth import goes_class
from heliosynth.arrays import SPLITS, Images, Integers
from heliosynth.dataset.scaling import CLIP_DN, scale
from heliosynth.dataset.store import Description, LabelledImages, write_dataset
from heliosynth.errors import InputError
from heliosynth.frames.store import read_images, read_measured
from heliosynth.io import provenance

SLAB_BYTES = 2**26
"""Size of the images that are scaled and written at a time, bytes."""


def build_dataset(
    path: Path | str,
    index: pd.DataFrame,
    summary: Mapping[str, Any],
    intensities: Sequence[Path | str],
    channel: str,
    observations: str,
) -> None:
    """Scale the frames of each split, in order of time, and write ``dataset.h5``.

    Parameters
    ----------
    path
        The file to write.
    index
        The table of :mod:`heliosynth.catalogue.index`.
    summary
        Its summary, of which ``trained_classes`` and ``label_rule`` are used.
    intensities
        The files of averaged frames, one per year.
    channel
        The AIA channel, which determines the range of intensities.
    observations
        What the images are, for captions.

    Raises
    ------
    InputError
        If a year of the index has no file, or a file is of another channel.
    """
    by_year = files_by_year(intensities, channel)
    minimum, maximum = CLIP_DN[channel]
    splits = {
        split: _labelled(index[index["split"] == split], by_year, (minimum, maximum))
        for split in SPLITS
    }
    description = Description(
        channel=channel,
        minimum_dn=minimum,
        maximum_dn=maximum,
        trained_classes=tuple(goes_class.NAMES.index(n) for n in summary["trained_classes"]),
        observations=observations,
        provenance=provenance.stamp(
            label_rule=summary["label_rule"],
            intensities={str(y): provenance.file_sha256(f) for y, f in sorted(by_year.items())},
        ),
    )
    write_dataset(path, splits, description)


def files_by_year(intensities: Sequence[Path | str], channel: str) -> dict[int, Path | str]:
    """Return the files of averaged frames by year.

    Raises
    ------
    InputError
        If a file cannot be read, or is of another channel.
    """
    by_year = {}
    for path in intensities:
        measured = read_measured(path)
        if measured.channel != channel:
            raise InputError(f"{path}: holds {measured.channel}, not {channel}; rebuild it")
        by_year[measured.year] = path
    return by_year


def read_scaled(path: Path | str, channel: str, rows: Integers) -> Images:
    """Read some averaged frames (n, H, W), scaled to [−1, 1] in the range of the channel."""
    return scale(read_images(path, rows), *CLIP_DN[channel])


def _labelled(
    frames: pd.DataFrame, by_year: Mapping[int, Path | str], limits: tuple[float, float]
) -> Iterator[LabelledImages]:
    frames = frames.sort_values(["time", "store_row"])
    shape = read_images(next(iter(by_year.values())), np.empty(0, np.int64)).shape[1:]
    slab = max(1, SLAB_BYTES // (4 * math.prod(shape)))
    # An empty split has a slab too, from which its arrays get their shape.
    for start in range(0, max(len(frames), 1), slab):
        yield _slab(frames.iloc[start : start + slab], by_year, limits, shape)


def _slab(
    frames: pd.DataFrame,
    by_year: Mapping[int, Path | str],
    limits: tuple[float, float],
    shape: tuple[int, ...],
) -> LabelledImages:
    year, row = frames["year"].to_numpy(), frames["image_row"].to_numpy()
    images = np.empty((len(frames), 1, *shape), np.float32)
    for number in np.unique(year):
        if number not in by_year:
            raise InputError(
                f"the index has frames of {number}, but there are no intensities of that year; "
                "rebuild the index"
            )
        chosen = year == number
        images[chosen, 0] = scale(read_images(by_year[number], row[chosen]), *limits)
    return LabelledImages(
        images=images,
        goes_class=np.array([goes_class.NAMES.index(c) for c in frames["goes_class"]], np.int8),
        log10_flux=frames["log10_flux"].to_numpy(np.float32),
        time=frames["time"].to_numpy("datetime64[s]").astype(np.int64),
    )
