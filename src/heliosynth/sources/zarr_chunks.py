"""Chunk-wise reading of Zarr arrays, on disk or on a server.

Reading a row means reading its whole chunk, so every chunk is read once, in whatever order rows
are requested. A bounded number of chunks is read and processed in parallel. This module decodes
them itself, since Zarr makes copies that cost more time than the decoding. Chunks from a server
are recorded with their size and SHA-256; chunks on disk are checked if a manifest lists them.
"""

from __future__ import annotations

import functools
import hashlib
import io
import logging
import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import fsspec
import numpy as np
import numpy.typing as npt
from numcodecs import Blosc

from heliosynth.arrays import Images, Integers
from heliosynth.errors import InputError
from heliosynth.sources import blosc
from heliosynth.sources.manifest import RawFile, checksums, utc_now
from heliosynth.sources.retry import NOT_FOUND, retry

T = TypeVar("T")
Stream = io.RawIOBase | io.BytesIO

REMOTE_CHUNKS = 16
"""Chunks requested from a server at a time; waiting for it takes no CPU."""
LIMIT_S = 180.0
"""Time limit for one chunk, or the attributes of an array, from a server."""
LONGEST_REASON = 200
"""Characters of a library's own message to show."""

ANONYMOUS: dict[str, dict[str, Any]] = {
    "s3": {"anon": True},
    "gs": {"token": "anon"},
    "gcs": {"token": "anon"},
}
"""Options of remote file systems for readers without an account."""
GCS_PROTOCOLS = ("gs", "gcs")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChunkResult(Generic[T]):
    """What was computed from the requested rows of one chunk.

    Attributes
    ----------
    rows
        Rows of the array (n,), ascending.
    value
        What was computed from them.
    source
        The chunk: its size is 0 if it is missing in the store, its SHA-256 empty if it is on
        disk and no manifest lists it.
    """

    rows: Integers
    value: T
    source: RawFile


@dataclass(frozen=True)
class ChunkedArray:
    """An open Zarr array of format 2.

    Attributes
    ----------
    location
        Path or URL.
    array
        The ``zarr.Array``.
    attributes
        Its attributes.
    sha256
        SHA-256 of its chunks by key, if the store is on disk and has a manifest.
    """

    location: str
    array: Any
    attributes: dict[str, Any]
    sha256: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.array.shape[0])

    @property
    def chunk_length(self) -> int:
        """Rows per chunk."""
        return int(self.array.chunks[0])

    def read(
        self, rows: Sequence[int] | npt.NDArray[np.integer[Any]], work: Callable[[Images], T]
    ) -> Iterator[ChunkResult[T]]:
        """Read rows and process them, each chunk once, in the order of the array.

        Memory holds only the chunks in progress: one per CPU and one waiting, or
        :data:`REMOTE_CHUNKS`.

        Parameters
        ----------
        rows
            Rows of the array; repeated ones are read once.
        work
            Function of the rows of one chunk (n, H, W) float32, called in a thread. Rows of a
            chunk that is missing in the store are NaN.

        Raises
        ------
        InputError
            If a row is outside the array, or a chunk is damaged or cannot be read.
        """
        requested = np.unique(np.asarray(rows, dtype=np.int64))
        if requested.size and (requested[0] < 0 or requested[-1] >= len(self)):
            raise InputError(
                f"{self.location}: has rows 0 to {len(self) - 1}, not {requested[0]} to "
                f"{requested[-1]}; rebuild the index"
            )
        borders = np.flatnonzero(np.diff(requested // self.chunk_length)) + 1
        workers = REMOTE_CHUNKS if is_remote(self.location) else _cpu_count()
        with ThreadPoolExecutor(workers) as pool:
            waiting: deque[Future[ChunkResult[T]]] = deque()
            try:
                for group in np.split(requested, borders) if requested.size else []:
                    waiting.append(pool.submit(self._process, group, work))
                    if len(waiting) > workers:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _process(self, rows: Integers, work: Callable[[Images], T]) -> ChunkResult[T]:
        """Read some rows of one chunk and process them."""
        index = int(rows[0]) // self.chunk_length
        key = str(self.array.metadata.encode_chunk_key((index, 0, 0)))
        read = functools.partial(self._read_chunk, key, rows - index * self.chunk_length)
        frames, source = _request(self.location, f"{self.location}/{key}", read)
        return ChunkResult(rows, work(frames), source)

    def _read_chunk(self, key: str, rows: Integers) -> tuple[Images, RawFile]:
        """Return frames (n, H, W) of a chunk, by their rows in it, and its manifest entry."""
        address = f"{self.location}/{key}"
        try:
            stream, sha256 = self._open_chunk(key)
        except FileNotFoundError:
            # Zarr would return its fill value, which is not an observation.
            _log.warning("%s: no such chunk, its frames are missing", address)
            missing = np.full((len(rows), *self.array.shape[1:]), np.nan, np.float32)
            return missing, RawFile("", address, utc_now(), 0, "")
        with stream:
            frames = _decode(stream, rows, self.array.metadata)
            return frames, RawFile("", address, utc_now(), stream.seek(0, io.SEEK_END), sha256)

    def _open_chunk(self, key: str) -> tuple[Stream, str]:
        """Open a chunk; return its SHA-256 too if it is from a server or in a manifest."""
        files, folder = _file_system(self.location)
        listed = self.sha256.get(key, "")
        if not listed and not is_remote(self.location):
            return io.FileIO(f"{folder}/{key}"), ""
        content: bytes = _library(lambda: files.cat_file(f"{folder}/{key}"))
        sha256 = hashlib.sha256(content).hexdigest()
        if listed and sha256 != listed:
            raise InputError(
                f"{self.location}/{key}: checksum differs from the manifest; rebuild the store"
            )
        return io.BytesIO(content), sha256


def _decode(stream: Stream, rows: Integers, metadata: Any) -> Images:
    """Decode some frames of a chunk; of a Blosc chunk, only the blocks that hold them.

    Raises
    ------
    OSError
        If the chunk is damaged.
    """
    dtype, shape = metadata.dtype.to_native_dtype(), metadata.chunks
    codecs = [*(metadata.filters or ()), *([metadata.compressor] if metadata.compressor else [])]
    if metadata.order == "C" and len(codecs) == 1 and isinstance(codecs[0], Blosc):
        content = _decode_blosc(stream, rows, shape[0], math.prod(shape[1:]) * dtype.itemsize)
        frames = content.view(dtype).reshape(len(rows), *shape[1:])
    else:
        decoded: Any = stream.read()
        for codec in reversed(codecs):
            decoded = _library(functools.partial(codec.decode, decoded))
        values = _library(lambda: np.frombuffer(decoded, dtype))
        if values.size != math.prod(shape):
            raise OSError(f"decodes to {values.size} of {math.prod(shape)} numbers")
        frames = values.reshape(shape, order=metadata.order)[rows]
    return np.asarray(frames, np.float32)


def _decode_blosc(
    stream: Stream, rows: Integers, length: int, frame_bytes: int
) -> npt.NDArray[np.uint8]:
    """Decode the bytes of some frames of a Blosc chunk of ``length`` frames."""
    runs = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    try:
        chunk = blosc.Chunk(stream, length * frame_bytes)
        parts = [chunk.decode(run[0] * frame_bytes, (run[-1] + 1) * frame_bytes) for run in runs]
    except blosc.DamagedChunkError as error:
        raise OSError(str(error)) from error
    # Consecutive rows, the usual case, need no copy.
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def open_array(location: str) -> ChunkedArray:
    """Open an array of Zarr format 2.

    Raises
    ------
    FileNotFoundError
        If there is none.
    InputError
        If it is damaged or cannot be read, or its chunks hold parts of frames.
    """
    array = _request(location, location, functools.partial(_open_zarr, location))
    if array.ndim != 3 or tuple(array.chunks[1:]) != tuple(array.shape[1:]):
        raise InputError(
            f"{location}: should hold whole frames (frame, y, x), not chunks of {array.chunks} "
            f"of an array of {array.shape}"
        )
    listed = {} if is_remote(location) else checksums(_file_system(location)[1])
    return ChunkedArray(location, array, dict(array.attrs), listed)


def list_folder(location: Path | str) -> list[str]:
    """List a folder on disk or on a server.

    Raises
    ------
    InputError
        If there is no such folder.
    """

    def list_names() -> list[str]:
        files, folder = _file_system(str(location))
        entries = _library(lambda: files.ls(folder, detail=False))
        return sorted(Path(entry).name for entry in entries)

    try:
        return _request(str(location), str(location), list_names)
    except FileNotFoundError as error:
        raise InputError(f"{location}: no such Zarr store") from error
    except NotADirectoryError as error:
        raise InputError(f"{location}: is a file, not a Zarr store") from error


def is_remote(location: str) -> bool:
    """Return whether a location is on a server."""
    protocol, separator, _ = location.partition("://")
    return bool(separator) and protocol not in ("file", "local")


def _request(location: str, what: str, call: Callable[[], T]) -> T:
    """Call a function that reads a store: on a server with retries, on a disk once.

    Parameters
    ----------
    location
        Path or URL of the store.
    what
        The file, for messages.
    call
        The function, which raises OSError if the file is damaged or cannot be read.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If there is no such file.
    InputError
        If the file is damaged or cannot be read.
    """
    if is_remote(location):
        return retry(call, what, LIMIT_S)
    try:
        return call()
    except NOT_FOUND:
        raise
    except OSError as error:
        reason = str(error)[:LONGEST_REASON]
        raise InputError(f"{what}: cannot be read ({reason})") from error


def _library(call: Callable[[], T]) -> T:
    """Return what a library's call returns, and raise its errors as OSError.

    ``call`` must contain only the library's call, so that errors of this code keep their type.
    """
    try:
        return call()
    except OSError:
        raise
    # Remote file systems, Zarr and codecs raise errors of many types.
    except Exception as error:
        raise OSError(repr(error)[:LONGEST_REASON]) from error


def _open_zarr(location: str) -> Any:
    # Imported only when needed: zarr takes a second to import.
    import zarr

    options = _storage_options(location) if "://" in location else None
    return _library(
        lambda: zarr.open_array(location, mode="r", zarr_format=2, storage_options=options)
    )


def _file_system(location: str) -> tuple[Any, str]:
    """Return the file system of a location, and the path in it."""
    options = _storage_options(location)
    files, path = _library(lambda: fsspec.core.url_to_fs(location, **options))
    return files, str(path)


def _storage_options(location: str) -> dict[str, Any]:
    """Return the options with which fsspec opens a location."""
    protocol, separator, _ = location.partition("://")
    if separator and protocol in GCS_PROTOCOLS:
        from gcsfs.core import GCSFileSystem

        # gcsfs's default class first queries the bucket's type, which requires an account.
        fsspec.register_implementation(protocol, GCSFileSystem, clobber=True)
    return dict(ANONYMOUS.get(protocol, {})) if separator else {}


def _cpu_count() -> int:
    return len(os.sched_getaffinity(0))
