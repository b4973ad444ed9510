"""Averaging the frames around flares, against reading them one by one.

The peer is the loop of sdo-cli's dataset: it asks the store for one frame at a time, which
decompresses a chunk of fifteen for each. The floor is the mere decompression of the same
chunks, on as many threads. ``python -m benchmarks.dataset`` runs this one alone.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import zarr
from numcodecs import Blosc

from benchmarks.pairs import Pair, peak_memory_mb, time_pair
from heliosynth.frames.area import area_average
from heliosynth.frames.averaging import Year, write_year
from heliosynth.sources import sdoml

FRAMES, SIZE_PX, CHUNK = 6000, 512, 15
"""As in SDOMLv2, but for the number of frames."""
FLARES, AROUND = 40, 30
"""Planted flares, and the frames around each: together about one frame in five."""
TARGET_PX = 64
YEAR, CHANNEL = 2012, "171A"

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Account:
    """What is measured beside the pair.

    Attributes
    ----------
    floor
        Averaging, and the mere decompression of the same chunks.
    sparse
        The same for one frame a flare, as the study chooses them.
    linear
        Chunks and seconds for a quarter, a half and all of the flares.
    peak_mb
        Largest memory of a process that does nothing else.
    """

    floor: Pair
    sparse: Pair
    linear: list[tuple[int, float]]
    peak_mb: float

    def text(self) -> str:
        """Give the lines that stand below the table."""
        reached, sparse = self.floor.ratios, self.sparse.ratios
        (chunks, seconds), *more = self.linear
        growth = ", ".join(
            f"{many / chunks:.1f}× the chunks took {took / seconds:.1f}× as long"
            for many, took in more
        )
        return (
            f"Averaging frames reaches {100 * statistics.median(reached):.0f} % "
            f"({100 * min(reached):.0f}–{100 * max(reached):.0f} %, n = {len(reached)}) of the "
            f"rate at which the same chunks are merely decompressed, and "
            f"{100 * statistics.median(sparse):.0f} % ({100 * min(sparse):.0f}–"
            f"{100 * max(sparse):.0f} %) with one frame a flare; {growth}; at most "
            f"{self.peak_mb:.0f} MB of memory."
        )


def run(runs: int = 3) -> tuple[Pair, Account]:
    """Write a store, and time both ways and the floor on its chosen frames."""
    with _store() as store:
        rows = around_flares(FLARES)
        pair = time_pair(
            f"{len(rows)} of {FRAMES} frames, {SIZE_PX} to {TARGET_PX} px",
            lambda: average(store, rows),
            lambda: one_by_one(store, rows),
            runs,
        )
        floor, sparse = (
            time_pair(
                "decompression",
                lambda chosen=chosen: average(store, chosen),
                lambda chosen=chosen: decompress(store, chosen),
                runs,
            )
            for chosen in (rows, around_flares(FLARES, 1))
        )
        parts = [around_flares(FLARES // 4), around_flares(FLARES // 2), rows]
        linear = [(len(_chunks(part)), _median_seconds(store, part, runs)) for part in parts]
        with multiprocessing.get_context("spawn").Pool(1) as alone:
            peak_mb = alone.apply(_peak_mb, (store, rows))
    return pair, Account(floor, sparse, linear, peak_mb)


def around_flares(flares: int, around: int = AROUND) -> Rows:
    """Give the frames around the first flares, each at some time in its share of the store."""
    apart = FRAMES // FLARES
    peaks = np.random.default_rng(1).integers(AROUND, apart - AROUND, FLARES)[:flares]
    starts = np.arange(flares) * apart + peaks - around // 2
    return np.asarray((starts[:, None] + np.arange(around)).ravel(), dtype=np.int64)


def average(store: Path, rows: Rows) -> None:
    """Average and measure frames as the workflow does."""
    wanted = Year(str(store), YEAR, CHANNEL, TARGET_PX, rows, rows)
    array = sdoml.open_channel(store, YEAR, CHANNEL)
    output = store.parent / "intensities.h5"
    # A run's file is new; some disks are slow to put one in the place of another.
    output.unlink(missing_ok=True)
    write_year(output, wanted, array.read, list)


def one_by_one(store: Path, rows: Rows) -> None:
    """Average frames in a loop over the store's rows."""
    array = zarr.open_array(store / str(YEAR) / CHANNEL, mode="r", zarr_format=2)
    images = [area_average(np.asarray(array[int(row)])[None], TARGET_PX) for row in rows]
    np.save(store.parent / "one_by_one.npy", np.concatenate(images))


def decompress(store: Path, rows: Rows) -> None:
    """Read the chunks of some rows and decompress them, on every processor."""
    blosc = Blosc()

    def one(chunk: int) -> int:
        content = (store / str(YEAR) / CHANNEL / f"{chunk}.0.0").read_bytes()
        return len(blosc.decode(content))

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        sum(pool.map(one, _chunks(rows)))


@contextmanager
def _store() -> Iterator[Path]:
    """Write noisy Suns as SDOMLv2 holds them."""
    folder = Path(tempfile.mkdtemp(prefix="heliosynth-benchmark-"))
    axis = (np.arange(SIZE_PX) + 0.5) / SIZE_PX - 0.5
    radius = np.hypot(axis[None, :], axis[:, None]) / 0.4
    sun = np.where(radius < 1, 300 + 200 * radius**6, 500 * np.exp(-(radius - 1) / 0.1)) + 5
    rng = np.random.default_rng(0)
    group = zarr.create_group(folder / "sdomlv2.zarr", zarr_format=2).create_group(str(YEAR))
    array = group.create_array(
        CHANNEL,
        shape=(FRAMES, SIZE_PX, SIZE_PX),
        chunks=(CHUNK, SIZE_PX, SIZE_PX),
        dtype="float32",
        compressors=Blosc(cname="zstd", clevel=3, shuffle=Blosc.BITSHUFFLE),
    )
    try:
        for chunk in _chunks(around_flares(FLARES)):
            noise = rng.standard_normal((CHUNK, SIZE_PX, SIZE_PX), dtype=np.float32)
            here = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
            array[here] = np.maximum(sun + noise * np.sqrt(sun), 0).astype(np.float32)
        yield folder / "sdomlv2.zarr"
    finally:
        shutil.rmtree(folder)


def _chunks(rows: Rows) -> list[int]:
    return [int(chunk) for chunk in np.unique(rows // CHUNK)]


def _median_seconds(store: Path, rows: Rows, runs: int) -> float:
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        average(store, rows)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def _peak_mb(store: Path, rows: Rows) -> float:
    average(store, rows)
    return peak_memory_mb()


if __name__ == "__main__":
    against_loop, measured = run(5)
    print(against_loop.row(), measured.text(), sep="\n")
