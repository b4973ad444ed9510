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
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from numcodecs import Blosc

from heliosynth.arrays import Images, Integers
from heliosynth.errors import InputError
from heliosynth.sources import blosc
from heliosynth.sources.manifest import RawFile, checksums, utc_now
from heliosynth.sources.zarr_store import file_system, is_remote, library, open_zarr, request

T = TypeVar("T")
Stream = io.RawIOBase | io.BytesIO

REMOTE_CHUNKS = 16
"""Chunks requested from a server at a time; waiting for it takes no CPU."""
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
    sources
        The chunk, or the chunks if each holds a part of the frames: the size is 0 if one is
        missing in the store, the SHA-256 empty if it is on disk and no manifest lists it.
    """

    rows: Integers
    value: T
    sources: tuple[RawFile, ...]

    @property
    def source(self) -> RawFile:
        """The only chunk, or the first one."""
        return self.sources[0]


@dataclass(frozen=True)
class ChunkedArray:
    """An open Zarr array of format 2 or 3.

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
        """Rows per file of the store: a chunk, or a shard of several."""
        return int(self._chunk_shape[0])

    @property
    def width(self) -> int:
        """Width of a frame, pixels."""
        return int(self.array.shape[2])

    @property
    def _chunk_shape(self) -> tuple[int, ...]:
        return tuple(self.array.shards or self.array.chunks)

    @property
    def _has_whole_frames(self) -> bool:
        """Whether chunks are decoded here, not by Zarr: those of format 2 with whole frames."""
        metadata = self.array.metadata
        whole = self._chunk_shape[1:] == tuple(self.array.shape[1:])
        return bool(whole and metadata.zarr_format == 2)

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
        inside = rows - index * self.chunk_length
        if self._has_whole_frames:
            key = str(self.array.metadata.encode_chunk_key((index, 0, 0)))
            read = functools.partial(self._read_chunk, key, inside)
            frames, source = request(self.location, f"{self.location}/{key}", read)
            return ChunkResult(rows, work(self._masked(frames)), (source,))
        frames = np.empty((len(rows), *self.array.shape[1:]), np.float32)
        sources = []
        for part in np.ndindex(
            *(-(-n // c) for n, c in zip(frames.shape[1:], self._tile, strict=True))
        ):
            key = str(self.array.metadata.encode_chunk_key((index, *part)))
            area = tuple(slice(n * c, (n + 1) * c) for n, c in zip(part, self._tile, strict=True))
            read = functools.partial(self._read_tile, key, rows, area)
            tile, source = request(self.location, f"{self.location}/{key}", read)
            frames[:, area[0], area[1]] = tile
            sources.append(source)
        return ChunkResult(rows, work(self._masked(frames)), tuple(sources))

    @property
    def _tile(self) -> tuple[int, ...]:
        """Height and width of a chunk, pixels."""
        return self._chunk_shape[1:]

    def _masked(self, frames: Images) -> Images:
        """Return frames with NaN where integers have a negative fill value."""
        dtype, fill = self.array.dtype, self.array.fill_value
        if dtype.kind == "i" and fill is not None and fill < 0:
            frames[frames == np.float32(fill)] = np.nan
        return frames

    def _read_tile(
        self, key: str, rows: Integers, area: tuple[slice, ...]
    ) -> tuple[Images, RawFile]:
        """Return an area of some rows, which one chunk holds, decoded by Zarr."""
        address = f"{self.location}/{key}"
        try:
            stream, sha256 = self._open_chunk(key)
        except FileNotFoundError:
            _log.warning("%s: no such chunk, its frames are missing", address)
            height, width = (
                min(s.stop, size) - s.start
                for s, size in zip(area, self.array.shape[1:], strict=True)
            )
            missing = np.full((len(rows), height, width), np.nan, np.float32)
            return missing, RawFile("", address, utc_now(), 0, "")
        with stream:
            size_bytes = stream.seek(0, io.SEEK_END)
        first, last = int(rows[0]), int(rows[-1]) + 1
        values = library(lambda: self.array[(slice(first, last), *area)])
        tile = np.asarray(values, np.float32)[rows - first]
        return tile, RawFile("", address, utc_now(), size_bytes, sha256)

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
        files, folder = file_system(self.location)
        listed = self.sha256.get(key, "")
        if not listed and not is_remote(self.location):
            return io.FileIO(f"{folder}/{key}"), ""
        content: bytes = library(lambda: files.cat_file(f"{folder}/{key}"))
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
            decoded = library(functools.partial(codec.decode, decoded))
        values = library(lambda: np.frombuffer(decoded, dtype))
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
    """Open an array of frames.

    Raises
    ------
    FileNotFoundError
        If there is none.
    InputError
        If it is damaged or cannot be read, or does not hold square frames of numbers.
    """
    array = request(location, location, functools.partial(open_zarr, location))
    shape, dtype = tuple(array.shape), array.dtype
    if len(shape) != 3:
        raise InputError(
            f"{location}: has {len(shape)} dimensions {shape}, not the three of frames (frame, y, "
            "x); write one array per channel"
        )
    if shape[1] != shape[2]:
        raise InputError(
            f"{location}: frames of {shape[1]} by {shape[2]} pixels are not square; write frames "
            "of the full disk, centred on it"
        )
    if dtype.kind not in "iuf" or dtype.itemsize == 1:
        raise InputError(
            f"{location}: numbers of type {dtype} cannot hold intensities in DN; write them as "
            "float32, not scaled to a byte"
        )
    listed = {} if is_remote(location) else checksums(file_system(location)[1])
    return ChunkedArray(location, array, dict(array.attrs), listed)


def _cpu_count() -> int:
    return len(os.sched_getaffinity(0))
