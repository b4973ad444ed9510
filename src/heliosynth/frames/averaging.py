"""A year of raw frames averaged, measured, and written, so that a killed job goes on.

What was averaged is kept every :data:`KEEP_EVERY_S` in a folder named after everything that
it depends on; the finished file is put together from it.
"""

from __future__ import annotations

import functools
import itertools
import json
import shutil
import time as clock
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import h5py
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from heliosynth.errors import InputError
from heliosynth.frames import quality
from heliosynth.frames.area import AreaMeans, Images, area_means
from heliosynth.frames.store import Integers
from heliosynth.io import hdf5
from heliosynth.io.provenance import digest

KEEP_EVERY_S = 60.0
KEEP_BYTES = 2**28
"""Averaged frames held in memory at most; large frames are kept more often."""


class Averaged(NamedTuple):
    """Averaged frames (n, size, size) float32, linear DN, and the measures of the raw ones."""

    images: Images
    measures: quality.Measures


class Part(Protocol):
    """What a reader gives for a piece of the raw store.

    ``rows`` (n,) of the store, what was ``made`` of them, and ``source``, a dataclass that
    tells where they came from.
    """

    @property
    def rows(self) -> Integers: ...
    @property
    def made(self) -> Averaged: ...
    @property
    def source(self) -> Any: ...


Reader = Callable[[Integers, Callable[[Images], Averaged]], Iterable[Part]]
"""Gives the parts that hold some rows, ascending, after working on the frames of each."""
Record = Callable[[list[dict[str, Any]]], None]


@dataclass(frozen=True)
class Year:
    """Which frames of a year are averaged, and how.

    Attributes
    ----------
    store
        Path or URL of the raw store.
    year, channel
        The frames' place in it.
    size_px
        Width to average to.
    store_row, time
        Rows of the frames in the store, ascending, and their times, s (N,).
    code
        Hash of the code, so that work of other code is not gone on with.
    """

    store: str
    year: int
    channel: str
    size_px: int
    store_row: Integers
    time: Integers
    code: str = ""

    @property
    def key(self) -> str:
        """What the averaged frames depend on, as a hash."""
        about = {name: value for name, value in asdict(self).items() if name not in _ARRAYS}
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        return digest({**about, **arrays})[:16]


_ARRAYS = ("store_row", "time")


def average(frames: Images, size: int) -> Averaged:
    """Average frames and measure their quality.

    Raises
    ------
    InputError
        If the frames are smaller than ``size``.
    """
    if frames.shape[-1] < size:
        raise InputError(
            f"dataset.image_size_px is {size}, but the frames have only {frames.shape[-1]} pixels"
        )
    averaged, looked_at = _averages(frames, size, min(frames.shape[-1], quality.LOOKED_AT_PX))
    lost = np.count_nonzero(~np.isfinite(averaged.images), axis=(1, 2))
    return Averaged(averaged.images, {**quality.measure(*looked_at), "lost_pixels": lost})


def _averages(frames: Images, first: int, second: int) -> tuple[AreaMeans, AreaMeans]:
    """Average frames to two sizes, the coarser from the finer where their pixels match."""
    if first < second:
        return _averages(frames, second, first)[::-1]
    fine = area_means(frames, first)
    if first % second or frames.shape[-1] % first:
        return fine, area_means(frames, second)
    return fine, area_means(fine.images, second, fine.measured)


def write_year(path: Path | str, wanted: Year, read: Reader, record: Record) -> None:
    """Average a year's frames, and write them whole as HDF5.

    Datasets: ``images`` (N, size, size) float32 in linear DN, ``store_row``, ``time``, and the
    measures of quality in the group ``quality``. Memory holds what was read within
    :data:`KEEP_EVERY_S`, and no more than :data:`KEEP_BYTES`.

    Parameters
    ----------
    path
        The finished file.
    wanted
        The frames.
    read
        Reads rows of the store; it is asked for those that are not yet kept.
    record
        Takes the fields of every part's source, when all are read.

    Raises
    ------
    InputError
        If the store gives other frames than asked for.
    """
    kept = Path(path).parent / f".unfinished-{wanted.year}-{wanted.key}"
    done = _rows_of(kept)
    missing = np.setdiff1d(wanted.store_row, done)
    holding = _Holding(kept)
    with tqdm(
        total=len(wanted.store_row),
        initial=len(done),
        desc=f"{wanted.year} {wanted.channel}",
        unit="frame",
        mininterval=2,
    ) as progress:
        for part in read(missing, functools.partial(average, size=wanted.size_px)):
            holding.add(part)
            progress.update(len(part.rows))
    given = np.concatenate([_rows_of(kept), *(part.rows for part in holding.parts)])
    if not np.array_equal(np.sort(given), wanted.store_row):
        raise InputError(f"{wanted.store}: {wanted.year} gave other frames than asked for")
    record(_join(Path(path), wanted, kept, holding.parts))
    shutil.rmtree(kept, ignore_errors=True)


@dataclass
class _Holding:
    """Parts in memory, on their way to a file in the folder of what is kept."""

    folder: Path
    parts: list[Part] = field(default_factory=list)
    since: float = field(default_factory=clock.monotonic)
    size_bytes: int = 0

    def add(self, part: Part) -> None:
        self.parts.append(part)
        self.size_bytes += part.made.images.nbytes
        if clock.monotonic() - self.since > KEEP_EVERY_S or self.size_bytes > KEEP_BYTES:
            _write(self.folder / f"{self.parts[0].rows[0]:09d}.h5", _piece(self.parts))
            self.parts, self.since, self.size_bytes = [], clock.monotonic(), 0


@dataclass(frozen=True)
class _Piece:
    """Some of a year's frames, in any order: their rows, arrays by name, and sources."""

    rows: Integers
    arrays: dict[str, npt.NDArray[Any]]
    sources: list[dict[str, Any]]


def _piece(parts: list[Part]) -> _Piece:
    arrays = {"images": np.concatenate([part.made.images for part in parts])}
    for name in parts[0].made.measures:
        arrays[f"quality/{name}"] = np.concatenate([part.made.measures[name] for part in parts])
    rows = np.concatenate([part.rows for part in parts])
    return _Piece(rows, arrays, [asdict(part.source) for part in parts])


def _write(path: Path, piece: _Piece) -> None:
    with hdf5.open_write(path) as file:
        _put(file, "store_row", piece.rows)
        for name, values in piece.arrays.items():
            _put(file, name, values)
        # As a dataset, since an attribute holds no more than 64 KiB.
        file["sources"] = json.dumps(piece.sources)


def _read(path: Path) -> _Piece:
    """Read what is kept; a broken file is thrown out, to be made anew."""
    try:
        with hdf5.open_read(path, "HDF5 of averaged frames") as file:
            arrays = {f"quality/{name}": values[()] for name, values in file["quality"].items()}
            arrays["images"] = file["images"][()]
            sources = json.loads(file["sources"].asstr()[()])
            return _Piece(file["store_row"][()], arrays, sources)
    except InputError:
        path.unlink()
        raise


def _put(file: h5py.File, name: str, values: npt.NDArray[Any]) -> None:
    hdf5.create_dataset(file, name, values.dtype, values.shape)[...] = values


def _rows_of(kept: Path) -> Integers:
    """Give the rows that are kept, in the order of the files; a broken file is thrown out."""
    rows: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
    for path in sorted(kept.glob("*.h5")):
        try:
            with hdf5.open_read(path, "HDF5 of averaged frames") as file:
                rows.append(file["store_row"][()])
        except InputError:
            path.unlink()
    return np.concatenate(rows)


def _join(path: Path, wanted: Year, kept: Path, parts: list[Part]) -> list[dict[str, Any]]:
    """Write the finished file, and give the sources of all that is in it."""
    count, size = len(wanted.store_row), wanted.size_px
    pieces = map(_read, sorted(kept.glob("*.h5")))
    last = [_piece(parts)] if parts else []
    sources: list[dict[str, Any]] = []
    with hdf5.open_write(path) as file:
        file.attrs.update(year=wanted.year, channel=wanted.channel, size_px=size)
        _put(file, "store_row", wanted.store_row)
        _put(file, "time", wanted.time)
        hdf5.create_dataset(file, "images", np.float32, (count, size, size))
        for name, values in average(np.ones((0, size, size), np.float32), size).measures.items():
            hdf5.create_dataset(file, f"quality/{name}", values.dtype, (count, *values.shape[1:]))
        for piece in itertools.chain(pieces, last):
            for here, there in _runs(np.searchsorted(wanted.store_row, piece.rows)):
                for name, values in piece.arrays.items():
                    file[name][there] = values[here]
            sources += piece.sources
    return sources


def _runs(places: Integers) -> Iterator[tuple[slice, slice]]:
    """Give the stretches that lie together: where they are, and where they go."""
    for here in np.split(np.arange(len(places)), np.flatnonzero(np.diff(places) != 1) + 1):
        first, count = places[here[0]], len(here)
        yield slice(here[0], here[0] + count), slice(first, first + count)
