"""Flares found in a light curve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.arrays import DAY_S
from heliosynth.catalogue.flare_detection import LONGEST_HOLE_S, detect_flares

HOUR_S = 3600
C1 = 1e-6


def decaying(time, peaks, background=3e-7, rise_s=600, decay_s=1800):
    """Return a background with flares (time of peak, flux above background) on it."""
    flux = np.full(len(time), background)
    for peak, height in peaks:
        since = time - peak
        flux += height * np.where(since < 0, np.exp(since / rise_s), np.exp(-since / decay_s))
    return flux


@settings(max_examples=30, deadline=None)
@given(
    cadence=st.sampled_from([60, 120, 300]),
    slots=st.sets(st.integers(1, 14), max_size=8),
    height=st.floats(2e-6, 5e-4),
)
def test_isolated_flares_are_found_at_their_peaks(cadence, slots, height):
    time = np.arange(0, 5 * DAY_S, cadence)
    peaks = [slot * 8 * HOUR_S for slot in sorted(slots)]
    found = detect_flares(time, decaying(time, [(peak, height) for peak in peaks]), C1)
    assert np.abs(found.peak - peaks).max(initial=0) <= cadence
    assert len(found.peak) == len(peaks)
    assert found.flux == pytest.approx(height + 3e-7, rel=0.01)
    assert (found.cadence == cadence).all()


@pytest.mark.parametrize(("height", "count"), [(6.9e-7, 0), (7.1e-7, 1)])
def test_a_flare_has_at_least_the_smallest_flux(height, count):
    time = np.arange(0, DAY_S, 60)
    found = detect_flares(time, decaying(time, [(DAY_S // 2, height)]), C1)
    assert len(found.peak) == count


@pytest.mark.parametrize(("ratio", "count"), [(1.35, 0), (1.45, 1)])
def test_a_flare_rises_by_the_ratio_of_noaa(ratio, count):
    time = np.arange(0, DAY_S, 60)
    flux = decaying(time, [(DAY_S // 2, 3e-6 * (ratio - 1))], background=3e-6)
    assert len(detect_flares(time, flux, C1).peak) == count


def test_a_glitch_of_one_minute_is_no_flare():
    time = np.arange(0, DAY_S, 60)
    flux = np.full(len(time), 3e-7)
    flux[700] = 5e-4
    assert len(detect_flares(time, flux, C1).peak) == 0


def test_holes_and_ends_are_no_flares():
    time = np.arange(0, 3 * DAY_S, 300)
    flux = np.full(len(time), 2e-6)
    flux[100:200] = np.nan
    flux[300:400] = 2e-8
    hole = (time > DAY_S) & (time < DAY_S + LONGEST_HOLE_S + 1200)
    assert len(detect_flares(time[~hole], flux[~hole], C1).peak) == 0
    for count in (0, 1, 2):
        assert len(detect_flares(time[:count], flux[:count], C1).peak) == 0


def test_a_short_hole_does_not_hide_a_flare():
    time = np.arange(0, DAY_S, 60)
    flux = decaying(time, [(DAY_S // 2, 1e-4)])
    flux[np.abs(time - DAY_S // 2 - 400) < 300] = np.nan
    found = detect_flares(time, flux, C1)
    assert found.peak.tolist() == [DAY_S // 2]
