"""Images in 171 Å: limb, rotation, flares, and agreement with real frames."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from heliosynth.arrays import SOLAR_RADIUS_ARCSEC
from heliosynth.config.observations import SimulationConfig
from heliosynth.sources.simulated.activity import Regions, emerge
from heliosynth.sources.simulated.corona import (
    CORONA_HEIGHT,
    SIMULATED_FIELD_ARCSEC,
    Corona,
    column,
)
from heliosynth.sources.simulated.flares import Flares
from heliosynth.sources.simulated.geometry import pixel_positions, rotation_rate
from heliosynth.sources.simulated.observatory import simulate_activity

PIXEL = SIMULATED_FIELD_ARCSEC / SOLAR_RADIUS_ARCSEC / 128
X, Y = pixel_positions(128, PIXEL)
RADIUS = np.hypot(X, Y)

BROWSE_DN = (10, 2960)
"""Floor and saturation of the real archive's browse images."""


def one_region(longitude: float) -> Regions:
    """Return one full-grown region at 15° north."""
    regions = emerge(3, 22.0, np.random.default_rng(0))
    fields = {f.name: getattr(regions, f.name)[:1] for f in dataclasses.fields(regions)}
    fields |= {
        "emergence": np.array([-5.0]),
        "rise_days": np.array([1.0]),
        "decay_days": np.array([30.0]),
        "size": np.array([1.0]),
        "complexity": np.array([2.0]),
        "separation": np.array([0.15]),
        "latitude": np.radians([15.0]),
        "longitude": np.radians([longitude - 5 * float(rotation_rate(np.radians(15.0)))]),
    }
    return Regions(**fields)


def flares_of(excess: list[float], peak: int) -> Flares:
    count = len(excess)
    return Flares(
        peak=np.full(count, peak),
        excess=np.array(excess),
        rise=np.full(count, 8.0),
        decay=np.full(count, 20.0),
        region=np.zeros(count, dtype=np.int64),
    )


def make_corona(regions: Regions, flares: Flares) -> Corona:
    return Corona(regions, flares, days=4, size_px=128, rng=np.random.default_rng(1))


def test_column_depth_is_one_at_the_centre_and_falls_off_limb() -> None:
    assert column(np.array([0.0]), 0.05) == pytest.approx([1.0], rel=0.02)
    inside, outside = column(np.array([0.9999, 1.0001]), 0.05)
    assert outside == pytest.approx(2 * inside, rel=0.1)
    near, far = column(np.array([1.1, 1.2]), 0.05)
    # The column depth falls exponentially with the scale height, up to a square root.
    assert np.log(near / far) == pytest.approx(0.1 / 0.05, rel=0.1)


def test_the_limb_is_bright_and_the_corona_fades() -> None:
    image = make_corona(one_region(180), flares_of([], 0)).frame(0.1)
    median = [
        np.median(image[(low <= RADIUS) & (low + 0.05 > RADIUS)])
        for low in (0.3, 0.95, 1.1, 1.2, 1.3)
    ]
    assert median[1] > 1.8 * median[0]
    assert median[1] > 3 * median[2] > 6 * median[3]
    height = 0.2 / np.log(median[2] / median[4])
    assert height == pytest.approx(CORONA_HEIGHT, rel=0.4)


def test_a_region_crosses_the_disk_at_the_solar_rate() -> None:
    corona = make_corona(one_region(-30), flares_of([], 0))
    centres = []
    for day in (0.0, 3.0):
        light = corona._region_light(day)
        west, north = (light * X).sum() / light.sum(), (light * Y).sum() / light.sum()
        centres.append(np.degrees(np.arctan2(west, np.sqrt(1 - west**2 - north**2))))
    assert (centres[1] - centres[0]) / 3 == pytest.approx(rotation_rate(np.radians(15)), rel=0.1)


def test_texture_rotates() -> None:
    corona = make_corona(one_region(180), flares_of([], 0))
    first, second = (np.log10(corona.frame(day)) for day in (1.0, 1.5))
    rows, columns = slice(50, 78), np.arange(40, 88)
    shifts = np.arange(0, 14)
    correlation = [
        np.corrcoef(first[rows, columns].ravel(), second[rows, columns + shift].ravel())[0, 1]
        for shift in shifts
    ]
    expected = np.radians(0.5 * float(rotation_rate(0.0))) / PIXEL
    assert shifts[int(np.argmax(correlation))] == pytest.approx(expected, abs=1.01)


def test_loops_behind_the_disk_show_only_above_the_limb() -> None:
    behind = make_corona(one_region(150), flares_of([], 0))._region_light(0.0)
    assert behind.sum() == 0
    at_limb = make_corona(one_region(102), flares_of([], 0))._region_light(0.0)
    assert at_limb[RADIUS > 1.02].sum() > 0
    assert at_limb[RADIUS < 0.98].sum() == 0


@pytest.mark.parametrize("hours_after", [0.0, 3.0])
def test_a_flare_brightens_its_region_for_hours(hours_after: float) -> None:
    peak = 1440
    day = (peak + 60 * hours_after) / 1440
    frames = [
        make_corona(one_region(0), flares_of(excess, peak)).frame(day)
        for excess in ([], [1e-5], [2e-4])
    ]
    near = np.hypot(X - 0.23, Y - np.sin(np.radians(15))) < 0.25
    quiet, moderate, large = (frame[near].sum() for frame in frames)
    assert large > 1.1 * quiet
    if hours_after == 0:
        assert quiet < moderate < large


def test_more_active_suns_are_brighter() -> None:
    setting = {"start": "2012-01-01", "days": 44, "cadence_minutes": 120}
    activity = simulate_activity(SimulationConfig.model_validate(setting), 11)
    corona = Corona(activity.regions, activity.flares, 44, 64, np.random.default_rng(0))
    days = np.arange(0.5, 44, 1.0)
    content = activity.regions.visible_content(days).sum(0)
    bright = [(corona.frame(day) > 1500).mean() for day in days]
    assert np.corrcoef(content, bright)[0, 1] > 0.6


@pytest.mark.archive
def test_profile_and_histogram_agree_with_real_frames(real_frames: np.ndarray) -> None:
    setting = {"start": "2012-01-01", "days": 66, "cadence_minutes": 120}
    activity = simulate_activity(SimulationConfig.model_validate(setting), 2023)
    corona = Corona(activity.regions, activity.flares, 66, 128, np.random.default_rng(0))
    frames = np.stack([corona.frame(day) for day in np.arange(0, 66, 0.75)])
    real, simulated = (np.log10(np.clip(images, *BROWSE_DN)) for images in (real_frames, frames))
    edges = np.arange(0, 1.45, 0.05)
    rings = [(low <= RADIUS) & (high > RADIUS) for low, high in itertools.pairwise(edges)]
    differences = [np.median(simulated[:, ring]) - np.median(real[:, ring]) for ring in rings]
    assert np.median(np.abs(differences)) < 0.06
    assert np.max(np.abs(differences)) < 0.2
    distance = wasserstein_distance(real[:, ::3, ::3].ravel(), simulated[:, ::3, ::3].ravel())
    assert distance < 0.08
