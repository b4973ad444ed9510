"""HDF5 files with checksums: a changed bit is an error, never a wrong number.

Every chunk of an array carries a Fletcher checksum, which HDF5 compares when it reads the chunk.
Metadata, such as attributes, carry checksums in the newer file formats, which are used here.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import EllipsisType, TracebackType
from typing import Any, Self, TypeVar

import h5py
import numpy as np
import numpy.typing as npt

from heliosynth.arrays import Integers
from heliosynth.errors import InputError
from heliosynth.io.files import atomic_file

CHUNK_LENGTH = 1024
"""Numbers per chunk of a 1-D array; an array of images has one image per chunk."""
LONGEST_REASON = 200
"""Characters of h5py's own message to show."""

T = TypeVar("T")


class _DeferredErrorFile(io.FileIO):
    """A file that keeps its first write error until HDF5 has closed it.

    HDF5 cannot close a file that does not fit on the disk, and crashes later because of it.
    """

    error: OSError | None = None

    def write(self, content: Any) -> int:
        left = memoryview(content).cast("B")
        size = len(left)
        try:
            while left and self.error is None:
                left = left[super().write(left) :]
        except OSError as error:
            self.error = error
        return size

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = error
        return size or 0


@contextlib.contextmanager
def open_write(path: Path | str) -> Iterator[h5py.File]:
    """Open a new HDF5 file that atomically becomes ``path`` when the block ends.

    Raises
    ------
    InputError
        If the disk is full or read-only.
    """
    with (
        atomic_file(path) as unfinished,
        deferred_errors(unfinished) as raw,
        # Only the newer formats have checksums on metadata.
        h5py.File(raw, "w", libver="v110") as file,
    ):
        yield file


@contextlib.contextmanager
def deferred_errors(path: Path | str) -> Iterator[io.FileIO]:
    """Open a new file for an HDF5 library, and raise its first write error after the block.

    Raises
    ------
    OSError
        If anything could not be written.
    """
    with _DeferredErrorFile(path, "w+") as raw:
        try:
            yield raw
        finally:
            if raw.error is not None:
                raise raw.error


def create_dataset(
    group: h5py.Group, name: str, dtype: npt.DTypeLike, shape: tuple[int, ...]
) -> h5py.Dataset:
    """Create an array with checksums, to be filled later; it can grow along its first axis."""
    length = CHUNK_LENGTH if len(shape) == 1 else 1
    return group.create_dataset(
        name,
        shape,
        dtype,
        maxshape=(None, *shape[1:]),
        chunks=(length, *(max(n, 1) for n in shape[1:])),
        fletcher32=True,
    )


class Reader:
    """An open HDF5 file whose every read either succeeds or raises one InputError.

    Only calls of h5py are guarded, not the code of the caller, so that an error there keeps its
    type.

    Parameters
    ----------
    path
        The file.
    kind
        The expected kind of file, for messages, such as ``HDF5 of averaged frames``.

    Raises
    ------
    InputError
        From the constructor and all methods: if the file cannot be read as this kind. Names the
        file.
    """

    def __init__(self, path: Path | str, kind: str) -> None:
        self.path, self.kind = Path(path), kind
        self._file = self._guarded(lambda: h5py.File(path, "r"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __contains__(self, name: str) -> bool:
        return self._guarded(lambda: name in self._file)

    def close(self) -> None:
        """Close the file."""
        self._guarded(self._file.close)

    def names(self, group: str) -> list[str]:
        """Return the names in a group."""
        return self._guarded(lambda: list(_item(self._file, group, h5py.Group).keys()))

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array."""
        return self._guarded(
            lambda: tuple(int(n) for n in _item(self._file, name, h5py.Dataset).shape)
        )

    def array(self, name: str, rows: slice | Integers | EllipsisType = ...) -> npt.NDArray[Any]:
        """Return an array, or some of its rows; an array of rows must ascend."""
        return self._guarded(lambda: np.asarray(_item(self._file, name, h5py.Dataset)[rows]))

    def json_dataset(self, name: str) -> Any:
        """Return the content of a scalar dataset that holds JSON."""
        return self._guarded(lambda: json.loads(_item(self._file, name, h5py.Dataset).asstr()[()]))

    def integer(self, attribute: str) -> int:
        """Return an attribute of the root as an integer."""
        return self._guarded(lambda: int(self._file.attrs[attribute]))

    def integers(self, attribute: str) -> tuple[int, ...]:
        """Return an attribute of the root as integers."""
        return self._guarded(lambda: tuple(int(n) for n in self._file.attrs[attribute]))

    def number(self, attribute: str) -> float:
        """Return an attribute of the root as a number."""
        return self._guarded(lambda: float(self._file.attrs[attribute]))

    def text(self, attribute: str) -> str:
        """Return an attribute of the root as text."""
        return self._guarded(lambda: str(self._file.attrs[attribute]))

    def json(self, attribute: str) -> Any:
        """Return the content of an attribute of the root that holds JSON."""
        return self._guarded(lambda: json.loads(self._file.attrs[attribute]))

    def _guarded(self, read: Callable[[], T]) -> T:
        """Call h5py; ``read`` must do nothing else, so that only errors of the file are caught."""
        try:
            return read()
        # h5py raises errors of many types, depending on what part of a file is damaged.
        except (OSError, LookupError, ValueError, TypeError, RuntimeError, MemoryError) as error:
            raise InputError(
                f"{self.path}: cannot be read as {self.kind} "
                f"({str(error)[:LONGEST_REASON]}); rebuild it"
            ) from error


def open_read(path: Path | str, kind: str) -> Reader:
    """Open an HDF5 file for reading; see :class:`Reader`."""
    return Reader(path, kind)


def _item(file: h5py.File, name: str, kind: type) -> Any:
    item = file[name]
    if not isinstance(item, kind):
        raise TypeError(f"{name} is not a {kind.__name__.lower()}")
    return item
