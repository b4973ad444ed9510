"""When to stop, as SLURM tells it."""

from __future__ import annotations

import math
import os
import time
from datetime import datetime
from pathlib import Path

import pytest

from heliosynth.jobs.walltime import deadline

HOUR = 3600


@pytest.fixture(autouse=True)
def no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLURM_JOB_ID", "SLURM_JOB_END_TIME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def squeue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a squeue in the path, which says what the test writes in the file."""
    told = tmp_path / "told"
    program = tmp_path / "bin" / "squeue"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncat {told}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    return told


def test_outside_of_a_job_there_is_no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    assert deadline() == math.inf
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(time.time() + HOUR))
    assert deadline() == math.inf


def test_a_tenth_of_the_time_is_set_aside_within_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    for left, margin in ((60, 15), (20 * 60, 120), (10 * HOUR, 300), (-60, 15)):
        monkeypatch.setenv("SLURM_JOB_END_TIME", str(time.time() + left))
        assert deadline() - time.monotonic() == pytest.approx(left - margin, abs=0.1)


def test_squeue_is_asked_where_the_environment_does_not_tell(squeue: Path) -> None:
    end = round(time.time()) + HOUR
    squeue.write_text(f"{datetime.fromtimestamp(end).isoformat()}\n")
    assert deadline() - time.monotonic() == pytest.approx(HOUR - 300, abs=2)


@pytest.mark.parametrize("answer", ["N/A", "NONE", ""])
def test_a_job_without_a_limit_has_no_deadline(squeue: Path, answer: str) -> None:
    squeue.write_text(f"{answer}\n")
    assert deadline() == math.inf


def test_a_squeue_that_fails_or_is_not_there_gives_no_deadline(
    squeue: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert deadline() == math.inf
    monkeypatch.setenv("PATH", str(tmp_path))
    assert deadline() == math.inf
