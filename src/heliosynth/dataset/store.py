"""Labelled images on disk: ``dataset.h5`` and ``samples/<model>.h5``.

For every image both hold ``images`` (N, 1, H, W) float32 in [−1, 1], ``goes_class`` (N,)
int8, 0…4 = A…X, ``log10_flux`` (N,) float32 in log₁₀ W m⁻² and ``time`` (N,) int64 seconds UTC:
the dataset in one group per split, the samples at the root, together with ``seed`` (N,) int64 and
the boolean masks ``population`` and ``balanced``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np
import numpy.typing as npt

from heliosynth.arrays import SPLITS, Booleans, Classes, Floats32, Images, Integers, Seconds
from heliosynth.errors import InputError
from heliosynth.io import hdf5

SCHEMA_VERSION = 1
KIND = "HDF5 of labelled images"
UNKNOWN_CLASS = -1
"""The class of an image from a model without labels; its flux is NaN."""
NO_TIME = -1
"""The time of an image that was never observed."""


@dataclass(frozen=True)
class Labels:
    """Labels of images; all arrays share their first axis.

    Attributes
    ----------
    goes_class
        Class numbers, 0…4 = A…X (N,).
    log10_flux
        X-ray flux, log₁₀ W m⁻² (N,).
    time
        Time of the observation, seconds UTC (N,).
    """

    goes_class: Classes
    log10_flux: Floats32
    time: Seconds

    def __len__(self) -> int:
        return len(self.goes_class)


@dataclass(frozen=True)
class LabelledImages:
    """Images (N, 1, H, W) with their labels (N,); all arrays share their first axis."""

    images: Images
    goes_class: Classes
    log10_flux: Floats32
    time: Seconds

    def __len__(self) -> int:
        return len(self.goes_class)

    def of_classes(self, classes: Iterable[int]) -> Self:
        """Return the images of some classes."""
        return self.take(np.flatnonzero(np.isin(self.goes_class, list(classes))))

    def take(self, rows: npt.NDArray[np.integer[Any]]) -> Self:
        """Return some of the images, in the order of ``rows``."""
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


@dataclass(frozen=True)
class GeneratedImages(LabelledImages):
    """Images that a model generated.

    ``population`` (N,) marks those that together have the class mix of the training split,
    ``balanced`` (N,) those in which all classes are equally frequent; ``seed`` (N,) is that of
    the noise of each image.
    """

    seed: Integers
    population: Booleans
    balanced: Booleans


@dataclass(frozen=True)
class Description:
    """The attributes of a dataset or a file of samples.

    Attributes
    ----------
    channel
        AIA channel, as SDOMLv2 names it.
    minimum_dn, maximum_dn
        Intensities that are scaled to −1 and +1, DN.
    trained_classes
        Class numbers with enough training frames; all others are under-represented.
    observations
        What the images are, for captions.
    provenance
        Its inputs, and the versions of packages.
    """

    channel: str
    minimum_dn: float
    maximum_dn: float
    trained_classes: tuple[int, ...]
    observations: str
    provenance: Mapping[str, Any]


def write_dataset(
    path: Path | str,
    splits: Mapping[str, LabelledImages | Iterable[LabelledImages]],
    description: Description,
) -> None:
    """Write ``dataset.h5`` atomically, slab by slab.

    Parameters
    ----------
    path
        The file to write.
    splits
        The images of each split, or slabs of them in order, of which one at a time is in memory;
        at least one slab, which can be empty.
    description
        Its attributes.
    """
    with hdf5.open_write(path) as file:
        _write_attributes(file, description)
        for split in SPLITS:
            group = file.create_group(split)
            images = splits[split]
            for slab in [images] if isinstance(images, LabelledImages) else images:
                _append_arrays(group, slab)


def write_samples(path: Path | str, samples: GeneratedImages, description: Description) -> None:
    """Write ``samples/<model>.h5`` atomically."""
    with hdf5.open_write(path) as file:
        _write_attributes(file, description)
        _write_arrays(file, samples)


def join_samples(parts: Sequence[Path | str], path: Path | str) -> None:
    """Join several files of samples into one, in the order of the files.

    Raises
    ------
    InputError
        If a file cannot be read or does not hold generated images.
    """
    read = [read_samples(part) for part in parts]
    joined = {f.name: np.concatenate([getattr(p, f.name) for p in read]) for f in fields(read[0])}
    write_samples(path, GeneratedImages(**joined), read_description(parts[0]))


def read_description(path: Path | str) -> Description:
    """Read the attributes of a dataset or a file of samples.

    Raises
    ------
    InputError
        If the file cannot be read or has another schema version.
    """
    with hdf5.open_read(path, KIND) as file:
        version = file.integer("schema_version")
        if version != SCHEMA_VERSION:
            raise InputError(f"{path}: schema version {version}, not {SCHEMA_VERSION}; rebuild it")
        return Description(
            channel=file.text("channel"),
            minimum_dn=file.number("minimum_dn"),
            maximum_dn=file.number("maximum_dn"),
            trained_classes=file.integers("trained_classes"),
            observations=file.text("observations"),
            provenance=file.json("provenance"),
        )


def read_split(path: Path | str, split: str) -> LabelledImages:
    """Read all images of one split of ``dataset.h5``."""
    return LazySplit(path, split).read_all()


class LazySplit:
    """One split of ``dataset.h5`` whose images are read when indexed.

    Each process opens the file itself when it first reads, so the split can be passed to any
    number of workers.

    Raises
    ------
    InputError
        From the constructor, if the file cannot be read or lacks the split.
    """

    def __init__(self, path: Path | str, split: str) -> None:
        self.path, self.split = Path(path), split
        self._file: hdf5.Reader | None = None
        self._owner = os.getpid()
        with hdf5.open_read(path, KIND) as file:
            if split not in file:
                raise InputError(f"{path}: no split {split!r}; is it a dataset.h5?")
            self.shape = file.shape(f"{split}/images")

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | npt.ArrayLike) -> LabelledImages:
        """Read some images, in the order of ``rows``, which can contain a row more than once."""
        if isinstance(rows, slice):
            return self._read(rows)
        # HDF5 needs ascending rows, each once.
        unique, inverse = np.unique(np.asarray(rows, dtype=np.int64), return_inverse=True)
        return self._read(unique).take(inverse)

    @property
    def labels(self) -> Labels:
        """The labels of all images, read without the images."""
        file = self._open()
        return Labels(**{f.name: file.array(f"{self.split}/{f.name}") for f in fields(Labels)})

    def read_all(self) -> LabelledImages:
        """Read all images."""
        return self[:]

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        if self._file is not None and self._owner == os.getpid():
            self._file.close()
        self._file = None

    def _read(self, rows: slice | Integers) -> LabelledImages:
        file = self._open()
        return LabelledImages(
            **{f.name: file.array(f"{self.split}/{f.name}", rows) for f in fields(LabelledImages)}
        )

    def _open(self) -> hdf5.Reader:
        # A forked process must not read through the open file of its parent.
        if self._file is None or self._owner != os.getpid():
            self._file, self._owner = hdf5.open_read(self.path, KIND), os.getpid()
        return self._file

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None}

    def __del__(self) -> None:
        self.close()


def read_samples(path: Path | str) -> GeneratedImages:
    """Read ``samples/<model>.h5``.

    Raises
    ------
    InputError
        If the file cannot be read or does not hold generated images.
    """
    with hdf5.open_read(path, KIND) as file:
        if "seed" not in file:
            raise InputError(f"{path}: no generated images; is it a file of samples/?")
        return GeneratedImages(**{f.name: file.array(f.name) for f in fields(GeneratedImages)})


def _write_attributes(file: h5py.File, description: Description) -> None:
    file.attrs["schema_version"] = SCHEMA_VERSION
    for field in fields(description):
        value = getattr(description, field.name)
        file.attrs[field.name] = json.dumps(value) if field.name == "provenance" else value


def _write_arrays(group: h5py.Group, images: LabelledImages) -> None:
    for field in fields(images):
        values = getattr(images, field.name)
        hdf5.create_dataset(group, field.name, values.dtype, values.shape)[...] = values


def _append_arrays(group: h5py.Group, slab: LabelledImages) -> None:
    for field in fields(slab):
        values = getattr(slab, field.name)
        if field.name not in group:
            hdf5.create_dataset(group, field.name, values.dtype, (0, *values.shape[1:]))
        group[field.name].resize(len(group[field.name]) + len(values), axis=0)
        if len(values):
            group[field.name][-len(values) :] = values
