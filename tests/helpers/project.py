"""A copy of the project in which tests run Snakemake and edit files."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("Snakefile", "config.yaml", "config", "envs", "paper", "profiles", "src", "workflow")
"""Files and folders that the pipeline needs."""
TINY = ("--configfile", "config/tiny.yaml")
"""Options that choose the tiny configuration."""
HOME = "home"
"""The home folder, inside the copy, of the user who runs Snakemake there."""

LIMIT_S = 3600
"""A safety net: the tiny run takes three minutes on two idle cores."""


def copy_project(folder: Path) -> Path:
    """Copy the pipeline and add the tiny configuration; return the folder."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(
                ROOT / part,
                folder / part,
                ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"),
            )
        else:
            shutil.copy2(ROOT / part, folder / part)
    shutil.copy2(ROOT / "tests/workflow/tiny.yaml", folder / "config" / "tiny.yaml")
    return folder


def snakemake_command(*options: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", "--cores", "2", "--nocolor", *options]


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a Snakemake in a copy: on the CPU, with a home of its own."""
    (folder / HOME).mkdir(exist_ok=True)
    return {
        **os.environ,
        "CUDA_VISIBLE_DEVICES": "",
        "HOME": str(folder / HOME),
        "OMP_NUM_THREADS": "1",
    }


def snakemake_log(folder: Path) -> str:
    """Return the log file of the last Snakemake that ran in a copy; its terminal has less."""
    logs = folder.glob(".snakemake/log/*.log")
    return max(logs, key=lambda path: path.stat().st_mtime_ns).read_text(errors="replace")


def run_snakemake(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run Snakemake in a copy and wait until it ends."""
    return subprocess.run(
        snakemake_command(*options),
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
