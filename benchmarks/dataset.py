"""Averaging of frames around flares, compared with reading them one at a time.

The peer is the loop of sdo-cli's dataset: it reads one frame at a time from the store, which
decompresses a chunk of fifteen each time. The lower limit is the decompression of the same chunks
alone, on the same number of threads. ``python -m benchmarks.dataset`` runs only this benchmark.
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
import zarr
from numcodecs import Blosc

from benchmarks.pairs import Pair, peak_memory_mb, time_pair
from heliosynth.arrays import Integers
from heliosynth.frames.area import area_average
from heliosynth.frames.averaging import FrameRequest, write_year
from heliosynth.sources import sdoml

FRAMES, SIZE_PX, CHUNK = 6000, 512, 15
"""As in SDOMLv2, except for the number of frames."""
FLARES, AROUND = 40, 30
"""Number of flares, and of frames around each: in total about one frame in five."""
TARGET_PX = 64
YEAR, CHANNEL = 2012, "171A"


@dataclass(frozen=True)
class Averaging:
    """Measurements besides the comparison with the peer.

    Attributes
    ----------
    decompression
        Averaging, and decompression alone of the same chunks.
    sparse
        The same for one frame per flare, as in the study.
    linear
        Chunks and seconds for a quarter, a half and all of the flares.
    peak_mb
        Peak memory of a process that does nothing else, MB.
    """

    decompression: Pair
    sparse: Pair
    linear: list[tuple[int, float]]
    peak_mb: float

    def text(self) -> str:
        """Return the text below the table."""
        dense, sparse = self.decompression.ratios, self.sparse.ratios
        (chunks, seconds), *larger = self.linear
        growth = ", ".join(
            f"{n / chunks:.1f}× the chunks took {s / seconds:.1f}× as long" for n, s in larger
        )
        return (
            f"Averaging frames reaches {100 * statistics.median(dense):.0f} % "
            f"({100 * min(dense):.0f}–{100 * max(dense):.0f} %, n = {len(dense)}) of the rate of "
            f"decompressing the same chunks alone, and "
            f"{100 * statistics.median(sparse):.0f} % ({100 * min(sparse):.0f}–"
            f"{100 * max(sparse):.0f} %) with one frame per flare; {growth}; peak "
            f"memory {self.peak_mb:.0f} MB."
        )


def run(runs: int = 3) -> tuple[Pair, Averaging]:
    """Write a store, and time averaging, the peer and decompression of its frames around flares."""
    with _store() as store:
        rows = around_flares(FLARES)
        pair = time_pair(
            f"{len(rows)} of {FRAMES} frames, {SIZE_PX} to {TARGET_PX} px",
            lambda: average(store, rows),
            lambda: one_by_one(store, rows),
            runs,
        )
        decompression, sparse = (
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
    return pair, Averaging(decompression, sparse, linear, peak_mb)


def around_flares(flares: int, around: int = AROUND) -> Integers:
    """Return the rows of the frames around the first flares, at random times."""
    spacing = FRAMES // FLARES
    peaks = np.random.default_rng(1).integers(AROUND, spacing - AROUND, FLARES)[:flares]
    starts = np.arange(flares) * spacing + peaks - around // 2
    return np.asarray((starts[:, None] + np.arange(around)).ravel(), dtype=np.int64)


def average(store: Path, rows: Integers) -> None:
    """Average frames and measure their quality, as the workflow does."""
    request = FrameRequest(str(store), YEAR, CHANNEL, TARGET_PX, rows, rows)
    array = sdoml.open_channel(store, YEAR, CHANNEL)
    output = store.parent / "intensities.h5"
    # A run writes a new file; some disks are slow to replace one.
    output.unlink(missing_ok=True)
    write_year(output, request, array.read, list)


def one_by_one(store: Path, rows: Integers) -> None:
    """Average frames in a loop over the rows of the store."""
    array = zarr.open_array(store / str(YEAR) / CHANNEL, mode="r", zarr_format=2)
    images = [area_average(np.asarray(array[int(row)])[None], TARGET_PX) for row in rows]
    np.save(store.parent / "one_by_one.npy", np.concatenate(images))


def decompress(store: Path, rows: Integers) -> None:
    """Read and decompress the chunks of the rows, on all cores."""
    blosc = Blosc()

    def one(chunk: int) -> int:
        content = (store / str(YEAR) / CHANNEL / f"{chunk}.0.0").read_bytes()
        return len(blosc.decode(content))

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        sum(pool.map(one, _chunks(rows)))


@contextmanager
def _store() -> Iterator[Path]:
    """Write a store of noisy Suns in the layout of SDOMLv2."""
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
            frames = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
            array[frames] = np.maximum(sun + noise * np.sqrt(sun), 0).astype(np.float32)
        yield folder / "sdomlv2.zarr"
    finally:
        shutil.rmtree(folder)


def _chunks(rows: Integers) -> list[int]:
    return [int(chunk) for chunk in np.unique(rows // CHUNK)]


def _median_seconds(store: Path, rows: Integers, runs: int) -> float:
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        average(store, rows)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _peak_mb(store: Path, rows: Integers) -> float:
    average(store, rows)
    return peak_memory_mb()


if __name__ == "__main__":
    loop, averaging = run(5)
    print(loop.row(), averaging.text(), sep="\n")
