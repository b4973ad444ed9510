"""Averages of a year of raw frames, with quality measures; an interrupted job resumes.

Intermediate results are written every :data:`SAVE_EVERY_S` to a folder whose name is a hash of
everything that they depend on; the finished file is joined from them.
"""

from __future__ import annotations

import functools
import itertools
import json
import shutil
import time as clock
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import h5py
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from heliosynth.arrays import Images, Integers, Measures, Seconds
from heliosynth.errors import InputError
from heliosynth.frames import intensity, quality
from heliosynth.frames.area import AreaMeans, area_means
from heliosynth.frames.intensity import check_intensities
from heliosynth.frames.store import KIND
from heliosynth.io import hdf5
from heliosynth.io.provenance import digest

SAVE_EVERY_S = 60.0
BUFFER_BYTES = 2**28
"""Upper limit of averaged frames in memory; large frames are saved more often."""


class Averaged(NamedTuple):
    """Averaged frames (n, size, size) float32, linear DN, and the measures of the raw ones."""

    images: Images
    measures: Measures


class ChunkResult(Protocol):
    """Some rows of the raw store, averaged.

    ``rows`` (n,) of the store, the ``value`` computed from them, and their ``sources``,
    dataclasses for the manifest.
    """

    @property
    def rows(self) -> Integers: ...
    @property
    def value(self) -> Averaged: ...
    @property
    def sources(self) -> Sequence[Any]: ...


Reader = Callable[[Integers, Callable[[Images], Averaged]], Iterable[ChunkResult]]
"""Reads ascending rows of the store chunk by chunk, and applies a function to each chunk."""
Record = Callable[[list[dict[str, Any]]], None]
"""Writes the sources of all frames to a manifest."""


@dataclass(frozen=True)
class FrameRequest:
    """The frames of a year to average, and their new size.

    Attributes
    ----------
    store
        Path or URL of the raw store.
    year, channel
        The array of the store that contains the frames.
    size_px
        Width to average to.
    store_row, time
        Rows of the frames in the store, ascending, and their times, s (N,).
    code
        Hash of the code, so that intermediate results of an older version are not reused.
    """

    store: str
    year: int
    channel: str
    size_px: int
    store_row: Integers
    time: Seconds
    code: str = ""

    @property
    def key(self) -> str:
        """Hash of what the averaged frames depend on."""
        content = {name: value for name, value in asdict(self).items() if name not in _ARRAYS}
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        return digest({**content, **arrays})[:16]


_ARRAYS = ("store_row", "time")


def average(frames: Images, size: int) -> Averaged:
    """Average frames and measure their quality.

    Parameters
    ----------
    frames
        Raw frames in linear DN (n, H, W), NaN where missing.
    size
        Height and width of the averaged frames, pixels.

    Raises
    ------
    InputError
        If the frames are smaller than ``size``.
    """
    if frames.shape[-1] < size:
        raise InputError(
            f"dataset.image_size_px is {size}, but the frames have only {frames.shape[-1]} "
            "pixels; reduce it"
        )
    averaged, reduced = _averages(frames, size, min(frames.shape[-1], quality.REDUCED_PX))
    lost = np.count_nonzero(~np.isfinite(averaged.images), axis=(1, 2))
    return Averaged(averaged.images, {**quality.measure(*reduced), "lost_pixels": lost})


def _averages(frames: Images, first: int, second: int) -> tuple[AreaMeans, AreaMeans]:
    """Average frames to two sizes, the coarser from the finer where their pixels match."""
    if first < second:
        return _averages(frames, second, first)[::-1]
    fine = area_means(frames, first)
    if first % second or frames.shape[-1] % first:
        return fine, area_means(frames, second)
    return fine, area_means(fine.images, second, fine.measured)


def write_year(path: Path | str, request: FrameRequest, read: Reader, record: Record) -> None:
    """Average a year's frames, and write them atomically as HDF5.

    Datasets: ``images`` (N, size, size) float32 in linear DN, ``store_row``, ``time``, and the
    quality measures in the group ``quality``. Memory holds what was read within
    :data:`SAVE_EVERY_S`, and no more than :data:`BUFFER_BYTES`.

    Parameters
    ----------
    path
        The finished file.
    request
        The frames.
    read
        Reads rows of the store; called with those that are not yet saved.
    record
        Called with the fields of every chunk's source after all chunks are read.

    Raises
    ------
    InputError
        If the store returns other frames than requested, or they are not in DN; see
        :func:`heliosynth.frames.intensity.check_intensities`.
    """
    folder = Path(path).parent / f".unfinished-{request.year}-{request.key}"
    saved = _saved_rows(folder)
    missing = np.setdiff1d(request.store_row, saved)
    buffer = _Buffer(folder)
    with tqdm(
        total=len(request.store_row),
        initial=len(saved),
        desc=f"{request.year} {request.channel}",
        unit="frame",
        mininterval=2,
    ) as progress:
        for result in read(missing, functools.partial(average, size=request.size_px)):
            buffer.add(result)
            progress.update(len(result.rows))
    rows = np.concatenate([_saved_rows(folder), *(result.rows for result in buffer.results)])
    if not np.array_equal(np.sort(rows), request.store_row):
        raise InputError(
            f"{request.store}: {request.year} returned other frames than requested; rerun, and "
            "check the store if this happens again"
        )
    record(_join(Path(path), request, folder, buffer.results))
    shutil.rmtree(folder, ignore_errors=True)


@dataclass
class _Buffer:
    """Results in memory that are saved to a folder when they are many or old."""

    folder: Path
    results: list[ChunkResult] = field(default_factory=list)
    since: float = field(default_factory=clock.monotonic)
    size_bytes: int = 0

    def add(self, result: ChunkResult) -> None:
        self.results.append(result)
        self.size_bytes += result.value.images.nbytes
        if clock.monotonic() - self.since > SAVE_EVERY_S or self.size_bytes > BUFFER_BYTES:
            path = self.folder / f"{self.results[0].rows[0]:09d}.h5"
            _write_partial(path, _partial(self.results))
            self.results, self.since, self.size_bytes = [], clock.monotonic(), 0


@dataclass(frozen=True)
class _Partial:
    """Some of a year's frames, in any order: their rows, arrays by name, and sources."""

    rows: Integers
    arrays: dict[str, npt.NDArray[Any]]
    sources: list[dict[str, Any]]


def _partial(results: list[ChunkResult]) -> _Partial:
    arrays = {"images": np.concatenate([result.value.images for result in results])}
    for name in results[0].value.measures:
        measures = [result.value.measures[name] for result in results]
        arrays[f"quality/{name}"] = np.concatenate(measures)
    rows = np.concatenate([result.rows for result in results])
    return _Partial(
        rows, arrays, [asdict(source) for result in results for source in result.sources]
    )


def _write_partial(path: Path, partial: _Partial) -> None:
    with hdf5.open_write(path) as file:
        _write_array(file, "store_row", partial.rows)
        for name, values in partial.arrays.items():
            _write_array(file, name, values)
        # As a dataset, since an attribute holds no more than 64 KiB.
        file["sources"] = json.dumps(partial.sources)


def _read_partial(path: Path) -> _Partial:
    """Read an intermediate file; a broken one is deleted, so that the next run replaces it."""
    try:
        return _load_partial(path)
    except InputError:
        path.unlink()
        raise


def _load_partial(path: Path) -> _Partial:
    with hdf5.open_read(path, KIND) as file:
        names = [f"quality/{name}" for name in file.names("quality")]
        arrays = {name: file.array(name) for name in [*names, "images"]}
        return _Partial(file.array("store_row"), arrays, file.json_dataset("sources"))


def _write_array(file: h5py.File, name: str, values: npt.NDArray[Any]) -> None:
    hdf5.create_dataset(file, name, values.dtype, values.shape)[...] = values


def _saved_rows(folder: Path) -> Integers:
    """Return the rows in the intermediate files, in the order of the files; delete broken ones."""
    rows: list[Integers] = [np.empty(0, np.int64)]
    for path in sorted(folder.glob("*.h5")):
        try:
            rows.append(_load_rows(path))
        except InputError:
            path.unlink()
    return np.concatenate(rows)


def _load_rows(path: Path) -> Integers:
    with hdf5.open_read(path, KIND) as file:
        return file.array("store_row")


def _join(
    path: Path, request: FrameRequest, folder: Path, results: list[ChunkResult]
) -> list[dict[str, Any]]:
    """Write the finished file, and return the sources of all frames in it."""
    count, size = len(request.store_row), request.size_px
    saved = map(_read_partial, sorted(folder.glob("*.h5")))
    last = [_partial(results)] if results else []
    sources: list[dict[str, Any]] = []
    with hdf5.open_write(path) as file:
        file.attrs.update(year=request.year, channel=request.channel, size_px=size)
        _write_array(file, "store_row", request.store_row)
        _write_array(file, "time", request.time)
        hdf5.create_dataset(file, "images", np.float32, (count, size, size))
        for name, values in average(np.ones((0, size, size), np.float32), size).measures.items():
            hdf5.create_dataset(file, f"quality/{name}", values.dtype, (count, *values.shape[1:]))
        for partial in itertools.chain(saved, last):
            for source, target in _runs(np.searchsorted(request.store_row, partial.rows)):
                for name, values in partial.arrays.items():
                    file[name][target] = values[source]
            sources += partial.sources
        check_intensities(
            f"{request.store}: {request.year}/{request.channel}",
            request.channel,
            {name: file[f"quality/{name}"][:] for name in intensity.MEASURES},
        )
    return sources


def _runs(targets: Integers) -> Iterator[tuple[slice, slice]]:
    """Split rows into runs of consecutive targets; yield each as (source, target) slices."""
    for run in np.split(np.arange(len(targets)), np.flatnonzero(np.diff(targets) != 1) + 1):
        first, count = targets[run[0]], len(run)
        yield slice(run[0], run[0] + count), slice(first, first + count)
