"""The order of training images: a function of seed and step, in proportion to the weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.training.data import (
    BatchOrder,
    ConditionedImages,
    mirror,
    sampling_weights,
    step_count,
)


@given(count=st.integers(1, 60), batch=st.integers(1, 17), seed=st.integers(0, 2**63 - 1))
@settings(max_examples=30, deadline=None)
def test_equal_weights_draw_each_image_once_per_epoch(count: int, batch: int, seed: int) -> None:
    order = BatchOrder(np.full(count, 1 / count), batch, False, seed)
    index = np.concatenate([order(step)[0] for step in range(step_count(2 * count, batch))])
    for epoch in (index[:count], index[count : 2 * count]):
        assert sorted(epoch) == list(range(count))


@given(balance=st.floats(0, 1), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_an_epoch_holds_images_in_proportion_to_weights(balance: float, seed: int) -> None:
    goes_class = np.repeat([1, 2, 3], [40, 8, 2]).astype(np.int8)
    weights = sampling_weights(goes_class, balance)
    index = np.concatenate([BatchOrder(weights, 10, True, seed)(step)[0] for step in range(5)])
    counts = np.bincount(index, minlength=50)
    assert np.all(np.abs(counts - 50 * weights) < 1)


def test_a_step_does_not_depend_on_earlier_steps() -> None:
    weights = sampling_weights(np.array([1, 1, 2, 3, 3, 3], np.int8), 0.5)
    expected = [BatchOrder(weights, 4, True, 3)(step) for step in range(6)]
    for step in (5, 2):
        result = BatchOrder(weights, 4, True, 3)(step)
        for array, expected_array in zip(result, expected[step], strict=True):
            np.testing.assert_array_equal(array, expected_array)


def test_epochs_and_seeds_have_different_orders() -> None:
    weights = np.full(50, 1 / 50)
    first, second = (BatchOrder(weights, 50, False, 0)(epoch)[0] for epoch in (0, 1))
    other_seed = BatchOrder(weights, 50, False, 1)(0)[0]
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, other_seed)


@pytest.mark.parametrize(("balance", "share"), [(0.0, 0.1), (1.0, 0.5), (0.5, 0.25)])
def test_class_balance_goes_from_natural_to_uniform(balance: float, share: float) -> None:
    goes_class = np.repeat([1, 4], [90, 10]).astype(np.int8)
    assert sampling_weights(goes_class, balance)[goes_class == 4].sum() == pytest.approx(share)


def test_flips_mirror_images_and_choose_their_conditions() -> None:
    pixels = torch.arange(6.0).reshape(1, 1, 2, 3)
    conditions = torch.arange(4.0).reshape(4, 1, 1)
    flips = np.arange(4)
    images, condition = ConditionedImages(pixels, conditions).batch(np.zeros(4, np.int64), flips)
    expected = [pixels, pixels.flip(-1), pixels.flip(-2), pixels.flip(-1, -2)]
    torch.testing.assert_close(images, torch.cat(expected))
    torch.testing.assert_close(condition[:, 0], torch.arange(4.0))
    torch.testing.assert_close(mirror(images, torch.arange(4)), pixels.expand(4, -1, -1, -1))
