"""Likeness of frames against time: a rotating pattern, and the most similar training frame."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.arrays import DAY_S
from heliosynth.dataset import likeness

ROTATION = 27.0


def make_index(days, per_day=4, split="train"):
    """Return an index of evenly spaced frames, all in one split or in those of a function."""
    count = round(days * per_day)
    time = np.arange(count) * DAY_S // per_day
    names = [split(t / DAY_S) if callable(split) else split for t in time]
    return pd.DataFrame(
        {
            "time": time.astype("datetime64[s]"),
            "year": 1970 + (time // (366 * DAY_S)),
            "image_row": np.arange(count),
            "split": names,
        }
    )


def rotating(index):
    """Return a reader of frames with a phase that turns once in a rotation."""
    days = index["time"].to_numpy("datetime64[s]").astype(np.int64) / DAY_S
    phase = 2 * np.pi * days / ROTATION
    images = np.stack([np.cos(phase), np.sin(phase)], axis=1)[:, None].repeat(2, axis=1)

    def read(rows):
        return images[rows].astype(np.float32)

    return read


def test_distance_is_that_of_a_rotating_pattern():
    index = make_index(120)
    lags = likeness.measure_likeness(index, rotating(index))["lags"]
    for entry in lags:
        middle = (entry["from_days"] + entry["to_days"]) / 2
        # |e^{ia} − e^{ib}| = 2 |sin((a − b) / 2)|, of which each of two numbers has half.
        expected = np.sqrt(2) * abs(np.sin(np.pi * middle / ROTATION))
        width = np.pi * (entry["to_days"] - entry["from_days"]) / ROTATION
        assert entry["median"] == pytest.approx(expected, abs=width)
        assert entry["lower"] <= entry["median"] <= entry["upper"]
    assert lags[0]["median"] < 0.1
    assert min(e["median"] for e in lags if 26 < e["lag_days"] < 28) < 0.1
    assert max(e["median"] for e in lags) == pytest.approx(np.sqrt(2), abs=0.02)


def test_the_most_similar_training_frame_of_a_rotating_pattern_is_a_rotation_away():
    index = make_index(54, split=lambda day: "train" if day < 20 else "test" if day > 27 else "gap")
    found = likeness.measure_likeness(index, rotating(index))["nearest_training_frame"]
    assert found["share_one_rotation_away"] > 0.7
    assert found["share_by_chance"] < 0.3
    assert found["median_lag_days"] == pytest.approx(ROTATION, abs=0.5)
    assert sum(entry["n"] for entry in found["lags"]) == found["n_test"]
    for key in ("share", "share_by_chance"):
        assert sum(entry[key] for entry in found["lags"]) == pytest.approx(1, abs=1e-4)


def test_the_same_frames_give_the_same_numbers():
    index = make_index(90, split=lambda day: "train" if day < 60 else "test")
    first, second = (likeness.measure_likeness(index, rotating(index)) for _ in range(2))
    assert first == second
    json.dumps(first, allow_nan=False)


def test_rejected_frames_do_not_count():
    index = make_index(60)
    index.loc[::3, ["split", "image_row"]] = "refused", -1
    assert (
        likeness.measure_likeness(index, rotating(index))["frames"]
        == (index.split != "refused").sum()
    )


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_frames_have_few_pairs(count):
    index = make_index(count, per_day=1)
    result = likeness.measure_likeness(index, rotating(make_index(3, per_day=1)))
    assert sum(entry["n"] for entry in result["lags"]) == max(count - 1, 0)
    assert result["nearest_training_frame"] is None


@settings(max_examples=30, deadline=None)
@given(
    start=st.integers(0, 10**9),
    steps=st.lists(st.integers(60, 20 * DAY_S), min_size=1, max_size=300),
)
def test_pairs_are_in_order_and_within_the_lags(start, steps):
    time = start + np.cumsum(steps)
    pairs = likeness.lagged_pairs(time)
    lags = time[pairs[:, 1]] - time[pairs[:, 0]]
    assert (lags > 0).all()
    assert (lags <= likeness.LAGS_DAYS[-1] * DAY_S).all()


def test_every_bin_of_an_even_series_has_a_pair_per_anchor():
    time = np.arange(0, 300 * DAY_S, 3600)
    pairs = likeness.lagged_pairs(time)
    lags = (time[pairs[:, 1]] - time[pairs[:, 0]]) / DAY_S
    counts = np.histogram(lags, likeness.LAGS_DAYS)[0]
    assert (counts[5:] >= 100).all()
    assert counts.max() <= likeness.ANCHORS


@pytest.mark.parametrize(("size", "expected"), [(16, 16), (64, 64), (96, 48), (128, 64), (512, 64)])
def test_frames_are_reduced_to_at_most_64_pixels(size, expected):
    images = np.random.default_rng(0).normal(size=(3, size, size)).astype(np.float32)
    small = likeness.reduced(images)
    assert small.shape == (3, expected, expected)
    np.testing.assert_allclose(small.mean(axis=(1, 2)), images.mean(axis=(1, 2)), atol=1e-5)


def test_frames_of_several_years_are_read_in_the_order_of_the_index():
    index = pd.DataFrame({"year": [2012, 2013, 2012, 2013], "image_row": [1, 0, 0, 1]})
    by_year = {
        year: lambda rows, year=year: (
            np.full((len(rows), 8, 8), year, np.float32)
            + np.asarray(rows, np.float32)[:, None, None]
        )
        for year in (2012, 2013)
    }
    read = likeness.reader(index, by_year)
    assert read(np.array([0, 1, 2, 3]))[:, 0, 0].tolist() == [2013, 2013, 2012, 2014]
    assert read(np.array([3, 0]))[:, 0, 0].tolist() == [2014, 2013]
    assert len(read(np.empty(0, np.int64))) == 0
