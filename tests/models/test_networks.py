"""The two U-Nets of the diffusion models."""

from __future__ import annotations

import pytest
import torch

from factories.networks import MODERN_UNET, STUDY_UNET
from heliosynth.config.models import StudyUnetConfig
from heliosynth.errors import InputError
from heliosynth.models import build_network

SMALL_STUDY = StudyUnetConfig(kind="study_unet", widths=[4, 8, 8, 8], embedding_dim=8)
SMALL_MODERN = MODERN_UNET.model_copy(
    update={"width": 8, "multipliers": [1, 2], "blocks": 1, "embedding_dim": 8}
)
SMALL = pytest.mark.parametrize("config", [SMALL_STUDY, SMALL_MODERN], ids=["study", "modern"])


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def randomised(config, image_size=16, condition_dim=6):
    """Build a network and add noise to all parameters, also to those that start at zero."""
    torch.manual_seed(0)
    network = build_network(config, image_size, condition_dim)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def test_study_unet_has_23_million_parameters():
    with torch.device("meta"):
        network = build_network(STUDY_UNET, 64, 6)
    assert 23.2e6 < parameters(network) < 23.5e6


def test_modern_unet_has_3_million_parameters():
    with torch.device("meta"):
        network = build_network(MODERN_UNET, 64, 6)
    assert 2.5e6 < parameters(network) < 4e6


@SMALL
@pytest.mark.parametrize("size", [32, 64, 128])
def test_images_keep_their_size(config, size):
    network = build_network(config, size, 6)
    x = torch.randn(1, 1, size, size)
    with torch.no_grad():
        assert network(x, torch.tensor([3.0]), torch.zeros(1, 6)).shape == x.shape


@SMALL
def test_images_of_a_batch_do_not_mix(config):
    network = randomised(config)
    x, label, condition = torch.randn(3, 1, 16, 16), torch.rand(3), torch.randn(3, 6)
    together = network(x, label, condition)
    alone = torch.cat(
        [network(x[i : i + 1], label[i : i + 1], condition[i : i + 1]) for i in range(3)]
    )
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


def test_modern_unet_output_depends_on_the_position():
    network = randomised(SMALL_MODERN, 128)
    with torch.no_grad():
        output = network(torch.zeros(1, 1, 128, 128), torch.zeros(1), torch.zeros(1, 6))
    # The border does not affect the centre. Patches are 2 × 2 px, hence every second pixel.
    assert output[..., 56:72:2, 56:72:2].std() > 1e-3


@SMALL
def test_output_depends_on_noise_level_and_condition(config):
    network = randomised(config)
    x, label, condition = torch.randn(1, 1, 16, 16), torch.tensor([0.5]), torch.ones(1, 6)
    base = network(x, label, condition)
    assert not torch.allclose(base, network(x, label + 0.5, condition))
    assert not torch.allclose(base, network(x, label, 0 * condition))


@SMALL
def test_no_label_adds_nothing(config):
    network = randomised(config)
    bias_free = [m for m in network.modules() if isinstance(m, torch.nn.Linear) and m.bias is None]
    assert len(bias_free) == 1
    assert not bias_free[0](torch.zeros(1, 6)).any()


@SMALL
def test_every_parameter_has_a_gradient(config):
    network = randomised(config)
    network(torch.randn(2, 1, 16, 16), torch.rand(2), torch.randn(2, 6)).square().mean().backward()
    without_gradient = [
        name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().any()
    ]
    assert without_gradient == []


def test_modern_unet_outputs_zero_before_training():
    network = build_network(SMALL_MODERN, 16, 6)
    assert not network(torch.randn(2, 1, 16, 16), torch.rand(2), torch.ones(2, 6)).any()


def test_attention_connects_opposite_corners():
    """A pixel changes the opposite corner; convolutions alone do not reach so far."""
    network = randomised(SMALL_MODERN, image_size=64)
    x = torch.randn(1, 1, 64, 64)
    changed = x.clone()
    changed[..., 0, 0] += 5
    label, condition = torch.tensor([0.5]), torch.ones(1, 6)
    difference = network(changed, label, condition) - network(x, label, condition)
    assert difference[..., -1, -1].abs() > 0


@pytest.mark.parametrize(("config", "size"), [(STUDY_UNET, 20), (MODERN_UNET, 20)])
def test_an_image_size_that_does_not_fit_is_rejected(config, size):
    with pytest.raises(InputError, match=r"image_size_px: 20 px do not fit.*multiple of 8"):
        build_network(config, size, 6)
