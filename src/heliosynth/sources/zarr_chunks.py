"""A Zarr array, on disk or on the network, read chunk by chunk.

A row costs its whole chunk, so every chunk is read once, whatever order the rows are asked
for in. Chunks are read and worked on side by side, a bounded number of them at a time. They
are fetched and decoded here rather than by Zarr, whose copies cost more than the decoding.
What comes from a server is accounted for by its size and SHA-256; what lies on disk is checked
where a manifest knows it.
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

from heliosynth.errors import InputError
from heliosynth.sources import blosc
from heliosynth.sources.manifest import Fetched, checksums, now
from heliosynth.sources.retry import retry

Rows = npt.NDArray[np.int64]
Frames = npt.NDArray[np.float32]
Made = TypeVar("Made")

REMOTE_AT_ONCE = 16
"""Chunks on their way from a server at a time; waiting for it costs no processor."""
LIMIT_S = 180.0
"""Time limit for one chunk, or the attributes of an array, from a server."""

ANONYMOUS: dict[str, dict[str, Any]] = {
    "s3": {"anon": True},
    "gs": {"token": "anon"},
    "gcs": {"token": "anon"},
}
"""What a remote file system needs to let a reader in without an account."""

# The class that gcsfs gives out otherwise asks another service about the bucket before each
# call, which answers no one without an account.
for _protocol in ("gs", "gcs"):
    fsspec.register_implementation(_protocol, "gcsfs.core.GCSFileSystem", clobber=True)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part(Generic[Made]):
    """The wanted rows of one chunk (n,), ascending, what was made of them, and its source.

    The source has a size of 0 where the store holds no such chunk, and no SHA-256 where the
    chunk lies on disk and no manifest knows it.
    """

    rows: Rows
    made: Made
    source: Fetched


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
        What the manifest of a store on disk says of its chunks.
    """

    location: str
    array: Any
    attributes: dict[str, Any]
    sha256: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.array.shape[0])

    @property
    def chunk_length(self) -> int:
        """Rows a chunk."""
        return int(self.array.chunks[0])

    def read(
        self, rows: Sequence[int] | npt.NDArray[np.integer[Any]], work: Callable[[Frames], Made]
    ) -> Iterator[Part[Made]]:
        """Read rows and work on them, each chunk once, in the order of the array.

        Memory holds the chunks under way and no more: one a processor and one waiting, or
        :data:`REMOTE_AT_ONCE`.

        Parameters
        ----------
        rows
            Places in the array; one that is asked for twice is read once.
        work
            What to do with the rows of one chunk (n, H, W) float32, in a thread of its own.
            Rows of a chunk that the store does not hold are NaN.

        Raises
        ------
        InputError
            If a row lies outside the array, or a chunk is broken or cannot be had.
        """
        wanted = np.unique(np.asarray(rows, dtype=np.int64))
        if wanted.size and (wanted[0] < 0 or wanted[-1] >= len(self)):
            raise InputError(
                f"{self.location}: has rows 0 to {len(self) - 1}, not {wanted[0]} to "
                f"{wanted[-1]}; build the index again"
            )
        borders = np.flatnonzero(np.diff(wanted // self.chunk_length)) + 1
        workers = REMOTE_AT_ONCE if is_remote(self.location) else _processors()
        with ThreadPoolExecutor(workers) as pool:
            waiting: deque[Future[Part[Made]]] = deque()
            try:
                for group in np.split(wanted, borders) if wanted.size else []:
                    waiting.append(pool.submit(self._part, group, work))
                    if len(waiting) > workers:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _part(self, rows: Rows, work: Callable[[Frames], Made]) -> Part[Made]:
        place = int(rows[0]) // self.chunk_length
        key = str(self.array.metadata.encode_chunk_key((place, 0, 0)))
        wanted = rows - place * self.chunk_length
        read = functools.partial(self._chunk, key, wanted)
        frames, source = asked(self.location, f"{self.location}/{key}", read)
        return Part(rows, work(frames), source)

    def _chunk(self, key: str, wanted: Rows) -> tuple[Frames, Fetched]:
        address = f"{self.location}/{key}"
        try:
            stream, sha256 = self._opened(key)
        except FileNotFoundError:
            # Zarr would have its fill value stand for them, which is no observation.
            _log.warning("%s: no such chunk, its frames are missing", address)
            missing = np.full((len(wanted), *self.array.shape[1:]), np.nan, np.float32)
            return missing, Fetched("", address, now(), 0, "")
        with stream:
            frames = _decoded(stream, wanted, self.array.metadata)
            return frames, Fetched("", address, now(), stream.seek(0, io.SEEK_END), sha256)

    def _opened(self, key: str) -> tuple[io.RawIOBase | io.BytesIO, str]:
        """Open a chunk, and give its SHA-256 where that is wanted, for which it is read whole."""
        files, path = _files(self.location)
        known = self.sha256.get(key, "")
        if not known and not is_remote(self.location):
            return io.FileIO(f"{path}/{key}"), ""
        content: bytes = files.cat_file(f"{path}/{key}")
        sha256 = hashlib.sha256(content).hexdigest()
        if known and sha256 != known:
            raise InputError(
                f"{self.location}/{key}: is not what its manifest says; make its store anew"
            )
        return io.BytesIO(content), sha256


def _decoded(stream: io.RawIOBase | io.BytesIO, wanted: Rows, metadata: Any) -> Frames:
    """Decode some frames of a chunk; of a Blosc chunk, hardly more than those."""
    dtype, shape = metadata.dtype.to_native_dtype(), metadata.chunks
    codecs = [*(metadata.filters or ()), *([metadata.compressor] if metadata.compressor else [])]
    if metadata.order == "C" and len(codecs) == 1 and isinstance(codecs[0], Blosc):
        each = math.prod(shape[1:]) * dtype.itemsize
        chunk = blosc.Chunk(stream, shape[0] * each)
        runs = np.split(wanted, np.flatnonzero(np.diff(wanted) > 1) + 1)
        parts = [chunk.decode(run[0] * each, (run[-1] + 1) * each) for run in runs]
        # Neighbours, the usual case, need no copy.
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
        frames = whole.view(dtype).reshape(len(wanted), *shape[1:])
    else:
        decoded: Any = stream.read()
        for codec in reversed(codecs):
            decoded = codec.decode(decoded)
        frames = np.frombuffer(decoded, dtype).reshape(shape, order=metadata.order)[wanted]
    return np.asarray(frames, np.float32)


def open_array(location: str) -> ChunkedArray:
    """Open an array of Zarr format 2.

    Raises
    ------
    FileNotFoundError
        If there is none.
    InputError
        If it is broken or cannot be had, or its chunks hold parts of frames.
    """
    array = asked(location, location, functools.partial(_open, location))
    if array.ndim != 3 or tuple(array.chunks[1:]) != tuple(array.shape[1:]):
        raise InputError(
            f"{location}: should hold whole frames (frame, y, x), not chunks of {array.chunks} "
            f"of an array of {array.shape}"
        )
    known = {} if is_remote(location) else checksums(_files(location)[1])
    return ChunkedArray(location, array, dict(array.attrs), known)


def names(location: Path | str) -> list[str]:
    """List a folder on disk or on the network.

    Raises
    ------
    InputError
        If there is no such folder.
    """

    def listed() -> list[str]:
        files, path = _files(str(location))
        return sorted(Path(entry).name for entry in files.ls(path, detail=False))

    try:
        return asked(str(location), str(location), listed)
    except FileNotFoundError:
        raise InputError(f"{location}: no such Zarr store") from None
    except NotADirectoryError:
        raise InputError(f"{location}: is a file, not a Zarr store") from None


def is_remote(location: str) -> bool:
    """Tell the address of a server from a path."""
    protocol, separator, _ = location.partition("://")
    return bool(separator) and protocol not in ("file", "local")


def asked(location: str, what: str, call: Callable[[], Made]) -> Made:
    """Ask a store: a server retry, a disk once.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If what was asked for is not there.
    InputError
        If there is no good answer.
    """
    if not is_remote(location):
        try:
            return call()
        except (InputError, FileNotFoundError, NotADirectoryError):
            raise
        # Codecs raise errors of their own.
        except Exception as error:
            raise InputError(f"{what}: cannot be read ({repr(error)[:200]})") from error
    answer = retry(functools.partial(_missing_or, call), what, LIMIT_S)
    if isinstance(answer, FileNotFoundError | NotADirectoryError):
        raise answer
    return answer


def _missing_or(call: Callable[[], Made]) -> Made | FileNotFoundError | NotADirectoryError:
    """Give the answer, or the news that there is nothing, which asking again does not change."""
    try:
        return call()
    except (FileNotFoundError, NotADirectoryError) as error:
        return error
    except (InputError, OSError):
        raise
    # Remote file systems and codecs each raise errors of their own.
    except Exception as error:
        raise OSError(repr(error)) from error


def _open(location: str) -> Any:
    # zarr takes a second to import, which listing years need not wait for.
    import zarr

    options = _access(location) if "://" in location else None
    return zarr.open_array(location, mode="r", zarr_format=2, storage_options=options)


def _files(location: str) -> tuple[Any, str]:
    """Give the file system of a location and its path there."""
    files, path = fsspec.core.url_to_fs(location, **_access(location))
    return files, str(path)


def _access(location: str) -> dict[str, Any]:
    protocol, separator, _ = location.partition("://")
    return dict(ANONYMOUS.get(protocol, {})) if separator else {}


def _processors() -> int:
    return len(os.sched_getaffinity(0))
