"""Area-weighted averages of frames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.frames import area

sizes = st.integers(1, 40)


@settings(max_examples=40, deadline=None)
@given(raw=sizes, size=sizes, seed=st.integers(0, 99))
def test_the_mean_is_conserved_at_any_ratio(raw, size, seed):
    images = np.random.default_rng(seed).lognormal(5, 2, (2, raw, raw)).astype(np.float32)
    averaged = area.area_average(images, size)
    assert averaged.shape == (2, size, size)
    assert averaged.mean(axis=(1, 2)) == pytest.approx(images.mean(axis=(1, 2)), rel=1e-4)


@settings(max_examples=20, deadline=None)
@given(size=st.integers(1, 12), ratio=st.integers(1, 5))
def test_an_integer_ratio_is_the_mean_of_blocks(size, ratio):
    raw = size * ratio
    images = np.random.default_rng(0).lognormal(5, 1, (3, raw, raw)).astype(np.float32)
    blocks = images.reshape(3, size, ratio, size, ratio).mean(axis=(2, 4))
    assert area.area_average(images, size) == pytest.approx(blocks, rel=1e-5)


def test_weights_are_the_overlapping_areas():
    # From three pixels to two: an averaged pixel covers one and a half raw pixels.
    assert area.overlap(3, 2) == pytest.approx(np.array([[2, 1, 0], [0, 1, 2]]) / 3)


def test_a_constant_frame_stays_constant():
    averaged = area.area_average(np.full((1, 13, 13), 7, np.float32), 5)
    assert averaged == pytest.approx(7)


def test_missing_pixels_do_not_count():
    images = np.full((1, 8, 8), 7, np.float32)
    images[0, 0, 0] = np.nan
    images[0, 4:, 4:] = np.nan
    averaged = area.area_average(images, 4)
    assert np.isnan(averaged[0, 2:, 2:]).all()
    assert np.isnan(averaged).sum() == 4
    assert averaged[np.isfinite(averaged)] == pytest.approx(7)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 99), lost=st.integers(0, 60))
def test_averages_of_averages_are_exact(seed, lost):
    rng = np.random.default_rng(seed)
    images = rng.lognormal(5, 1, (2, 16, 16)).astype(np.float32)
    images[1].flat[rng.choice(256, lost, replace=False)] = np.nan
    images[1, :4, :4] = np.nan
    direct = area.area_means(images, 4)
    fine = area.area_means(images, 8)
    stepwise = area.area_means(fine.images, 4, fine.measured)
    np.testing.assert_allclose(stepwise.images, direct.images, rtol=1e-5)
    np.testing.assert_allclose(stepwise.measured, direct.measured, atol=1e-6)
    assert np.isnan(direct.images[1, 0, 0])


def test_an_infinite_pixel_counts_as_missing():
    images = np.full((1, 6, 6), 3, np.float32)
    images[0, 1, 1] = np.inf
    for size in (3, 4):
        assert area.area_average(images, size) == pytest.approx(3)
