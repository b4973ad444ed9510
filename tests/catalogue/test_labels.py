"""Labels of frames."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.arrays import DAY_S
from heliosynth.catalogue import labels, schemas
from heliosynth.config.dataset import MaxWithinConfig, NearestPeakConfig
from heliosynth.errors import InputError
from heliosynth.io import tables
from heliosynth.sources.goes import XrsSeries
from helpers.observations import START, make_flares, make_frames, make_xrs

NEAREST = NearestPeakConfig(rule="nearest_peak", window_minutes=30)
LEAVE_OUT = NEAREST.model_copy(update={"without_flare": "leave_out"})
LARGEST = MaxWithinConfig(rule="max_within", window_minutes=60)

event_times = st.lists(st.integers(0, 5000), min_size=1, max_size=30)


def flare_lists():
    return st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 20)), max_size=15)


@settings(max_examples=60, deadline=None)
@given(event_times, flare_lists(), st.integers(1, 2000))
def test_rules_agree_with_their_definitions(frame_times, flares, window):
    flares = sorted(flares)
    time = np.sort(np.array(frame_times, dtype=np.int64))
    peak = np.array([peak for peak, _ in flares], dtype=np.int64)
    flux = np.array([flux for _, flux in flares], dtype=np.float64)
    nearest = labels.nearest_peak(time, peak, flux, window)
    largest = labels.largest_within(time, peak, flux, window)
    for frame, t in enumerate(time):
        distance = np.abs(peak - t)
        inside = np.flatnonzero(distance <= window)
        if not inside.size:
            assert nearest[frame] == -1
            assert largest[frame] == -1
            continue
        assert distance[nearest[frame]] == distance.min()
        assert flux[nearest[frame]] == flux[distance == distance.min()].max()
        assert largest[frame] in inside
        assert flux[largest[frame]] == flux[inside].max()


@pytest.mark.parametrize("rule", [NEAREST, LARGEST], ids=["nearest", "largest"])
def test_frames_without_a_flare_take_background_or_are_left_out(rule):
    def label(without_flare):
        return labels.label_frames(
            make_frames([0, 90_000]),
            make_xrs(3e-7),
            make_flares([500], ["M2.5"]),
            rule.model_copy(update={"without_flare": without_flare}),
        )

    background, left_out = label("background"), label("leave_out")
    assert background["goes_class"].tolist() == ["M", "B"]
    assert background["reason"][1] == schemas.BACKGROUND
    assert background["log10_flux"][1] == pytest.approx(np.log10(3e-7), abs=1e-5)
    assert left_out["goes_class"].tolist() == ["M", ""]
    assert left_out["reason"][1] == schemas.NO_PEAK
    assert left_out["selected"].tolist() == [True, False]


def test_nearest_peak_can_leave_out_frames_without_a_flare():
    frames, flares = make_frames([0, 1000, 9000]), make_flares([1500], ["M2.5"])
    table = labels.label_frames(frames, make_xrs(3e-7), flares, LEAVE_OUT)
    assert table["selected"].tolist() == [True, True, False]
    assert table["goes_class"].tolist() == ["M", "M", ""]
    assert table["reason"].tolist() == [schemas.NEAREST_PEAK] * 2 + [schemas.NO_PEAK]
    assert table["log10_flux"][0] == pytest.approx(np.log10(2.5e-5))
    assert table["flare"].tolist() == ["flare0", "flare0", ""]
    assert table["flare_peak"].isna().tolist() == [False, False, True]


def test_max_within_takes_the_background_without_a_flare():
    table = labels.label_frames(
        make_frames([0, 20_000]),
        make_xrs(3e-7),
        make_flares([1000, 2000, 3000], ["C1.0", "X1.4", "C3.0"]),
        LARGEST,
    )
    assert table["goes_class"].tolist() == ["X", "B"]
    assert table["log10_flux"].to_numpy() == pytest.approx(np.log10([1.4e-4, 3e-7]), abs=1e-5)
    assert table["reason"].tolist() == [schemas.LARGEST_FLARE, schemas.BACKGROUND]
    assert table["measured_log10_flux"].to_numpy() == pytest.approx(np.log10(3e-7), abs=1e-5)


def test_background_is_robust_to_an_unlisted_flare():
    def flux(seconds):
        return np.where((seconds > 0) & (seconds < 900), 5e-5, 3e-7)

    table = labels.label_frames(make_frames([0]), make_xrs(flux), make_flares([], []), LARGEST)
    assert table["goes_class"].tolist() == ["B"]


def test_true_flux_is_converted_to_the_operational_scale():
    # 1.2e-6 true is C1.2, yet 0.84e-6 operational is B8.4.
    frames, no_flares = make_frames([0]), make_flares([], [])
    true = labels.label_frames(frames, make_xrs(1.2e-6, scale="true"), no_flares, LARGEST)
    operational = labels.label_frames(frames, make_xrs(1.2e-6), no_flares, LARGEST)
    assert true["goes_class"].tolist() == ["B"]
    assert operational["goes_class"].tolist() == ["C"]
    assert true["log10_flux"][0] == pytest.approx(np.log10(0.84e-6), abs=1e-5)


def test_only_flares_label_frames_in_a_gap_of_the_light_curve():
    xrs = make_xrs(lambda seconds: np.where(seconds > 10_000, np.nan, 3e-7))
    table = labels.label_frames(
        make_frames([0, 50_000, 80_000]), xrs, make_flares([80_100], ["M1.0"]), LARGEST
    )
    assert table["reason"].tolist() == [schemas.BACKGROUND, schemas.NO_FLUX, schemas.LARGEST_FLARE]
    assert table["selected"].tolist() == [True, False, True]
    assert table["log10_flux"].isna().tolist() == [False, True, False]
    assert table["measured_log10_flux"].isna().tolist() == [False, True, True]


def test_flagged_frames_and_other_classes_are_not_selected():
    frames = make_frames([0, 1000])
    frames.loc[1, "quality"] = 4
    table = labels.label_frames(
        frames, make_xrs(3e-7), make_flares([0], ["B2.0"]), LARGEST, ["C", "M", "X"]
    )
    assert table["reason"].tolist() == [schemas.OTHER_CLASS, schemas.QUALITY_FLAG]
    assert not table["selected"].any()


def test_the_flux_of_a_flare_with_a_wrong_end_is_measured():
    def flux(seconds):
        return 1e-6 + 4e-5 * np.exp(-(((seconds - 1000) / 300) ** 2))

    flares = make_flares([1000], ["M4.1"])
    flares["end"] = flares["start"] - pd.Timedelta(hours=23)
    table = labels.label_frames(make_frames([0]), make_xrs(flux), flares, LARGEST)
    assert table["flare_measured_log10_flux"][0] == pytest.approx(np.log10(4.1e-5), abs=0.02)


def test_each_stretch_of_the_light_curve_has_its_own_cadence():
    halves = np.arange(0, 10 * DAY_S, 300), np.arange(10 * DAY_S, 20 * DAY_S, 60)
    seconds = np.concatenate(halves)
    xrs = XrsSeries(START + seconds, np.full(len(seconds), 3e-7, np.float32), "operational", "")
    frames = make_frames(np.arange(DAY_S, 19 * DAY_S, 3600))
    table = labels.label_frames(frames, xrs, make_flares([], []), LARGEST)
    assert set(table["reason"]) == {schemas.BACKGROUND}
    assert table["measured_log10_flux"].notna().all()


@pytest.mark.parametrize("classes", [[], ["X1.0"]])
def test_labels_are_read_as_they_were_written(tmp_path, classes):
    table = labels.label_frames(
        make_frames([0, 9000]),
        make_xrs(3e-7),
        make_flares([0][: len(classes)], classes),
        LARGEST,
    )
    tables.write(tmp_path / "labels.csv", table, schemas.LABELS)
    pd.testing.assert_frame_equal(
        tables.read(tmp_path / "labels.csv", schemas.LABELS), table, check_dtype=False
    )


def test_a_missing_column_of_frames_is_named(tmp_path):
    (tmp_path / "frames.csv").write_text("time,year,store_row,exposure_s\n")
    with pytest.raises(InputError, match="quality"):
        labels.read_frames([tmp_path / "frames.csv"])


def test_a_million_frames_are_labelled():
    rng = np.random.default_rng(1)
    count = 1_000_000
    time = np.sort(rng.integers(0, 10 * 365 * DAY_S, count))
    peak = np.sort(rng.integers(0, 10 * 365 * DAY_S, 20_000))
    flux = 10 ** rng.uniform(-7, -3, 20_000)
    assert (labels.nearest_peak(time, peak, flux, 1800) >= 0).any()
    assert (labels.largest_within(time, peak, flux, 43200) >= 0).mean() > 0.9


@pytest.mark.parametrize(("word", "rejected"), [(1 << 30, False), (1 << 13, True), (0, False)])
def test_only_bits_that_mean_a_bad_image_reject_a_frame(word, rejected):
    frames = make_frames([0]).assign(quality=word)
    table = labels.label_frames(frames, make_xrs(3e-7), make_flares([0], ["M1.0"]), LARGEST)
    assert (table["reason"] == schemas.QUALITY_FLAG).tolist() == [rejected]
    assert table["selected"].tolist() == [not rejected]


def test_a_year_without_frames_is_joined_with_the_others(tmp_path):
    frames = make_frames([0, 60])
    tables.write(tmp_path / "frames_2012.csv", frames, schemas.FRAMES)
    tables.write(tmp_path / "frames_2013.csv", frames[:0], schemas.FRAMES)
    paths = [tmp_path / "frames_2012.csv", tmp_path / "frames_2013.csv"]
    joined = labels.read_frames(paths)
    pd.testing.assert_frame_equal(joined, frames)
    with pytest.raises(InputError, match=r"frames_2013\.csv: no frames"):
        labels.read_frames(paths[1:])
