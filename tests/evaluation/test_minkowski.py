"""Minkowski functionals of shapes and of Gaussian fields."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from scipy.stats import norm

from heliosynth.evaluation.minkowski import functionals

SIZE = 64
AXIS = np.arange(SIZE) - SIZE / 2 + 0.5
RADIUS = np.hypot(AXIS[:, None], AXIS)
EVERYWHERE = np.ones((SIZE, SIZE), dtype=bool)


def of_one(shape, window=EVERYWHERE):
    result = functionals(shape[None], window)
    return float(result.area[0]), float(result.perimeter[0]), float(result.euler[0])


@pytest.mark.parametrize("radius", [6.0, 12.3, 25.0])
def test_a_disk_has_its_area_and_circumference(radius):
    area, perimeter, euler = of_one(radius > RADIUS)
    assert area * SIZE**2 == pytest.approx(np.pi * radius**2, rel=0.03)
    assert perimeter == pytest.approx(2 * np.pi * radius, rel=0.04)
    assert euler == 1


def test_holes_count_against_components():
    ring = (RADIUS > 5) & (RADIUS < 10)
    assert of_one(ring)[2] == 0
    apart = (
        ring | np.roll(RADIUS < 3, (25, 25), axis=(0, 1)) | np.roll(RADIUS < 3, (-25, 25), (0, 1))
    )
    assert of_one(apart)[2] == 2
    assert of_one(RADIUS < 0)[2] == 0


@settings(max_examples=50, deadline=None)
@given(arrays(np.bool_, (9, 11)))
def test_euler_number_is_components_minus_holes(shape):
    def count(connected, structure):
        return ndimage.label(connected, structure)[1]

    every, four = np.ones((3, 3)), None
    outside = ~np.pad(shape, 1)
    with_diagonals = count(shape, every) - (count(outside, four) - 1)
    without = count(shape, four) - (count(outside, every) - 1)
    assert of_one(shape, np.ones_like(shape))[2] == (with_diagonals + without) / 2


def test_pixels_outside_the_window_do_not_count():
    window = RADIUS < 20
    inside = of_one(RADIUS < 8, window)
    assert of_one((RADIUS < 8) | (RADIUS > 22), window) == inside
    # A contour along the border of the window is none of the field.
    assert of_one(EVERYWHERE, window) == (1.0, 0.0, 1.0)


def test_sets_of_a_batch_are_measured_one_by_one():
    shapes = np.random.default_rng(0).random((5, 16, 16)) > 0.6
    window = np.ones((16, 16), dtype=bool)
    together = functionals(shapes, window)
    for number, shape in enumerate(shapes):
        alone = functionals(shape[None], window)
        for name in ("area", "perimeter", "euler"):
            assert getattr(together, name)[number] == getattr(alone, name)[0]


@pytest.mark.parametrize("threshold", [-1.0, 0.0, 1.0, 2.0])
def test_gaussian_fields_have_the_expected_functionals(threshold):
    # Gaussian kinematic formula in a square window (Adler & Taylor 2007): L0 = 1, L1 = half the
    # perimeter, L2 = the area; λ is the variance of the derivative of the field.
    rng, smoothing, count, side = np.random.default_rng(1), 4.0, 60, 96
    noise = rng.standard_normal((count, side, side))
    fields = ndimage.gaussian_filter(noise, (0, smoothing, smoothing), mode="wrap")
    fields /= fields.std()
    window = np.ones((side, side), dtype=bool)
    measured = functionals(fields > threshold, window)
    slope, area, half_perimeter = 1 / (2 * smoothing**2), (side - 1) ** 2, 2 * (side - 1)
    fall = np.exp(-(threshold**2) / 2)
    euler = norm.sf(threshold) + half_perimeter * np.sqrt(slope) * fall / (2 * np.pi)
    euler += area * slope * threshold * fall / (2 * np.pi) ** 1.5
    length = area * np.sqrt(slope) * fall / 2
    error = measured.euler.std() / np.sqrt(count)
    assert measured.euler.mean() == pytest.approx(euler, abs=4 * error)
    assert measured.perimeter.mean() == pytest.approx(length, rel=0.06)
    assert measured.area.mean() == pytest.approx(norm.sf(threshold), abs=0.02)
