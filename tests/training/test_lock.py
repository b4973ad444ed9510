"""Two trainings of one model at a time: the second waits, and goes on from the first."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from heliosynth.config.models import DdpmConfig
from heliosynth.errors import OutOfTimeError
from heliosynth.training import lock
from heliosynth.training.distributed import Processes
from heliosynth.training.train_model import train_model
from training.test_resume import command, history

Rows = Callable[..., DdpmConfig]


def start(given: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(given, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def under_way(given: list[str], state: Path) -> subprocess.Popen[str]:
    training = start(given)
    while training.poll() is None and not list(state.glob("*/*.sha256")):
        time.sleep(0.01)
    return training


def test_of_two_trainings_at_once_the_second_takes_over_what_the_first_made(
    dataset: Path, ddpm_row: Rows, tmp_path: Path
) -> None:
    row, state = ddpm_row(images=1600, checkpoints=40), tmp_path / "state"
    first = under_way(command(dataset, row, state, tmp_path / "first"), state)
    second = start(command(dataset, row, state, tmp_path / "second"))
    assert first.communicate(timeout=100) is not None
    said = "".join(second.communicate(timeout=100))
    assert (first.returncode, second.returncode) == (0, 0), said
    assert f"m: waits for another training of it, process {first.pid} on " in said
    one, other = (tmp_path / name for name in ("first", "second"))
    torch.testing.assert_close(
        load_file(one / "weights.safetensors"), load_file(other / "weights.safetensors")
    )
    # It did not train again: even the seconds are those of the first.
    seconds = [json.loads((p / "training.json").read_text())["seconds"] for p in (one, other)]
    assert seconds[0] == seconds[1]
    assert history(one).equals(history(other))


def test_a_training_that_was_killed_keeps_nobody_waiting(
    dataset: Path, ddpm_row: Rows, tmp_path: Path
) -> None:
    row, state = ddpm_row(images=1600, checkpoints=40), tmp_path / "state"
    first = under_way(command(dataset, row, state, tmp_path / "first"), state)
    second = start(command(dataset, row, state, tmp_path / "second"))
    first.kill()
    first.communicate()
    second.communicate(timeout=100)
    assert second.returncode == 0
    train_model(dataset, "m", row, 1, tmp_path / "other", tmp_path / "straight")
    one, other = (load_file(tmp_path / n / "weights.safetensors") for n in ("second", "straight"))
    torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_a_training_waits_no_longer_than_its_job_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "LOOK_EVERY_S", 0.05)
    with lock.exclusive(tmp_path, "m", Processes()):
        began = time.monotonic()
        with (
            pytest.raises(OutOfTimeError, match="m: another training of it still goes on, submit"),
            lock.exclusive(tmp_path, "m", Processes(), began + 0.3),
        ):
            pytest.fail("two at once")
        assert 0.3 <= time.monotonic() - began < 5
    with lock.exclusive(tmp_path, "m", Processes(), deadline=0):
        pass
