"""A dataset of invented Suns, from the averaged frames to dataset.h5."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr

from heliosynth import goes_class
from heliosynth.arrays import DAY_S, Floats, Images, Integers
from heliosynth.catalogue import cross_check, cross_check_report, schemas
from heliosynth.catalogue import index as catalogue
from heliosynth.catalogue.flare_detection import detect_flares
from heliosynth.config.schema import RunConfig
from heliosynth.dataset import likeness
from heliosynth.dataset.build import build_dataset, read_scaled
from heliosynth.dataset.scaling import CLIP_DN, unscale
from heliosynth.frames import quality
from heliosynth.frames.averaging import Averaged, FrameRequest, write_year
from heliosynth.frames.store import read_measured
from heliosynth.io import tables
from heliosynth.io.files import write_json
from heliosynth.sources.goes import XrsSeries, write_series
from helpers.chunks import Chunk, Source
from helpers.observations import START as OBSERVATIONS_START
from helpers.observations import make_flares

YEAR = 2012
START_S = int(np.datetime64(f"{YEAR}-01-01", "s").astype(np.int64))
CADENCE_S = 6 * 3600
COUNTS: Mapping[str, int] = {"A": 12, "B": 90, "C": 140, "M": 60, "X": 40}
"""Frames of each class; those of class A are too few to train on."""
MISSING, FLAGGED = 9, 1
"""Frames with missing pixels, and with a quality flag."""


def write_dataset_products(
    results: Path, configuration: RunConfig, counts: Mapping[str, int] = COUNTS
) -> None:
    """Write all products of ``dataset/`` and ``observations/`` of a run."""
    rng = np.random.default_rng(0)
    folder = results / "dataset"
    size_px, channel = configuration.dataset.image_size_px, configuration.dataset.channel
    labels = label_table(rng, counts)
    tables.write(folder / "labels.csv", labels, schemas.LABELS)
    intensities = folder / f"intensities/{YEAR}.h5"
    write_intensities(intensities, labels, size_px, channel)
    year = read_measured(intensities)
    index, summary = catalogue.build_index(
        labels=labels,
        store_rows={YEAR: year.store_row},
        measures={YEAR: year.measures},
        settings=configuration.dataset,
        rejections=reject_missing_pixels,
    )
    tables.write(folder / "index.csv", index, catalogue.SCHEMA)
    xrs = light_curve(rng)
    write_series(results / "observations/xrs.h5", xrs)
    summary["cross_check"] = write_cross_check(results, labels, xrs, configuration)
    write_json(folder / "summary.json", {**summary, "inputs": {}})
    build_dataset(
        folder / "dataset.h5",
        index=index,
        summary=summary,
        intensities=[intensities],
        channel=channel,
        observations=configuration.observations,
    )
    by_year = {YEAR: partial(read_scaled, intensities, channel)}
    measured = likeness.measure_likeness(index, likeness.reader(index, by_year))
    write_json(folder / "likeness.json", measured)


def write_cross_check(
    results: Path, labels: pd.DataFrame, xrs: XrsSeries, configuration: RunConfig
) -> dict[str, Any]:
    """Write most flares of the light curve as the flare list, and what the cross-check counts."""
    found = detect_flares(xrs.time, xrs.xrsb.astype(np.float64), cross_check.SMALLEST)
    listed = found.take(np.arange(len(found.peak)) % 7 > 0)
    letters = [goes_class.flux_text(flux) for flux in listed.flux]
    flares = make_flares(listed.peak - OBSERVATIONS_START, letters)
    flares.loc[3, ["goes_class_label", "peak_flux"]] = "X3.0", 3e-4
    tables.write(results / "observations/flares.csv", flares, schemas.FLARES)
    window = configuration.dataset.labels.window_minutes
    counts = cross_check_report.report(
        cross_check.compare(labels, xrs, flares, window),
        cross_check.spans(labels, xrs, flares),
        configuration.dataset.cross_check,
    )
    write_json(results / "dataset/cross_check.json", counts)
    return counts


def label_table(rng: np.random.Generator, counts: Mapping[str, int]) -> pd.DataFrame:
    """Return a label for every frame of the year, the last one flagged and not selected."""
    numbers = np.repeat(np.arange(len(goes_class.NAMES)), [counts[n] for n in goes_class.NAMES])
    rng.shuffle(numbers)
    count = len(numbers)
    log10_flux = random_flux(rng, numbers)
    time = (START_S + CADENCE_S * np.arange(count)).astype("datetime64[s]")
    flagged = np.arange(count) >= count - FLAGGED
    labels = pd.DataFrame(
        {
            "time": time,
            "year": YEAR,
            "store_row": np.arange(count),
            "exposure_s": 2.0,
            "quality": flagged.astype(np.int64),
            "goes_class": np.array(goes_class.NAMES, dtype=object)[numbers],
            "log10_flux": log10_flux,
            "flare": [f"flare {n}" if number > 1 else "" for n, number in enumerate(numbers)],
            "flare_peak": time,
            "measured_log10_flux": log10_flux - 0.5,
            "flare_measured_log10_flux": log10_flux + rng.normal(0, 0.1, count),
            "selected": ~flagged,
            "reason": np.where(flagged, schemas.QUALITY_FLAG, schemas.LARGEST_FLARE),
        }
    )
    return labels[list(schemas.LABELS.columns)]


def write_intensities(path: Path, labels: pd.DataFrame, size_px: int, channel: str) -> None:
    """Write the averaged frames of the selected labels, some with missing pixels."""
    selected = labels[labels["selected"]]
    numbers = [goes_class.NAMES.index(name) for name in selected["goes_class"]]
    rng = np.random.default_rng(1)
    frames = np.stack([unscale(sun(rng, n, size_px), *CLIP_DN[channel]) for n in numbers])
    incomplete = np.linspace(0, len(frames) - 1, MISSING).round().astype(int)
    frames[incomplete, : size_px // 3] = np.nan
    rows = selected["store_row"].to_numpy(np.int64)

    def read(missing: Integers, work: Callable[[Images], Averaged]) -> Iterator[Chunk]:
        yield Chunk(missing, work(frames[np.searchsorted(rows, missing)]), Source("invented"))

    seconds = selected["time"].to_numpy("datetime64[s]").astype(np.int64)
    request = FrameRequest("invented", YEAR, channel, size_px, rows, seconds)
    write_year(path, request, read, record=lambda sources: None)


def reject_missing_pixels(measures: catalogue.Measures) -> np.ndarray:
    """Reject frames with missing pixels only; invented Suns fail the other quality checks."""
    lost = measures["lost_pixels"] > 0
    return np.where(lost, quality.MISSING, "").astype(object)


def light_curve(rng: np.random.Generator) -> XrsSeries:
    """Return an XRS-B light curve of 90 days with flares and a gap."""
    time = START_S + np.arange(0, 90 * DAY_S, 300)
    flux = 2e-7 * np.exp(np.cumsum(rng.normal(0, 0.02, len(time))) * 0.1)
    for _ in range(150):
        peak = rng.integers(len(time))
        flux[peak:] += 3e-7 * rng.pareto(1.0) * np.exp(-np.arange(len(time) - peak) / 6)
    flux[5000:5600] = np.nan
    return XrsSeries(time.astype(np.int64), flux.astype(np.float32), "operational", "GOES-15")


def sun(rng: np.random.Generator, number: int, size_px: int) -> Images:
    """Return a disk (H, W) in [−1, 1] with bright blobs, more of them in the higher classes."""
    y, x = np.mgrid[-1 : 1 : size_px * 1j, -1 : 1 : size_px * 1j]
    radius = np.hypot(x, y) / 0.86
    image = np.where(radius < 1, 0.05 + 0.25 * radius**2, 0.35 * np.exp(-(radius - 1) * 9) - 0.75)
    image = image + 0.06 * rng.standard_normal(image.shape)
    for _ in range(1 + 2 * number):
        longitude, latitude = rng.uniform(-0.7, 0.7), rng.choice([-1, 1]) * rng.normal(0.3, 0.06)
        distance = np.hypot(x - longitude, y - latitude) / rng.uniform(0.03, 0.12)
        image += rng.uniform(0.4, 0.9) * np.exp(-(distance**2) / 2)
    return np.clip(image, -1, 1).astype(np.float32)


def random_flux(rng: np.random.Generator, numbers: Integers) -> Floats:
    """Return log₁₀ of a flux within each class."""
    lowest = np.log10(goes_class.LOWER_FLUX)[numbers]
    return lowest + rng.uniform(0.02, 0.98, len(numbers))


def write_archive(directory: Path, frames: int, seed: int) -> None:
    """Write raw frames of one year as the Zarr store of an archive."""
    rng = np.random.default_rng(seed)
    images = np.stack(
        [10 ** (2.2 + sun(rng, n % len(goes_class.NAMES), 48)) for n in range(frames)]
    )
    store = zarr.open_group(str(directory / "aia/sdomlv2.zarr"), mode="w", zarr_format=2)
    array = store.create_group(str(YEAR)).create_array(
        "171A", shape=images.shape, chunks=(5, 48, 48), dtype="f4"
    )
    array[:] = images
    array.attrs["T_OBS"] = [f"{YEAR}-01-{day + 1:02d}T00:00:00.00Z" for day in range(frames)]
