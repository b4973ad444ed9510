"""The context-encoding variational autoencoder."""

from __future__ import annotations

import pytest
import torch

from heliosynth.config.loading import presets
from heliosynth.config.models import CevaeConfig
from heliosynth.errors import InputError
from heliosynth.models.cevae import Cevae, mask_squares


def cevae_config(**changes):
    config = {**presets()["cevae"]["study"], "kind": "cevae"}
    config["training"] = {**config["training"], "images": 10}
    config["sampling"] = {**config["sampling"], "population": 10}
    small = {"widths": [4, 8], "latent_dim": 5}
    return CevaeConfig.model_validate({**config, **small, **changes})


@pytest.fixture
def images():
    return torch.rand(6, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_images_and_latents_have_the_configured_shapes(size):
    cevae = Cevae(cevae_config(), size)
    mean, log_variance = cevae.encode(torch.zeros(2, 1, size, size))
    assert mean.shape == log_variance.shape == (2, 5)
    assert cevae.latent_dim == 5
    assert cevae.decode(mean).shape == (2, 1, size, size)
    assert torch.equal(cevae.embed(torch.zeros(2, 1, size, size)), mean)


def test_the_cevae_of_the_study_has_15_million_parameters():
    with torch.device("meta"):
        cevae = Cevae(cevae_config(widths=[16, 64, 256, 1024], latent_dim=128), 64)
    assert sum(p.numel() for p in cevae.parameters()) == pytest.approx(15.3e6, rel=0.05)


def test_samples_stay_in_range():
    samples = Cevae(cevae_config(), 16).sample(100 * torch.randn(3, 5))
    assert samples.abs().max() <= 1


def loss_of(cevae, images, generator):
    return cevae.loss(images, cevae.sample_noise(images.shape, generator))


def masked(cevae, images, generator):
    noise = cevae.sample_noise(images.shape, generator)
    return mask_squares(images, noise["squares"], noise["filling"])


class ConstantCevae(Cevae):
    """A ceVAE with a fixed posterior that decodes every latent to one grey level."""

    def encode(self, x):
        return torch.full((len(x), 5), 0.6), torch.full((len(x), 5), -1.0)

    def decode(self, z):
        return torch.full((len(z), 1, 16, 16), 0.25)


@pytest.mark.parametrize("fraction", [0.0, 0.5, 1.0])
def test_the_loss_weights_reconstruction_and_context(fraction, images):
    cevae = ConstantCevae(cevae_config(context_fraction=fraction, beta=0.2), 16)
    absolute = (images - 0.25).abs().mean().item()
    divergence = 0.5 * (0.6**2 + torch.tensor(-1.0).exp().item() - 1 + 1)
    expected = (1 - fraction) * (absolute + 0.2 * divergence) + fraction * absolute
    assert loss_of(cevae, images, seeded()).item() == pytest.approx(expected, rel=1e-5)


def test_the_loss_depends_on_the_generator(images):
    cevae = Cevae(cevae_config(), 16)
    first, again, other = (loss_of(cevae, images, seeded(s)) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_training_learns_to_reconstruct_and_to_inpaint():
    torch.manual_seed(0)
    rows = torch.linspace(-1, 1, 16).view(1, 1, 16, 1).expand(16, 1, 16, 16)
    images = rows * torch.linspace(-1, 1, 16).view(-1, 1, 1, 1)
    cevae = Cevae(cevae_config(), 16)
    optimiser = torch.optim.Adam(cevae.parameters(), 5e-3)
    generator = seeded()
    for _ in range(100):
        optimiser.zero_grad()
        loss_of(cevae, images, generator).backward()
        optimiser.step()
    error = (cevae.decode(cevae.embed(images)) - images).abs().mean()
    filled = (cevae.decode(cevae.embed(masked(cevae, images, generator))) - images).abs().mean()
    # The error of the best constant image.
    baseline = (images - images.mean()).abs().mean()
    assert error < 0.35 * baseline
    assert filled < 0.7 * baseline


def test_masks_are_squares_of_noise():
    images = torch.full((200, 1, 64, 64), 5.0)
    filled = masked(Cevae(cevae_config(), 64), images, seeded())
    mask = filled != 5
    share = mask.float().mean((1, 2, 3))
    assert filled[mask].abs().max() <= 1
    assert share.min() >= 8**2 / 64**2
    assert share.max() <= 3 * 24**2 / 64**2
    assert share.std() > 0.03
    # Squares reach the borders, and their positions vary.
    assert mask[:, 0, 0, :].any()
    assert mask[:, 0, :, -1].any()
    assert mask.float().mean(0).max() < 0.6


def test_an_image_size_that_does_not_fit_is_rejected():
    with pytest.raises(InputError, match=r"image_size_px: 18 px do not fit.*multiple of 4"):
        Cevae(cevae_config(), 18)
