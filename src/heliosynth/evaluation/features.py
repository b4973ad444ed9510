"""Features of images on disk: ``features/<encoder>/<name>.h5``.

Each group of a file, a split of the dataset or ``generated``, holds ``features`` (N, D) float32;
the attributes of the root describe the encoder, its weights and the size of its input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from heliosynth.arrays import SPLITS, Features, Images
from heliosynth.dataset.store import KIND, read_samples, read_split
from heliosynth.errors import InputError
from heliosynth.io import hdf5

GENERATED = "generated"


@dataclass(frozen=True)
class EncodedBy:
    """The encoder of a set of features, its weights and the size of its input in pixels."""

    encoder: str
    description: str
    weights_sha256: str
    size_px: int


@dataclass(frozen=True)
class EncodedFeatures:
    """Features (N, D) of images, in the order of the images, and their encoder."""

    values: Features
    encoded_by: EncodedBy


def read_image_groups(path: Path | str) -> dict[str, Images]:
    """Read the images (N, 1, H, W) of a ``dataset.h5`` by split, or those of a file of samples.

    Raises
    ------
    InputError
        If the file is neither.
    """
    with hdf5.open_read(path, KIND) as file:
        is_dataset = all(split in file for split in SPLITS)
    if is_dataset:
        return {split: read_split(path, split).images for split in SPLITS}
    return {GENERATED: read_samples(path).images}


def write_features(path: Path | str, groups: Mapping[str, Features], encoded_by: EncodedBy) -> None:
    """Write features (N, D) atomically, one group per set of images."""
    with hdf5.open_write(path) as file:
        file.attrs.update(vars(encoded_by))
        for name, values in groups.items():
            array = hdf5.create_dataset(file, f"{name}/features", np.float32, values.shape)
            array[...] = values


def read_features(path: Path | str, group: str) -> EncodedFeatures:
    """Read one group of features.

    Raises
    ------
    InputError
        If the file cannot be read or has no such group.
    """
    with hdf5.open_read(path, "HDF5 of features") as file:
        if group not in file:
            raise InputError(f"{path}: features of {group!r} not found; encode the images again")
        encoded_by = EncodedBy(
            encoder=file.text("encoder"),
            description=file.text("description"),
            weights_sha256=file.text("weights_sha256"),
            size_px=file.integer("size_px"),
        )
        return EncodedFeatures(file.array(f"{group}/features"), encoded_by)
