"""A checkpoint is read as it was written, and a corrupt one is rejected."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from heliosynth.training.checkpoint import Checkpoint, CheckpointFolder, Counters

ROW = {"images": 8.0, "seconds": 1 / 3, "train_loss": 0.1, "val_loss": None, "learning_rate": 1e-3}


def make_checkpoint(step: int) -> Checkpoint:
    weights = {"layer.weight": torch.full((2, 2), float(step))}
    return Checkpoint(
        weights=weights,
        ema={name: tensor / 2 for name, tensor in weights.items()},
        best={},
        optimiser={0: {"step": torch.tensor(3.0)}},
        counters=Counters(
            step=step,
            seconds=0.1 + step,
            spent=0.1,
            loss_sum=1 / 3,
            loss_steps=7,
            best_step=None,
            best_loss=None,
            history=(ROW,),
        ),
    )


def test_a_checkpoint_is_read_exactly(tmp_path: Path) -> None:
    CheckpointFolder(tmp_path, {"seed": 1}).save(make_checkpoint(5))
    result = CheckpointFolder(tmp_path, {"seed": 1}).load()
    assert result is not None
    assert result.counters == make_checkpoint(5).counters
    torch.testing.assert_close(result.weights, make_checkpoint(5).weights, rtol=0, atol=0)
    torch.testing.assert_close(result.ema, make_checkpoint(5).ema, rtol=0, atol=0)
    assert result.best == {}
    assert result.optimiser == {0: {"step": torch.tensor(3.0)}}


@pytest.mark.parametrize("damage", ["cut", "bit", "zeros", "empty"])
def test_after_a_corrupt_checkpoint_the_previous_is_used(
    tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = CheckpointFolder(tmp_path, {})
    folder.save(make_checkpoint(1))
    folder.save(make_checkpoint(2))
    newest = folder.path / "0000000002.safetensors"
    content = newest.read_bytes()
    damaged = {
        "cut": content[:-3],
        "bit": content[:-1] + b"\x01",
        "zeros": bytes(len(content)),
        "empty": b"",
    }
    newest.write_bytes(damaged[damage])
    result = folder.load()
    assert result is not None
    assert result.counters.step == 1
    assert capsys.readouterr().out == f"{newest}: corrupt; using the previous checkpoint\n"


def test_corrupt_checkpoints_do_not_push_out_new_ones(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, {})
    for step in (8, 9):
        folder.save(make_checkpoint(step))
    for path in folder.path.iterdir():
        path.write_bytes(b"")
    assert folder.load() is None
    for step in (1, 2):
        folder.save(make_checkpoint(step))
        result = folder.load()
        assert result is not None
        assert result.counters.step == step
    assert {path.stem for path in folder.path.iterdir()} == {"0000000001", "0000000002"}


def test_the_newest_two_are_kept_and_one_when_finished(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, {})
    for step in (1, 2, 3):
        folder.save(make_checkpoint(step))
    assert {path.stem for path in folder.path.iterdir()} == {"0000000002", "0000000003"}
    folder.finish()
    assert {path.stem for path in folder.path.iterdir()} == {"0000000003"}


def test_another_training_has_another_folder(tmp_path: Path) -> None:
    CheckpointFolder(tmp_path, {"learning_rate": 1e-3}).save(make_checkpoint(1))
    assert CheckpointFolder(tmp_path, {"learning_rate": 2e-3}).load() is None


def test_temporary_files_of_a_killed_training_are_deleted(tmp_path: Path) -> None:
    leftover = CheckpointFolder(tmp_path, {}).path / ".unfinished-abc"
    leftover.mkdir()
    assert CheckpointFolder(tmp_path, {}).load() is None
    assert not leftover.exists()
