"""Weights with a bit changed or the end cut off are refused by name."""

import random
from pathlib import Path

import pytest
import torch

from heliosynth.errors import InputError
from heliosynth.training.checkpoint import Checkpoint, Counters, StateFolder
from heliosynth.training.weights import read_weights, write_weights

pytestmark = pytest.mark.robustness

WEIGHTS = {
    "layer.weight": torch.arange(60.0).reshape(6, 10),
    "layer.half": torch.ones(7, dtype=torch.bfloat16),
    "layer.scale": torch.tensor(3.0),
}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    write_weights(tmp_path / "weights.safetensors", WEIGHTS, {"settings": '{"width": 4}'})
    return tmp_path / "weights.safetensors"


def test_weights_come_back_with_what_is_said_of_them(weights: Path) -> None:
    found, about = read_weights(weights)
    torch.testing.assert_close(found, WEIGHTS, rtol=0, atol=0)
    assert about == {"settings": '{"width": 4}'}


def test_the_same_weights_are_the_same_file(tmp_path: Path) -> None:
    about = {"settings": '{"width": 4}', "classes": "BCM"}
    files = [tmp_path / f"{n}.safetensors" for n in range(8)]
    for path in files:
        write_weights(path, WEIGHTS, about)
    assert len({path.read_bytes() for path in files}) == 1


def test_weights_with_any_byte_changed_are_refused_or_the_same(weights: Path) -> None:
    content, rng, kept = weights.read_bytes(), random.Random(1), 0
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << rng.randrange(8)
        weights.write_bytes(changed)
        try:
            found, about = read_weights(weights)
        except InputError as error:
            assert str(error).startswith(f"{weights}: ")  # noqa: PT017  (some bytes are blanks)
            continue
        kept += 1
        torch.testing.assert_close(found, WEIGHTS, rtol=0, atol=0)
        assert about == {"settings": '{"width": 4}'}
    assert kept < 20


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_weights_without_their_end_are_refused(weights: Path, share: float) -> None:
    content = weights.read_bytes()
    weights.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"weights\.safetensors.*train it again"):
        read_weights(weights)


def test_a_checkpoint_with_any_byte_changed_is_never_gone_on_with(tmp_path: Path) -> None:
    counters = Counters(2, 0.1, 0.1, 1 / 3, 7, None, None, ())
    state = StateFolder(tmp_path, {"seed": 1})
    state.write(Checkpoint(WEIGHTS, {}, {}, {}, counters))
    (path,) = state.path.glob("*.safetensors")
    content, rng = path.read_bytes(), random.Random(1)
    for place in range(0, len(content), 7):
        changed = bytearray(content)
        changed[place] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        assert state.read() is None
    path.write_bytes(content)
    assert state.read() is not None
