"""Trainings as processes of their own: killed at random, and shared between two."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from heliosynth.config.models import CevaeConfig, DdpmConfig
from heliosynth.training.train_model import train_model

SCRIPT = Path(__file__).parents[2] / "workflow" / "scripts" / "train.py"
Rows = Callable[..., DdpmConfig | CevaeConfig]
KILLS = 10


def command(
    dataset: Path, row: DdpmConfig | CevaeConfig, state: Path, output: Path, *start: str
) -> list[str]:
    settings = ["--settings", row.model_dump_json(), "--seed", "1", "--threads", "1"]
    paths = ["--state", str(state), "--output", str(output)]
    given = ["--dataset", str(dataset), "--model", "m", *settings, *paths]
    return [sys.executable, *start, str(SCRIPT), *given]


def history(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "history.csv").drop(columns="seconds")


def test_a_training_killed_ten_times_gives_the_same_weights_to_the_bit(
    dataset: Path, ddpm_row: Rows, tmp_path: Path
) -> None:
    row = ddpm_row(images=4800, checkpoints=120)
    given = command(dataset, row, tmp_path / "state", tmp_path / "killed")
    chance = random.Random(5)
    for _ in range(KILLS):
        before = set(tmp_path.glob("state/*/*.sha256"))
        with subprocess.Popen(given, stderr=subprocess.DEVNULL) as training:
            # At some moment after it has got on: in a step, in a validation, in a writing.
            while training.poll() is None and set(tmp_path.glob("state/*/*.sha256")) <= before:
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.15))
            assert training.poll() is None, "it was too short to be killed so often"
            training.kill()
        assert not (tmp_path / "killed" / "training.json").exists()
    subprocess.run(given, check=True, capture_output=True)
    train_model(dataset, "m", row, 1, tmp_path / "other", tmp_path / "straight")
    one, other = (load_file(tmp_path / n / "weights.safetensors") for n in ("killed", "straight"))
    torch.testing.assert_close(one, other, rtol=0, atol=0)
    pd.testing.assert_frame_equal(history(tmp_path / "killed"), history(tmp_path / "straight"))


@pytest.fixture(params=["ddpm", "cevae"])
def in_two_ways(
    request: pytest.FixtureRequest,
    dataset: Path,
    ddpm_row: Rows,
    cevae_row: Rows,
    tmp_path: Path,
) -> Callable[..., tuple[Path, Path]]:
    """Train a row by two processes and by one, with the same batches."""
    make = {"ddpm": ddpm_row, "cevae": cevae_row}[request.param]

    def train(**training: int) -> tuple[Path, Path]:
        row = make(**training, gpus=2)
        torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
        two, one = tmp_path / "two", tmp_path / "one"
        given = command(dataset, row, two / "state", two, *torchrun)
        on_cpu = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
        subprocess.run(given, check=True, capture_output=True, env=on_cpu, timeout=120)
        train_model(dataset, "m", row, 1, one / "state", one)
        return two, one

    return train


def test_two_processes_have_the_gradients_of_one(
    in_two_ways: Callable[..., tuple[Path, Path]],
) -> None:
    states = []
    for folder in in_two_ways(images=8):
        (path,) = folder.glob("state/*/*.safetensors")
        states.append(load_file(path))
    # After the first step Adam's mean of the gradients is a tenth of the gradient.
    gradients = [name for name in states[0] if name.endswith(".exp_avg")]
    assert gradients
    largest = max(states[1][name].abs().max() for name in gradients)
    for name in gradients:
        torch.testing.assert_close(
            states[0][name], states[1][name], rtol=1e-4, atol=1e-6 * float(largest)
        )
    assert largest > 0


def test_two_processes_train_as_one_does(in_two_ways: Callable[..., tuple[Path, Path]]) -> None:
    two, one = in_two_ways(images=64)
    columns = ["images", "train_loss", "val_loss", "learning_rate"]
    expected, found = (history(folder)[columns].to_numpy(float) for folder in (one, two))
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    assert json.loads((two / "training.json").read_text())["images"] == 64


def test_two_processes_stop_before_their_job_does_and_go_on(
    dataset: Path, ddpm_row: Rows, tmp_path: Path
) -> None:
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    row = ddpm_row(images=400, gpus=2)
    given = command(dataset, row, tmp_path / "state", tmp_path / "model", *torchrun)
    on_cpu = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    in_job = {**on_cpu, "SLURM_JOB_ID": "7", "SLURM_JOB_END_TIME": str(time.time())}
    stopped = subprocess.run(given, capture_output=True, text=True, env=in_job, timeout=120)
    assert stopped.returncode != 0
    assert stopped.stderr.count("m: time is up after 160 of 400 images; the state is kept") == 1
    assert not (tmp_path / "model").exists()
    subprocess.run(given, check=True, capture_output=True, env=on_cpu, timeout=120)
    assert json.loads((tmp_path / "model" / "training.json").read_text())["images"] == 400
