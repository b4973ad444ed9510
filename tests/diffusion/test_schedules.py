"""Noise schedules compared with their formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.diffusion.schedules import karras_sigmas, linear_sigmas, subset
from heliosynth.errors import InputError


def test_linear_schedule_is_the_product_of_alphas():
    sigmas = linear_sigmas(1000, 1e-4, 0.02)
    assert sigmas[0] == pytest.approx((1e-4 / (1 - 1e-4)) ** 0.5)
    signal = 1 / (1 + sigmas**2)
    np.testing.assert_allclose(1 - signal[1:] / signal[:-1], np.linspace(1e-4, 0.02, 1000)[1:])
    assert signal[-1] == pytest.approx(4.04e-5, rel=0.01)


@settings(max_examples=30, deadline=None)
@given(noise_steps=st.integers(1, 300), steps=st.integers(1, 300))
def test_subset_spans_the_schedule(noise_steps, steps):
    levels = linear_sigmas(noise_steps, 1e-4, 0.02)
    if steps > noise_steps:
        with pytest.raises(InputError, match=r"sampling\.steps"):
            subset(levels, steps)
        return
    result = subset(levels, steps)
    assert len(result) == steps + 1
    assert result[0] == levels[-1]
    assert result[-1] == 0
    assert (np.diff(result) < 0).all()
    assert np.isin(result[:-1], levels).all()
    if steps == noise_steps:
        np.testing.assert_array_equal(result[:-1], levels[::-1])


@settings(max_examples=30, deadline=None)
@given(steps=st.integers(2, 100))
def test_karras_levels_are_even_in_the_seventh_root(steps):
    sigmas = karras_sigmas(steps, 0.01, 80.0)
    assert sigmas[0] == pytest.approx(80)
    assert sigmas[-2] == pytest.approx(0.01)
    assert sigmas[-1] == 0
    np.testing.assert_allclose(np.diff(sigmas[:-1] ** (1 / 7), 2), 0, atol=1e-12)


def test_one_step_starts_at_the_highest_level():
    np.testing.assert_allclose(karras_sigmas(1, 0.01, 80.0), [80, 0])
