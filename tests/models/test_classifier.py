"""The classifier of the evaluation and the DeiT of the downstream task."""

import pytest
import torch

from factories.training import deit_config
from heliosynth.config.evaluation import ClassifierConfig
from heliosynth.errors import InputError
from heliosynth.models.classifier import build_classifier, build_deit

CLASSIFIER = ClassifierConfig(epochs=1, batch_size=2, learning_rate=1e-3, width=8)
DEIT = deit_config(depth=3)


@pytest.mark.parametrize("size", [8, 32, 64, 128])
def test_the_classifier_takes_images_of_any_size(size):
    assert build_classifier(CLASSIFIER, 4)(torch.zeros(3, 1, size, size)).shape == (3, 4)


def test_logits_do_not_depend_on_the_batch():
    classifier, images = build_classifier(CLASSIFIER, 4), torch.randn(4, 1, 16, 16)
    torch.testing.assert_close(classifier(images)[1:2], classifier(images[1:2]))


def test_logits_depend_on_the_brightness_of_an_image():
    classifier = build_classifier(CLASSIFIER, 4)
    dim, bright = (classifier(torch.full((1, 1, 16, 16), level)) for level in (0.2, 0.8))
    assert not torch.allclose(dim, bright, atol=1e-3)


def test_the_deit_has_the_configured_shape():
    network = build_deit(DEIT, 16, 3)
    assert network(torch.zeros(2, 1, 16, 16)).shape == (2, 3)
    assert len(network.blocks) == 3
    assert network.blocks[0].attn.num_heads == 2
    # 16 patches and the class token.
    assert network.pos_embed.shape == (1, 17, 24)


def test_the_initial_deit_depends_only_on_the_seed():
    torch.manual_seed(0)
    first = build_deit(DEIT, 16, 3)
    torch.manual_seed(0)
    again = build_deit(DEIT, 16, 3)
    other = build_deit(DEIT, 16, 3)
    images = torch.randn(2, 1, 16, 16)
    torch.testing.assert_close(first(images), again(images))
    assert not torch.allclose(first.patch_embed.proj.weight, other.patch_embed.proj.weight)


@pytest.mark.parametrize(
    ("change", "key"), [({"patch_px": 5}, "patch_px"), ({"heads": 5}, "embedding_dim")]
)
def test_a_shape_that_does_not_fit_is_rejected(change, key):
    with pytest.raises(InputError, match=rf"application\.{key}"):
        build_deit(DEIT.model_copy(update=change), 16, 3)
