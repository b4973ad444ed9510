"""Plans of the images to generate, and their seeds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.errors import InputError
from heliosynth.sampling.plan import image_seeds, plan_samples


@given(
    counts=st.lists(st.integers(1, 300), min_size=2, max_size=4),
    population=st.integers(1, 200),
    per_class=st.integers(1, 20),
)
@settings(max_examples=40, deadline=None)
def test_every_image_of_a_plan_is_of_one_of_its_two_sets(
    counts: list[int], population: int, per_class: int
) -> None:
    classes = np.repeat(np.arange(1, 1 + len(counts)), counts).astype(np.int8)
    training = np.concatenate([classes, np.zeros(5, np.int8)])
    plan = plan_samples(training, range(1, 1 + len(counts)), population, per_class)
    assert plan.population.sum() == population
    assert np.all(plan.population | plan.balanced)
    for goes_class, count in enumerate(counts, start=1):
        of_class = plan.goes_class == goes_class
        assert plan.balanced[of_class].sum() == per_class
        exact = population * count / sum(counts)
        assert abs(plan.population[of_class].sum() - exact) < 1
        assert list(plan.number[of_class]) == list(range(of_class.sum()))
    assert 0 not in plan.goes_class


def test_the_population_is_apportioned_by_largest_remainder() -> None:
    training = np.repeat([1, 2, 3], [5, 3, 2]).astype(np.int8)
    plan = plan_samples(training, (1, 2, 3), 11, 1)
    counts = [plan.population[plan.goes_class == c].sum() for c in (1, 2, 3)]
    assert counts == [6, 3, 2]  # 5.5, 3.3 and 2.2


def test_a_training_split_without_trained_classes_is_rejected() -> None:
    with pytest.raises(InputError, match="nothing to sample"):
        plan_samples(np.zeros(3, np.int8), (1, 2), 5, 1)


def test_seeds_are_distinct_and_independent_of_the_population() -> None:
    small, large = (plan_samples(np.array([1, 2], np.int8), (1, 2), n, 1) for n in (4, 8))
    seeds = image_seeds(7, "m", small)
    assert len(set(seeds.tolist())) == len(small)
    assert seeds.min() >= 0
    assert set(seeds) < set(image_seeds(7, "m", large))
    assert not set(seeds) & set(image_seeds(8, "m", large))
    assert not set(seeds) & set(image_seeds(7, "n", large))
    assert image_seeds(2023, "ddpm_discrete", small)[0] == 4731150592115865803
