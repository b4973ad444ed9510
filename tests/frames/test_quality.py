from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from heliosynth.frames import quality


def judge(images):
    lost = np.zeros(len(images), dtype=np.int64)
    time = 7200 * np.arange(len(images))
    measures = {**quality.measure(images), "lost_pixels": lost, "time": time}
    return quality.rejections(measures).tolist()


def test_good_frames_pass(suns):
    assert judge(suns(6)) == [""] * 6


@pytest.mark.parametrize(
    ("size", "x", "y"), [(64, 0.0, 0.0), (128, 0.02, -0.03), (200, -0.04, 0.0)]
)
def test_the_limb_is_found_where_it_is(suns, size, x, y):
    found = quality.measure(suns(3, size, x, y))
    assert found["limb_x"] == pytest.approx(x, abs=0.015)
    assert found["limb_y"] == pytest.approx(y, abs=0.015)
    assert found["limb_radius"] == pytest.approx(0.45, abs=0.025)


def test_faults_are_refused_by_name(suns):
    images = suns(12, 128)
    images[1, 40:44] = np.nan
    images[2] = 0
    images[3] = np.nan
    images[4, 40:80, 40:80] = 0
    images[5] = np.minimum(images[5], 410)
    images[6] *= 0.1
    images[7] *= 10
    images[8] = suns(1, 128, x=0.05)[0]
    images[9] = np.random.default_rng(0).lognormal(6, 0.3, (128, 128))
    images[11] = images[10]
    assert judge(images) == [
        "",
        quality.MISSING,
        quality.BLANK,
        quality.MISSING,
        quality.DARK,
        quality.SATURATED,
        quality.DIM,
        quality.BRIGHT,
        quality.OFF_POINTING,
        quality.NO_LIMB,
        "",
        quality.REPEAT,
    ]


@pytest.mark.parametrize("place", [(5, 64), (64, 15), (110, 100)])
def test_the_moon_before_the_disk_is_refused(suns, place):
    images = suns(5, 128)
    rows, columns = np.mgrid[:128, :128]
    images[2][np.hypot(rows - place[0], columns - place[1]) < 52] = 3
    assert judge(images)[2] == quality.DARK
    assert judge(images)[:2] == ["", ""]


def test_a_frame_of_another_disk_size_is_refused(suns):
    images = suns(7, 128)
    inner = images[0][8:-8, 8:-8]
    rows = np.arange(128) * len(inner) // 128
    images[0] = inner[rows][:, rows]
    assert judge(images) == [quality.DISK_SIZE, *[""] * 6]


@pytest.fixture
def loops(suns):
    """Suns with bright loops above the limb, in two belts and one at a pole."""
    images = suns(8, 128)
    for angle, brightness in ((15, 900), (-20, 600), (165, 700), (200, 400), (80, 300)):
        x, y = 64 + 60 * np.cos(np.radians(angle)), 64 + 60 * np.sin(np.radians(angle))
        rows, columns = np.mgrid[:128, :128]
        images += brightness * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 60)
    return images


@pytest.mark.parametrize("degrees", [15, 47, 90, 180, 270])
def test_rolled_frames_are_refused(loops, degrees):
    rolled = ndimage.rotate(
        loops[3:5], degrees, axes=(1, 2), reshape=False, order=1, mode="nearest"
    )
    loops[3:5] = rolled
    assert judge(loops) == [*[""] * 3, quality.ROLLED, quality.ROLLED, *[""] * 3]


def test_a_small_roll_is_borne(loops):
    loops[3] = ndimage.rotate(loops[3], 3, reshape=False, order=1, mode="nearest")
    assert judge(loops) == [""] * 8


def test_frames_of_other_days_are_no_measure_of_roll(loops):
    corona = quality.measure(loops)["corona"]
    corona[4] = np.roll(corona[4], 20)
    hours = 3600 * np.arange(8)
    assert quality.rolled(corona, hours).tolist() == [n == 4 for n in range(8)]
    assert not quality.rolled(corona, 48 * hours).any()


def test_a_few_missing_pixels_are_borne(suns):
    images = suns(3, 128)
    images[0, 60, 60] = np.nan
    assert judge(images) == [""] * 3


@pytest.mark.archive
def test_at_most_one_percent_of_real_frames_is_refused(archive):
    from heliosynth.sources import sdoml

    rows = np.arange(0, 6033, 12)
    frames = sdoml.open_channel(archive / "aia" / "sdomlv2.zarr", 2012, "171A")
    images = np.concatenate([part.made for part in frames.read(rows, np.copy)])
    refused = np.array(judge(images))
    assert (refused != "").mean() < 0.01
    assert quality.ROLLED not in refused
