"""Effect sizes, their null distribution and their intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from heliosynth.evaluation.effect_size import (
    NULL_BLOCKS,
    Sample,
    block_sets,
    distances,
    measure_effect,
    null_values,
    resample_weights,
    within_null,
)

NO_NULL = np.zeros(0)
VALUES = st.lists(st.floats(-5, 5, allow_subnormal=False), min_size=2, max_size=20)


def rng(seed=0):
    return np.random.default_rng(seed)


def effect(sample, reference, kind="values", null=NO_NULL, groups=None):
    groups = np.arange(len(sample)) if groups is None else groups
    weights = resample_weights(groups, rng())
    return measure_effect(kind, sample, reference, weights, null, len(np.unique(groups)))


@settings(max_examples=60, deadline=None)
@given(first=VALUES, second=VALUES, seed=st.integers(0, 1000))
def test_distances_are_those_of_scipy(first, second, seed):
    weights = rng(seed).integers(0, 3, (3, len(first))) + np.eye(3, len(first))
    measured = distances(Sample(np.array(first)), Sample(np.array(second)), weights)
    for row, distance in zip(weights, measured, strict=True):
        if row.sum():
            assert distance == pytest.approx(wasserstein_distance(first, second, row), abs=1e-9)


def test_a_shift_by_a_standard_deviation_has_effect_one():
    values = rng().normal(3, 2, 5000)
    reference = Sample(values)
    assert effect(reference, reference)["value"] == 0
    assert effect(Sample(values - 2), reference)["value"] == pytest.approx(1, rel=0.02)
    shifted = effect(Sample(values + 2), reference)
    assert shifted["mean"] - shifted["reference_mean"] == pytest.approx(2)
    assert shifted["reference_std"] == pytest.approx(2, rel=0.03)


def test_histograms_give_the_distance_of_their_values():
    first, second = rng(1).integers(0, 10, (30, 4)), rng(2).integers(2, 9, (20, 4))
    positions = np.arange(10.0)

    def histogram(numbers):
        return Sample(positions, (numbers[..., None] == np.arange(10)).mean(axis=1))

    weights = rng(3).integers(1, 4, (2, 30))
    measured = distances(histogram(first), histogram(second), weights)
    for row, distance in zip(weights, measured, strict=True):
        expected = wasserstein_distance(first.ravel(), second.ravel(), np.repeat(row, 4))
        assert distance == pytest.approx(expected)
    assert histogram(first).moments() == pytest.approx((first.mean(), first.std()))


def test_images_without_a_value_are_left_out():
    values = rng().normal(size=200)
    gaps = np.concatenate([values, np.full(50, np.nan)])
    reference = Sample(rng(1).normal(size=300))
    measured = effect(Sample(gaps), reference)
    assert measured["value"] == pytest.approx(effect(Sample(values), reference)["value"])
    assert measured["n"] == 200
    assert effect(Sample(np.full(5, np.nan)), reference) is None
    assert effect(reference, Sample(np.full(5, np.nan))) is None


def test_a_statistic_that_is_constant_in_training_does_not_apply():
    constant = Sample(np.full(40, 0.1, np.float32))
    assert effect(Sample(rng().normal(size=40)), constant) is None


def test_a_set_of_one_block_does_not_apply():
    sample, reference = Sample(rng(0).normal(size=40)), Sample(rng(1).normal(size=40))
    assert effect(sample, reference, groups=np.zeros(40, int)) is None
    assert effect(sample, reference, groups=np.repeat([0, 1], 20)) is not None


def test_a_share_is_the_mean_of_the_set():
    reference = Sample(np.zeros(50))
    measured = effect(Sample(np.repeat([0.0, 1.0], [30, 10])), reference, kind="share")
    assert [measured["value"], measured["mean"]] == pytest.approx([0.25, 0.25])
    assert 0 <= measured["low"] < 0.25 < measured["high"] <= 1


@pytest.mark.parametrize(("blocks", "expected"), [(2, 1), (9, 3), (35, 11), (36, 12), (60, 12)])
def test_sets_are_complete_blocks(blocks, expected):
    number = np.repeat(np.arange(blocks) + 7, 3)
    sets = block_sets(number, rng(), draws=20)
    assert expected <= NULL_BLOCKS
    assert {int(row.sum()) for row in sets} == {3 * expected}
    for row in sets:
        assert set(number[row]).isdisjoint(number[~row])
    assert len(np.unique(sets, axis=0)) > 1


def test_one_block_has_no_null():
    sets = block_sets(np.zeros(6, int), rng())
    assert sets.shape == (0, 6)
    sample = Sample(rng().normal(size=6))
    assert len(null_values("values", sample, sets)) == 0
    measured = effect(sample, Sample(rng(1).normal(size=9)))
    assert measured["null_q95"] is None
    assert within_null(measured) is None


def test_blocks_that_differ_widen_the_null():
    blocks = np.repeat(np.arange(40), 25)
    alike = rng().normal(size=1000)
    differing = alike + rng(1).normal(0, 2, 40)[blocks]
    medians = [
        np.median(null_values("values", Sample(v), block_sets(blocks, rng(2))))
        for v in (alike, differing)
    ]
    assert medians[0] < 0.12
    assert medians[1] > 2 * medians[0]


def test_other_blocks_are_within_the_null_and_shifted_ones_are_not():
    within, outside = [], []
    for seed in range(30):
        random = rng(seed)
        blocks = np.repeat(np.arange(36), 10)
        values = random.normal(0, 1, 36)[blocks] + random.normal(0, 0.5, 360)
        test_blocks = np.repeat(np.arange(12), 10)
        test = random.normal(0, 1, 12)[test_blocks] + random.normal(0, 0.5, 120)
        reference = Sample(values)
        null = null_values("values", reference, block_sets(blocks, random))
        for shift, verdicts in ((0.0, within), (2.0, outside)):
            measured = effect(Sample(test + shift), reference, null=null, groups=test_blocks)
            verdicts.append(within_null(measured))
    assert np.mean(within) > 0.8
    assert np.mean(outside) < 0.1


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.8])
def test_intervals_cover_the_expectation_at_this_number(shift):
    # Sets of 12 blocks of 10 images: the expectation is that over many such sets.
    reference = Sample(rng().normal(0, np.sqrt(1.25), 1000))
    blocks = np.repeat(np.arange(12), 10)
    measured = []
    for seed in range(150):
        random = rng(seed)
        values = shift + random.normal(0, 1, 12)[blocks] + random.normal(0, 0.5, 120)
        measured.append(effect(Sample(values), reference, groups=blocks))
    expectation = np.mean([entry["value"] for entry in measured])
    covered = np.mean([entry["low"] <= expectation <= entry["high"] for entry in measured])
    assert 0.9 <= covered <= 0.99


def test_the_order_of_images_does_not_matter():
    values, reference = rng().normal(size=60), Sample(rng(1).normal(size=80))
    order = rng(2).permutation(60)
    first, second = effect(Sample(values), reference), effect(Sample(values[order]), reference)
    assert first["value"] == pytest.approx(second["value"])
