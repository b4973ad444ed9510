"""Squared lengths of Gaussian vectors."""

import numpy as np
import pytest
from scipy.stats import ncx2

from heliosynth.evaluation.quadratic import SquaredLength


def test_the_interval_inverts_the_noncentral_chi_square():
    # Of 5 numbers with variance 2: xᵀx/2 is noncentral χ² with 5 degrees of freedom.
    length = SquaredLength(value=60.0, trace=10.0, along=120.0)
    low, high = length.interval(10**9)
    assert ncx2(5, low / 2).cdf(30) == pytest.approx(0.975, abs=1e-4)
    assert ncx2(5, high / 2).cdf(30) == pytest.approx(0.025, abs=1e-4)


def test_the_standard_error_is_that_of_the_noncentral_chi_square():
    # With μᵀμ = 50 its variance is 4 · 2 (5 + 2 · 25).
    length = SquaredLength(value=60.0, trace=10.0, along=120.0)
    assert length.unbiased == 50
    assert length.std == pytest.approx(2 * ncx2(5, 25).std())


def test_fewer_units_widen_the_interval():
    length = SquaredLength(value=60.0, trace=10.0, along=120.0)
    few, many = (length.interval(units) for units in (5, 500))
    assert few[0] < many[0] < 50 < many[1] < few[1]


def test_a_length_below_its_trace_can_be_zero():
    length = SquaredLength(value=4.0, trace=10.0, along=8.0)
    low, high = length.interval(100)
    assert low == 0
    assert high > 0
    low, high = length.interval_of_value(100, 200)
    assert low < 10 < high


def test_a_length_of_zero_has_an_interval():
    length = SquaredLength(value=0.0, trace=10.0, along=0.0)
    assert length.std > 0
    low, high = length.interval_of_value(100, 200)
    assert low < 10 < high


def test_without_scatter_the_interval_is_a_point():
    length = SquaredLength(value=4.0, trace=0.0, along=0.0)
    assert (length.std, length.interval(100)) == (0, (4, 4))
    assert length.interval_of_value(100, 200) == (4, 4)


def test_rounding_is_no_scatter():
    # All images of a set in one cluster: equal resamples, which differ by rounding.
    length = SquaredLength(value=1.26, trace=1e-32, along=1e-32)
    assert length.std == 0
    assert length.interval_of_value(24, 20) == pytest.approx((1.26, 1.26))


@pytest.mark.parametrize("scale", [1e-1, 1e-3, 1e-5, 1e-9, 1e-15])
def test_a_long_vector_has_a_normal_interval(scale):
    length = SquaredLength(value=1.0, trace=5 * scale, along=scale)
    low, high = length.interval(10**9)
    assert 0 <= low < length.unbiased < high
    if scale < 1e-2:
        assert high - low == pytest.approx(2 * 1.96 * length.std, rel=0.01)


@pytest.mark.parametrize("mean", [0.0, 0.7, 3.0])
def test_the_interval_covers(mean):
    rng = np.random.default_rng(0)
    covariance, centre = np.diag(np.linspace(1, 4, 6)), np.full(6, mean)
    expected, covered = centre @ centre + np.trace(covariance), []
    for _ in range(300):
        x = rng.multivariate_normal(centre, covariance)
        sample = np.cov(rng.multivariate_normal(np.zeros(6), covariance, size=200).T)
        length = SquaredLength(x @ x, np.trace(sample), x @ sample @ x)
        low, high = length.interval_of_value(200, 200)
        covered.append(low <= expected <= high)
    assert 0.9 <= np.mean(covered) <= 0.99
