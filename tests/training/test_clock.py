"""Trainings while the time of day is set back: deadlines and budgets use the monotonic clock."""

from __future__ import annotations

import json
import time
from itertools import count
from pathlib import Path

import pandas as pd
import pytest
import tqdm.std

from factories.training import ddpm_config
from heliosynth.errors import OutOfTimeError
from heliosynth.jobs.walltime import deadline
from heliosynth.training.train_model import train_model

TICK_S = 0.25
MARGIN_S = 15
"""What is set aside of a short SLURM job."""


@pytest.fixture(autouse=True)
def clock_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the time of day back by an hour at every call; advance the monotonic clock by a tick."""
    now, hours, ticks = time.time(), count(), count()

    def time_of_day() -> float:
        return now - 3600 * next(hours)

    monkeypatch.setattr(time, "time", time_of_day)
    monkeypatch.setattr(tqdm.std, "time", time_of_day)
    monkeypatch.setattr(time, "monotonic", lambda: TICK_S * next(ticks))


def test_a_deadline_holds_and_the_seconds_only_grow(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, model = ddpm_config(images=400), tmp_path / "model"
    paths = {"checkpoints": tmp_path / "checkpoints", "output": model}
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    # At the next call of the clock the job ends one tick after the margin.
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(time.time() - 3600 + MARGIN_S + TICK_S))
    stop = deadline()
    assert stop - time.monotonic() <= TICK_S
    start = time.monotonic()
    with pytest.raises(OutOfTimeError, match="time limit reached after 8 of 400 images"):
        train_model(dataset, "m", config, 1, **paths, deadline=stop)
    train_model(dataset, "m", config, 1, **paths)
    seconds = pd.read_csv(model / "history.csv")["seconds"]
    assert (seconds.diff().dropna() >= 0).all()
    # Those of the stopped training count too.
    assert 0 < seconds.iloc[-1] < time.monotonic() - start
    assert json.loads((model / "training.json").read_text())["ended"] == "planned length"


def test_a_time_budget_is_used_up(dataset: Path, tmp_path: Path) -> None:
    config, model = ddpm_config(images=80_000, time_budget_minutes=40 * TICK_S / 60), tmp_path / "m"
    train_model(dataset, "m", config, 1, checkpoints=tmp_path / "checkpoints", output=model)
    report = json.loads((model / "training.json").read_text())
    assert report["ended"] == "time budget"
    assert report["seconds"] >= 40 * TICK_S
    assert report["images"] <= 41 * 8
