"""Draws keep what they promise to keep."""

import numpy as np
import pytest

from heliosynth.evaluation.resampling import bootstrap_groups, bootstrap_within, resample_to_mix


def test_a_bootstrap_within_classes_keeps_their_numbers():
    classes = np.array([0, 0, 0, 4, 4], dtype=np.int8)
    for rows in bootstrap_within(classes, 20, np.random.default_rng(0)):
        np.testing.assert_array_equal(classes[rows], classes)


def test_a_bootstrap_of_groups_draws_them_whole():
    groups = np.array([7, 3, 7, 3, 5, 7])
    members = {7: [0, 2, 5], 3: [1, 3], 5: [4]}
    resamples = bootstrap_groups(groups, 30, np.random.default_rng(0))
    assert len(resamples) == 30
    for rows in resamples:
        times = {g: np.sum(rows == own[0]) for g, own in members.items()}
        assert sum(times.values()) == len(members)
        assert sorted(rows) == sorted(row for g, own in members.items() for row in own * times[g])


def test_a_draw_has_the_class_mix_of_the_reference():
    reference = np.repeat([1, 2, 3], [60, 30, 10]).astype(np.int8)
    classes = np.repeat([0, 1, 2, 3], [50, 20, 50, 50]).astype(np.int8)
    draw = resample_to_mix(classes, reference, 20, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(classes[draw.rows]), [0, 12, 6, 2])
    assert len(np.unique(draw.rows)) == 20
    assert (draw.repeated, draw.missing) == ((), ())


def test_a_draw_says_which_classes_were_repeated_or_missing():
    reference = np.repeat([1, 2, 3], [6, 3, 1]).astype(np.int8)
    classes = np.repeat([1, 2], [20, 2]).astype(np.int8)
    draw = resample_to_mix(classes, reference, 18, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(classes[draw.rows]), [0, 12, 6])
    assert (draw.repeated, draw.missing) == ((2,), (3,))


def test_a_draw_from_other_classes_only_is_refused():
    with pytest.raises(ValueError, match="no class"):
        resample_to_mix(np.int8([0, 0]), np.int8([1]), 2, np.random.default_rng(0))
