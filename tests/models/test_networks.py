"""The two U-Nets of the diffusion models."""

from __future__ import annotations

import pytest
import torch

from heliosynth.config.models import ModernUnetConfig, StudyUnetConfig
from heliosynth.errors import InputError
from heliosynth.models import build_network

STUDY = StudyUnetConfig(kind="study_unet", widths=[64, 128, 256, 256], embedding_dim=256)
SMALL_STUDY = StudyUnetConfig(kind="study_unet", widths=[4, 8, 8, 8], embedding_dim=8)
MODERN = ModernUnetConfig(
    kind="modern_unet",
    patch_px=2,
    width=32,
    multipliers=[1, 2, 4],
    blocks=2,
    attention_levels=1,
    embedding_dim=128,
)
SMALL_MODERN = MODERN.model_copy(
    update={"width": 8, "multipliers": [1, 2], "blocks": 1, "embedding_dim": 8}
)
SMALL = pytest.mark.parametrize("settings", [SMALL_STUDY, SMALL_MODERN], ids=["study", "modern"])


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def shaken(settings, image_size=16, condition_dim=6):
    """Build a network whose zero-initialised layers are no longer zero."""
    torch.manual_seed(0)
    network = build_network(settings, image_size, condition_dim)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def test_the_study_has_its_published_size():
    with torch.device("meta"):
        network = build_network(STUDY, 64, 6)
    assert 23.2e6 < parameters(network) < 23.5e6


def test_the_modern_network_is_small():
    with torch.device("meta"):
        network = build_network(MODERN, 64, 6)
    assert 2.5e6 < parameters(network) < 4e6


@SMALL
@pytest.mark.parametrize("size", [32, 64, 128])
def test_images_keep_their_size(settings, size):
    network = build_network(settings, size, 6)
    x = torch.randn(1, 1, size, size)
    with torch.no_grad():
        assert network(x, torch.tensor([3.0]), torch.zeros(1, 6)).shape == x.shape


@SMALL
def test_images_of_a_batch_do_not_mix(settings):
    network = shaken(settings)
    x, label, condition = torch.randn(3, 1, 16, 16), torch.rand(3), torch.randn(3, 6)
    together = network(x, label, condition)
    alone = torch.cat(
        [network(x[i : i + 1], label[i : i + 1], condition[i : i + 1]) for i in range(3)]
    )
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


def test_the_modern_network_knows_places_far_from_the_border():
    network = shaken(SMALL_MODERN, 128)
    with torch.no_grad():
        answer = network(torch.zeros(1, 1, 128, 128), torch.zeros(1), torch.zeros(1, 6))
    # The border reaches no pixel of the middle; every other one, since patches are of 2 px.
    assert answer[..., 56:72:2, 56:72:2].std() > 1e-3


@SMALL
def test_noise_level_and_condition_matter(settings):
    network = shaken(settings)
    x, label, condition = torch.randn(1, 1, 16, 16), torch.tensor([0.5]), torch.ones(1, 6)
    base = network(x, label, condition)
    assert not torch.allclose(base, network(x, label + 0.5, condition))
    assert not torch.allclose(base, network(x, label, 0 * condition))


@SMALL
def test_no_label_adds_nothing(settings):
    network = shaken(settings)
    bias_free = [m for m in network.modules() if isinstance(m, torch.nn.Linear) and m.bias is None]
    assert len(bias_free) == 1
    assert not bias_free[0](torch.zeros(1, 6)).any()


@SMALL
def test_every_parameter_learns(settings):
    network = shaken(settings)
    network(torch.randn(2, 1, 16, 16), torch.rand(2), torch.randn(2, 6)).square().mean().backward()
    idle = [
        name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().any()
    ]
    assert idle == []


def test_the_modern_network_starts_at_zero():
    network = build_network(SMALL_MODERN, 16, 6)
    assert not network(torch.randn(2, 1, 16, 16), torch.rand(2), torch.ones(2, 6)).any()


def test_attention_sees_the_whole_image():
    """A pixel in one corner changes the far corner: only through attention in so few layers."""
    network = shaken(SMALL_MODERN, image_size=64)
    x = torch.randn(1, 1, 64, 64)
    changed = x.clone()
    changed[..., 0, 0] += 5
    label, condition = torch.tensor([0.5]), torch.ones(1, 6)
    difference = network(changed, label, condition) - network(x, label, condition)
    assert difference[..., -1, -1].abs() > 0


@pytest.mark.parametrize(("settings", "size"), [(STUDY, 20), (MODERN, 20)])
def test_a_size_that_does_not_fit_is_named(settings, size):
    with pytest.raises(InputError, match=r"image_size_px is 20.*multiple of 8"):
        build_network(settings, size, 6)
