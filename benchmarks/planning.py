"""Planning of the study's run by Snakemake: number of jobs, time and memory."""

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
"""Shards per model: as in ``config/paper.yaml``, and many."""
RUNS = 3
LAUNCH = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print("peak_kib", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""
"""A small process to start Snakemake from: the peak memory of a child includes its parent's."""


@dataclass(frozen=True)
class DryRun:
    """A dry run: number of jobs, wall time, s, and peak memory, MB."""

    jobs: int
    seconds: float
    peak_mb: float


def text() -> str:
    """Return the sentence for ``COST.md``."""
    dry_runs = {shards: [plan(shards) for _ in range(RUNS)] for shards in SHARDS}
    measured = "; ".join(
        f"{runs[0].jobs} jobs with {shards} shards per model in "
        f"{statistics.median(run.seconds for run in runs):.1f} s "
        f"({min(run.seconds for run in runs):.1f}–{max(run.seconds for run in runs):.1f} s, "
        f"n = {len(runs)}) and {max(run.peak_mb for run in runs):.0f} MB"
        for shards, runs in dry_runs.items()
    )
    return f"Planning `{PAPER}` (`snakemake --dry-run`): {measured}."


def plan(shards: int) -> DryRun:
    """Plan the study's run with Snakemake.

    Raises
    ------
    RuntimeError
        If the dry run fails.
    """
    overlay_config = {"defaults": {"ddpm": {"sampling": {"shards": shards}}}}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as overlay:
        json.dump(overlay_config, overlay)
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
    output = done.stdout + done.stderr
    total = re.search(r"^total\s+(\d+)$", output, re.MULTILINE)
    peak = re.search(r"^peak_kib (\d+)$", output, re.MULTILINE)
    if done.returncode or total is None or peak is None:
        raise RuntimeError(f"snakemake --dry-run failed: {output[-2000:]}")
    return DryRun(int(total[1]), seconds, int(peak[1]) / 1024)
