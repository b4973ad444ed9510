"""Trainings as processes of their own, and comparison of trained models."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import load_file

from heliosynth.config.models import CevaeConfig, DdpmConfig
from heliosynth.training.distributed import DistributedContext
from heliosynth.training.train_model import train_model
from helpers.hold import before_call
from helpers.scripts import SCRIPTS

NAME = "m"
SEED = 1


def train_command(
    dataset: Path,
    config: DdpmConfig | CevaeConfig,
    *,
    checkpoints: Path,
    output: Path,
    processes: int = 1,
) -> list[str]:
    """Return the command that trains the model ``m`` with one thread per process."""
    settings = ["--settings", config.model_dump_json(), "--seed", str(SEED)]
    launch = ["--processes", str(processes), "--threads", str(processes)]
    paths = ["--checkpoints", str(checkpoints), "--output", str(output)]
    model = ["--dataset", str(dataset), "--model", NAME]
    return [sys.executable, str(SCRIPTS / "train.py"), *model, *settings, *launch, *paths]


def on_cpu(**variables: str) -> dict[str, str]:
    """Return an environment without a GPU, in which sums are always rounded alike."""
    return {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", **variables}


def train_on_cpu(
    dataset: Path, config: DdpmConfig | CevaeConfig, *, checkpoints: Path, output: Path
) -> Path:
    """Train the model ``m`` in this process, as its command does; return its folder."""
    train_model(
        dataset,
        NAME,
        config,
        SEED,
        checkpoints=checkpoints,
        output=output,
        distributed=DistributedContext(),
    )
    return output


def train_until_killed(
    point: str,
    call: int,
    dataset: Path,
    config: DdpmConfig | CevaeConfig,
    checkpoints: Path,
    output: Path,
) -> None:
    """Train in this process, and kill it before a call of the function at a point."""
    torch.set_num_threads(1)
    before_call(point, call, lambda: os.kill(os.getpid(), signal.SIGKILL))
    train_on_cpu(dataset, config, checkpoints=checkpoints, output=output)


@contextmanager
def started(
    command: list[str], output: Path, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command in a session of its own, its output in a file; kill it after the block."""
    with (
        output.open("wb") as stream,
        subprocess.Popen(
            command,
            env=environment or on_cpu(),
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def read_history(folder: Path) -> pd.DataFrame:
    """Read the history of a trained model, without the time it took."""
    return pd.read_csv(folder / "history.csv").drop(columns="seconds")


def assert_same_model(one: Path, other: Path) -> None:
    """Check that two trained models have the same weights to the bit, and the same history."""
    weights = (load_file(folder / "weights.safetensors") for folder in (one, other))
    torch.testing.assert_close(*weights, rtol=0, atol=0)
    pd.testing.assert_frame_equal(read_history(one), read_history(other))
