"""Encoding and sampling of conditions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from heliosynth.config.models import ClassConditionConfig, FluxConditionConfig
from heliosynth.diffusion.noise import SampleNoise
from heliosynth.errors import InputError
from heliosynth.models.conditioning import COSINES, FLUX_MARGIN, ConditionEncoder, drop_labels

CLASS = ClassConditionConfig(kind="goes_class")
EMBEDDED = ClassConditionConfig(kind="goes_class", embedding_of="cevae")
FLUX = FluxConditionConfig(kind="xray_flux")
E = 6
KINDS = pytest.mark.parametrize("config", [CLASS, EMBEDDED, FLUX], ids=["class", "cevae", "flux"])


TRAINING_FLUXES = st.lists(st.floats(-8, -3), min_size=2, max_size=20).filter(
    lambda fluxes: np.std(fluxes) > 0.05
)


def embedding_dim(config):
    return E if config is EMBEDDED else 0


@pytest.fixture(scope="module")
def split():
    """Labels of a training split without class A, and embeddings that depend on the class."""
    generator = np.random.default_rng(0)
    goes_class = np.repeat([1, 2, 3, 4], [400, 300, 100, 5])
    flux = goes_class - 8 + generator.uniform(0, 1, len(goes_class))
    mixing = generator.normal(size=(E, E))
    embedding = generator.normal(size=(len(goes_class), E)) @ mixing + 3 * goes_class[:, None]
    return tuple(torch.from_numpy(a) for a in (goes_class, flux, embedding))


def fitted(config, split):
    encoder = ConditionEncoder(config, embedding_dim(config))
    goes_class, flux, embedding = split
    encoder.fit(goes_class, flux, embedding if config is EMBEDDED else None)
    return encoder


def fitted_to_fluxes(fluxes):
    encoder = ConditionEncoder(FLUX)
    encoder.fit(torch.full((len(fluxes),), 2), torch.tensor(fluxes, dtype=torch.float64))
    return encoder


def encoded_fluxes(encoder, *fluxes):
    return encoder.encode(torch.zeros(len(fluxes)), torch.tensor(fluxes, dtype=torch.float64))


def encoded(config, split):
    goes_class, flux, embedding = split
    return fitted(config, split).encode(goes_class, flux, embedding if config is EMBEDDED else None)


@KINDS
def test_a_condition_ends_in_its_flag(config, split):
    condition = encoded(config, split)
    assert condition.shape == (805, fitted(config, split).dim)
    assert condition.dtype == torch.float32
    assert (condition[:, -1] == 1).all()
    assert condition.isfinite().all()


def test_a_class_is_encoded_one_hot(split):
    condition = encoded(CLASS, split)
    assert torch.equal(condition[:, :-1].argmax(1), split[0])
    assert (condition[:, :-1].sum(1) == 1).all()


def test_an_embedding_is_standardised_to_the_norm_of_a_class(split):
    part = encoded(EMBEDDED, split)[:, 5:-1]
    torch.testing.assert_close(part.mean(0), torch.zeros(E), atol=1e-5, rtol=0.0)
    assert (part**2).sum(1).mean().item() == pytest.approx(1, rel=1e-4)


def test_an_unused_latent_stays_small():
    embedding = torch.randn(200, E) * torch.tensor([1.0, 1, 1, 1, 1, 1e-3])
    encoder = ConditionEncoder(EMBEDDED, E)
    labels = torch.full((200,), 2), torch.full((200,), -5.5)
    encoder.fit(*labels, embedding)
    assert encoder.encode(*labels, embedding)[:, 10].abs().max() < 0.05


def test_a_flux_condition_is_smooth_and_bounded(split):
    encoder = fitted(FLUX, split)
    flux = torch.linspace(-12, 2, 2801)
    condition = encoder.encode(torch.zeros(2801), flux)
    assert condition.diff(dim=0).abs().max() < 0.03
    assert (condition.abs() < 5).all()
    inside = (flux > -7) & (flux < -3)
    assert (condition[inside].diff(dim=0).abs().sum(1) > 0).all()
    assert torch.equal(condition[0], condition[1])


@examples(max_examples=50, deadline=None)
@given(TRAINING_FLUXES, st.floats(-9, -2), st.floats(-9, -2))
def test_the_slope_of_a_flux_condition_is_bounded(fluxes, one, other):
    """(f − mean)/deviation has slope 1/deviation, cos(π k f/range) at most π k/range."""
    spread = max(fluxes) - min(fluxes) + 2 * FLUX_MARGIN
    slopes = [1 / np.std(fluxes), *(math.pi * k / spread for k in range(1, COSINES + 1))]
    first, second = encoded_fluxes(fitted_to_fluxes(fluxes), one, other)
    distance = (first - second).double().norm().item()
    assert distance <= math.hypot(*slopes) * abs(one - other) + 1e-4


@examples(max_examples=100, deadline=None)
@given(TRAINING_FLUXES, st.floats(allow_nan=False))
def test_a_flux_is_clamped_to_the_margin(fluxes, flux):
    lowest, highest = min(fluxes) - FLUX_MARGIN, max(fluxes) + FLUX_MARGIN
    nearest = min(max(flux, lowest), highest)
    result, expected = encoded_fluxes(fitted_to_fluxes(fluxes), flux, nearest)
    assert result.isfinite().all()
    torch.testing.assert_close(result, expected, atol=1e-4, rtol=0.0)


def test_different_fluxes_have_different_conditions(split):
    """Neighbouring tenths of a dex over the training range have distinct conditions."""
    encoder = fitted(FLUX, split)
    condition = encoder.encode(torch.zeros(41), torch.linspace(-7, -3, 41))
    assert torch.cdist(condition, condition).fill_diagonal_(1).min() > 0.03


@KINDS
def test_a_sample_does_not_depend_on_its_batch(config, split):
    encoder = fitted(config, split)
    goes_class = torch.tensor([1, 4, 2, 3, 1])
    together = encoder.sample(goes_class, SampleNoise(range(5)))
    parts = [encoder.sample(goes_class[part], SampleNoise(part)) for part in ([0, 1], [2], [3, 4])]
    for batch, part in zip(together, zip(*parts, strict=True), strict=True):
        assert torch.equal(batch, torch.cat(part))


@KINDS
def test_a_sampled_flux_follows_its_class(config, split):
    encoder = fitted(config, split)
    goes_class, flux, _ = split
    condition, sampled = encoder.sample(torch.full((600,), 3), SampleNoise(range(600)))
    training = flux[goes_class == 3]
    assert sampled.shape == (600,)
    assert training.min() - 1e-4 <= sampled.min()
    assert sampled.max() <= training.max() + 1e-4
    levels = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)
    np.testing.assert_allclose(
        sampled.double().quantile(levels), training.quantile(levels), atol=0.1
    )
    if config is FLUX:
        assert torch.equal(condition, encoder.encode(torch.full((600,), 3), sampled))


def test_sampled_embeddings_have_the_moments_of_their_class(split):
    encoder = fitted(EMBEDDED, split)
    training = encoded(EMBEDDED, split)[split[0] == 1][:, 5:-1]
    condition, _ = encoder.sample(torch.full((2000,), 1), SampleNoise(range(2000)))
    sampled = condition[:, 5:-1]
    deviation = training.std(0)
    assert ((sampled.mean(0) - training.mean(0)).abs() < 0.15 * deviation).all()
    np.testing.assert_allclose(
        np.cov(sampled.T), np.cov(training.T), atol=0.15 * float(deviation.max()) ** 2
    )
    assert torch.cdist(sampled, training).min() > 1e-4


# Five X images constrain the distances between embeddings only weakly.
@pytest.mark.parametrize(("number", "share"), [(1, 0.9), (2, 0.9), (3, 0.9), (4, 0.7)])
def test_sampled_embeddings_are_not_close_to_training_ones(number, share, split):
    """The nearest training embedding is as far away as from another training embedding."""
    training = encoded(EMBEDDED, split)[split[0] == number][:, 5:-1]
    sampled = sampled_embeddings(fitted(EMBEDDED, split), number, 1000)
    assert not (sampled[:, None] == training).all(-1).any()
    expected = torch.cdist(training, training).fill_diagonal_(torch.inf).amin(1).mean()
    assert torch.cdist(sampled, training).amin(1).mean() > share * expected


def test_sampled_embeddings_do_not_cluster_at_training_ones(split):
    """The mean square distance of samples to t is |t − mean|² + their variance, never below."""
    training = encoded(EMBEDDED, split)[split[0] == 1][:, 5:-1]
    sampled = sampled_embeddings(fitted(EMBEDDED, split), 1, 2000)
    squares = ((training - training.mean(0)) ** 2).sum(1)
    result = (torch.cdist(sampled, training) ** 2).mean(0)
    torch.testing.assert_close(result, squares + squares.mean(), atol=0.0, rtol=0.15)


def test_sampled_embeddings_depend_only_on_moments(split):
    """Embeddings reflected about their class's mean differ, but have the same moments."""
    goes_class, flux, embedding = split
    means = torch.stack([embedding[goes_class == n].mean(0) for n in range(1, 5)])
    reflected = 2 * means[goes_class - 1] - embedding
    assert (reflected - embedding).abs().min() > 0
    first, second = (
        sampled_embeddings(fitted(EMBEDDED, (goes_class, flux, training)), 2, 100)
        for training in (embedding, reflected)
    )
    torch.testing.assert_close(first, second, atol=1e-5, rtol=0.0)


def sampled_embeddings(encoder, number, count):
    condition, _ = encoder.sample(torch.full((count,), number), SampleNoise(range(count)))
    return condition[:, 5:-1]


def test_a_class_of_few_images_has_a_full_covariance(split):
    """Five X images span four directions; the common covariance fills the others."""
    encoder = fitted(EMBEDDED, split)
    condition, _ = encoder.sample(torch.full((500,), 4), SampleNoise(range(500)))
    assert np.linalg.matrix_rank(np.cov(condition[:, 5:-1].T), tol=1e-4) == E


@KINDS
def test_an_untrained_class_is_rejected_by_name(config, split):
    with pytest.raises(InputError, match="no image of class A,"):
        fitted(config, split).sample(torch.tensor([1, 0]), SampleNoise([0, 1]))


@KINDS
def test_the_state_dict_holds_the_complete_state(config, split):
    encoder = fitted(config, split)
    copy = ConditionEncoder(config, embedding_dim(config))
    copy.load_state_dict(encoder.state_dict())
    goes_class = torch.tensor([1, 2, 3, 4])
    for expected, result in zip(
        encoder.sample(goes_class, SampleNoise(range(4))),
        copy.sample(goes_class, SampleNoise(range(4))),
        strict=True,
    ):
        assert torch.equal(result, expected)


def test_embeddings_must_fit_the_config(split):
    with pytest.raises(ValueError, match="embedding_dim = 0"):
        ConditionEncoder(EMBEDDED)
    with pytest.raises(ValueError, match="embedding_dim = 6"):
        ConditionEncoder(FLUX, E)
    with pytest.raises(ValueError, match="length 0, not 6"):
        fitted(EMBEDDED, split).encode(split[0], split[1])


def test_dropped_labels_are_zero():
    condition = torch.rand(5000, 4) + 1
    uniform = torch.rand(5000, generator=torch.Generator().manual_seed(0))
    dropped = drop_labels(condition, 0.1, uniform)
    is_zero = (dropped == 0).all(1)
    assert is_zero.float().mean().item() == pytest.approx(0.1, abs=0.02)
    assert torch.equal(dropped[~is_zero], condition[~is_zero])
    assert torch.equal(drop_labels(condition, 0.0, uniform), condition)
