"""The classifier of the evaluation."""

import pytest
import torch

from heliosynth.config.evaluation import ClassifierConfig
from heliosynth.models.classifier import build_classifier

CLASSIFIER = ClassifierConfig(epochs=1, batch_size=2, learning_rate=1e-3, width=8)


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
