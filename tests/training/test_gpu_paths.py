"""What a training does on a GPU only, tried on the CPU: bfloat16, and a compiled network."""

from __future__ import annotations

import json

import pytest
import torch

from heliosynth.config.loading import presets
from heliosynth.training.objectives import build_objective
from heliosynth.training.trained_model import read_model_config

SMALL = {
    "study": {"network": {"kind": "study_unet", "widths": [8, 16, 16, 16], "embedding_dim": 16}},
    "modern": {"network": {"width": 8, "multipliers": [1, 2], "embedding_dim": 16}},
    "cevae": {"widths": [4, 8], "latent_dim": 5},
}
DIFFUSION = pytest.mark.parametrize("model", ["study", "modern"])


def objective_of(model):
    kind, preset = ("cevae", "study") if model == "cevae" else ("ddpm", model)
    row = {**presets()[kind][preset], "kind": kind}
    del row["sampling"]
    for name, small in SMALL[model].items():
        row[name] = {**row[name], **small} if isinstance(small, dict) else small
    row["training"] = {**row["training"], "images": 100}
    if kind == "ddpm":
        row["condition"] = {"kind": "goes_class"}
    torch.manual_seed(0)
    return build_objective(read_model_config(json.dumps(row)), 16)


def batch_for(objective):
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(4, 1, 16, 16, generator=generator) * 2 - 1
    dim = objective.encoder.dim if hasattr(objective, "encoder") else 0
    condition = torch.randn(4, dim, generator=generator)
    return images, condition, objective.draw(images.shape, generator)


def loss_and_gradients(objective, batch, *, bfloat16=False):
    objective.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        loss = objective.loss(*batch)
    loss.backward()
    # Layers that begin at zero keep those before them from having a gradient.
    gradients = [p.grad for p in objective.parameters() if p.grad is not None]
    return loss.detach(), torch.cat([gradient.flatten() for gradient in gradients])


@pytest.mark.parametrize("model", SMALL)
def test_bfloat16_keeps_the_loss_and_the_direction_of_its_gradient(model):
    objective = objective_of(model)
    batch = batch_for(objective)
    loss, gradient = loss_and_gradients(objective, batch)
    rounded, rounded_gradient = loss_and_gradients(objective, batch, bfloat16=True)
    assert rounded.dtype == torch.float32
    assert rounded == pytest.approx(loss.item(), rel=0.02)
    assert torch.cosine_similarity(gradient, rounded_gradient, dim=0) > 0.99
    assert not torch.equal(gradient, rounded_gradient), "nothing was computed in bfloat16"


@DIFFUSION
def test_the_network_compiles_without_a_break(model):
    objective = objective_of(model)
    batch = batch_for(objective)
    loss, gradient = loss_and_gradients(objective, batch)
    (network,) = objective.trunks()
    network.compile(backend="aot_eager", fullgraph=True)
    compiled, compiled_gradient = loss_and_gradients(objective, batch)
    assert compiled == pytest.approx(loss.item(), rel=1e-5)
    torch.testing.assert_close(compiled_gradient, gradient, rtol=1e-3, atol=1e-5)


@DIFFUSION
def test_a_compiled_network_has_the_same_weights(model):
    """So that what a GPU trained is what any machine loads."""
    objective = objective_of(model)
    names = list(objective.state_dict())
    for network in objective.trunks():
        network.compile(backend="aot_eager")
    assert list(objective.state_dict()) == names
