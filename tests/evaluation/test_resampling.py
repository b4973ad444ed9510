"""Bootstrap resamples, and resampling to a class mix."""

import numpy as np
import pytest

from heliosynth.evaluation.resampling import bootstrap_groups, bootstrap_within, resample_to_mix


def test_bootstrap_within_classes_keeps_their_counts():
    classes = np.array([0, 0, 0, 4, 4], dtype=np.int8)
    for rows in bootstrap_within(classes, 20, np.random.default_rng(0)):
        np.testing.assert_array_equal(classes[rows], classes)


def test_bootstrap_of_groups_keeps_groups_complete():
    groups = np.array([7, 3, 7, 3, 5, 7])
    members = {7: [0, 2, 5], 3: [1, 3], 5: [4]}
    resamples = bootstrap_groups(groups, 30, np.random.default_rng(0))
    assert len(resamples) == 30
    for rows in resamples:
        counts = {g: np.sum(rows == first) for g, (first, *_) in members.items()}
        assert sum(counts.values()) == len(members)
        expected = np.concatenate([np.repeat(members[g], n) for g, n in counts.items()])
        assert sorted(rows) == sorted(expected)


def test_resampled_rows_have_the_class_mix_of_the_reference():
    reference = np.repeat([1, 2, 3], [60, 30, 10]).astype(np.int8)
    classes = np.repeat([0, 1, 2, 3], [50, 20, 50, 50]).astype(np.int8)
    mixed = resample_to_mix(classes, reference, 20, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(classes[mixed.rows]), [0, 12, 6, 2])
    assert len(np.unique(mixed.rows)) == 20
    assert (mixed.repeated, mixed.missing) == ((), ())


def test_repeated_and_missing_classes_are_reported():
    reference = np.repeat([1, 2, 3], [6, 3, 1]).astype(np.int8)
    classes = np.repeat([1, 2], [20, 2]).astype(np.int8)
    mixed = resample_to_mix(classes, reference, 18, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(classes[mixed.rows]), [0, 12, 6])
    assert (mixed.repeated, mixed.missing) == ((2,), (3,))


def test_a_set_of_other_classes_only_is_rejected():
    with pytest.raises(ValueError, match="no class"):
        resample_to_mix(np.int8([0, 0]), np.int8([1]), 2, np.random.default_rng(0))
