from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.catalogue import labels, schemas
from heliosynth.config.dataset import MaxWithinConfig, NearestPeakConfig
from heliosynth.errors import InputError

NEAREST = NearestPeakConfig(rule="nearest_peak", window_minutes=30)
LEAVING_OUT = NEAREST.model_copy(update={"without_flare": "leave_out"})
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
    for at, t in enumerate(time):
        distance = np.abs(peak - t)
        inside = np.flatnonzero(distance <= window)
        if not inside.size:
            assert nearest[at] == -1
            assert largest[at] == -1
            continue
        assert distance[nearest[at]] == distance.min()
        assert flux[nearest[at]] == flux[distance == distance.min()].max()
        assert largest[at] in inside
        assert flux[largest[at]] == flux[inside].max()


@settings(max_examples=25, deadline=None)
@given(
    event_times,
    st.lists(st.floats(1, 100) | st.just(np.nan), min_size=20, max_size=60),
    st.integers(100, 1500),
)
def test_background_is_the_median_of_a_window_half_measured(frame_times, flux, window):
    xrs_time = np.arange(len(flux), dtype=np.int64) * 60
    flux = np.array(flux)
    time = np.array(frame_times, dtype=np.int64)
    found = labels.background(time, xrs_time, flux, window)
    for t, value in zip(time, found, strict=True):
        inside = flux[np.abs(xrs_time - t) <= window]
        inside = inside[np.isfinite(inside)]
        if len(inside) < max(1, int(0.5 * 2 * window / 60)):
            assert np.isnan(value)
        else:
            assert value == pytest.approx(np.median(inside))


@pytest.mark.parametrize("rule", [NEAREST, LARGEST], ids=["nearest", "largest"])
def test_frames_far_from_any_flare_take_the_background_or_are_left_out(tables, rule):
    def label(without):
        return labels.label_frames(
            tables.frames([0, 90_000]),
            tables.xrs(3e-7),
            tables.flares([500], ["M2.5"]),
            rule.model_copy(update={"without_flare": without}),
        )

    kept, left = label("background"), label("leave_out")
    assert kept["goes_class"].tolist() == ["M", "B"]
    assert kept["reason"][1] == labels.BACKGROUND
    assert kept["log10_flux"][1] == pytest.approx(np.log10(3e-7), abs=1e-5)
    assert left["goes_class"].tolist() == ["M", ""]
    assert left["reason"][1] == labels.NO_PEAK
    assert left["selected"].tolist() == [True, False]


def test_nearest_peak_can_leave_out_frames_far_from_any(tables):
    frames, flares = tables.frames([0, 1000, 9000]), tables.flares([1500], ["M2.5"])
    found = labels.label_frames(frames, tables.xrs(3e-7), flares, LEAVING_OUT)
    assert found["selected"].tolist() == [True, True, False]
    assert found["goes_class"].tolist() == ["M", "M", ""]
    assert found["reason"].tolist() == [labels.NEAREST_PEAK] * 2 + [labels.NO_PEAK]
    assert found["log10_flux"][0] == pytest.approx(np.log10(2.5e-5))
    assert found["flare"].tolist() == ["flare0", "flare0", ""]
    assert found["flare_peak"].isna().tolist() == [False, False, True]


def test_max_within_takes_background_without_a_flare(tables):
    found = labels.label_frames(
        tables.frames([0, 20_000]),
        tables.xrs(3e-7),
        tables.flares([1000, 2000, 3000], ["C1.0", "X1.4", "C3.0"]),
        LARGEST,
    )
    assert found["goes_class"].tolist() == ["X", "B"]
    assert found["log10_flux"].to_numpy() == pytest.approx(np.log10([1.4e-4, 3e-7]), abs=1e-5)
    assert found["reason"].tolist() == [labels.LARGEST_FLARE, labels.BACKGROUND]
    assert found["measured_log10_flux"].to_numpy() == pytest.approx(np.log10(3e-7), abs=1e-5)


def test_background_withstands_an_unlisted_flare(tables):
    def flux(seconds):
        return np.where((seconds > 0) & (seconds < 900), 5e-5, 3e-7)

    found = labels.label_frames(
        tables.frames([0]), tables.xrs(flux), tables.flares([], []), LARGEST
    )
    assert found["goes_class"].tolist() == ["B"]


def test_true_flux_is_brought_to_the_operational_scale(tables):
    # 1.2e-6 true is C1.2, yet 0.84e-6 operational is B8.4.
    frames, none = tables.frames([0]), tables.flares([], [])
    true = labels.label_frames(frames, tables.xrs(1.2e-6, scale="true"), none, LARGEST)
    operational = labels.label_frames(frames, tables.xrs(1.2e-6), none, LARGEST)
    assert true["goes_class"].tolist() == ["B"]
    assert operational["goes_class"].tolist() == ["C"]
    assert true["log10_flux"][0] == pytest.approx(np.log10(0.84e-6), abs=1e-5)


def test_a_gap_without_flare_leaves_a_frame_out_but_a_flare_labels_it(tables):
    xrs = tables.xrs(lambda seconds: np.where(seconds > 10_000, np.nan, 3e-7))
    found = labels.label_frames(
        tables.frames([0, 50_000, 80_000]), xrs, tables.flares([80_100], ["M1.0"]), LARGEST
    )
    assert found["reason"].tolist() == [labels.BACKGROUND, labels.NO_FLUX, labels.LARGEST_FLARE]
    assert found["selected"].tolist() == [True, False, True]
    assert found["log10_flux"].isna().tolist() == [False, True, False]
    assert found["measured_log10_flux"].isna().tolist() == [False, True, True]


def test_flagged_frames_and_other_classes_are_left_out(tables):
    frames = tables.frames([0, 1000])
    frames.loc[1, "quality"] = 4
    found = labels.label_frames(
        frames, tables.xrs(3e-7), tables.flares([0], ["B2.0"]), LARGEST, ["C", "M", "X"]
    )
    assert found["reason"].tolist() == [labels.OTHER_CLASS, labels.QUALITY_FLAG]
    assert not found["selected"].any()


def test_flux_during_a_flare_is_measured_even_if_its_end_is_listed_too_early(tables):
    def flux(seconds):
        return 1e-6 + 4e-5 * np.exp(-(((seconds - 1000) / 300) ** 2))

    flares = tables.flares([1000], ["M4.1"])
    flares["end"] = flares["start"] - pd.Timedelta(hours=23)
    found = labels.label_frames(tables.frames([0]), tables.xrs(flux), flares, LARGEST)
    assert found["flare_measured_log10_flux"][0] == pytest.approx(np.log10(4.1e-5), abs=0.02)


def test_an_empty_class_is_named(tables):
    found = labels.label_frames(
        tables.frames([0, 9000]), tables.xrs(3e-7), tables.flares([0], ["M1.0"]), LARGEST
    )
    labels.check_classes(found, "BCM", refuse_empty=False)
    with pytest.raises(InputError, match="class C, X is empty after labelling"):
        labels.check_classes(found, "BCMX", refuse_empty=True)


def test_no_label_at_all_is_an_error(tables):
    found = labels.label_frames(
        tables.frames([0]), tables.xrs(3e-7), tables.flares([90_000], ["M1.0"]), LEAVING_OUT
    )
    with pytest.raises(InputError, match="no frame got a label"):
        labels.check_classes(found, "BM", refuse_empty=False)


@pytest.mark.parametrize("classes", [[], ["X1.0"]])
def test_labels_survive_the_disk(tables, tmp_path, classes):
    found = labels.label_frames(
        tables.frames([0, 9000]),
        tables.xrs(3e-7),
        tables.flares([0][: len(classes)], classes),
        LARGEST,
    )
    tables.write(tmp_path / "labels.csv", found, schemas.LABELS)
    pd.testing.assert_frame_equal(
        tables.read(tmp_path / "labels.csv", schemas.LABELS), found, check_dtype=False
    )


def test_frames_without_a_column_are_refused_by_name(tmp_path):
    (tmp_path / "frames.csv").write_text("time,year,store_row,exposure_s\n")
    with pytest.raises(InputError, match="quality"):
        labels.read_frames([tmp_path / "frames.csv"])


def test_a_million_frames_take_seconds(tables):
    rng = np.random.default_rng(1)
    count = 1_000_000
    time = np.sort(rng.integers(0, 10 * 365 * 86400, count))
    peak = np.sort(rng.integers(0, 10 * 365 * 86400, 20_000))
    flux = 10 ** rng.uniform(-7, -3, 20_000)
    assert (labels.nearest_peak(time, peak, flux, 1800) >= 0).any()
    assert (labels.largest_within(time, peak, flux, 43200) >= 0).mean() > 0.9
