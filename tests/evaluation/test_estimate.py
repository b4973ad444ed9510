"""Estimates: value, standard deviation and n."""

import numpy as np
import pytest

from heliosynth.evaluation.estimate import Estimate


def test_value_is_the_mean_of_the_repeats_by_default():
    assert Estimate.over([1.0, 2.0, 3.0], 7) == Estimate(2.0, 1.0, 7)
    assert Estimate.over([1.0, 2.0, 3.0], 7, value=5.0) == Estimate(5.0, 1.0, 7)


def test_one_repeat_is_an_error():
    with pytest.raises(ValueError, match="two repeats"):
        Estimate.over([1.0], 7)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_estimate_must_be_finite(value):
    with pytest.raises(ValueError, match="finite"):
        Estimate(value, 0.0, 1)


def test_json_holds_plain_numbers():
    content = Estimate.over(np.array([1.0, 3.0]), np.int64(4)).to_json()
    assert content == {"value": 2.0, "std": pytest.approx(np.sqrt(2)), "n": 4}
    assert {type(number) for number in content.values()} == {float, int}
