from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.dataset import intensities
from heliosynth.errors import InputError

sizes = st.integers(1, 40)


@settings(max_examples=40, deadline=None)
@given(raw=sizes, size=sizes, seed=st.integers(0, 99))
def test_flux_is_conserved_at_any_ratio(raw, size, seed):
    images = np.random.default_rng(seed).lognormal(5, 2, (2, raw, raw)).astype(np.float32)
    averaged = intensities.area_average(images, size)
    assert averaged.shape == (2, size, size)
    assert averaged.mean(axis=(1, 2)) == pytest.approx(images.mean(axis=(1, 2)), rel=1e-4)


@settings(max_examples=20, deadline=None)
@given(size=st.integers(1, 12), ratio=st.integers(1, 5))
def test_an_integer_ratio_is_the_mean_of_blocks(size, ratio):
    raw = size * ratio
    images = np.random.default_rng(0).lognormal(5, 1, (3, raw, raw)).astype(np.float32)
    blocks = images.reshape(3, size, ratio, size, ratio).mean(axis=(2, 4))
    assert intensities.area_average(images, size) == pytest.approx(blocks, rel=1e-5)


def test_areas_weight_the_average():
    # Three pixels to two: each target pixel covers one and a half raw ones.
    assert intensities.overlap(3, 2) == pytest.approx(np.array([[2, 1, 0], [0, 1, 2]]) / 3)


def test_a_constant_frame_stays_constant():
    averaged = intensities.area_average(np.full((1, 13, 13), 7, np.float32), 5)
    assert averaged == pytest.approx(7)


def test_missing_pixels_do_not_count():
    images = np.full((1, 8, 8), 7, np.float32)
    images[0, 0, 0] = np.nan
    images[0, 4:, 4:] = np.nan
    averaged = intensities.area_average(images, 4)
    assert np.isnan(averaged[0, 2:, 2:]).all()
    assert np.isnan(averaged).sum() == 4
    assert averaged[np.isfinite(averaged)] == pytest.approx(7)


@settings(max_examples=30, deadline=None)
@given(channel=st.sampled_from(sorted(intensities.CLIP_DN)), share=st.floats(0, 1))
def test_scaling_has_an_exact_inverse(channel, share):
    low, high = intensities.CLIP_DN[channel]
    dn = np.float32(low * (high / low) ** share)
    scaled = intensities.scale(dn, low, high)
    assert -1 <= scaled <= 1
    assert scaled == pytest.approx(2 * share - 1, abs=1e-5)
    assert intensities.unscale(scaled, low, high) == pytest.approx(dn, rel=1e-5)


def test_intensities_outside_the_range_are_clipped():
    assert intensities.scale([-3, 0, 5, 3500, 1e6], 5, 3500).tolist() == [-1, -1, -1, 1, 1]


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "2012.h5").write_text("no HDF5")
    with pytest.raises(InputError, match=r"2012\.h5: cannot be read as HDF5"):
        intensities.read_measured(tmp_path / "2012.h5")
