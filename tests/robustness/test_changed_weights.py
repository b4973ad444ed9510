"""Weights and checkpoints with a flipped bit or a missing end are rejected."""

import random
from pathlib import Path

import pytest
import torch

from heliosynth.errors import InputError
from heliosynth.training.checkpoint import Checkpoint, CheckpointFolder, Counters
from heliosynth.training.weights import read_weights, write_weights

pytestmark = pytest.mark.robustness
WEIGHTS = {
    "layer.weight": torch.arange(60.0).reshape(6, 10),
    "layer.half": torch.ones(7, dtype=torch.bfloat16),
    "layer.scale": torch.tensor(3.0),
}
METADATA = {"settings": '{"width": 4}'}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    write_weights(tmp_path / "weights.safetensors", WEIGHTS, METADATA)
    return tmp_path / "weights.safetensors"


def test_weights_and_metadata_survive_the_disk(weights: Path) -> None:
    tensors, metadata = read_weights(weights)
    torch.testing.assert_close(tensors, WEIGHTS, rtol=0, atol=0)
    assert metadata == METADATA


def test_equal_weights_are_equal_files(tmp_path: Path) -> None:
    metadata = {"settings": '{"width": 4}', "classes": "BCM"}
    files = [tmp_path / f"{n}.safetensors" for n in range(8)]
    for path in files:
        write_weights(path, WEIGHTS, metadata)
    assert len({path.read_bytes() for path in files}) == 1


def test_a_flipped_bit_in_any_byte_is_rejected_or_harmless(weights: Path) -> None:
    content, rng, harmless = weights.read_bytes(), random.Random(1), 0
    for index in range(len(content)):
        changed = bytearray(content)
        changed[index] ^= 1 << rng.randrange(8)
        weights.write_bytes(changed)
        try:
            tensors, metadata = read_weights(weights)
        except InputError as error:
            assert str(error).startswith(f"{weights}: ")  # noqa: PT017  (some bytes are blanks)
            continue
        harmless += 1
        torch.testing.assert_close(tensors, WEIGHTS, rtol=0, atol=0)
        assert metadata == METADATA
    assert harmless < 20


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_truncated_weights_are_rejected(weights: Path, share: float) -> None:
    content = weights.read_bytes()
    weights.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"weights\.safetensors.*retrain"):
        read_weights(weights)


def test_a_flipped_bit_in_a_checkpoint_is_rejected(tmp_path: Path) -> None:
    counters = Counters(2, 0.1, 0.1, 1 / 3, 7, None, None, ())
    folder = CheckpointFolder(tmp_path, {"seed": 1})
    folder.save(Checkpoint(WEIGHTS, {}, {}, {}, counters))
    (path,) = folder.path.glob("*.safetensors")
    content, rng = path.read_bytes(), random.Random(1)
    for index in range(0, len(content), 7):
        changed = bytearray(content)
        changed[index] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        assert folder.load() is None
    path.write_bytes(content)
    assert folder.load() is not None
