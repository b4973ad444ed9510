"""Shares of near copies: exact intervals, and left-out weeks as their scale."""

import numpy as np
import pytest
from scipy.stats import binomtest

from heliosynth.evaluation.copy_share import (
    LEAST_BLOCKS,
    LeftOut,
    flag_left_out,
    measure_share,
    null_shares,
    share_interval,
)
from heliosynth.evaluation.memorisation import Matches


def matches(ratio: np.ndarray, correlation: np.ndarray | None = None) -> Matches:
    rows = np.zeros(len(ratio), np.int64)
    return Matches(ratio, 1 - ratio if correlation is None else correlation, rows, rows)


@pytest.mark.parametrize("hits", [0, 1, 7, 39, 40])
def test_interval_of_independent_images_is_exact(hits):
    expected = binomtest(hits, 40).proportion_ci(0.95, method="exact")
    assert share_interval(np.arange(40) < hits) == pytest.approx(tuple(expected))


def test_groups_of_copies_count_once():
    rng = np.random.default_rng(0)
    once = rng.random(30) < 0.3
    low, high = share_interval(np.repeat(once, 50), np.repeat(np.arange(30), 50))
    exact = share_interval(once)
    assert low <= exact[0] + 0.01
    assert high >= exact[1] - 0.01
    assert low < once.mean() < high


def test_interval_covers_shares_of_dependent_images():
    rng, covered = np.random.default_rng(0), []
    groups = np.repeat(np.arange(20), 30)
    for _ in range(300):
        # Beta-distributed shares of the groups, with a mean of 0.1.
        shares = rng.beta(0.4, 3.6, 20)
        low, high = share_interval(rng.random(600) < shares[groups], groups)
        covered.append(low <= 0.1 <= high)
    assert 0.9 <= np.mean(covered) <= 1


def test_interval_without_a_flag_is_one_sided():
    low, high = share_interval(np.zeros(400, np.bool_), np.repeat(np.arange(20), 20))
    assert low == 0
    assert 0.1 < high < 0.25
    assert share_interval(np.zeros(0, np.bool_)) is None
    assert share_interval(np.zeros(9, np.bool_), np.zeros(9, np.int64)) is None


def test_left_out_frames_are_flagged_by_the_others():
    # The frames of block 0 have by far the smallest ratios.
    blocks = np.repeat(np.arange(4), 100)
    ratio = np.random.default_rng(0).uniform(0.9, 1, 400)
    ratio[blocks == 0] -= 0.8
    sets = blocks == np.arange(4)[:, None]
    flagged = flag_left_out(matches(ratio), sets)
    assert flagged["ratio"][0].sum() == 100
    assert not flagged["ratio"][1:].any()
    assert not (flagged["ratio"] & ~sets).any()
    shares = null_shares(flagged["ratio"], sets, np.ones(400, np.bool_))
    np.testing.assert_array_equal(shares, [1, 0, 0, 0])
    np.testing.assert_array_equal(null_shares(flagged["ratio"], sets, blocks == 3), [0])


def test_expected_share_is_that_of_false_alarms():
    rng = np.random.default_rng(0)
    blocks = np.repeat(np.arange(36), 100)
    left_out = LeftOut.of(matches(rng.random(3600), rng.random(3600)), blocks, seed=0)
    expected = left_out.expect("ratio", np.ones(3600, np.bool_))
    assert expected["expected"] == pytest.approx(0.01, abs=0.002)
    assert 0 < expected["low"] < expected["expected"] < expected["high"] < 0.02
    assert left_out.alarms["ratio"]["mean"] == pytest.approx(0.01, abs=0.002)
    assert left_out.alarms["both"]["mean"] < 0.001


def test_class_of_few_blocks_has_no_range():
    blocks = np.repeat(np.arange(12), 20)
    left_out = LeftOut.of(matches(np.random.default_rng(0).random(240)), blocks, seed=0)
    rare = left_out.expect("ratio", blocks < LEAST_BLOCKS - 1)
    assert rare["expected"] is not None
    assert rare["low"] is rare["high"] is None
    nowhere = left_out.expect("ratio", np.zeros(240, np.bool_))
    assert set(nowhere.values()) == {None}
    share = measure_share(np.zeros(0, np.bool_), None, nowhere)
    assert share["n"] == 0
    assert share["copy_share"] is share["copy_share_low"] is None
