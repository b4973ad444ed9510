"""The order of the training images is a function of seed and step, and has the asked shares."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.training.data import BatchOrder, Images, mirrored, sampling_weights, steps_of


@given(count=st.integers(1, 60), batch=st.integers(1, 17), seed=st.integers(0, 2**63 - 1))
@settings(max_examples=30, deadline=None)
def test_equal_weights_give_each_image_once_an_epoch(count: int, batch: int, seed: int) -> None:
    draws = BatchOrder(np.full(count, 1 / count), batch, False, seed)
    rows = np.concatenate([draws(step)[0] for step in range(steps_of(2 * count, batch))])
    for epoch in (rows[:count], rows[count : 2 * count]):
        assert sorted(epoch) == list(range(count))


@given(balance=st.floats(0, 1), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_an_epoch_holds_each_image_as_often_as_its_weight_says(balance: float, seed: int) -> None:
    goes_class = np.repeat([1, 2, 3], [40, 8, 2]).astype(np.int8)
    weights = sampling_weights(goes_class, balance)
    rows = np.concatenate([BatchOrder(weights, 10, True, seed)(step)[0] for step in range(5)])
    counts = np.bincount(rows, minlength=50)
    assert np.all(np.abs(counts - 50 * weights) < 1)


def test_a_step_does_not_depend_on_the_steps_before_it() -> None:
    weights = sampling_weights(np.array([1, 1, 2, 3, 3, 3], np.int8), 0.5)
    there = [BatchOrder(weights, 4, True, 3)(step) for step in range(6)]
    for step in (5, 2):
        for one, other in zip(BatchOrder(weights, 4, True, 3)(step), there[step], strict=True):
            np.testing.assert_array_equal(one, other)


def test_orders_of_epochs_and_seeds_differ() -> None:
    weights = np.full(50, 1 / 50)
    first, second = (BatchOrder(weights, 50, False, 0)(epoch)[0] for epoch in (0, 1))
    other = BatchOrder(weights, 50, False, 1)(0)[0]
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("balance", "share"), [(0.0, 0.1), (1.0, 0.5), (0.5, 0.25)])
def test_class_balance_goes_from_natural_to_uniform(balance: float, share: float) -> None:
    goes_class = np.repeat([1, 4], [90, 10]).astype(np.int8)
    assert sampling_weights(goes_class, balance)[goes_class == 4].sum() == pytest.approx(share)


def test_flips_mirror_images_and_take_the_condition_of_the_mirrored_form() -> None:
    pixels = torch.arange(6.0).reshape(1, 1, 2, 3)
    condition = torch.arange(4.0).reshape(4, 1, 1)
    flips = np.arange(4)
    images, conditions = Images(pixels, condition).batch(np.zeros(4, np.int64), flips)
    expected = [pixels, pixels.flip(-1), pixels.flip(-2), pixels.flip(-1, -2)]
    torch.testing.assert_close(images, torch.cat(expected))
    torch.testing.assert_close(conditions[:, 0], torch.arange(4.0))
    torch.testing.assert_close(mirrored(images, torch.arange(4)), pixels.expand(4, -1, -1, -1))
