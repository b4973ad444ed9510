"""Construction of dataset.h5."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from heliosynth.dataset import build, store
from heliosynth.dataset.build import build_dataset
from heliosynth.dataset.scaling import scale
from heliosynth.errors import InputError
from heliosynth.frames.averaging import FrameRequest, write_year
from helpers.chunks import Chunk, Source

SUMMARY = {"trained_classes": ["B", "M"], "label_rule": {"rule": "max_within"}}


def write_frames(path, year, frames):
    """Write frames (N, size, size) as the averaged frames of a year."""
    rows = np.arange(len(frames))

    def read(rows, work):
        yield Chunk(rows, work(frames), Source("0.0.0"))

    request = FrameRequest("a/store.zarr", year, "171A", frames.shape[-1], rows, rows)
    write_year(path, request, read, list)


@pytest.fixture
def files(tmp_path):
    """Files and frames of two years, and an index of some frames in another order."""
    paths, frames = [], {}
    for year in (2011, 2012):
        frames[year] = np.random.default_rng(year).lognormal(5, 1, (4, 8, 8)).astype(np.float32)
        paths.append(tmp_path / f"{year}.h5")
        write_frames(paths[-1], year, frames[year])
    index = pd.DataFrame(
        {
            "time": np.array(["2012-01-02", "2011-01-02", "2012-01-01", "2011-01-01"], "M8[s]"),
            "year": [2012, 2011, 2012, 2011],
            "store_row": [3, 2, 1, 0],
            "image_row": [3, 2, 1, 0],
            "goes_class": ["M", "B", "C", ""],
            "log10_flux": [-4.5, -6.5, -5.5, np.nan],
            "split": ["train", "train", "val", "none"],
        }
    )
    return paths, frames, index


def test_ten_times_the_frames_take_no_more_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "SLAB_BYTES", 2**18)
    peaks = []
    tracemalloc.start()
    try:
        for count in (200, 2000):
            rows = np.arange(count)
            images = np.random.default_rng(0).lognormal(5, 1, (count, 32, 32)).astype(np.float32)
            path = tmp_path / f"{count}.h5"
            write_frames(path, 2012, images)
            del images
            index = pd.DataFrame(
                {
                    "time": rows.astype("M8[s]"),
                    "year": 2012,
                    "store_row": rows,
                    "image_row": rows,
                    "goes_class": "C",
                    "log10_flux": -5.5,
                    "split": "train",
                }
            )
            tracemalloc.reset_peak()
            build_dataset(tmp_path / "dataset.h5", index, SUMMARY, [path], "171A", "simulated")
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < (2000 - 200) * 32 * 32 * 4 / 10


@pytest.mark.parametrize("slab_bytes", [1, 8 * 8 * 4, 2**26])
def test_images_do_not_depend_on_the_size_of_slabs(files, tmp_path, monkeypatch, slab_bytes):
    paths, frames, index = files
    monkeypatch.setattr(build, "SLAB_BYTES", slab_bytes)
    build_dataset(tmp_path / "dataset.h5", index, SUMMARY, paths, "171A", "simulated")
    train = store.read_split(tmp_path / "dataset.h5", "train")
    expected = scale(np.stack([frames[2011][2], frames[2012][3]])[:, None], 5, 3500)
    assert np.array_equal(train.images, expected)


def test_splits_are_scaled_frames_in_order_of_time(files, tmp_path):
    paths, frames, index = files
    build_dataset(tmp_path / "dataset.h5", index, SUMMARY, paths, "171A", "simulated")
    train = store.read_split(tmp_path / "dataset.h5", "train")
    expected = scale(np.stack([frames[2011][2], frames[2012][3]])[:, None], 5, 3500)
    assert np.array_equal(train.images, expected)
    assert train.goes_class.tolist() == [1, 3]
    assert train.log10_flux.tolist() == [-6.5, -4.5]
    assert train.time.astype("M8[s]").astype(str).tolist() == [
        "2011-01-02T00:00:00",
        "2012-01-02T00:00:00",
    ]
    assert len(store.read_split(tmp_path / "dataset.h5", "val")) == 1
    assert store.read_split(tmp_path / "dataset.h5", "test").images.shape == (0, 1, 8, 8)


def test_the_dataset_has_a_description(files, tmp_path):
    paths, _, index = files
    build_dataset(tmp_path / "dataset.h5", index, SUMMARY, paths, "171A", "simulated")
    description = store.read_description(tmp_path / "dataset.h5")
    assert (description.minimum_dn, description.maximum_dn) == (5, 3500)
    assert description.trained_classes == (1, 3)
    assert description.observations == "simulated"
    assert set(description.provenance["intensities"]) == {"2011", "2012"}


def test_another_channel_or_a_missing_year_is_an_error(files, tmp_path):
    paths, _, index = files
    with pytest.raises(InputError, match="holds 171A, not 193A"):
        build_dataset(tmp_path / "dataset.h5", index, SUMMARY, paths, "193A", "simulated")
    with pytest.raises(InputError, match="no intensities of that year"):
        build_dataset(tmp_path / "dataset.h5", index, SUMMARY, paths[1:], "171A", "simulated")
