"""Samplers, applied to optimal denoisers in closed form."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch

from heliosynth.config.models import SAMPLERS
from heliosynth.diffusion import samplers
from heliosynth.diffusion.noise import SampleNoise
from heliosynth.diffusion.samplers import ddim, ddpm, dpm_solver_2m, heun
from heliosynth.diffusion.schedules import karras_sigmas, linear_sigmas, subset

ALL = [*(getattr(samplers, name) for name in SAMPLERS), functools.partial(ddim, eta=0.5)]


# Numbers of steps at which the discretisation error is below the sampling error.
STEPS_TO_MOMENTS = [
    pytest.param(ddpm, 300, id="ddpm"),
    pytest.param(ddim, 300, id="ddim"),
    pytest.param(functools.partial(ddim, eta=1.0), 300, id="ddim_1"),
    pytest.param(heun, 50, id="heun"),
    pytest.param(dpm_solver_2m, 50, id="dpm_solver_2m"),
]


def levels(steps, sigma_min=0.002, sigma_max=80.0):
    return torch.from_numpy(karras_sigmas(steps, sigma_min, sigma_max))


def sample(sampler, denoiser, sigmas, seeds, size=32, shift=0.0):
    noise = SampleNoise(seeds)
    condition = torch.full((len(noise), 2), shift, dtype=sigmas.dtype)
    start = sigmas[0] * noise.normal(1, size, size)
    return sampler(denoiser, start, sigmas, condition, noise)


@pytest.mark.parametrize("sampler", ALL)
def test_samples_have_the_mean_and_variance_of_a_gaussian(sampler, gaussian):
    # The variance of ancestral sampling is too small by an amount proportional to the step size.
    x = sample(sampler, gaussian, levels(600), range(16))
    error = (gaussian.variance / x.numel()) ** 0.5
    assert x.mean().item() == pytest.approx(gaussian.mean, abs=4 * error)
    assert x.var().item() == pytest.approx(gaussian.variance, rel=0.05)


@pytest.mark.parametrize("sampler", ALL)
def test_samples_have_the_weights_of_two_peaks(sampler, two_peaks):
    x = sample(sampler, two_peaks, levels(200), range(32))
    assert (x < 0).double().mean().item() == pytest.approx(0.3, abs=0.015)
    assert x.var().item() == pytest.approx(two_peaks.variance, rel=0.03)
    assert x[x > 0.1].std().item() == pytest.approx(two_peaks.deviation, rel=0.05)


@pytest.mark.parametrize(("sampler", "steps"), STEPS_TO_MOMENTS)
def test_samples_have_the_moments_of_a_4d_mixture(sampler, steps, patch_mixture):
    images = sample(sampler, patch_mixture, levels(steps), range(32))
    x = patch_mixture.patches(images).flatten(0, 1)
    centred = x - patch_mixture.mean
    assert_mean(x, patch_mixture.mean)
    assert_mean(centred[:, :, None] * centred[:, None, :], patch_mixture.covariance)
    assert_mean(patch_mixture.shares(x), patch_mixture.weights)


def test_ddpm_on_the_full_linear_schedule_samples_a_gaussian(gaussian):
    sigmas = torch.from_numpy(subset(linear_sigmas(1000, 1e-4, 0.02), 1000))
    x = sample(ddpm, gaussian, sigmas, range(16), size=24)
    assert x.mean().item() == pytest.approx(gaussian.mean, abs=0.03)
    assert x.var().item() == pytest.approx(gaussian.variance, rel=0.05)


@pytest.mark.parametrize("sampler", [ddim, heun, dpm_solver_2m])
def test_deterministic_samplers_converge_to_the_exact_flow(sampler, gaussian):
    sigmas = levels(400, sigma_min=0.5, sigma_max=5.0)[:-1]
    x = torch.linspace(-8, 8, 64, dtype=torch.float64).view(1, 1, 8, 8)
    condition = torch.zeros(1, 2, dtype=torch.float64)
    end = sampler(gaussian, x, sigmas, condition, SampleNoise([0]))
    np.testing.assert_allclose(end, exact_flow(gaussian, x, sigmas), atol=0.02)


@pytest.mark.parametrize(("sampler", "order"), [(ddim, 1), (heun, 2), (dpm_solver_2m, 2)])
def test_the_order_of_convergence_is_the_published_one(sampler, order, gaussian):
    x = torch.linspace(-8, 8, 64, dtype=torch.float64).view(1, 1, 8, 8)
    condition = torch.zeros(1, 2, dtype=torch.float64)
    errors = []
    for steps in (41, 81):
        # Levels even in ln σ, so that all steps are halved, without the last step to 0.
        sigmas = torch.from_numpy(np.geomspace(5.0, 0.5, steps))
        end = sampler(gaussian, x, sigmas, condition, SampleNoise([0]))
        errors.append((end - exact_flow(gaussian, x, sigmas)).abs().max().item())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.2)


def test_second_order_samplers_beat_ddim_at_the_same_steps(two_peaks):
    exact = sample(heun, two_peaks, levels(600), range(4), size=16)
    error = {
        sampler: (sample(sampler, two_peaks, levels(30), range(4), size=16) - exact)
        .abs()
        .mean()
        .item()
        for sampler in (ddim, heun, dpm_solver_2m)
    }
    assert error[dpm_solver_2m] < error[ddim] / 2
    assert error[heun] < error[ddim] / 2


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_ddim_takes_the_published_step(eta, gaussian):
    """Song et al. (2021), equations 12 and 16, variance-preserving, step by step."""
    signal = np.cumprod(1 - np.linspace(1e-4, 0.02, 50))
    sigmas = torch.from_numpy(subset(linear_sigmas(50, 1e-4, 0.02), 50))
    result = sample(functools.partial(ddim, eta=eta), gaussian, sigmas, [3], size=4)
    noise = SampleNoise([3])
    x = sigmas[0] * noise.normal(1, 4, 4) * signal[-1] ** 0.5
    for t in range(49, -1, -1):
        now, before = signal[t], signal[t - 1] if t else 1.0
        sigma = torch.tensor([((1 - now) / now) ** 0.5], dtype=torch.float64)
        clean = gaussian(x / now**0.5, sigma, torch.zeros(1, 2))
        predicted = (x - now**0.5 * clean) / (1 - now) ** 0.5
        fresh = eta * ((1 - before) / (1 - now)) ** 0.5 * (1 - now / before) ** 0.5
        x = before**0.5 * clean + (1 - before - fresh**2) ** 0.5 * predicted
        if fresh > 0:
            x = x + fresh * noise.like(x)
    np.testing.assert_allclose(result, x, atol=1e-6)


def test_ddpm_is_ddim_with_full_noise(gaussian):
    ancestral = sample(ddpm, gaussian, levels(20), [1, 2], size=4)
    full = sample(functools.partial(ddim, eta=1.0), gaussian, levels(20), [1, 2], size=4)
    np.testing.assert_allclose(ancestral, full, atol=1e-6)


@pytest.mark.parametrize("sampler", ALL)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_image_is_bit_identical_in_any_batch(sampler, dtype, two_peaks):
    sigmas = levels(12).to(dtype)
    batch = sample(sampler, two_peaks, sigmas, range(7), size=8)
    parts = [
        sample(sampler, two_peaks, sigmas, part, size=8) for part in ([0, 1, 2], [3], [4, 5, 6])
    ]
    assert torch.equal(batch, torch.cat(parts))
    reversed_batch = sample(sampler, two_peaks, sigmas, range(6, -1, -1), size=8)
    assert torch.equal(batch, reversed_batch.flip(0))


def test_samples_depend_on_the_condition(gaussian):
    x = sample(dpm_solver_2m, gaussian, levels(50), range(8), shift=2.0)
    assert x.mean().item() == pytest.approx(gaussian.mean + 2, abs=0.05)


def test_progress_reports_every_step(gaussian):
    reported = []

    def progress(steps):
        for step in steps:
            reported.append(step)
            yield step

    noise = SampleNoise([0])
    x = 80.0 * noise.normal(1, 2, 2)
    heun(gaussian, x, levels(5), torch.zeros(1, 2), noise, progress=progress)
    assert reported == [0, 1, 2, 3, 4]


def assert_mean(values, expected):
    """Assert that the mean of independent values is within 4 standard errors of the expected."""
    error = values.std(0) / len(values) ** 0.5
    assert ((values.mean(0) - expected).abs() < 4 * error).all()


def exact_flow(gaussian, x, sigmas):
    """Solve dx/dσ = σ (x − μ)/(s² + σ²) for a Gaussian: x − μ is proportional to √(s² + σ²)."""
    mean, variance = gaussian.mean, gaussian.variance
    return mean + (x - mean) * ((variance + sigmas[-1] ** 2) / (variance + sigmas[0] ** 2)).sqrt()
