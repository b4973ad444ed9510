"""Flares: power law, hosts, light curves, and the list of flares."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth import goes_class
from heliosynth.config.observations import SimulationConfig
from heliosynth.sources.simulated.flares import (
    LARGEST_FLUX,
    POWER_LAW_INDEX,
    SMALLEST_FLUX,
    Flares,
    light_curve,
    listed,
    power_law,
)
from heliosynth.sources.simulated.observatory import Activity, goes_label, simulate_activity

DAYS, CADENCE_MINUTES, WINDOW_MINUTES = 180, 120, 360


def one_flare(excess: float, rise: float = 8.0, decay: float = 20.0, peak: int = 300) -> Flares:
    values = np.array([peak]), np.array([excess]), np.array([rise]), np.array([decay])
    return Flares(*values, np.array([0]))


@pytest.fixture(scope="module", params=[0, 7, 2023])
def activity(request: pytest.FixtureRequest) -> Activity:
    setting = {"start": "2012-01-01", "days": DAYS, "cadence_minutes": CADENCE_MINUTES}
    return simulate_activity(SimulationConfig.model_validate(setting), request.param)


def test_fluxes_follow_the_power_law() -> None:
    flux = power_law(20_000, np.random.default_rng(0))
    assert flux.min() >= SMALLEST_FLUX
    assert flux.max() <= LARGEST_FLUX
    # Maximum likelihood of an index (Clauset et al. 2009, equation 3.1), well below the cut-off.
    tail = flux[flux > 1e-7]
    assert 1 + len(tail) / np.log(tail / 1e-7).sum() == pytest.approx(POWER_LAW_INDEX, abs=0.03)


@settings(max_examples=20, deadline=None)
@given(excess=st.floats(1e-7, 9e-4), rise=st.floats(1, 40), decay=st.floats(2, 120))
def test_a_light_curve_peaks_at_its_flux(excess: float, rise: float, decay: float) -> None:
    curve = light_curve(one_flare(excess, rise, decay), 1500)
    assert curve.argmax() == 300
    assert curve.max() == pytest.approx(excess, rel=1e-12)


def test_an_x1_flare_peaks_at_its_operational_flux() -> None:
    flares = one_flare(1e-4)
    flare_list = listed(flares, light_curve(flares, 1500) + 1e-9)
    assert flare_list.flux == pytest.approx([1e-4], rel=1e-4)
    assert goes_label(float(flare_list.flux[0])) == "X1.0"


def test_a_light_curve_rises_fast_and_decays_exponentially() -> None:
    curve = light_curve(one_flare(1e-5, rise=5, decay=30), 1500)
    assert curve[330] == pytest.approx(1e-5 / np.e)
    assert curve[285] < 0.02e-5


def test_a_flare_below_the_background_is_not_listed() -> None:
    flares = one_flare(2e-7)
    curve = light_curve(flares, 1500)
    assert len(listed(flares, curve + 1e-8).row) == 1
    assert len(listed(flares, curve + 1e-6).row) == 0


@pytest.mark.parametrize(
    ("flux", "label"), [(1.29e-5, "M1.2"), (1e-4, "X1.0"), (1.45e-3, "X14.5"), (9.99e-7, "B9.9")]
)
def test_labels_are_truncated_after_tenths(flux: float, label: str) -> None:
    assert goes_label(flux) == label


def test_every_class_has_enough_separate_flares(activity: Activity) -> None:
    counts = np.bincount(goes_class.of_flux(activity.list.flux), minlength=5)
    assert counts[0] == 0
    assert np.all(counts[1:4] > 80)
    assert 8 <= counts[4] <= 18
    days_of_x = activity.list.peak[activity.list.flux >= 1e-4] // 1440
    assert len(np.unique(days_of_x // 6)) >= 5


def test_every_class_has_frames_in_several_blocks(activity: Activity) -> None:
    """Label as the default configuration does, and count six-day blocks."""
    minutes = np.arange(0, DAYS * 1440, CADENCE_MINUTES)
    flares, series = activity.list, activity.series
    labels = []
    for minute in minutes:
        near = np.abs(flares.peak - minute) <= WINDOW_MINUTES
        window = series[max(minute - WINDOW_MINUTES, 0) : minute + WINDOW_MINUTES]
        labels.append(flares.flux[near].max() if near.any() else np.median(window))
    classes = goes_class.of_flux(labels).reshape(DAYS // 6, -1)
    frames = np.array([np.bincount(block, minlength=5) for block in classes])
    assert np.all(frames.sum(0) >= [200, 200, 300, 150, 36])
    blocks_with_class = (frames >= 4).sum(0)
    assert np.all(blocks_with_class >= [8, 8, 10, 8, 5])
    # Several quiet periods are long enough to fill blocks.
    assert (frames[:, 0] >= 40).sum() >= 4


def test_large_flares_prefer_large_regions(activity: Activity) -> None:
    flares, regions = activity.flares, activity.regions
    strength = regions.size * regions.complexity
    small = strength[flares.region[flares.excess < 1e-6]].mean()
    large = strength[flares.region[flares.excess > 1e-5]].mean()
    assert large > 1.05 * small


def test_the_background_rises_with_the_regions_on_the_disk(activity: Activity) -> None:
    hours = np.arange(30, DAYS * 1440, 60)
    content = activity.regions.visible_content(hours / 1440).sum(0)
    daily = np.array([np.median(activity.series[h - 30 : h + 30]) for h in hours])
    assert np.corrcoef(np.log(content + 0.1), np.log(daily))[0, 1] > 0.8
    assert np.quantile(daily, 0.1) < 8e-8
