"""Moved results are still complete, and two runs cannot write to one folder."""

import shutil
from pathlib import Path

import pytest

from helpers.hold import Hold
from helpers.processes import LIMIT_S, running
from helpers.project import TINY, copy_project, run_snakemake

pytestmark = [pytest.mark.robustness, pytest.mark.workflow]
DATASET = "results/tiny/dataset/dataset.h5"
FLARES = "results/tiny/observations/flares.csv"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project in which nothing has run."""
    (tmp_path / "project").mkdir()
    return copy_project(tmp_path / "project")


def test_moved_results_are_complete(project: Path, tmp_path: Path) -> None:
    run = run_snakemake(project, DATASET, *TINY)
    assert run.returncode == 0, run.stderr[-3000:]
    moved = Path(shutil.copytree(project, tmp_path / "a moved folder", symlinks=True))
    shutil.rmtree(project)
    run = run_snakemake(moved, DATASET, *TINY, "--dry-run")
    assert run.returncode == 0, run.stderr
    assert "Nothing to be done" in run.stdout + run.stderr


def test_a_second_run_in_a_folder_is_rejected(project: Path, tmp_path: Path) -> None:
    hold = Hold(tmp_path / "hold", "heliosynth", within="flares.py")
    hold.install(project / "src")
    with running(project, FLARES, *TINY) as first:
        hold.wait(first.process)
        second = run_snakemake(project, FLARES, *TINY)
        assert second.returncode != 0
        assert "cannot be locked" in " ".join((second.stdout + second.stderr).split())
        hold.release()
        assert first.process.wait(LIMIT_S) == 0, first.log[-3000:]
    assert (project / FLARES).is_file()
