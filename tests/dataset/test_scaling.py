"""Scaling of intensities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.dataset import scaling


@settings(max_examples=30, deadline=None)
@given(channel=st.sampled_from(sorted(scaling.CLIP_DN)), share=st.floats(0, 1))
def test_scaling_has_an_exact_inverse(channel, share):
    low, high = scaling.CLIP_DN[channel]
    dn = np.float32(low * (high / low) ** share)
    scaled = scaling.scale(dn, low, high)
    assert -1 <= scaled <= 1
    assert scaled == pytest.approx(2 * share - 1, abs=1e-5)
    assert scaling.unscale(scaled, low, high) == pytest.approx(dn, rel=1e-5)


def test_intensities_outside_the_range_are_clipped():
    assert scaling.scale([-3, 0, 5, 3500, 1e6], 5, 3500).tolist() == [-1, -1, -1, 1, 1]
