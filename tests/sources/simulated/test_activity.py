"""Active regions: latitudes, polarities, rotation, and quiet and active periods."""

import numpy as np
import pytest

from heliosynth.sources.simulated.activity import Regions, emerge
from heliosynth.sources.simulated.geometry import rotation_rate


@pytest.fixture(scope="module")
def regions() -> Regions:
    return emerge(1000, 22.0, np.random.default_rng(5))


def test_regions_are_in_the_activity_belts(regions: Regions) -> None:
    latitude = np.abs(np.degrees(regions.latitude))
    assert latitude.min() >= 7
    assert latitude.max() <= 32
    assert 14 < np.median(latitude) < 20


def test_polarities_follow_hale_and_joy(regions: Regions) -> None:
    assert np.all(regions.leading_sign == -np.sign(regions.latitude))
    assert np.degrees(regions.tilt.mean()) == pytest.approx(8.5, abs=2.0)
    assert np.corrcoef(np.abs(regions.latitude), regions.tilt)[0, 1] > 0.15


def test_a_region_rotates_at_the_rate_of_its_latitude(regions: Regions) -> None:
    day = regions.emergence[3]
    rotation = np.diff(regions.longitudes([day, day + 2.0])[3])[0] % (2 * np.pi)
    assert np.degrees(rotation) == pytest.approx(2 * rotation_rate(regions.latitude[3]))


def test_the_equator_rotates_faster_than_the_poles() -> None:
    rates = rotation_rate(np.radians([0.0, 30.0, 75.0]))
    assert np.all(np.diff(rates) < 0)
    # One synodic rotation of sunspots takes about 27 days (Carrington: 27.28 at 16°).
    assert 360 / rotation_rate(np.radians(16)) == pytest.approx(27.0, abs=0.5)


def test_a_region_emerges_grows_and_decays(regions: Regions) -> None:
    row = int(np.argmax(regions.size))
    days = regions.emergence[row] + np.array([-1.0, 0.5, 3.0, 40.0])
    before, young, grown, old = regions.content(days)[row]
    assert before == 0
    assert 0 < young < grown <= regions.size[row]
    assert old < 0.1 * grown


def test_quiet_and_active_periods_alternate() -> None:
    regions = emerge(220, 22.0, np.random.default_rng(1))
    content = regions.visible_content(np.arange(0, 220, 0.25)).sum(0)
    quiet, active = content < 0.35, content > 2.0
    assert 0.15 < quiet.mean() < 0.55
    assert active.mean() > 0.2
    starts = np.flatnonzero(np.diff(quiet.astype(int)) == 1)
    assert len(starts) >= 6
