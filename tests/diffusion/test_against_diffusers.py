"""The samplers compared with the schedulers of diffusers, step by step.

The schedulers use the variance-preserving x_t = √ᾱ_t x, the samplers x = x0 + σ n. Every step is
compared as x_t.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from diffusers.schedulers import (
    scheduling_ddim,
    scheduling_ddpm,
    scheduling_dpmsolver_multistep,
)

from heliosynth.config.models import VariancePreservingConfig
from heliosynth.diffusion.denoiser import build_denoiser
from heliosynth.diffusion.noise import SampleNoise
from heliosynth.diffusion.samplers import ddim, ddpm, dpm_solver_2m
from heliosynth.diffusion.schedules import linear_sigmas, subset

BETAS = {"beta_first": 1e-4, "beta_last": 0.02}
SEEDS, SIZE = (3, 14, 15), 4
LABELS = torch.tensor([[-1.0], [0.0], [1.0]], dtype=torch.float64)
ETAS = pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
SCHEDULES = pytest.mark.parametrize(
    ("noise_steps", "steps"), [(50, 50), (1000, 1000), (1000, 100), (1000, 37), (1000, 10)]
)


class Waves(torch.nn.Module):
    """A noise network in closed form: nonlinear, mixes pixels, depends on step and label."""

    def forward(self, x, step, label):
        phase = 0.01 * step.view(-1, 1, 1, 1) + label.view(-1, 1, 1, 1)
        neighbours = x.roll(1, 2) + x.roll(-1, 3)
        return 0.9 * x + 0.2 * torch.sin(3 * x + phase) - 0.1 * neighbours.tanh()


class DoublePrecision:
    """A numerical module in which ``float32`` means ``float64``."""

    def __init__(self, module):
        self.module, self.float32 = module, module.float64

    def __getattr__(self, name):
        return getattr(self.module, name)


@pytest.fixture(autouse=True)
def double_precision(monkeypatch):
    """Make diffusers compute in double precision.

    In float32, ᾱ_t and x_t of its DPM-Solver have errors of 1e-5.
    """
    for module in (scheduling_ddpm, scheduling_ddim, scheduling_dpmsolver_multistep):
        monkeypatch.setattr(module, "torch", DoublePrecision(torch))
        monkeypatch.setattr(module, "np", DoublePrecision(np))


@pytest.fixture
def noise():
    return SampleNoise(SEEDS)


def levels(noise_steps):
    return linear_sigmas(noise_steps, **BETAS)


def visited(noise_steps, sigmas):
    """Return the steps t whose levels a sampler visits."""
    return np.searchsorted(levels(noise_steps), sigmas[:-1]).tolist()


def variance_preserving(x, sigma):
    return x / (1 + sigma**2) ** 0.5


def sampler_steps(sampler, noise_steps, sigmas):
    """Return x_t of every step, the last one without noise."""
    config = VariancePreservingConfig(kind="variance_preserving", noise_steps=noise_steps, **BETAS)
    denoiser = build_denoiser(Waves(), config).double()
    steps = []

    def recorder(x, sigma, label):
        steps.append(variance_preserving(x, sigma[0]))
        return denoiser(x, sigma, label)

    noise = SampleNoise(SEEDS)
    start = sigmas[0] * noise.normal(1, SIZE, SIZE).double()
    end = sampler(recorder, start, torch.from_numpy(sigmas), LABELS, noise)
    return torch.stack([*steps, end])


def scheduler_steps(scheduler, noise_steps, sigmas, noise, options=None):
    """Return x_t of every step, from the same start and, with ``options``, with the same noise."""
    x = variance_preserving(sigmas[0] * noise.normal(1, SIZE, SIZE).double(), sigmas[0])
    steps = [x]
    for number, step in zip(scheduler.timesteps, visited(noise_steps, sigmas), strict=True):
        predicted = Waves()(x, torch.full((len(x),), float(step)), LABELS)
        keywords = options(x) if options else {}
        x = scheduler.step(predicted, number, x, **keywords, return_dict=False)[0]
        steps.append(x)
    return torch.stack(steps)


def assert_same_steps(result, expected):
    torch.testing.assert_close(result, expected, atol=1e-6, rtol=0.0)


@pytest.mark.parametrize("noise_steps", [50, 1000])
def test_the_linear_schedule_equals_that_of_diffusers(noise_steps):
    signal = scheduling_ddpm.DDPMScheduler(noise_steps).alphas_cumprod
    np.testing.assert_allclose(1 / (1 + levels(noise_steps) ** 2), signal, rtol=1e-12)


# One step is left out: diffusers starts it at t = 0, where an image has almost no noise.
@pytest.mark.parametrize("steps", [2, 3, 10, 37, 100, 999, 1000])
def test_a_subset_has_the_linear_spacing_of_diffusers(steps):
    scheduler = scheduling_ddpm.DDPMScheduler(1000, timestep_spacing="linspace")
    scheduler.set_timesteps(steps)
    assert visited(1000, subset(levels(1000), steps)) == scheduler.timesteps.tolist()


@SCHEDULES
def test_ddpm_takes_the_steps_of_diffusers(noise_steps, steps, noise, monkeypatch):
    monkeypatch.setattr(
        scheduling_ddpm, "randn_tensor", lambda shape, **_: noise.normal(*shape[1:]).double()
    )
    sigmas = subset(levels(noise_steps), steps)
    scheduler = scheduling_ddpm.DDPMScheduler(
        noise_steps, variance_type="fixed_small", clip_sample=False, thresholding=False
    )
    scheduler.set_timesteps(timesteps=visited(noise_steps, sigmas))
    assert_same_steps(
        sampler_steps(ddpm, noise_steps, sigmas),
        scheduler_steps(scheduler, noise_steps, sigmas, noise),
    )


@ETAS
@SCHEDULES
def test_ddim_takes_the_steps_of_diffusers(noise_steps, steps, eta, noise):
    """Song et al. (2021, section 4.2) step from one level of the subset to the next.

    diffusers steps from t to t − T/S instead (integers). These are the levels of the subset only
    if it has all levels, or "leading" ones. So the subset is passed as the full schedule.
    """
    sigmas = subset(levels(noise_steps), steps)
    signal = 1 / (1 + sigmas[::-1] ** 2)
    scheduler = scheduling_ddim.DDIMScheduler(
        steps, trained_betas=1 - signal[1:] / signal[:-1], clip_sample=False
    )
    scheduler.set_timesteps(steps)
    assert_ddim_takes_the_steps_of(scheduler, noise_steps, sigmas, eta, noise)


@ETAS
@pytest.mark.parametrize("steps", [100, 10])
def test_ddim_takes_the_leading_steps_of_diffusers(steps, eta, noise):
    scheduler = scheduling_ddim.DDIMScheduler(
        1000, clip_sample=False, timestep_spacing="leading", set_alpha_to_one=True
    )
    scheduler.set_timesteps(steps)
    sigmas = np.append(levels(1000)[scheduler.timesteps], 0.0)
    assert_ddim_takes_the_steps_of(scheduler, 1000, sigmas, eta, noise)


def assert_ddim_takes_the_steps_of(scheduler, noise_steps, sigmas, eta, noise):
    def options(x):
        return {"eta": eta, "variance_noise": noise.like(x) if eta else None}

    assert_same_steps(
        sampler_steps(functools.partial(ddim, eta=eta), noise_steps, sigmas),
        scheduler_steps(scheduler, noise_steps, sigmas, noise, options),
    )


@SCHEDULES
def test_dpm_solver_takes_the_steps_of_diffusers(noise_steps, steps, noise):
    """DPM-Solver++(2M), midpoint, with first and last steps of first order."""
    sigmas = subset(levels(noise_steps), steps)
    scheduler = scheduling_dpmsolver_multistep.DPMSolverMultistepScheduler(
        noise_steps,
        algorithm_type="dpmsolver++",
        solver_order=2,
        solver_type="midpoint",
        lower_order_final=True,
        final_sigmas_type="zero",
    )
    scheduler.set_timesteps(timesteps=visited(noise_steps, sigmas))
    np.testing.assert_allclose(scheduler.sigmas, sigmas, rtol=1e-12)
    assert_same_steps(
        sampler_steps(dpm_solver_2m, noise_steps, sigmas),
        scheduler_steps(scheduler, noise_steps, sigmas, noise),
    )
