"""The time limit of a SLURM job, and when work must stop to save a checkpoint before it."""

from __future__ import annotations

import math
import os
import subprocess
import time
from datetime import datetime

MARGIN_FRACTION = 0.1
"""Fraction of the remaining time that is reserved for saving a checkpoint."""
MARGIN_LIMITS_S = (15.0, 300.0)
"""The shortest and the longest reserve, s."""


def deadline() -> float:
    """Return when long work must stop, s of ``time.monotonic``; ∞ outside of a SLURM job.

    The end of the job comes from SLURM, since earlier commands of the job took time too. The
    wall clock is read only once, here, because it can be set while the work goes on.
    """
    remaining = _job_end() - time.time()
    shortest, longest = MARGIN_LIMITS_S
    margin = min(longest, max(shortest, MARGIN_FRACTION * remaining))
    return time.monotonic() + remaining - margin


def _job_end() -> float:
    """Return when the job ends, s since 1970-01-01 UTC; ∞ if it is not known."""
    job = os.environ.get("SLURM_JOB_ID")
    if job is None:
        return math.inf
    end = os.environ.get("SLURM_JOB_END_TIME")  # set by SLURM 23.02 and newer
    try:
        return float(end) if end else _query_end(job)
    except (OSError, subprocess.SubprocessError, ValueError):
        return math.inf


def _query_end(job: str) -> float:
    """Query squeue, which prints local time, or ``N/A`` for a job without a limit."""
    result = subprocess.run(
        ["squeue", "--noheader", "--jobs", job, "--format", "%e"],
        env={**os.environ, "SLURM_TIME_FORMAT": "standard"},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return datetime.fromisoformat(result.stdout.strip()).timestamp()
