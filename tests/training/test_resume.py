"""Trainings as processes of their own: killed at chosen points, and divided between two ranks."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from factories.training import cevae_config, ddpm_config
from heliosynth.jobs.entry_point import TIME_UP_STATUS
from helpers.forked import fork, train_on_ranks
from helpers.hold import STEP
from helpers.training import (
    assert_same_model,
    on_cpu,
    read_history,
    train_command,
    train_on_cpu,
    train_until_killed,
)

KILLS = 10
POINTS = {
    STEP: 16,
    "heliosynth.training.trainer:Trainer.validate": 1,
    "heliosynth.training.trainer:Trainer.update_ema": 16,
    "heliosynth.training.checkpoint:write_weights": 4,
    "heliosynth.io.durable:sync_folder": 4,
}
"""Points at which a training is killed, each with the largest number of the call."""

TrainTwice = Callable[..., tuple[Path, Path]]


@pytest.mark.robustness
def test_ten_kills_do_not_change_the_weights(dataset: Path, tmp_path: Path) -> None:
    config = ddpm_config(images=1600, checkpoints=50, validations=20)
    checkpoints, killed = tmp_path / "checkpoints", tmp_path / "killed"
    rng = random.Random(5)
    for _ in range(KILLS):
        point = rng.choice(list(POINTS))
        call = rng.randint(1, POINTS[point])
        training = fork(train_until_killed, point, call, dataset, config, checkpoints, killed)
        training.join()
        assert training.exitcode == -signal.SIGKILL, (point, call)
        assert not (killed / "training.json").exists()
    train_on_cpu(dataset, config, checkpoints=checkpoints, output=killed)
    other = train_on_cpu(
        dataset, config, checkpoints=tmp_path / "other", output=tmp_path / "uninterrupted"
    )
    assert_same_model(killed, other)


@pytest.fixture(params=["ddpm", "cevae"])
def train_twice(request: pytest.FixtureRequest, dataset: Path, tmp_path: Path) -> TrainTwice:
    """Train a model on two ranks and on one, with the same batches; checkpoints are inside."""
    make_config = {"ddpm": ddpm_config, "cevae": cevae_config}[request.param]

    def train(**training: int) -> tuple[Path, Path]:
        config = make_config(**training, gpus=2)
        two, one = tmp_path / "two", tmp_path / "one"
        command = train_command(
            dataset, config, checkpoints=two / "checkpoints", output=two, processes=2
        )
        train_on_ranks(command, 2, tmp_path / "ranks")
        train_on_cpu(dataset, config, checkpoints=one / "checkpoints", output=one)
        return two, one

    return train


def test_two_ranks_have_the_gradients_of_one(train_twice: TrainTwice) -> None:
    states = []
    for folder in train_twice(images=8):
        (path,) = folder.glob("checkpoints/*/*.safetensors")
        states.append(load_file(path))
    # After the first step Adam's mean of the gradients is a tenth of the gradient.
    names = [name for name in states[0] if name.endswith(".exp_avg")]
    assert names
    largest = max(float(states[1][name].abs().max()) for name in names)
    assert largest > 0
    for name in names:
        torch.testing.assert_close(states[0][name], states[1][name], rtol=1e-4, atol=1e-6 * largest)


def test_two_ranks_train_like_one(train_twice: TrainTwice) -> None:
    two, one = train_twice(images=64)
    columns = ["images", "train_loss", "val_loss", "learning_rate"]
    result, expected = (read_history(folder)[columns].to_numpy(float) for folder in (two, one))
    np.testing.assert_allclose(result, expected, rtol=1e-3)
    assert json.loads((two / "training.json").read_text())["images"] == 64


def test_two_ranks_stop_before_the_job_ends_and_resume(dataset: Path, tmp_path: Path) -> None:
    config, model = ddpm_config(images=400, gpus=2), tmp_path / "model"
    command = train_command(
        dataset, config, checkpoints=tmp_path / "checkpoints", output=model, processes=2
    )
    in_job = on_cpu(SLURM_JOB_ID="7", SLURM_JOB_END_TIME=str(time.time()))
    stopped = subprocess.run(command, capture_output=True, text=True, env=in_job, check=False)
    assert stopped.returncode == TIME_UP_STATUS
    # The ranks agree to stop every 20 steps.
    message = "m: time limit reached after 160 of 400 images; the checkpoint is saved"
    assert stopped.stderr.splitlines()[-1].startswith(message)
    assert stopped.stderr.count("time limit reached") == 1
    assert "Traceback" not in stopped.stderr
    assert not model.exists()
    train_on_ranks(command, 2, tmp_path / "ranks")
    assert json.loads((model / "training.json").read_text())["images"] == 400
