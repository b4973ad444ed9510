"""Code paths that only a GPU takes, on the CPU: bfloat16, and a compiled network."""

from __future__ import annotations

import json

import pytest
import torch

from heliosynth.config.loading import presets
from heliosynth.diffusion.denoiser import Noise
from heliosynth.training.objectives import (
    AutoencodingObjective,
    DenoisingObjective,
    build_objective,
)
from heliosynth.training.trained_model import read_model_config

SMALL = {
    "study": {"network": {"kind": "study_unet", "widths": [8, 16, 16, 16], "embedding_dim": 16}},
    "modern": {"network": {"width": 8, "multipliers": [1, 2], "blocks": 1, "embedding_dim": 16}},
    "cevae": {"widths": [4, 8], "latent_dim": 5},
}
"""Changes of presets that make their networks small."""
DIFFUSION = pytest.mark.parametrize("model", ["study", "modern"])

AnyObjective = DenoisingObjective | AutoencodingObjective
Batch = tuple[torch.Tensor, torch.Tensor, Noise]


def small_objective(model: str) -> AnyObjective:
    kind, preset = ("cevae", "study") if model == "cevae" else ("ddpm", model)
    content = {**presets()[kind][preset], "kind": kind}
    del content["sampling"]
    for name, small in SMALL[model].items():
        content[name] = {**content[name], **small} if isinstance(small, dict) else small
    content["training"] = {**content["training"], "images": 100}
    if kind == "ddpm":
        content["condition"] = {"kind": "goes_class"}
    torch.manual_seed(0)
    return build_objective(read_model_config(json.dumps(content)), 16)


def batch_for(objective: AnyObjective) -> Batch:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(4, 1, 16, 16, generator=generator) * 2 - 1
    dim = objective.encoder.dim if isinstance(objective, DenoisingObjective) else 0
    condition = torch.randn(4, dim, generator=generator)
    return images, condition, objective.sample_noise(images.shape, generator)


def loss_and_gradients(
    objective: AnyObjective, batch: Batch, *, bfloat16: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    objective.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        loss = objective.loss(*batch)
    loss.backward()
    # Layers that are initialised to zero leave those before them without a gradient.
    gradients = [p.grad for p in objective.parameters() if p.grad is not None]
    return loss.detach(), torch.cat([gradient.flatten() for gradient in gradients])


@pytest.mark.parametrize("model", SMALL)
def test_bfloat16_hardly_changes_loss_and_gradient(model: str) -> None:
    objective = small_objective(model)
    batch = batch_for(objective)
    loss, gradient = loss_and_gradients(objective, batch)
    rounded, rounded_gradient = loss_and_gradients(objective, batch, bfloat16=True)
    assert rounded.dtype == torch.float32
    assert rounded == pytest.approx(loss.item(), rel=0.02)
    assert torch.cosine_similarity(gradient, rounded_gradient, dim=0) > 0.99
    assert not torch.equal(gradient, rounded_gradient), "nothing was computed in bfloat16"


@pytest.mark.parametrize(
    ("model", "backend"),
    [
        ("modern", "aot_eager"),
        ("study", "eager"),
        # Traces the gradients of a larger network, which takes three times as long.
        pytest.param("study", "aot_eager", marks=pytest.mark.robustness),
    ],
)
def test_the_network_compiles_without_a_graph_break(model: str, backend: str) -> None:
    objective = small_objective(model)
    batch = batch_for(objective)
    loss, gradient = loss_and_gradients(objective, batch)
    (network,) = objective.compiled_modules()
    network.compile(backend=backend, fullgraph=True)
    compiled, compiled_gradient = loss_and_gradients(objective, batch)
    assert compiled == pytest.approx(loss.item(), rel=1e-5)
    torch.testing.assert_close(compiled_gradient, gradient, rtol=1e-3, atol=1e-5)


@DIFFUSION
def test_a_compiled_network_has_the_same_weight_names(model: str) -> None:
    """So that any machine can load what a GPU trained."""
    objective = small_objective(model)
    names = list(objective.state_dict())
    for network in objective.compiled_modules():
        network.compile(backend="aot_eager")
    assert list(objective.state_dict()) == names
