"""Light curves of one or several cadences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.arrays import DAY_S
from heliosynth.catalogue import light_curve

HOUR_S = 3600

frame_times = st.lists(st.integers(-2000, 8000), min_size=1, max_size=30)
fluxes = st.lists(st.floats(1, 100) | st.just(np.nan), min_size=2, max_size=60)


def join(*stretches):
    """Return the times of stretches (start, end, cadence), in seconds."""
    return np.concatenate([np.arange(*stretch) for stretch in stretches])


def test_fewer_than_two_samples_have_no_flux():
    for count in (0, 1):
        time, flux = np.arange(count), np.ones(count)
        assert np.isnan(light_curve.flux_at(np.arange(3), time, flux)).all()
        assert np.isnan(light_curve.background(np.arange(3), time, flux, 60)).all()


def one_cadence_flux_at(time, xrs_time, flux):
    """Return the flux of the nearest sample by the median cadence of the whole curve."""
    after = np.clip(np.searchsorted(xrs_time, time), 1, len(xrs_time) - 1)
    before = after - 1
    nearest = np.where(time - xrs_time[before] <= xrs_time[after] - time, before, after)
    near = np.abs(time - xrs_time[nearest]) <= np.median(np.diff(xrs_time))
    return np.where(near, flux[nearest], np.nan)


def one_cadence_background(time, xrs_time, flux, window):
    """Return the background by the median cadence of the whole curve."""
    needed = max(1, int(0.5 * 2 * window / float(np.median(np.diff(xrs_time)))))
    joined = np.concatenate([xrs_time, time])
    order = np.argsort(joined, kind="stable")
    series = pd.Series(
        np.concatenate([flux, np.full(len(time), np.nan)])[order],
        index=pd.DatetimeIndex(joined[order].astype("datetime64[s]")),
    )
    rolling = series.rolling(
        pd.Timedelta(seconds=2 * window), center=True, closed="both", min_periods=needed
    )
    medians = np.empty(len(joined))
    medians[order] = rolling.median().to_numpy()
    return medians[len(xrs_time) :]


@settings(max_examples=60, deadline=None)
@given(frame_times, fluxes, st.integers(1, 700), st.integers(1, 3000))
def test_with_one_cadence_all_is_as_by_the_median_of_the_whole(times, flux, cadence, window):
    time, flux = np.sort(np.array(times)), np.array(flux)
    xrs_time = np.arange(len(flux)) * cadence
    np.testing.assert_array_equal(
        light_curve.flux_at(time, xrs_time, flux), one_cadence_flux_at(time, xrs_time, flux)
    )
    np.testing.assert_array_equal(
        light_curve.background(time, xrs_time, flux, window),
        one_cadence_background(time, xrs_time, flux, window),
    )


@settings(max_examples=25, deadline=None)
@given(frame_times, fluxes, st.integers(100, 1500))
def test_background_is_a_median_of_at_least_half_the_window(times, flux, window):
    xrs_time, flux = np.arange(len(flux), dtype=np.int64) * 60, np.array(flux)
    time = np.array(times, dtype=np.int64)
    medians = light_curve.background(time, xrs_time, flux, window)
    for t, value in zip(time, medians, strict=True):
        inside = flux[np.abs(xrs_time - t) <= window]
        inside = inside[np.isfinite(inside)]
        if len(inside) < max(1, int(0.5 * 2 * window / 60)):
            assert np.isnan(value)
        else:
            assert value == pytest.approx(np.median(inside))


@pytest.mark.parametrize("cadences", [(300, 60), (60, 300), (60, HOUR_S), (HOUR_S, 300)])
def test_each_stretch_needs_half_of_its_own_samples(cadences):
    first, second = cadences
    xrs_time = join((0, 5 * DAY_S, first), (5 * DAY_S, 10 * DAY_S, second))
    window = 6 * HOUR_S
    frames = np.array([2 * DAY_S, 8 * DAY_S])
    flux = np.full(len(xrs_time), 2.0)
    assert light_curve.background(frames, xrs_time, flux, window).tolist() == [2.0, 2.0]
    for frame in frames:
        # The first 40 % of the window are measured.
        flux[(xrs_time >= frame - window * 0.2) & (xrs_time <= frame + window)] = np.nan
    assert np.isnan(light_curve.background(frames, xrs_time, flux, window)).all()
    measured = light_curve.flux_at(frames - window // 2, xrs_time, flux)
    assert measured.tolist() == [2.0, 2.0]


def test_flux_is_that_of_a_sample_within_its_cadence():
    xrs_time = join((0, DAY_S, 60), (DAY_S, 2 * DAY_S, HOUR_S), (3 * DAY_S, 4 * DAY_S, 60))
    flux = np.arange(len(xrs_time), dtype=np.float64)
    times = np.array([100, DAY_S + 5 * HOUR_S + 1700, 2 * DAY_S + HOUR_S, 3 * DAY_S - 61])
    expected = [2.0, 1440 + 5, np.nan, np.nan]
    np.testing.assert_array_equal(light_curve.flux_at(times, xrs_time, flux), expected)
