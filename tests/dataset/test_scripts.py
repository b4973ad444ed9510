"""From tables and a store to ``dataset.h5``, through the four scripts."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import zarr

from heliosynth.dataset import store
from heliosynth.sources.goes import XrsSeries, write_series
from heliosynth.sources.manifest import verify
from helpers.scripts import load

make_dataset = load("dataset").main
make_index = load("index").main
make_intensities = load("intensities").main
make_labels = load("labels").main

START = np.datetime64("2012-03-01T00:00:00", "s")
DAYS = 40
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
    """Frames every two hours with an M flare a day, whose suns are twice as bright."""
    count = DAYS * 12
    time = START + np.arange(count) * np.timedelta64(7200, "s")
    flaring = np.arange(count) % 12 == 6
    axis = (np.arange(32) + 0.5) / 32 - 0.5
    radius = np.hypot(axis, axis[:, None])
    sun = np.where(radius < 0.4, 400.0, 10.0) * (1 + flaring[:, None, None])
    noise = np.random.default_rng(0).lognormal(0, 0.05, (count, 32, 32))
    images = (sun * noise).astype(np.float32)
    images[17] = np.nan
    group = zarr.open_group(str(tmp_path / "store"), mode="w", zarr_format=2)
    array = group.require_group("2012").create_array(
        "171A", shape=images.shape, chunks=(15, 32, 32), dtype="float32"
    )
    array[:] = images
    pd.DataFrame(
        {
            "time": time,
            "year": 2012,
            "store_row": np.arange(count),
            "exposure_s": 2.0,
            "quality": 0,
        }
    ).to_csv(tmp_path / "frames_2012.csv", index=False)
    seconds = np.arange(-86400, (DAYS + 1) * 86400, 60) + START.astype(np.int64)
    write_series(
        tmp_path / "xrs.h5",
        XrsSeries(seconds, np.full(len(seconds), 4e-7, np.float32), "operational", "GOES-15"),
    )
    peak = time[flaring] + np.timedelta64(60, "s")
    pd.DataFrame(
        {
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
    ).to_csv(tmp_path / "flares.csv", index=False)
    return tmp_path


def flags(**values):
    return [part for name, value in values.items() for part in (f"--{name}", str(value))]


def label(folder, *more):
    make_labels(
        [
            *flags(frames=folder / "frames_2012.csv", xrs=folder / "xrs.h5"),
            *flags(flares=folder / "flares.csv", settings=json.dumps(SETTINGS["labels"])),
            *flags(output=folder / "labels.csv"),
            *more,
        ]
    )


def test_the_way_from_observations_to_a_dataset(observations):
    here = observations
    label(here)
    make_intensities(
        flags(labels=here / "labels.csv", store=here / "store", year=2012, channel="171A", size=8)
        + flags(output=here / "2012.h5")
    )
    assert verify([here / "2012.manifest.json"]) > 0
    make_index(
        flags(labels=here / "labels.csv", intensities=here / "2012.h5")
        + flags(settings=json.dumps(SETTINGS), output=here / "index.csv")
        + flags(summary=here / "summary.json")
    )
    make_dataset(
        flags(index=here / "index.csv", summary=here / "summary.json", channel="171A")
        + flags(intensities=here / "2012.h5", observations="a test", output=here / "dataset.h5")
    )
    summary = json.loads((here / "summary.json").read_text())
    assert summary["refused"] == {"missing pixels": 1}
    assert summary["trained_classes"] == ["B", "M"]
    assert summary["scarce_classes"] == {"X": 0}
    for name in store.SPLITS:
        split = store.read_split(here / "dataset.h5", name)
        assert set(split.goes_class) == {1, 3}
        assert (np.diff(split.time) > 0).all()
        peak_frame = (split.time - START.astype(np.int64)) % 86400 == 12 * 3600
        brightness = split.images.mean(axis=(1, 2, 3))
        # Labels and images belong together: frames at a peak are the bright ones.
        assert brightness[peak_frame].min() > brightness[~peak_frame].max()
        assert (split.goes_class[peak_frame] == 3).all()


def test_an_empty_class_stops_before_any_frame_is_read(observations):
    with pytest.raises(SystemExit, match="error: class X is empty after labelling"):
        label(observations, "--classes", "B", "M", "X", "--refuse-empty")
    assert not (observations / "labels.csv").exists()


def test_a_light_curve_that_ends_too_early_is_named(observations):
    seconds = np.arange(0, 86400, 60) + START.astype(np.int64)
    write_series(
        observations / "xrs.h5",
        XrsSeries(seconds, np.full(len(seconds), 4e-7, np.float32), "operational", "GOES-15"),
    )
    with pytest.raises(SystemExit, match="XRS files cover"):
        label(observations)
