"""Bootstrap resamples, and resampling to a class mix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.evaluation.resampling import (
    bootstrap_groups,
    bootstrap_within,
    draw_mix,
    resample,
    time_blocks,
)


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


def test_images_or_blocks_are_resampled():
    images = resample(6, None, 5, np.random.default_rng(0))
    assert [len(rows) for rows in images] == [6] * 5
    blocks = np.array([0, 0, 0, 1, 1, 1])
    for rows in resample(6, blocks, 5, np.random.default_rng(0)):
        counts = np.bincount(rows, minlength=6)
        assert len(set(counts[:3])) == len(set(counts[3:])) == 1


def test_blocks_of_time_begin_together_in_all_splits():
    day = 86_400
    np.testing.assert_array_equal(
        time_blocks(np.array([0, 7 * day - 1, 7 * day, 15 * day]), 7), [0, 0, 1, 2]
    )
    np.testing.assert_array_equal(time_blocks(np.array([-1, day // 2]), 0.5), [-1, 1])


def test_drawn_rows_have_the_class_mix_of_the_reference():
    reference = np.repeat([1, 2, 3], [60, 30, 10]).astype(np.int8)
    classes = np.repeat([0, 1, 2, 3], [50, 20, 50, 50]).astype(np.int8)
    mixed = draw_mix(classes, reference, 20, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(classes[mixed.rows]), [0, 12, 6, 2])
    assert len(np.unique(mixed.rows)) == 20
    assert mixed.missing == ()


def test_fewer_rows_are_drawn_rather_than_one_twice():
    reference = np.repeat([1, 2, 3], [6, 3, 1]).astype(np.int8)
    classes = np.repeat([1, 2], [20, 2]).astype(np.int8)
    mixed = draw_mix(classes, reference, 18, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(classes[mixed.rows]), [0, 4, 2])
    assert mixed.missing == (3,)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=40),
    st.lists(st.integers(0, 4), min_size=1, max_size=40),
    st.integers(1, 60),
)
def test_no_row_is_drawn_twice(classes, reference, n):
    classes, reference = np.int8(classes), np.int8(reference)
    if not set(classes) & set(reference):
        return
    rows = draw_mix(classes, reference, n, np.random.default_rng(0)).rows
    assert len(np.unique(rows)) == len(rows) <= n
    assert set(classes[rows]) <= set(reference)


def test_a_set_of_other_classes_only_is_rejected():
    with pytest.raises(ValueError, match="no class"):
        draw_mix(np.int8([0, 0]), np.int8([1]), 2, np.random.default_rng(0))
