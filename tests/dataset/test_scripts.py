"""The four scripts that turn tables and a raw store into ``dataset.h5``."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import zarr

from heliosynth.arrays import DAY_S, SPLITS
from heliosynth.dataset import store
from heliosynth.io.files import write_json
from heliosynth.sources.goes import XrsSeries, write_series
from heliosynth.sources.manifest import verify
from heliosynth.sources.reading import ReadingReport
from helpers.scripts import load

write_dataset = load("dataset").main
write_index = load("index").main
write_intensities = load("intensities").main
write_labels = load("labels").main
write_cross_check = load("cross_check").main

START = np.datetime64("2012-03-01T00:00:00", "s")
START_S = int(START.astype(np.int64))
DAYS = 40
FRAMES_PER_DAY = 12
SETTINGS = {
    "channel": "171A",
    "image_size_px": 8,
    "labels": {"rule": "max_within", "window_minutes": 180},
    "split": {"block_days": 3, "gap_hours": 6, "validation": 0.2, "test": 0.2},
    "classes": ["B", "M", "X"],
    "minimum_frames": 5,
    "scarce_classes": "report",
}


@pytest.fixture
def observations(tmp_path):
    """A frame every two hours and an M flare per day, at which the Sun is twice as bright."""
    count = DAYS * FRAMES_PER_DAY
    time = START + np.arange(count) * np.timedelta64(DAY_S // FRAMES_PER_DAY, "s")
    flaring = np.arange(count) % FRAMES_PER_DAY == 6
    write_store(tmp_path / "store", flaring)
    frames = {
        "time": time,
        "year": 2012,
        "store_row": np.arange(count),
        "exposure_s": 2.0,
        "quality": 0,
    }
    pd.DataFrame(frames).to_csv(tmp_path / "frames_2012.csv", index=False)
    write_xrs(tmp_path / "xrs.h5", np.arange(-DAY_S, (DAYS + 1) * DAY_S, 60))
    write_flares(tmp_path / "flares.csv", time[flaring] + np.timedelta64(60, "s"))
    write_json(tmp_path / "flares.json", ReadingReport(files=1, read=DAYS).to_json())
    return tmp_path


def write_store(path, flaring):
    """Write frames of 32 × 32 pixels, one of them missing."""
    axis = (np.arange(32) + 0.5) / 32 - 0.5
    radius = np.hypot(axis, axis[:, None])
    sun = np.where(radius < 0.4, 400.0, 10.0) * (1 + flaring[:, None, None])
    noise = np.random.default_rng(0).lognormal(0, 0.05, (len(flaring), 32, 32))
    images = (sun * noise).astype(np.float32)
    images[17] = np.nan
    group = zarr.open_group(str(path), mode="w", zarr_format=2)
    array = group.require_group("2012").create_array(
        "171A", shape=images.shape, chunks=(15, 32, 32), dtype="float32"
    )
    array[:] = images


def write_xrs(path, seconds, flux=4e-7):
    """Write a light curve with the daily flare; times in seconds from the start."""
    since = np.abs((seconds - DAY_S // 2) % DAY_S - 60)
    values = np.maximum(flux, 50 * flux * np.exp(-since / 900)).astype(np.float32)
    write_series(path, XrsSeries(seconds + START_S, values, "operational", "GOES-15"))


def write_flares(path, peak):
    """Write M2.0 flares of 20 minutes."""
    flares = {
        "start": peak - np.timedelta64(600, "s"),
        "peak": peak,
        "end": peak + np.timedelta64(600, "s"),
        "goes_class_label": "M2.0",
        "peak_flux": 2e-5,
        "active_region": 0,
        "hpc_x": np.nan,
        "hpc_y": np.nan,
        "identifier": [f"flare{number}" for number in range(len(peak))],
    }
    pd.DataFrame(flares).to_csv(path, index=False)


def options(**values):
    """Return command-line options."""
    return [part for name, value in values.items() for part in (f"--{name}", str(value))]


def run_labels(folder, *more):
    """Run the script ``labels.py`` in a folder of observations."""
    write_labels(
        [
            *options(frames=folder / "frames_2012.csv", xrs=folder / "xrs.h5"),
            *options(flares=folder / "flares.csv", settings=json.dumps(SETTINGS["labels"])),
            *options(output=folder / "labels.csv"),
            *more,
        ]
    )


def run_cross_check(folder, *more):
    """Run the script ``cross_check.py`` in a folder of observations with labels."""
    write_cross_check(
        [
            *options(labels=folder / "labels.csv", xrs=folder / "xrs.h5", window=180),
            *options(flares=folder / "flares.csv", settings="{}"),
            *options(output=folder / "cross_check.json"),
            *more,
        ]
    )


def test_observations_become_a_dataset(observations):
    folder = observations
    run_labels(folder)
    run_cross_check(folder)
    write_intensities(
        options(labels=folder / "labels.csv", store=folder / "store", year=2012)
        + options(channel="171A", size=8, output=folder / "2012.h5")
    )
    assert verify([folder / "2012.manifest.json"]) > 0
    write_index(
        options(labels=folder / "labels.csv", intensities=folder / "2012.h5")
        + options(settings=json.dumps(SETTINGS), output=folder / "index.csv")
        + options(summary=folder / "summary.json", inputs=folder / "flares.json")
        + ["--cross-check", str(folder / "cross_check.json")]
    )
    write_dataset(
        options(index=folder / "index.csv", summary=folder / "summary.json", channel="171A")
        + options(intensities=folder / "2012.h5", observations="a test")
        + options(output=folder / "dataset.h5")
    )
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["refused"] == {"missing pixels": 1}
    assert summary["trained_classes"] == ["B", "M"]
    assert summary["scarce_classes"] == {"X": 0}
    assert summary["cross_check"] == json.loads((folder / "cross_check.json").read_text())
    assert summary["cross_check"]["flares_missing_from_list"]["M"]["compared"] == DAYS
    assert summary["inputs"] == {"flares": {"files": 1, "read": DAYS, "left_out": {}}}
    assert sum(summary["flares_by_class"]["M"].values()) <= DAYS
    for name in SPLITS:
        split = store.read_split(folder / "dataset.h5", name)
        assert set(split.goes_class) == {1, 3}
        assert (np.diff(split.time) > 0).all()
        at_peak = (split.time - START_S) % DAY_S == DAY_S // 2
        brightness = split.images.mean(axis=(1, 2, 3))
        # Labels belong to their images: frames at a peak are the bright ones.
        assert brightness[at_peak].min() > brightness[~at_peak].max()
        assert (split.goes_class[at_peak] == 3).all()


def test_a_required_class_without_frames_is_an_error(observations):
    run_labels(observations, "--classes", "B", "M", "X")
    with pytest.raises(SystemExit, match="error: class X is empty after labelling"):
        run_cross_check(observations, "--classes", "B", "M", "X", "--require-all-classes")
    assert not (observations / "cross_check.json").exists()


def test_a_flare_that_the_list_lacks_stops_before_any_image_is_read(observations):
    flares = pd.read_csv(observations / "flares.csv")
    flares.iloc[5:].to_csv(observations / "flares.csv", index=False)
    run_labels(observations)
    with pytest.raises(SystemExit, match=r"error: .*5 of 40 M flares .* not in the list"):
        run_cross_check(observations)
    assert not (observations / "cross_check.json").exists()


def test_a_light_curve_that_ends_too_early_is_an_error(observations):
    write_xrs(observations / "xrs.h5", np.arange(0, DAY_S, 60))
    with pytest.raises(SystemExit, match="XRS files cover"):
        run_labels(observations)


def test_an_error_about_impossible_fluxes_names_the_input(observations):
    write_xrs(observations / "xrs.h5", np.arange(-DAY_S, (DAYS + 1) * DAY_S, 60), flux=1e-12)
    message = r"error: .*/xrs\.h5, .*/flares\.csv: column log10_flux: -12.* in row 1 .*-10 to -1"
    with pytest.raises(SystemExit, match=message):
        run_labels(observations)
    assert not (observations / "labels.csv").exists()
