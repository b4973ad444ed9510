"""Fidelity and diversity against closed forms, another implementation and planted faults."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_fidelity.metric_prc import prc_features_to_metric

from heliosynth.arrays import DAY_S
from heliosynth.evaluation.fidelity import (
    LabelledFeatures,
    expected_coverage,
    fidelity,
    fidelity_estimates,
    thin_to_days,
    vendi_by_class,
    vendi_score,
)

NOON = DAY_S // 2
METRICS = ("precision", "recall", "density", "coverage", "vendi_ratio")


def cloud(n, seed=0, dimensions=6, scale=1.0, shift=0.0):
    rng = np.random.default_rng(seed)
    return (scale * rng.standard_normal((n, dimensions)) + shift).astype(np.float32)


def modes(n, count, seed=0):
    """Return n points around the first of eight far centres, and the number of the centre."""
    mode = np.arange(n) % count
    centres = 20 * np.eye(8, dtype=np.float32)
    return centres[mode] + cloud(n, seed, dimensions=8), mode


def test_one_frame_a_day_is_kept_the_closest_to_noon():
    time = np.array([NOON + 7200, NOON - 3600, 3 * DAY_S + 5, 3 * DAY_S + 10, 5 * DAY_S - 1])
    assert thin_to_days(time).tolist() == [1, 3, 4]


@given(st.lists(st.integers(0, 20 * DAY_S), min_size=1, max_size=60))
def test_thinned_frames_are_of_different_days_in_order(times):
    time = np.array(times, dtype=np.int64)
    days = time[thin_to_days(time)] // DAY_S
    assert days.tolist() == sorted(set((time // DAY_S).tolist()))


@settings(max_examples=20, deadline=None)
@given(st.integers(7, 60), st.integers(1, 10), st.integers(0, 99))
def test_a_set_equal_to_the_reference_reaches_all_of_it(n, dimensions, seed):
    x = cloud(n, seed, dimensions)
    measured = fidelity(x, np.random.default_rng(seed).permutation(x))
    assert (measured.precision, measured.recall, measured.coverage) == (1, 1, 1)
    # Each of the n balls holds its own image and the k nearest ones.
    assert measured.density == pytest.approx(6 / 5)


def test_identical_images_are_within_balls_without_extent():
    x = np.repeat(cloud(3), 10, axis=0)
    measured = fidelity(x, x)
    assert (measured.precision, measured.recall, measured.coverage) == (1, 1, 1)


def test_disjoint_sets_have_no_fidelity():
    measured = fidelity(cloud(40), cloud(40, seed=1, shift=100))
    assert measured.precision == measured.recall == measured.density == measured.coverage == 0


def test_balls_on_a_line_are_counted_by_hand():
    reference = np.array([[0], [1], [2], [10]], dtype=np.float32)
    images = np.array([[-0.5], [1.5], [5], [30]], dtype=np.float32)
    measured = fidelity(reference, images, neighbours=1)
    # Balls of the reference: 0 ± 1, 1 ± 1, 2 ± 1, 10 ± 8; of the set: ± 2, ± 2, ± 3.5, ± 25.
    assert measured.precision == 3 / 4
    assert measured.density == 4 / 4
    assert measured.coverage == 1
    assert measured.recall == 1


@pytest.mark.parametrize(("n", "shift"), [(60, 0.0), (45, 0.8)])
def test_precision_and_recall_agree_with_torch_fidelity(n, shift):
    x, y = cloud(60, seed=1), cloud(n, seed=2, shift=shift, scale=0.7)
    peer = prc_features_to_metric(
        torch.from_numpy(y).double(),
        torch.from_numpy(x).double(),
        prc_neighborhood=5,
        prc_batch_size=20,
        save_cpu_ram=False,
        verbose=False,
    )
    measured = fidelity(x, y)
    assert measured.precision == pytest.approx(peer["precision"], abs=1e-6)
    assert measured.recall == pytest.approx(peer["recall"], abs=1e-6)


def test_fidelity_does_not_depend_on_order_or_units():
    x, y, rng = cloud(50, seed=1), cloud(30, seed=2), np.random.default_rng(0)
    measured = fidelity(x, y)
    assert fidelity(rng.permutation(x), rng.permutation(y)) == measured
    assert fidelity(4 * x + 1, 4 * y + 1) == measured


def test_density_and_coverage_of_equal_distributions():
    measured = [fidelity(cloud(80, seed), cloud(80, seed + 100)) for seed in range(40)]
    assert np.mean([m.density for m in measured]) == pytest.approx(1, abs=0.05)
    expected = expected_coverage(80, 80)
    assert np.mean([m.coverage for m in measured]) == pytest.approx(expected, abs=0.01)
    assert expected_coverage(10**6, 10**6) == pytest.approx(1 - 2**-5, abs=1e-4)


def test_too_few_images_have_no_neighbours():
    with pytest.raises(ValueError, match="5 neighbours need more than 5 images"):
        fidelity(cloud(20), cloud(5))


def test_mode_collapse_lowers_all_but_precision():
    reference, _ = modes(160, 8)
    good, collapsed = (fidelity(reference, modes(160, count, seed=1)[0]) for count in (8, 2))
    assert abs(collapsed.precision - good.precision) < 0.1
    assert collapsed.recall < 0.5 < 0.9 < good.recall
    assert collapsed.coverage < 0.35 < 0.9 < good.coverage
    scores = [vendi_score(modes(160, count, seed=1)[0]) for count in (8, 2)]
    assert scores[1] < 0.5 * scores[0]


def test_the_vendi_score_of_orthogonal_and_of_equal_images():
    orthogonal = 3 * np.eye(12, dtype=np.float32)
    assert vendi_score(orthogonal) == pytest.approx(12)
    assert vendi_score(np.repeat(orthogonal[:1], 5, axis=0)) == pytest.approx(1)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(2, 12), st.integers(0, 99))
def test_copies_do_not_raise_the_vendi_score(copies, n, seed):
    x = cloud(n, seed)
    repeated = np.random.default_rng(seed).permutation(np.repeat(x, copies, axis=0))
    assert vendi_score(repeated) == pytest.approx(vendi_score(x), rel=1e-6)


def test_duplicates_lower_the_vendi_ratio_by_their_number():
    distinct = np.eye(24, dtype=np.float32)
    duplicated = np.repeat(distinct[:8], 3, axis=0)
    assert vendi_score(duplicated) / vendi_score(distinct) == pytest.approx(1 / 3)


def test_the_vendi_score_is_the_entropy_of_the_kernel():
    x = cloud(20, dimensions=4).astype(np.float64)
    cosines = x @ x.T / np.outer(np.linalg.norm(x, axis=1), np.linalg.norm(x, axis=1))
    values = np.linalg.eigvalsh(cosines / 20)
    values = values[values > 1e-12]
    for part in (x, np.pad(x, ((0, 0), (0, 30)))):
        assert vendi_score(part) == pytest.approx(math.exp(-np.sum(values * np.log(values))))


def test_the_vendi_score_of_a_class_is_compared_at_equal_days():
    basis = np.eye(40, dtype=np.float32)
    hours = np.arange(480) * 3600
    # The reference shows another Sun on each of 20 days; X has only four of them.
    classes = np.where(hours < 4 * DAY_S, 4, 2)
    reference = LabelledFeatures(basis[hours // DAY_S], classes, hours)
    duplicated = LabelledFeatures(basis[20 + np.arange(64) % 4], np.repeat([2, 4], 32))
    ratios = vendi_by_class(reference, duplicated, seed=0)
    assert ratios[4] is None
    assert ratios[2] == pytest.approx(4 / 16, rel=0.1)


def test_estimates_are_at_equal_numbers():
    estimates = fidelity_estimates(cloud(60), cloud(200, seed=1), seed=0)
    assert [getattr(estimates, metric).n for metric in METRICS] == [60] * 5
    estimates = fidelity_estimates(cloud(90), cloud(40, seed=1), seed=0)
    assert [getattr(estimates, metric).n for metric in METRICS] == [40] * 5


def test_sets_of_equal_numbers_are_measured_once():
    x, y = cloud(40), cloud(40, seed=1)
    estimates, measured = fidelity_estimates(x, y, seed=0), fidelity(x, y)
    for metric in METRICS[:4]:
        assert getattr(estimates, metric).value == pytest.approx(getattr(measured, metric))
    ratio = vendi_score(y) / vendi_score(x)
    assert estimates.vendi_ratio.value == pytest.approx(ratio)


@pytest.mark.parametrize("blocks", [np.zeros(12, dtype=int), np.repeat([0, 1], [7, 5])])
def test_too_few_images_or_blocks_are_not_measured(blocks):
    assert fidelity_estimates(cloud(20), cloud(12), seed=0, blocks=blocks) is None
    assert fidelity_estimates(cloud(20), cloud(5), seed=0) is None


def independent(rng):
    return 0.9 * rng.standard_normal((100, 5)) + 0.5, None


def in_blocks(rng):
    blocks = np.repeat(np.arange(15), 6)
    return 0.7 * (rng.standard_normal((15, 5))[blocks] + rng.standard_normal((90, 5))), blocks


@pytest.mark.parametrize("draw", [independent, in_blocks])
def test_intervals_contain_the_expectation(draw):
    rng, reference = np.random.default_rng(1), cloud(100, seed=2, dimensions=5)
    sets = [draw(rng) for _ in range(60)]
    estimates = [
        fidelity_estimates(reference, features.astype(np.float32), seed=0, blocks=blocks)
        for features, blocks in sets
    ]
    for metric in METRICS:
        measured = [getattr(estimate, metric) for estimate in estimates]
        expectation = np.mean([m.value for m in measured])
        covered = np.mean([m.low <= expectation <= m.high for m in measured])
        assert covered >= 0.85, metric
        spread = np.std([m.value for m in measured])
        assert np.mean([m.std for m in measured]) < 2 * spread, metric
