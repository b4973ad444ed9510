"""When the batch system ends this job, and when work must stop so that its state is kept."""

from __future__ import annotations

import math
import os
import subprocess
import time
from datetime import datetime

MARGIN_SHARE = 0.1
"""Part of the time left that is set aside for keeping a state, …"""
MARGIN_LIMITS = (15.0, 300.0)
"""… and the least and the most of it, s."""


def deadline() -> float:
    """Give when long work must stop, s of ``time.monotonic``; never outside of a SLURM job.

    SLURM itself is asked, so that what came before in the job counts too. The time of day is
    read once, here: it may be set while the work goes on.
    """
    left = _job_end() - time.time()
    least, most = MARGIN_LIMITS
    return time.monotonic() + left - min(most, max(least, MARGIN_SHARE * left))


def _job_end() -> float:
    """Give when the job ends, s since 1970."""
    job = os.environ.get("SLURM_JOB_ID")
    if job is None:
        return math.inf
    told = os.environ.get("SLURM_JOB_END_TIME")  # by SLURM 23.02 and newer
    try:
        return float(told) if told else _asked(job)
    except (OSError, subprocess.SubprocessError, ValueError):
        return math.inf


def _asked(job: str) -> float:
    """Ask squeue, which gives local time; a job without a limit has no time that can be read."""
    answer = subprocess.run(
        ["squeue", "--noheader", "--jobs", job, "--format", "%e"],
        env={**os.environ, "SLURM_TIME_FORMAT": "standard"},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return datetime.fromisoformat(answer.stdout.strip()).timestamp()
