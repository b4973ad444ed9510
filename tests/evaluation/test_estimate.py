"""Estimates: value, standard error, interval and n."""

import math

import numpy as np
import pytest
from scipy.stats import t

from heliosynth.evaluation.estimate import NOT_NEGATIVE, SHARE, Estimate


def test_value_is_the_mean_of_the_repeats_by_default():
    assert Estimate.over([1.0, 2.0, 3.0], 7) == Estimate.of(2.0, 1.0, 7)
    assert Estimate.over([1.0, 2.0, 3.0], 7, value=5.0) == Estimate.of(5.0, 1.0, 7)


@pytest.mark.parametrize("units", [2, 5, 300])
def test_the_interval_is_that_of_student_s_t(units):
    estimate = Estimate.of(10.0, 0.5, 1000, units=units)
    assert (estimate.low, estimate.high) == pytest.approx(t(units - 1, 10, 0.5).interval(0.95))


def test_the_interval_ends_at_the_bounds():
    estimate = Estimate.of(0.1, 0.2, 10, bounds=SHARE)
    assert estimate.low == 0
    assert 0.1 < estimate.high < 1
    assert Estimate.of(0.1, 0.2, 10, bounds=NOT_NEGATIVE).low == 0
    # Rounding can put a value beyond its bound; the interval still contains it.
    assert Estimate.of(-1e-12, 0.0, 10, bounds=NOT_NEGATIVE).low == -1e-12


def test_trainings_have_the_error_of_their_mean():
    estimate = Estimate.of_trainings([1.0, 2.0, 3.0, 4.0], 50)
    assert estimate.value == 2.5
    assert estimate.std == pytest.approx(math.sqrt(5 / 3) / 2)
    assert (estimate.low, estimate.high) == pytest.approx(t(3, 2.5, estimate.std).interval(0.95))
    assert estimate.n == 50


def test_one_repeat_or_unit_is_an_error():
    with pytest.raises(ValueError, match="two repeats"):
        Estimate.over([1.0], 7)
    with pytest.raises(ValueError, match="two trainings"):
        Estimate.of_trainings([1.0], 7)
    with pytest.raises(ValueError, match="two independent units"):
        Estimate.over([1.0, 2.0], 7, units=1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_estimate_must_be_finite(value):
    with pytest.raises(ValueError, match="finite"):
        Estimate.of(value, 0.0, 2)


def test_json_holds_plain_numbers():
    content = Estimate.over(np.array([1.0, 3.0]), np.int64(4)).to_json()
    half = t(3).ppf(0.975) * math.sqrt(2)
    expected = {"value": 2.0, "std": math.sqrt(2), "n": 4, "low": 2 - half, "high": 2 + half}
    assert content == pytest.approx(expected)
    assert {type(number) for number in content.values()} == {float, int}
