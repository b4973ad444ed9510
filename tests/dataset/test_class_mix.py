"""Numbers of images per class."""

from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.dataset.class_mix import apportion


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 500), min_size=1, max_size=5), st.integers(0, 400))
def test_shares_sum_to_n_and_differ_by_less_than_one(weights, n):
    shares = apportion(weights, n)
    assert shares.sum() == n
    for number, weight in enumerate(weights):
        assert abs(shares[number] - n * weight / sum(weights)) < 1


def test_the_first_class_gets_more_on_a_tie():
    assert apportion([1, 1, 1], 4).tolist() == [2, 1, 1]
