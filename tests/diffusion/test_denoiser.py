"""Denoisers: scaling, losses and guidance, with networks in closed form."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from torch import nn

from heliosynth.config.models import SAMPLERS, PreconditionedConfig, VariancePreservingConfig
from heliosynth.diffusion import samplers
from heliosynth.diffusion.denoiser import Guided, build_denoiser
from heliosynth.diffusion.noise import SampleNoise

STUDY = VariancePreservingConfig(
    kind="variance_preserving", noise_steps=1000, beta_first=1e-4, beta_last=0.02
)
KARRAS = PreconditionedConfig(
    kind="preconditioned",
    sigma_data=0.5,
    log_sigma_mean=-0.8,
    log_sigma_std=1.4,
    sigma_min=0.01,
    sigma_max=80.0,
)


class Recorder(nn.Module):
    """A network that records its inputs and returns a function of them."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(torch.zeros(()))
        self.calls = []

    def forward(self, x, noise_label, condition):
        self.calls.append((x, noise_label, condition))
        return self.function(x, noise_label, condition) + 0 * self.weight


def zeros(x, noise_label, condition):
    return torch.zeros_like(x)


def labelled(x, noise_label, condition):
    return 0.1 * x + condition[:, :1, None, None]


def loss_of(denoiser, images, condition, generator):
    return denoiser.loss(images, condition, denoiser.sample_noise(images.shape, generator))


@pytest.fixture
def images():
    return torch.rand(4096, 1, 2, 2, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_the_exact_noise_leads_to_the_clean_image():
    clean, noise = torch.rand(5, 1, 4, 4) * 2 - 1, torch.randn(5, 1, 4, 4)
    sigma = torch.tensor([0.02, 0.3, 1.0, 7.0, 150.0])
    denoiser = build_denoiser(Recorder(lambda *_: noise), STUDY)
    estimate = denoiser(clean + sigma.view(-1, 1, 1, 1) * noise, sigma, torch.zeros(5, 2))
    torch.testing.assert_close(estimate, clean, atol=1e-4, rtol=1e-4)


def test_the_input_of_the_network_has_unit_variance():
    network = Recorder(zeros)
    denoiser = build_denoiser(network, STUDY)
    sigma = denoiser.sigmas(1000)[:-1]
    denoiser(sigma.view(-1, 1, 1, 1) * torch.randn(1000, 1, 16, 16), sigma, torch.zeros(1000, 2))
    inputs, steps, _ = network.calls[0]
    assert torch.equal(steps, torch.arange(999, -1, -1).float())
    expected = sigma**2 / (1 + sigma**2)
    torch.testing.assert_close((inputs**2).mean((1, 2, 3)), expected, atol=0.0, rtol=0.5)


def test_steps_between_levels_are_interpolated_and_bounded():
    denoiser = build_denoiser(Recorder(zeros), STUDY)
    low, high = denoiser.levels[40], denoiser.levels[41]
    sigma = torch.stack([(low * high).sqrt(), torch.tensor(1e-6), torch.tensor(1e6)])
    torch.testing.assert_close(denoiser.step(sigma), torch.tensor([40.5, 0.0, 999.0]))


def test_noise_loss_of_a_zero_prediction_is_one(images):
    denoiser = build_denoiser(Recorder(zeros), STUDY)
    loss = loss_of(denoiser, images, torch.zeros(4096, 2), torch.Generator().manual_seed(0))
    assert loss.item() == pytest.approx(1, abs=0.03)
    steps = denoiser.network.calls[0][1]
    assert steps.min() >= 0
    assert steps.max() <= 999
    assert steps.mean().item() == pytest.approx(499.5, abs=20)


def test_noise_loss_of_an_exact_prediction_is_zero(images):
    def exact(x, step, condition):
        sigma = denoiser.levels[step.long()].view(-1, 1, 1, 1)
        return (x * (1 + sigma**2).sqrt() - images) / sigma

    denoiser = build_denoiser(Recorder(exact), STUDY)
    loss = loss_of(denoiser, images, torch.zeros(4096, 2), torch.Generator().manual_seed(0))
    assert loss.item() < 1e-3


def test_preconditioning_follows_table_1_of_karras():
    network = Recorder(lambda x, *_: torch.full_like(x, 2.0))
    denoiser = build_denoiser(network, KARRAS)
    x, sigma = torch.full((1, 1, 1, 1), 3.0), torch.tensor([1.2])
    estimate = denoiser(x, sigma, torch.zeros(1, 2))
    # √(1.2² + 0.5²) = 1.3: c_skip = 0.25/1.69, c_out = 0.6/1.3, c_in = 1/1.3.
    assert estimate.item() == pytest.approx(0.25 / 1.69 * 3 + 0.6 / 1.3 * 2)
    inputs, label, _ = network.calls[0]
    assert inputs.item() == pytest.approx(3 / 1.3)
    assert label.item() == pytest.approx(torch.tensor(1.2).log().item() / 4)


def test_preconditioned_loss_of_a_zero_output_is_one():
    """For data of variance σ_d², the target of F has unit variance, and λ c_out² = 1."""
    data = 0.5 * torch.randn(20000, 1, 1, 2, generator=torch.Generator().manual_seed(2))
    denoiser = build_denoiser(Recorder(zeros), KARRAS)
    loss = loss_of(denoiser, data, torch.zeros(20000, 2), torch.Generator().manual_seed(0))
    assert loss.item() == pytest.approx(1, abs=0.03)


def test_training_levels_are_log_normal(images):
    denoiser = build_denoiser(Recorder(zeros), KARRAS)
    loss_of(denoiser, images, torch.zeros(4096, 2), torch.Generator().manual_seed(0))
    log_sigma = 4 * denoiser.network.calls[0][1]
    assert log_sigma.mean().item() == pytest.approx(-0.8, abs=0.01)
    assert log_sigma.std().item() == pytest.approx(1.4, abs=0.01)
    # Each image of a small batch also has the full distribution.
    generator = torch.Generator().manual_seed(3)
    denoiser.network.calls.clear()
    for _ in range(1500):
        loss_of(denoiser, images[:4], torch.zeros(4, 2), generator)
    third = torch.stack([4 * label[2] for _, label, _ in denoiser.network.calls])
    assert third.mean().item() == pytest.approx(-0.8, abs=0.15)
    assert third.std().item() == pytest.approx(1.4, abs=0.1)


@pytest.mark.parametrize("config", [STUDY, KARRAS])
def test_losses_depend_on_the_generator(config, images):
    denoiser = build_denoiser(Recorder(labelled), config)
    condition = torch.ones(4096, 2)
    first, again, other = (
        loss_of(denoiser, images, condition, torch.Generator().manual_seed(seed))
        for seed in (7, 7, 8)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("config", [STUDY, KARRAS])
def test_sigmas_decrease_to_zero(config):
    sigmas = build_denoiser(Recorder(zeros), config).sigmas(20)
    assert sigmas.shape == (21,)
    assert sigmas.dtype == torch.float32
    assert (sigmas.diff() < 0).all()
    assert sigmas[-1] == 0


@pytest.mark.parametrize("config", [STUDY, KARRAS])
def test_guidance_extrapolates_from_no_label_to_the_label(config):
    network = Recorder(labelled)
    denoiser = build_denoiser(network, config)
    x, sigma, condition = torch.randn(3, 1, 2, 2), torch.full((3,), 0.7), torch.ones(3, 2)
    with_label, without = denoiser(x, sigma, condition), denoiser(x, sigma, 0 * condition)
    network.calls.clear()
    guided = Guided(denoiser, 2.0)(x, sigma, condition)
    assert len(network.calls) == 1
    torch.testing.assert_close(guided, with_label + 2 * (with_label - without))
    assert torch.equal(Guided(denoiser, 0.0)(x, sigma, condition), with_label)
    assert torch.equal(Guided(denoiser, 2.0).sigmas(5), denoiser.sigmas(5))


@examples(max_examples=50, deadline=None)
@given(st.floats(-1, 10), st.sampled_from([STUDY, KARRAS]))
def test_guidance_is_a_weighted_sum_for_any_weight(guidance, config):
    """D_c + w (D_c − D_0) = (1 + w) D_c − w D_0: D_c at w = 0, D_0 at w = −1."""
    denoiser = build_denoiser(Recorder(labelled), config)
    x, sigma, condition = torch.full((2, 1, 2, 2), 0.3), torch.tensor([0.1, 4.0]), torch.ones(2, 2)
    with_label, without = denoiser(x, sigma, condition), denoiser(x, sigma, 0 * condition)
    expected = (1 + guidance) * with_label - guidance * without
    guided = Guided(denoiser, guidance)(x, sigma, condition)
    torch.testing.assert_close(guided, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("config", [STUDY, KARRAS])
def test_guidance_evaluates_both_halves_in_one_batch(config):
    network = Recorder(labelled)
    x, sigma, condition = torch.randn(3, 1, 2, 2), torch.tensor([0.1, 1.0, 9.0]), torch.ones(3, 2)
    denoiser = build_denoiser(network, config)
    denoiser(x, sigma, condition)
    Guided(denoiser, 1.5)(x, sigma, condition)
    conditional, guided = network.calls
    for half, batch in zip(conditional[:2], guided[:2], strict=True):
        assert torch.equal(torch.cat([half, half]), batch)
    assert torch.equal(guided[2], torch.cat([condition, torch.zeros(3, 2)]))


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("config", [STUDY, KARRAS], ids=["study", "karras"])
def test_zero_guidance_is_bit_identical_to_the_denoiser(sampler, config):
    network = Recorder(labelled)
    denoiser = build_denoiser(network, config)
    sample = getattr(samplers, sampler)
    results = []
    for model in (denoiser, Guided(denoiser, 0.0)):
        noise, sigmas = SampleNoise(range(3)), model.sigmas(6)
        end = sample(model, sigmas[0] * noise.normal(1, 4, 4), sigmas, torch.ones(3, 2), noise)
        results.append((end, network.calls.copy()))
        network.calls.clear()
    (expected, expected_calls), (result, calls) = results
    assert torch.equal(result, expected)
    assert len(calls) == len(expected_calls)
    for call, expected_call in zip(calls, expected_calls, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(call, expected_call, strict=True))


def test_derived_levels_are_not_in_the_state_dict():
    assert set(build_denoiser(Recorder(zeros), STUDY).state_dict()) == {"network.weight"}
