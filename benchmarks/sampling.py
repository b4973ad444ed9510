"""Guided sampling in few steps, compared with the 1000 steps of the study's sampler."""

from __future__ import annotations

import torch

from benchmarks.pairs import Pair, time_pair
from heliosynth.config.loading import presets
from heliosynth.config.models import (
    ModernUnetConfig,
    PreconditionedConfig,
    VariancePreservingConfig,
)
from heliosynth.diffusion import samplers
from heliosynth.diffusion.denoiser import Guided, build_denoiser
from heliosynth.diffusion.noise import SampleNoise
from heliosynth.models import build_network

SIZE_PX, BATCH, CONDITION_DIM = 32, 2, 6


def run(runs: int = 2) -> list[Pair]:
    """Time the samplers of the presets `quick` and `study` on the same network.

    The quality of the images is measured by the workflow, not here.
    """
    quick, study = presets()["ddpm"]["quick"], presets()["ddpm"]["study"]
    network = build_network(ModernUnetConfig(**quick["network"]), SIZE_PX, CONDITION_DIM)
    ours = build_denoiser(network, PreconditionedConfig(**quick["denoiser"]))
    peer = build_denoiser(network, VariancePreservingConfig(**study["denoiser"]))

    def sample(denoiser, sampling: dict) -> torch.Tensor:
        noise = SampleNoise(list(range(BATCH)))
        sigmas = denoiser.sigmas(sampling["steps"])
        condition = torch.ones(BATCH, CONDITION_DIM)
        x = sigmas[0] * noise.normal(1, SIZE_PX, SIZE_PX)
        guided = Guided(denoiser, sampling["guidance"])
        sampler = getattr(samplers, sampling["sampler"])
        return sampler(guided, x, sigmas, condition, noise)

    title = f"{BATCH} guided images, {SIZE_PX} px: {quick['sampling']['steps']} steps, 1000 steps"
    return [
        time_pair(
            title,
            lambda: sample(ours, quick["sampling"]),
            lambda: sample(peer, study["sampling"]),
            runs,
        )
    ]
