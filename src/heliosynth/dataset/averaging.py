"""A year of raw frames averaged, measured, and written, so that a killed job goes on.

What was averaged is kept every :data:`KEEP_EVERY_S` in a folder named after everything that
it depends on; the finished file is put together from it.
"""

from __future__ import annotations

import functools
import json
import shutil
import time as clock
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import h5py
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from heliosynth.catalogue import quality
from heliosynth.dataset.area import AreaMeans, Images, area_means
from heliosynth.dataset.intensities import Integers
from heliosynth.errors import InputError
from heliosynth.provenance import digest, whole_file

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
            with whole_file(self.folder / f"{self.parts[0].rows[0]:09d}.h5") as unfinished:
                _write(unfinished, self.parts)
        self.parts, self.since, self.size_bytes = [], clock.monotonic(), 0


def _write(path: Path, parts: list[Part]) -> None:
    with h5py.File(path, "w") as file:
        file["store_row"] = np.concatenate([part.rows for part in parts])
        file["images"] = np.concatenate([part.made.images for part in parts])
        for name in parts[0].made.measures:
            file[f"quality/{name}"] = np.concatenate([p.made.measures[name] for p in parts])
        # As a dataset, since an attribute holds no more than 64 KiB.
        file["sources"] = json.dumps([asdict(part.source) for part in parts])


def _rows_of(kept: Path) -> Integers:
    """Give the rows that are kept, in the order of the files; a broken file is thrown out."""
    rows: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
    for path in sorted(kept.glob("*.h5")):
        try:
            with h5py.File(path) as file:
                rows.append(file["store_row"][()])
        except (OSError, KeyError):
            path.unlink()
    return np.concatenate(rows)


def _join(path: Path, wanted: Year, kept: Path) -> list[dict[str, Any]]:
    """Write the finished file, and give the sources of all that is in it."""
    count, size = len(wanted.store_row), wanted.size_px
    sources: list[dict[str, Any]] = []
    with whole_file(path) as unfinished, h5py.File(unfinished, "w") as file:
        file.attrs.update(year=wanted.year, channel=wanted.channel, size_px=size)
        file["store_row"], file["time"] = wanted.store_row, wanted.time
        images = file.create_dataset("images", (count, size, size), np.float32)
        for name, values in average(np.ones((0, size, size), np.float32), size).measures.items():
            file.create_dataset(f"quality/{name}", (count, *values.shape[1:]), values.dtype)
        start = 0
        for part in sorted(kept.glob("*.h5")):
            with h5py.File(part) as held:
                here = slice(start, start + len(held["store_row"]))
                images[here] = held["images"][()]
                for name, values in held["quality"].items():
                    file["quality"][name][here] = values[()]
                sources += json.loads(held["sources"].asstr()[()])
            start = here.stop
    return sources
