"""The deadline of a job, from what SLURM says."""

from __future__ import annotations

import math
import os
import time
from datetime import datetime
from pathlib import Path

import pytest

from heliosynth.jobs.walltime import deadline

HOUR_S = 3600


@pytest.fixture(autouse=True)
def no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLURM_JOB_ID", "SLURM_JOB_END_TIME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def squeue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a squeue on the path that prints what the test writes to the returned file."""
    output = tmp_path / "output"
    program = tmp_path / "bin" / "squeue"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncat {output}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    return output


def test_there_is_no_deadline_outside_of_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    assert deadline() == math.inf
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(time.time() + HOUR_S))
    assert deadline() == math.inf


@pytest.mark.parametrize(
    ("remaining_s", "margin_s"), [(60, 15), (1200, 120), (10 * HOUR_S, 300), (-60, 15)]
)
def test_a_tenth_of_the_time_is_reserved_within_limits(
    monkeypatch: pytest.MonkeyPatch, remaining_s: float, margin_s: float
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(now + remaining_s))
    assert deadline() == pytest.approx(5 + remaining_s - margin_s, abs=1e-5)


def test_squeue_is_queried_if_the_environment_has_no_end(
    squeue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = float(round(time.time()))
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    squeue.write_text(f"{datetime.fromtimestamp(now + HOUR_S).isoformat()}\n")
    assert deadline() == pytest.approx(HOUR_S - 300)


@pytest.mark.parametrize("answer", ["N/A", "NONE", ""])
def test_a_job_without_a_limit_has_no_deadline(squeue: Path, answer: str) -> None:
    squeue.write_text(f"{answer}\n")
    assert deadline() == math.inf


def test_there_is_no_deadline_without_a_working_squeue(
    squeue: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert deadline() == math.inf  # squeue fails: its output file does not exist
    monkeypatch.setenv("PATH", str(tmp_path))
    assert deadline() == math.inf
