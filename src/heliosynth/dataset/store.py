"""Labelled images on disk: ``dataset.h5`` and ``samples/<model>.h5``.

Both hold, for every image, ``images`` (N, 1, H, W) float32 in [−1, 1], ``goes_class`` (N,)
int8, 0…4 = A…X, ``log10_flux`` (N,) float32 in log₁₀ W m⁻² and ``time`` (N,) int64 seconds UTC:
the dataset in one group a split, the samples at the root, with ``seed`` (N,) int64 and the
marks ``population`` and ``balanced``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from heliosynth.errors import InputError
from heliosynth.io import hdf5

SCHEMA_VERSION = 1
SPLITS = ("train", "val", "test")
UNKNOWN_CLASS = -1
"""The class of an image made by a model without labels; its flux is NaN."""
KIND = "HDF5 of labelled images"
NO_TIME = -1
"""The time of an image that was never observed."""


@dataclass(frozen=True)
class LabelledImages:
    """Images with their labels; all arrays share their first axis."""

    images: npt.NDArray[np.float32]
    goes_class: npt.NDArray[np.int8]
    log10_flux: npt.NDArray[np.float32]
    time: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.goes_class)

    def of_classes(self, classes: Iterable[int]) -> LabelledImages:
        """Keep the images of some classes."""
        return self.take(np.flatnonzero(np.isin(self.goes_class, list(classes))))

    def take(self, rows: npt.NDArray[np.integer[Any]]) -> LabelledImages:
        """Keep some images, in the order given."""
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


@dataclass(frozen=True)
class GeneratedImages(LabelledImages):
    """Images that a model generated.

    ``population`` marks those that together have the class mix of the training split,
    ``balanced`` those that hold every class as often.
    """

    seed: npt.NDArray[np.int64]
    population: npt.NDArray[np.bool_]
    balanced: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Description:
    """What a dataset says of itself, in the attributes of its root.

    Attributes
    ----------
    channel
        AIA channel, as SDOMLv2 names it.
    minimum_dn, maximum_dn
        Intensities that −1 and +1 stand for, DN.
    trained_classes
        Class numbers with enough training frames; the others are scarce.
    observations
        What the images are, for captions.
    provenance
        What it was made from, and with which versions.
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
    """Write ``dataset.h5`` whole, slab by slab.

    Parameters
    ----------
    splits
        For every split its images, or slabs of them in order, of which memory holds one at a
        time; there must be one slab, which may be empty.
    """
    with hdf5.open_write(path) as file:
        _write_attributes(file, description)
        for split in SPLITS:
            group = file.create_group(split)
            images = splits[split]
            for slab in [images] if isinstance(images, LabelledImages) else images:
                _append_arrays(group, slab)


def write_samples(path: Path | str, samples: GeneratedImages, description: Description) -> None:
    """Write ``samples/<model>.h5`` whole."""
    with hdf5.open_write(path) as file:
        _write_attributes(file, description)
        _write_arrays(file, samples)


def join_samples(parts: Sequence[Path | str], path: Path | str) -> None:
    """Write the images of several files of samples as one, in the order of the files.

    Raises
    ------
    InputError
        If a file cannot be read or holds no generated images.
    """
    read = [read_samples(part) for part in parts]
    joined = {f.name: np.concatenate([getattr(p, f.name) for p in read]) for f in fields(read[0])}
    write_samples(path, GeneratedImages(**joined), read_description(parts[0]))


def read_description(path: Path | str) -> Description:
    """Read what a dataset or a file of samples says of itself."""
    with hdf5.open_read(path, KIND) as file:
        values = dict(file.attrs)
        version = int(values.get("schema_version", -1))
        if version != SCHEMA_VERSION:
            raise InputError(
                f"{path}: schema version {version}, not {SCHEMA_VERSION}; build it again"
            )
        return Description(
            channel=str(values["channel"]),
            minimum_dn=float(values["minimum_dn"]),
            maximum_dn=float(values["maximum_dn"]),
            trained_classes=tuple(int(c) for c in values["trained_classes"]),
            observations=str(values["observations"]),
            provenance=json.loads(values["provenance"]),
        )


def read_split(path: Path | str, split: str) -> LabelledImages:
    """Read one split of ``dataset.h5`` whole."""
    return LazySplit(path, split).whole()


class LazySplit:
    """One split of ``dataset.h5``, whose images stay on disk until they are asked for.

    Each process opens the file for itself when it first reads, so that the split can be
    handed to any number of workers.

    Raises
    ------
    InputError
        When made, if the file cannot be read or lacks the split.
    """

    def __init__(self, path: Path | str, split: str) -> None:
        self.path, self.split = Path(path), split
        self._file: h5py.File | None = None
        self._owner = os.getpid()
        with hdf5.open_read(path, KIND) as file:
            if split not in file:
                raise InputError(f"{path}: holds no split {split!r}; is it a dataset.h5?")
            self.shape = tuple(int(n) for n in file[split]["images"].shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | npt.ArrayLike) -> LabelledImages:
        """Read some images, in the order asked for; a row may be asked for twice."""
        if isinstance(rows, slice):
            return self._read(rows)
        # HDF5 wants ascending rows, each once.
        found, back = np.unique(np.asarray(rows, dtype=np.int64), return_inverse=True)
        return self._read(found).take(back)

    def _read(self, rows: slice | npt.NDArray[np.int64]) -> LabelledImages:
        with hdf5.refusing(self.path, KIND):
            return LabelledImages(**{f.name: self._group[f.name][rows] for f in _FIELDS})

    def whole(self) -> LabelledImages:
        """Read all."""
        return self[:]

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        if self._file is not None and self._owner == os.getpid():
            self._file.close()
        self._file = None

    @property
    def _group(self) -> h5py.Group:
        # A forked process must not read through its parent's open file.
        if self._file is None or self._owner != os.getpid():
            self._file, self._owner = h5py.File(self.path, "r"), os.getpid()
        return self._file[self.split]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None}

    def __del__(self) -> None:
        self.close()


_FIELDS = fields(LabelledImages)


def read_samples(path: Path | str) -> GeneratedImages:
    """Read ``samples/<model>.h5``."""
    with hdf5.open_read(path, KIND) as file:
        if "seed" not in file:
            raise InputError(f"{path}: holds no generated images; is it a file of samples/?")
        return GeneratedImages(**_read_arrays(file, GeneratedImages))


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


def _read_arrays(group: h5py.Group, kind: type[LabelledImages]) -> dict[str, Any]:
    return {field.name: group[field.name][()] for field in fields(kind)}
