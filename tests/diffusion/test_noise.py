"""One random stream per sample."""

from __future__ import annotations

import torch

from heliosynth.diffusion.noise import SampleNoise


def test_the_stream_of_a_sample_does_not_depend_on_its_batch():
    batch, single = SampleNoise([5, 6, 7]), SampleNoise([6])
    assert len(batch) == 3
    assert batch.uniform()[1] == single.uniform()[0]
    assert torch.equal(batch.normal(1, 4, 4)[1], single.normal(1, 4, 4)[0])
    assert torch.equal(batch.normal(3)[1], single.normal(3)[0])


def test_numbers_differ_between_calls_and_samples():
    noise = SampleNoise([0, 1])
    first, second = noise.normal(64), noise.normal(64)
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])


def test_seeds_that_differ_in_high_bits_lead_to_other_noise():
    first, second = SampleNoise([1, 1 + 2**40]).normal(8)
    assert not torch.equal(first, second)


def test_like_has_the_shape_and_dtype_of_its_argument():
    x = torch.zeros(2, 1, 3, 3, dtype=torch.float64)
    noise = SampleNoise([0, 1]).like(x)
    assert noise.shape == x.shape
    assert noise.dtype == x.dtype
