from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.catalogue.splits import GAP, NAMES, split_frames
from heliosynth.config.dataset import SplitConfig
from heliosynth.errors import InputError

HOUR, DAY = 3600, 86400


def asked(**changes):
    values = {"block_days": 5, "gap_hours": 12, "validation": 0.15, "test": 0.2, **changes}
    return SplitConfig(**values)


def hourly(days):
    return np.arange(0, days * DAY, HOUR, dtype=np.int64)


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
        time = time[(time < start * DAY) | (time > (start + length) * DAY)]
    rng = np.random.default_rng(seed)
    goes_class = rng.choice(5, len(time), p=[0.01, 0.5, 0.3, 0.15, 0.04]).astype(np.int8)
    try:
        split = split_frames(time, goes_class, asked(block_days=block_days, gap_hours=gap_hours), 1)
    except InputError:
        return  # too few blocks for the gap, as another test asks
    for one in NAMES:
        here, elsewhere = time[split.name == one], time[~np.isin(split.name, [one, GAP])]
        after = np.searchsorted(elsewhere, here)
        for side in (after - 1, after):
            known = (side >= 0) & (side < len(elsewhere))
            distance = np.abs(here[known] - elsewhere[side[known]])
            assert (distance >= gap_hours * HOUR).all()


def test_a_block_goes_whole_to_one_split():
    time = hourly(100)
    split = split_frames(time, np.zeros(len(time), np.int8), asked(), 1)
    for block in np.unique(split.block):
        assert len(set(split.name[split.block == block]) - {GAP}) == 1
    assert (split.block == time // (5 * DAY)).all()


def test_only_frames_near_a_border_are_dropped():
    time = hourly(100)
    split = split_frames(time, np.zeros(len(time), np.int8), asked(), 1)
    to_border = np.abs((time / (5 * DAY)) % 1 - np.rint((time / (5 * DAY)) % 1)) * 5 * DAY
    assert (to_border[split.name == GAP] <= 7 * HOUR).all()
    assert 0 < (split.name == GAP).mean() < 0.1


def test_a_hole_longer_than_the_gap_costs_no_frames():
    time = np.concatenate([hourly(4) + start * DAY for start in range(0, 100, 10)])
    split = split_frames(time, np.zeros(len(time), np.int8), asked(block_days=10, gap_hours=48), 1)
    assert not (split.name == GAP).any()


def test_shares_are_close_to_the_asked():
    time = hourly(250)
    goes_class = np.random.default_rng(0).choice([1, 2, 3], len(time), p=[0.5, 0.4, 0.1])
    split = split_frames(time, goes_class.astype(np.int8), asked(), 1)
    assert set(split.name) == {*NAMES, GAP}
    kept = split.name[split.name != GAP]
    for name, share in zip(NAMES, (0.65, 0.15, 0.2), strict=True):
        assert (kept == name).mean() == pytest.approx(share, abs=0.03)


def test_every_split_holds_a_rare_class_where_events_allow():
    time = hourly(200)
    goes_class = np.ones(len(time), np.int8)
    for day in (12, 63, 117):
        goes_class[np.abs(time - day * DAY) <= 6 * HOUR] = 4
    split = split_frames(time, goes_class, asked(), 10)
    held = [np.count_nonzero(goes_class[split.name == name] == 4) for name in NAMES]
    assert min(held) > 0
    assert held[0] >= 10


@pytest.mark.parametrize(("days", "served"), [([12], ["train"]), ([12, 63], ["test", "train"])])
def test_with_too_few_events_training_comes_first_then_test(days, served):
    time = hourly(200)
    goes_class = np.ones(len(time), np.int8)
    for day in days:
        goes_class[np.abs(time - day * DAY) <= 6 * HOUR] = 4
    split = split_frames(time, goes_class, asked(), 10)
    assert sorted(set(split.name[goes_class == 4]) - {GAP}) == served


def test_the_same_frames_give_the_same_split():
    time = hourly(80)
    goes_class = np.random.default_rng(3).integers(0, 5, len(time)).astype(np.int8)
    first, second = (split_frames(time, goes_class, asked(), 5) for _ in range(2))
    assert (first.name == second.name).all()


def test_a_split_of_no_share_stays_empty():
    time = hourly(80)
    split = split_frames(time, np.zeros(len(time), np.int8), asked(validation=0), 1)
    assert not (split.name == "val").any()


@pytest.mark.parametrize("days", [1, 8])
def test_too_few_blocks_are_an_error(days):
    time = hourly(days)
    with pytest.raises(InputError, match="leave a split empty"):
        split_frames(time, np.zeros(len(time), np.int8), asked(), 1)
