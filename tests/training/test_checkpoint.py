"""A state comes back as it was, and a torn one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from heliosynth.training.checkpoint import (
    Checkpoint,
    Counters,
    StateFolder,
    flatten_optimiser,
    restore_optimiser,
)

ROW = {"images": 8.0, "seconds": 1 / 3, "train_loss": 0.1, "val_loss": None, "learning_rate": 1e-3}


def checkpoint(step: int) -> Checkpoint:
    counters = Counters(step, 0.1 + step, 0.1, 1 / 3, 7, None, None, (ROW,))
    tensors = {"layer.weight": torch.full((2, 2), float(step))}
    average = {name: tensor.clone() for name, tensor in tensors.items()}
    return Checkpoint(tensors, average, {}, {"0.step": torch.tensor(3.0)}, counters)


def test_a_checkpoint_comes_back_exactly(tmp_path: Path) -> None:
    state = StateFolder(tmp_path, {"seed": 1})
    state.write(checkpoint(5))
    found = StateFolder(tmp_path, {"seed": 1}).read()
    assert found is not None
    assert found.counters == checkpoint(5).counters
    torch.testing.assert_close(found.weights, checkpoint(5).weights, rtol=0, atol=0)
    assert found.best == {}
    assert found.optimiser["0.step"] == 3


@pytest.mark.parametrize("damage", ["cut", "bit", "no checksum", "empty"])
def test_a_torn_checkpoint_is_refused_and_the_one_before_is_taken(
    tmp_path: Path, damage: str
) -> None:
    state = StateFolder(tmp_path, {})
    state.write(checkpoint(1))
    state.write(checkpoint(2))
    newest = state.path / "0000000002.safetensors"
    content = newest.read_bytes()
    if damage == "no checksum":
        newest.with_suffix(".sha256").unlink()
    else:
        torn = {"cut": content[:-3], "bit": content[:-1] + b"\x01", "empty": b""}
        newest.write_bytes(torn[damage])
    found = state.read()
    assert found is not None
    assert found.counters.step == 1


def test_only_the_newest_two_are_held_and_one_when_finished(tmp_path: Path) -> None:
    state = StateFolder(tmp_path, {})
    for step in (1, 2, 3):
        state.write(checkpoint(step))
    assert {p.stem for p in state.path.iterdir()} == {"0000000002", "0000000003"}
    state.finish()
    assert {p.stem for p in state.path.iterdir()} == {"0000000003"}


def test_another_training_has_another_folder(tmp_path: Path) -> None:
    StateFolder(tmp_path, {"learning_rate": 1e-3}).write(checkpoint(1))
    assert StateFolder(tmp_path, {"learning_rate": 2e-3}).read() is None


def test_what_a_killed_writer_left_is_cleared(tmp_path: Path) -> None:
    leftover = StateFolder(tmp_path, {}).path / ".unfinished-abc"
    leftover.mkdir()
    assert StateFolder(tmp_path, {}).read() is None
    assert not leftover.exists()


def test_the_optimiser_goes_on_as_if_it_had_not_stopped() -> None:
    def steps(weight: torch.nn.Parameter, optimiser: torch.optim.AdamW, count: int) -> None:
        for _ in range(count):
            optimiser.zero_grad()
            (weight**3).sum().backward()
            optimiser.step()

    straight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    whole = torch.optim.AdamW([straight], fused=True)
    steps(straight, whole, 2)
    resumed = torch.nn.Parameter(straight.detach().clone())
    fresh = torch.optim.AdamW([resumed], fused=True)
    restore_optimiser(fresh, {k: v.clone() for k, v in flatten_optimiser(whole).items()})
    steps(straight, whole, 3)
    steps(resumed, fresh, 3)
    torch.testing.assert_close(straight, resumed, rtol=0, atol=0)
