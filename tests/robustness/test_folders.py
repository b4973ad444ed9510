"""Results that moved are still the results, and two runs do not write to one folder."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers.project import copy_project, run_snakemake

pytestmark = [pytest.mark.robustness, pytest.mark.workflow]
TARGET = "results/tiny/dataset/dataset.h5"
OPTIONS = ("--configfile", "config/tiny.yaml")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project in which nothing has run."""
    (tmp_path / "project").mkdir()
    return copy_project(tmp_path / "project")


def test_results_that_moved_have_nothing_to_be_done(project: Path, tmp_path: Path) -> None:
    done = run_snakemake(project, TARGET, *OPTIONS)
    assert done.returncode == 0, done.stderr[-3000:]
    second = Path(shutil.copytree(project, tmp_path / "a folder elsewhere", symlinks=True))
    shutil.rmtree(project)
    done = run_snakemake(second, TARGET, *OPTIONS, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "Nothing to be done" in done.stdout + done.stderr


def test_a_second_run_in_one_folder_is_refused_and_the_first_goes_on(project: Path) -> None:
    command = [sys.executable, "-m", "snakemake", "--cores", "1", TARGET, *OPTIONS]
    first = subprocess.Popen(
        command,
        cwd=project,
        env={**os.environ, "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(project / ".cache")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while first.poll() is None and not list(project.glob(".snakemake/locks/*")):
        time.sleep(0.05)
    second = run_snakemake(project, TARGET, *OPTIONS)
    assert second.returncode != 0
    assert "cannot be locked" in " ".join((second.stdout + second.stderr).split())
    assert first.wait(timeout=300) == 0
    assert (project / TARGET).is_file()
