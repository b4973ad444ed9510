"""Shares are whole, sum to the total, and are fair."""

from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.dataset.class_mix import apportion


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 500), min_size=1, max_size=5), st.integers(0, 400))
def test_shares_sum_to_n_and_are_within_one_of_their_quota(weights, n):
    shares = apportion(weights, n)
    assert shares.sum() == n
    for number, weight in enumerate(weights):
        assert abs(shares[number] - n * weight / sum(weights)) < 1


def test_a_tie_goes_to_the_first_class():
    assert apportion([1, 1, 1], 4).tolist() == [2, 1, 1]
