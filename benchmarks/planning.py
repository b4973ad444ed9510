"""Planning the study's own run: the jobs that Snakemake finds, its time and its memory."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAPER = "config/paper.yaml"
SHARDS = (4, 100)
"""Jobs that share the images of a model: those of ``config/paper.yaml``, and many."""
RUNS = 3
LAUNCH = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print("peak_kib", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""
"""A small process to start from, since a new one is counted with the memory of who starts it."""


@dataclass(frozen=True)
class Planned:
    """A dry run: its jobs, seconds from start to end, and largest memory."""

    jobs: int
    seconds: float
    peak_mb: float


def text() -> str:
    """Give the sentence that stands in ``COST.md``."""
    found = {shards: [plan(shards) for _ in range(RUNS)] for shards in SHARDS}
    told = "; ".join(
        f"{runs[0].jobs} jobs with {shards} shards a model in "
        f"{statistics.median(run.seconds for run in runs):.1f} s "
        f"({min(run.seconds for run in runs):.1f}–{max(run.seconds for run in runs):.1f} s, "
        f"n = {len(runs)}) and {max(run.peak_mb for run in runs):.0f} MB"
        for shards, runs in found.items()
    )
    return f"Planning `{PAPER}` (`snakemake --dry-run`): {told}."


def plan(shards: int) -> Planned:
    """Let Snakemake plan the study's run.

    Raises
    ------
    RuntimeError
        If it cannot.
    """
    models = {"defaults": {"ddpm": {"sampling": {"shards": shards}}}}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as overlay:
        json.dump(models, overlay)
        overlay.flush()
        command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "2", "--nocolor"]
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", LAUNCH, *command, "--configfile", PAPER, overlay.name],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - start
    said = done.stdout + done.stderr
    total = re.search(r"^total\s+(\d+)$", said, re.MULTILINE)
    peak = re.search(r"^peak_kib (\d+)$", said, re.MULTILINE)
    if done.returncode or total is None or peak is None:
        raise RuntimeError(f"snakemake --dry-run failed: {said[-2000:]}")
    return Planned(int(total[1]), seconds, int(peak[1]) / 1024)
