"""One stream a sample."""

from __future__ import annotations

import torch

from heliosynth.diffusion.noise import SampleNoise


def test_a_sample_draws_the_same_in_any_batch():
    together, alone = SampleNoise([5, 6, 7]), SampleNoise([6])
    assert len(together) == 3
    assert together.uniform()[1] == alone.uniform()[0]
    assert torch.equal(together.normal(1, 4, 4)[1], alone.normal(1, 4, 4)[0])
    assert torch.equal(together.normal(3)[1], alone.normal(3)[0])


def test_draws_are_new_each_time_and_differ_between_samples():
    noise = SampleNoise([0, 1])
    first, second = noise.normal(64), noise.normal(64)
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])


def test_all_bits_of_a_seed_count():
    low, high = SampleNoise([1, 1 + 2**40]).normal(8)
    assert not torch.equal(low, high)


def test_like_takes_shape_and_type():
    x = torch.zeros(2, 1, 3, 3, dtype=torch.float64)
    drawn = SampleNoise([0, 1]).like(x)
    assert drawn.shape == x.shape
    assert drawn.dtype == x.dtype
