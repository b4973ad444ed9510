"""A clock that is set back: nothing is done again, nothing is thrown out, nothing waits for it."""

import json
import os
import shutil
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pandas as pd
import pytest
import tqdm.std

from heliosynth.config.models import DdpmConfig
from heliosynth.errors import OutOfTimeError
from heliosynth.jobs.walltime import deadline
from heliosynth.training.train_model import train_model
from heliosynth.workflow.preflight import check_folders
from robustness.processes import TINY
from training import conftest as tiny
from workflow.conftest import run_snakemake

DAY_S = 86_400
SAMPLES = "results/tiny/samples/cevae.h5"
dataset, ddpm_row = tiny.dataset, tiny.ddpm_row


def products(project: Path) -> list[Path]:
    roots = [project / root / "tiny" for root in ("results", "resources")]
    return [path for root in roots for path in (root, *root.rglob("*"))]


def date(paths: list[Path], seconds: float) -> None:
    """Date files to later, as they are for whoever sets the clock back, or to earlier."""
    for path in paths:
        status = path.stat()
        os.utime(path, (status.st_atime + seconds, status.st_mtime + seconds))


@pytest.mark.workflow
def test_a_finished_run_has_nothing_to_be_done_whatever_the_clock_says(
    finished: Path, tmp_path: Path
) -> None:
    project = Path(shutil.copytree(finished, tmp_path / "copy", symlinks=True))
    of_the_run = products(project)
    # Back by a day, and on by two: then all of it is a day old.
    for seconds in (DAY_S, -2 * DAY_S):
        date(of_the_run, seconds)
        done = run_snakemake(project, *TINY, "--dry-run")
        assert done.returncode == 0, done.stderr
        assert "Nothing to be done" in done.stdout + done.stderr
    # An input that is newer than what was made of it, and has the same content.
    date([project / "results/tiny/dataset/labels.csv"], DAY_S / 2)
    done = run_snakemake(project, *TINY, "--dry-run")
    assert "Nothing to be done" in done.stdout + done.stderr


@pytest.mark.workflow
def test_what_is_made_after_the_clock_was_set_back_is_kept_and_not_made_again(
    untrained: Path,
) -> None:
    (untrained / SAMPLES).unlink()
    shutil.rmtree(untrained / "results/tiny/samples/shards")
    date(products(untrained), DAY_S)
    done = run_snakemake(untrained, SAMPLES, *TINY)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "rule train:" in done.stdout + done.stderr
    assert "rule dataset:" not in done.stdout + done.stderr
    done = run_snakemake(untrained, SAMPLES, *TINY)
    assert "Nothing to be done" in done.stdout + done.stderr


def test_times_ahead_become_now_and_keep_their_order(tmp_path: Path) -> None:
    made = [tmp_path / name for name in ("results/old", "raw/now", "results/later", "raw/last")]
    for folder in ("results", "raw"):
        (tmp_path / folder).mkdir()
    for path, ahead in zip(made, (-DAY_S, -1, 60, DAY_S), strict=True):
        path.touch()
        os.utime(path, (time.time() + ahead,) * 2)
    before = [path.stat().st_mtime_ns for path in made]
    check_folders(tmp_path / "results", tmp_path / "raw")
    after = [path.stat().st_mtime_ns for path in made]
    assert after[:2] == before[:2]
    assert after[2] == after[3] <= time.time_ns()


@pytest.fixture
def clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the time of day back by an hour whenever it is asked for."""
    now, hours = time.time(), count()

    def back() -> float:
        return now - 3600 * next(hours)

    monkeypatch.setattr(time, "time", back)
    monkeypatch.setattr(tqdm.std, "time", back)


@pytest.mark.usefixtures("clock_goes_back")
def test_a_training_whose_clock_goes_back_stops_before_its_job_does_and_counts_its_seconds(
    dataset: Path,
    ddpm_row: Callable[..., DdpmConfig],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row, model = ddpm_row(images=400), tmp_path / "model"
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    # The job ends in 16 seconds, of which 15 are set aside.
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(time.time() - 3600 + 16))
    until = deadline()
    assert 0 < until - time.monotonic() < 2
    time.sleep(1)
    with pytest.raises(OutOfTimeError, match="time is up after 8 of 400 images"):
        train_model(dataset, "m", row, 1, tmp_path / "state", model, deadline=until)
    began = time.monotonic()
    train_model(dataset, "m", row, 1, tmp_path / "state", model)
    seconds = pd.read_csv(model / "history.csv")["seconds"]
    assert (seconds.diff().dropna() >= 0).all()
    assert 0 < seconds.iloc[-1] < time.monotonic() - began + 1
    assert json.loads((model / "training.json").read_text())["ended"] == "planned length"


@pytest.mark.usefixtures("clock_goes_back")
def test_a_time_budget_is_used_up_though_the_clock_goes_back(
    dataset: Path,
    ddpm_row: Callable[..., DdpmConfig],
    tmp_path: Path,
) -> None:
    row = ddpm_row(images=80_000, time_budget_minutes=0.5 / 60)
    began = time.monotonic()
    train_model(dataset, "m", row, 1, tmp_path / "state", tmp_path / "model")
    assert 0.5 < time.monotonic() - began < 10
    report = json.loads((tmp_path / "model" / "training.json").read_text())
    assert report["ended"] == "time budget"
    assert 0.5 <= report["seconds"] < 10
