"""A year of raw frames averaged, measured, and written, so that a killed job goes on.

What was averaged is kept every :data:`KEEP_EVERY_S` in a folder named after everything that
it depends on; the finished file is put together from it.
"""

from __future__ import annotations

import contextlib
import functools
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

from heliosynth import checked
from heliosynth.catalogue import quality
from heliosynth.dataset.area import AreaMeans, Images, area_means
from heliosynth.dataset.intensities import Integers
from heliosynth.errors import InputError
from heliosynth.provenance import digest

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
    holding.keep()
    if not np.array_equal(_rows_of(kept), wanted.store_row):
        raise InputError(f"{wanted.store}: {wanted.year} gave other frames than asked for")
    record(_join(Path(path), wanted, kept))
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
            self.keep()

    def keep(self) -> None:
        if self.parts:
            # Named by the first row, so that the order of names is that of rows.
            _write(self.folder / f"{self.parts[0].rows[0]:09d}.h5", self.parts)
        self.parts, self.since, self.size_bytes = [], clock.monotonic(), 0


def _write(path: Path, parts: list[Part]) -> None:
    with checked.writing(path) as file:
        _put(file, "store_row", np.concatenate([part.rows for part in parts]))
        _put(file, "images", np.concatenate([part.made.images for part in parts]))
        for name in parts[0].made.measures:
            _put(file, f"quality/{name}", np.concatenate([p.made.measures[name] for p in parts]))
        # As a dataset, since an attribute holds no more than 64 KiB.
        file["sources"] = json.dumps([asdict(part.source) for part in parts])


def _put(file: h5py.File, name: str, values: npt.NDArray[Any]) -> None:
    checked.array(file, name, values.dtype, values.shape)[...] = values


def _rows_of(kept: Path) -> Integers:
    """Give the rows that are kept, in the order of the files; a broken file is thrown out."""
    rows: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
    for path in sorted(kept.glob("*.h5")):
        try:
            with checked.reading(path, "HDF5 of averaged frames") as file:
                rows.append(file["store_row"][()])
        except InputError:
            path.unlink()
    return np.concatenate(rows)


def _join(path: Path, wanted: Year, kept: Path) -> list[dict[str, Any]]:
    """Write the finished file, and give the sources of all that is in it."""
    count, size = len(wanted.store_row), wanted.size_px
    sources: list[dict[str, Any]] = []
    with checked.writing(path) as file:
        file.attrs.update(year=wanted.year, channel=wanted.channel, size_px=size)
        _put(file, "store_row", wanted.store_row)
        _put(file, "time", wanted.time)
        images = checked.array(file, "images", np.float32, (count, size, size))
        for name, values in average(np.ones((0, size, size), np.float32), size).measures.items():
            checked.array(file, f"quality/{name}", values.dtype, (count, *values.shape[1:]))
        start = 0
        for part in sorted(kept.glob("*.h5")):
            with _kept(part) as held:
                here = slice(start, start + len(held["store_row"]))
                images[here] = held["images"][()]
                for name, values in held["quality"].items():
                    file["quality"][name][here] = values[()]
                sources += json.loads(held["sources"].asstr()[()])
            start = here.stop
    return sources


@contextlib.contextmanager
def _kept(part: Path) -> Iterator[h5py.File]:
    """Give an open file of what is kept; a broken one is thrown out, to be made anew."""
    try:
        with checked.reading(part, "HDF5 of averaged frames") as held:
            yield held
    except InputError:
        part.unlink()
        raise
