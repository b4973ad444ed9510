"""The search for near copies: exact in all mirrorings, and calibrated by other weeks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.arrays import DAY_S, DISK_RADIUS
from heliosynth.evaluation.memorisation import (
    FALSE_ALARM,
    GAP_DAYS,
    MIRRORINGS,
    NEIGHBOURS,
    SEARCH_RADIUS,
    Matches,
    SearchSet,
    Thresholds,
    parities,
    search,
    search_other_weeks,
)


def noise(count: int, size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, size, size)).astype(np.float32)


def search_set(images: np.ndarray, days_apart: float = 30) -> SearchSet:
    """Return images that are each of a week of their own."""
    number = np.arange(len(images))
    return SearchSet.of(images, (number * days_apart * DAY_S).astype(np.int64), number)


def compared_pixels(size: int) -> np.ndarray:
    offset = (np.arange(size) + 0.5) / size - 0.5
    return np.hypot(offset[:, None], offset) < SEARCH_RADIUS * DISK_RADIUS


@settings(max_examples=20, deadline=None)
@given(st.integers(4, 13), st.integers(0, 99))
def test_parities_give_the_product_of_every_mirroring(size, seed):
    first, second = noise(3, size, seed), noise(5, size, seed + 1)
    inside = compared_pixels(size)
    a, b = parities(first), parities(second)
    # Largest of the four, as the search computes it.
    even, odd_x, odd_y, odd = (x @ y.T for x, y in zip(a, b, strict=True))
    fast = np.maximum(even + odd_x + np.abs(odd_y + odd), even - odd_x + np.abs(odd_y - odd))
    direct = [first[:, inside] @ np.flip(second, axes)[:, inside].T for axes in MIRRORINGS.values()]
    np.testing.assert_allclose(fast, np.max(direct, axis=0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [11, 12])
def test_search_agrees_with_distances_one_by_one(size):
    training, images = noise(70, size), noise(9, size, seed=1)
    inside, found = compared_pixels(size), search(images, search_set(training))
    mean = np.mean([np.flip(training.mean(axis=0), axes) for axes in MIRRORINGS.values()], axis=0)
    for n, image in enumerate(images):
        mirrored = np.stack([np.flip(training, axes) for axes in MIRRORINGS.values()])
        distances = np.linalg.norm((mirrored - image)[..., inside], axis=-1)
        nearest = np.sort(distances.min(axis=0))
        ratio = nearest[0] / nearest[1 : NEIGHBOURS + 1].mean()
        assert found.ratio[n] == pytest.approx(ratio, rel=1e-4)
        assert found.nearest[n] == distances.min(axis=0).argmin()
        assert found.mirroring[n] == distances[:, found.nearest[n]].argmin()
        residual, others = (image - mean)[inside], (mirrored - mean)[..., inside]
        cosine = others @ residual / np.linalg.norm(others, axis=-1) / np.linalg.norm(residual)
        assert found.correlation[n] == pytest.approx(cosine.max(), abs=1e-4)


@pytest.mark.parametrize(("number", "name"), enumerate(MIRRORINGS))
def test_copy_is_found_in_its_mirroring(number, name):
    training = noise(60, 16)
    copy = np.flip(training[[7]], MIRRORINGS[name])
    found = search(copy, search_set(training))
    assert found.ratio[0] == 0
    assert found.correlation[0] == pytest.approx(1, abs=1e-5)
    assert (found.nearest[0], found.mirroring[0]) == (7, number)


def test_pixels_beyond_the_corona_are_not_compared():
    training = noise(60, 32)
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    copy = np.where(np.hypot(x, y) > 1.1, 5, training[[3]]).astype(np.float32)
    assert search(copy, search_set(training)).ratio[0] == 0


def test_slabs_change_nothing(monkeypatch):
    training, images = search_set(noise(60, 12)), noise(10, 12, seed=1)
    whole = search(images, training)
    monkeypatch.setattr("heliosynth.evaluation.memorisation.SLAB", 3)
    for name, values in vars(search(images, training)).items():
        np.testing.assert_allclose(values, getattr(whole, name), rtol=1e-5)


def test_no_image_gives_no_match():
    assert len(search(noise(0, 12), search_set(noise(60, 12)))) == 0


def test_weeks_near_a_block_are_left_out():
    days = np.array([0, 1, 4.5, 5.5, 9, 10, 20])
    blocks = np.array([0, 0, 1, 1, 2, 2, 3])
    training = SearchSet.of(noise(7, 8), (days * DAY_S).astype(np.int64), blocks)
    assert GAP_DAYS == 4
    same = training.same_weeks(np.array([0, 3, 6]))
    np.testing.assert_array_equal(
        same, [[1, 1, 1, 0, 0, 0, 0], [0, 1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0, 1]]
    )
    # Three other images are left for the second block, of which one is the nearest.
    assert training.neighbours == 2


def test_copies_of_the_same_week_are_no_match():
    images = np.repeat(noise(30, 12), 4, axis=0)
    week = np.repeat(np.arange(30), 4)
    training = SearchSet.of(images, week * 30 * DAY_S, week)
    assert (search(images, training).ratio == 0).all()
    left_out = search_other_weeks(images, training)
    assert left_out.ratio.min() > 0.5
    assert (week[left_out.nearest] != week).all()


@pytest.mark.parametrize("days_apart", [0, 1])
def test_images_of_one_week_cannot_be_searched(days_apart):
    training = search_set(noise(4, 8), days_apart)
    assert training.neighbours == 0
    with pytest.raises(ValueError, match="several weeks"):
        search(noise(1, 8), training)


def test_equal_images_are_no_copies_of_each_other():
    images = np.ones((60, 12, 12), np.float32)
    left_out = search_other_weeks(images, search_set(images))
    assert all(np.isfinite(values).all() for values in vars(left_out).values())
    assert not Thresholds.of(left_out).flag(left_out)["ratio"].any()


def test_thresholds_are_exceeded_by_the_share_of_false_alarms():
    rng = np.random.default_rng(0)
    index = np.zeros(1000, np.int64)
    matches = Matches(rng.uniform(size=1000), rng.uniform(size=1000), index, index)
    flags = Thresholds.of(matches).flag(matches)
    assert flags["ratio"].mean() == flags["correlation"].mean() == FALSE_ALARM
    np.testing.assert_array_equal(flags["both"], flags["ratio"] & flags["correlation"])
