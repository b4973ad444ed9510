"""Splits by blocks of time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from heliosynth.arrays import DAY_S, SPLITS
from heliosynth.catalogue.splits import GAP, split_frames
from heliosynth.config.dataset import SplitConfig
from heliosynth.errors import InputError

HOUR_S = 3600


def config(**changes):
    values = {"block_days": 5, "gap_hours": 12, "validation": 0.15, "test": 0.2, **changes}
    return SplitConfig(**values)


def hourly(days):
    return np.arange(0, days * DAY_S, HOUR_S, dtype=np.int64)


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 1000),
    block_days=st.floats(1.5, 6),
    gap_hours=st.floats(0, 40),
    holes=st.lists(st.tuples(st.integers(0, 40), st.integers(1, 8)), max_size=3),
)
def test_splits_are_at_least_a_gap_apart(seed, block_days, gap_hours, holes):
    time = hourly(45)
    for start, length in holes:
        time = time[(time < start * DAY_S) | (time > (start + length) * DAY_S)]
    rng = np.random.default_rng(seed)
    goes_class = rng.choice(5, len(time), p=[0.01, 0.5, 0.3, 0.15, 0.04]).astype(np.int8)
    try:
        split = split_frames(
            time, goes_class, config(block_days=block_days, gap_hours=gap_hours), 1
        )
    except InputError:
        reject()  # Too few blocks for the gap, which another test covers.
    for name in SPLITS:
        inside, others = time[split.name == name], time[~np.isin(split.name, [name, GAP])]
        after = np.searchsorted(others, inside)
        for side in (after - 1, after):
            known = (side >= 0) & (side < len(others))
            distance = np.abs(inside[known] - others[side[known]])
            assert (distance >= gap_hours * HOUR_S).all()


def test_all_frames_of_a_block_are_in_one_split():
    time = hourly(100)
    split = split_frames(time, np.zeros(len(time), np.int8), config(), 1)
    for block in np.unique(split.block):
        assert len(set(split.name[split.block == block]) - {GAP}) == 1
    assert (split.block == time // (5 * DAY_S)).all()


def test_only_frames_near_a_border_are_dropped():
    time = hourly(100)
    split = split_frames(time, np.zeros(len(time), np.int8), config(), 1)
    to_border = np.abs((time / (5 * DAY_S)) % 1 - np.rint((time / (5 * DAY_S)) % 1)) * 5 * DAY_S
    assert (to_border[split.name == GAP] <= 7 * HOUR_S).all()
    assert 0 < (split.name == GAP).mean() < 0.1


def test_a_hole_longer_than_the_gap_costs_no_frames():
    time = np.concatenate([hourly(4) + start * DAY_S for start in range(0, 100, 10)])
    split = split_frames(time, np.zeros(len(time), np.int8), config(block_days=10, gap_hours=48), 1)
    assert not (split.name == GAP).any()


def test_splits_are_close_to_their_requested_shares():
    time = hourly(250)
    goes_class = np.random.default_rng(0).choice([1, 2, 3], len(time), p=[0.5, 0.4, 0.1])
    split = split_frames(time, goes_class.astype(np.int8), config(), 1)
    assert set(split.name) == {*SPLITS, GAP}
    kept = split.name[split.name != GAP]
    for name, share in zip(SPLITS, (0.65, 0.15, 0.2), strict=True):
        assert (kept == name).mean() == pytest.approx(share, abs=0.03)


def test_every_split_has_a_rare_class_if_events_suffice():
    time = hourly(200)
    goes_class = np.ones(len(time), np.int8)
    for day in (12, 63, 117):
        goes_class[np.abs(time - day * DAY_S) <= 6 * HOUR_S] = 4
    split = split_frames(time, goes_class, config(), 10)
    counts = [np.count_nonzero(goes_class[split.name == name] == 4) for name in SPLITS]
    assert min(counts) > 0
    assert counts[0] >= 10


@pytest.mark.parametrize(("days", "splits"), [([12], ["train"]), ([12, 63], ["test", "train"])])
def test_training_gets_a_rare_event_first_then_test(days, splits):
    time = hourly(200)
    goes_class = np.ones(len(time), np.int8)
    for day in days:
        goes_class[np.abs(time - day * DAY_S) <= 6 * HOUR_S] = 4
    split = split_frames(time, goes_class, config(), 10)
    assert sorted(set(split.name[goes_class == 4]) - {GAP}) == splits


def test_the_same_frames_give_the_same_split():
    time = hourly(80)
    goes_class = np.random.default_rng(3).integers(0, 5, len(time)).astype(np.int8)
    first, second = (split_frames(time, goes_class, config(), 5) for _ in range(2))
    assert (first.name == second.name).all()


def test_a_split_without_a_share_is_empty():
    time = hourly(80)
    split = split_frames(time, np.zeros(len(time), np.int8), config(validation=0), 1)
    assert not (split.name == "val").any()


@pytest.mark.parametrize(("days", "blocks"), [(1, 1), (8, 2)])
def test_too_few_blocks_are_an_error_with_their_number(days, blocks):
    time = hourly(days)
    message = rf"{24 * days} frames in [\d.]+ days make {blocks} block\(s\) of 5 days.*for 3 splits"
    with pytest.raises(InputError, match=message):
        split_frames(time, np.zeros(len(time), np.int8), config(), 1)


def test_gaps_that_empty_a_split_are_an_error_with_its_name():
    time = hourly(15)
    with pytest.raises(InputError, match=r"gaps of 200 hours .* leave no frame for .* in gaps"):
        split_frames(time, np.zeros(len(time), np.int8), config(gap_hours=200), 1)
