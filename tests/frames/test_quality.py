"""Quality measures and rejections of frames."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from heliosynth.frames import quality
from helpers.suns import make_suns


def reasons(images):
    """Return the reasons to reject frames that are two hours apart."""
    lost = np.zeros(len(images), dtype=np.int64)
    time = 7200 * np.arange(len(images))
    measures = {**quality.measure(images), "lost_pixels": lost, "time": time}
    return quality.rejections(measures).tolist()


def test_good_frames_pass():
    assert reasons(make_suns(6)) == [""] * 6


@pytest.mark.parametrize(
    ("size", "x", "y"), [(64, 0.0, 0.0), (128, 0.02, -0.03), (200, -0.04, 0.0)]
)
def test_the_fitted_limb_matches_the_frame(size, x, y):
    measures = quality.measure(make_suns(3, size, x, y))
    assert measures["limb_x"] == pytest.approx(x, abs=0.015)
    assert measures["limb_y"] == pytest.approx(y, abs=0.015)
    assert measures["limb_radius"] == pytest.approx(0.45, abs=0.025)


def test_faulty_frames_are_rejected_with_the_reason():
    images = make_suns(12, 128)
    images[1, 40:44] = np.nan
    images[2] = 0
    images[3] = np.nan
    images[4, 40:80, 40:80] = 0
    images[5] = np.minimum(images[5], 410)
    images[6] *= 0.1
    images[7] *= 10
    images[8] = make_suns(1, 128, x=0.05)[0]
    images[9] = np.random.default_rng(0).lognormal(6, 0.3, (128, 128))
    images[11] = images[10]
    assert reasons(images) == [
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


@pytest.mark.parametrize("centre", [(5, 64), (64, 15), (110, 100)])
def test_a_frame_with_the_moon_on_the_disk_is_rejected(centre):
    images = make_suns(5, 128)
    rows, columns = np.mgrid[:128, :128]
    images[2][np.hypot(rows - centre[0], columns - centre[1]) < 52] = 3
    assert reasons(images)[2] == quality.DARK
    assert reasons(images)[:2] == ["", ""]


def test_a_frame_with_another_disk_size_is_rejected():
    images = make_suns(7, 128)
    inner = images[0][8:-8, 8:-8]
    rows = np.arange(128) * len(inner) // 128
    images[0] = inner[rows][:, rows]
    assert reasons(images) == [quality.DISK_SIZE, *[""] * 6]


@pytest.fixture
def loops():
    """Suns with bright loops above the limb, in two latitude belts and one at a pole."""
    images = make_suns(8, 128)
    for angle, brightness in ((15, 900), (-20, 600), (165, 700), (200, 400), (80, 300)):
        x, y = 64 + 60 * np.cos(np.radians(angle)), 64 + 60 * np.sin(np.radians(angle))
        rows, columns = np.mgrid[:128, :128]
        images += brightness * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 60)
    return images


@pytest.mark.parametrize("degrees", [15, 47, 90, 180, 270])
def test_rolled_frames_are_rejected(loops, degrees):
    rolled = ndimage.rotate(
        loops[3:5], degrees, axes=(1, 2), reshape=False, order=1, mode="nearest"
    )
    loops[3:5] = rolled
    assert reasons(loops) == [*[""] * 3, quality.ROLLED, quality.ROLLED, *[""] * 3]


def test_a_frame_with_a_small_roll_passes(loops):
    loops[3] = ndimage.rotate(loops[3], 3, reshape=False, order=1, mode="nearest")
    assert reasons(loops) == [""] * 8


def test_frames_of_other_days_do_not_show_a_roll(loops):
    corona = quality.measure(loops)["corona"]
    corona[4] = np.roll(corona[4], 20)
    hours = 3600 * np.arange(8)
    assert quality.rolled(corona, hours).tolist() == [frame == 4 for frame in range(8)]
    assert not quality.rolled(corona, 48 * hours).any()


def test_a_frame_with_a_few_missing_pixels_passes():
    images = make_suns(3, 128)
    images[0, 60, 60] = np.nan
    assert reasons(images) == [""] * 3


@pytest.mark.archive
def test_at_most_one_percent_of_real_frames_is_rejected(archive):
    from heliosynth.sources import sdoml

    rows = np.arange(0, 6033, 12)
    frames = sdoml.open_channel(archive / "aia" / "sdomlv2.zarr", 2012, "171A")
    images = np.concatenate([part.value for part in frames.read(rows, np.copy)])
    rejected = np.array(reasons(images))
    assert (rejected != "").mean() < 0.01
    assert quality.ROLLED not in rejected
