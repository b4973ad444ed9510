"""A copy of the project in which a test may run and edit."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from project import copy_project

Snakemake = Callable[..., "subprocess.CompletedProcess[str]"]


HOME = "home"
"""The home of who runs Snakemake in a folder, in it."""


def run_snakemake(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    (folder / HOME).mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", "--nocolor", *options],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HOME": str(folder / HOME)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def snakemake() -> Snakemake:
    """Run Snakemake in a folder with some options."""
    return run_snakemake


@pytest.fixture
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which nothing has run."""
    return copy_project(tmp_path_factory.mktemp("project"))
