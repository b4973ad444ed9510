"""HDF5 products that tell when a bit of them changed: written with checksums, read with them.

Every chunk of an array carries a Fletcher checksum, which HDF5 compares when it reads the chunk;
what a file says of itself beside its arrays is compared by HDF5 where its format is the newest.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy.typing as npt

from heliosynth.errors import InputError
from heliosynth.io.files import atomic_file

SLAB = 1024
"""Numbers that lie together on disk; of arrays of images, each lies by itself."""


class _Disk(io.FileIO):
    """A file that keeps a refusal of the disk to itself until HDF5 has closed it.

    HDF5 cannot close a file that the disk has no room for, and crashes over it later.
    """

    refused: OSError | None = None

    def write(self, content: Any) -> int:
        left = memoryview(content).cast("B")
        size = len(left)
        try:
            while left and self.refused is None:
                left = left[super().write(left) :]
        except OSError as error:
            self.refused = error
        return size

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self.refused = error
        return size or 0


@contextlib.contextmanager
def open_write(path: Path | str) -> Iterator[h5py.File]:
    """Give a file to fill, which is put in place whole."""
    with (
        atomic_file(path) as unfinished,
        for_hdf5(unfinished) as disk,
        # Only the newer formats have checksums on what HDF5 itself keeps in a file.
        h5py.File(disk, "w", libver="v110") as file,
    ):
        yield file


@contextlib.contextmanager
def for_hdf5(path: Path | str) -> Iterator[io.FileIO]:
    """Open a new file for HDF5 to write, and say what the disk refused when HDF5 is done.

    Raises
    ------
    OSError
        If the disk refused anything.
    """
    with _Disk(path, "w+") as disk:
        try:
            yield disk
        finally:
            if disk.refused is not None:
                raise disk.refused


def create_dataset(
    group: h5py.Group, name: str, dtype: npt.DTypeLike, shape: tuple[int, ...]
) -> h5py.Dataset:
    """Make an array with checksums, to be filled; it can grow along its first axis."""
    rows = SLAB if len(shape) == 1 else 1
    return group.create_dataset(
        name,
        shape,
        dtype,
        maxshape=(None, *shape[1:]),
        chunks=(rows, *(max(n, 1) for n in shape[1:])),
        fletcher32=True,
    )


@contextlib.contextmanager
def open_read(path: Path | str, kind: str) -> Iterator[h5py.File]:
    """Give an open file, and refuse it where it turns out to be damaged or something else."""
    with refusing(path, kind), h5py.File(path, "r") as file:
        yield file


@contextlib.contextmanager
def refusing(path: Path | str, kind: str) -> Iterator[None]:
    """Tell what went wrong while a file was read.

    Raises
    ------
    InputError
        If it cannot be read as what it should be; names it.
    """
    try:
        yield
    # h5py's errors are of many kinds, according to what of a file is damaged.
    except (OSError, LookupError, ValueError, TypeError, RuntimeError, MemoryError) as error:
        reason = str(error)[:200]
        raise InputError(f"{path}: cannot be read as {kind} ({reason}); build it again") from None
