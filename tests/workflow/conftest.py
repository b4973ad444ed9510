"""Copies of the project in which tests run Snakemake and edit files."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.project import copy_project, run_snakemake

Snakemake = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def snakemake() -> Snakemake:
    """Run Snakemake in a folder with some options."""
    return run_snakemake


@pytest.fixture
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which nothing has run."""
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def finished(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished tiny run, for this worker of pytest-xdist alone."""
    folder = tmp_path_factory.mktemp("rerun") / "project"
    return Path(shutil.copytree(finished, folder, symlinks=True))
