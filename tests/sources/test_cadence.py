"""Cadence of each sample of a light curve."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.arrays import DAY_S
from heliosynth.sources.cadence import sample_cadence

HOUR_S = 3600


def join(*stretches):
    """Return the times of stretches (start, end, cadence), in seconds."""
    return np.concatenate([np.arange(*stretch) for stretch in stretches])


def test_cadence_is_that_of_each_stretch():
    time = join((0, DAY_S, 300), (DAY_S, 2 * DAY_S, 60), (2 * DAY_S, 9 * DAY_S, HOUR_S))
    expected = np.repeat([300, 60, HOUR_S], [288, 1440, 168])
    # A sample between two stretches has the shorter cadence.
    expected[288 + 1440] = 60
    assert (sample_cadence(time) == expected).all()


def test_a_stretch_of_six_samples_has_its_own_cadence():
    time = join((0, HOUR_S, 60), (HOUR_S, 2 * HOUR_S, 600), (2 * HOUR_S, 3 * HOUR_S, 60))
    cadence = sample_cadence(time)
    assert (cadence[(time > HOUR_S) & (time < 2 * HOUR_S)] == 600).all()
    assert (cadence[(time <= HOUR_S) | (time >= 2 * HOUR_S)] == 60).all()


@settings(max_examples=40, deadline=None)
@given(
    cadence=st.integers(1, 4000),
    count=st.integers(2, 60),
    gaps=st.sets(st.integers(0, 5), max_size=3),
)
def test_gaps_are_no_cadence(cadence, count, gaps):
    steps = np.full(count + 60, cadence)
    steps[[10 * gap for gap in gaps]] += 50 * cadence
    assert (sample_cadence(np.cumsum(steps)) == cadence).all()


def test_fewer_than_two_samples_have_no_cadence():
    for count in (0, 1):
        assert sample_cadence(np.arange(count)).tolist() == [0] * count
