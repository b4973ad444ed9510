"""A clock that is set back: nothing is repeated, deleted or delayed."""

import os
import shutil
import time
from pathlib import Path

import pytest

from heliosynth.arrays import DAY_S
from heliosynth.workflow.preflight import check_folders
from helpers.project import TINY, run_snakemake, snakemake_log

pytestmark = pytest.mark.robustness
SAMPLES = "results/tiny/samples/cevae.h5"


def products(project: Path) -> list[Path]:
    roots = [project / root / "tiny" for root in ("results", "resources")]
    return [path for root in roots for path in (root, *root.rglob("*"))]


def shift_times(paths: list[Path], seconds: float) -> None:
    """Shift the times of files: forwards, as if the clock had been set back since, or backwards."""
    for path in paths:
        status = path.stat()
        os.utime(path, (status.st_atime + seconds, status.st_mtime + seconds))


@pytest.mark.workflow
def test_a_finished_run_is_complete_at_any_time(finished: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(finished, tmp_path / "copy", symlinks=True))
    paths = products(project)
    # The clock is set back by a day, then forwards by two.
    for seconds in (DAY_S, -2 * DAY_S):
        shift_times(paths, seconds)
        run = run_snakemake(project, *TINY, "--dry-run")
        assert run.returncode == 0, run.stderr
        assert "Nothing to be done" in run.stdout + run.stderr
    # An input that is newer than its products but has the same content.
    shift_times([project / "results/tiny/dataset/labels.csv"], DAY_S / 2)
    run = run_snakemake(project, *TINY, "--dry-run")
    assert "Nothing to be done" in run.stdout + run.stderr


@pytest.mark.workflow
def test_products_after_a_clock_set_back_are_not_repeated(untrained: Path) -> None:
    (untrained / SAMPLES).unlink()
    shutil.rmtree(untrained / "results/tiny/samples/shards")
    shift_times(products(untrained), DAY_S)
    run = run_snakemake(untrained, SAMPLES, *TINY)
    assert run.returncode == 0, run.stderr[-3000:]
    assert "rule train:" in snakemake_log(untrained)
    assert "rule dataset:" not in snakemake_log(untrained)
    run = run_snakemake(untrained, SAMPLES, *TINY)
    assert "Nothing to be done" in run.stdout + run.stderr


def test_times_in_the_future_become_now(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("results/old", "raw/now", "results/later", "raw/last")]
    for folder in ("results", "raw"):
        (tmp_path / folder).mkdir()
    for path, ahead in zip(paths, (-DAY_S, -60, DAY_S, 2 * DAY_S), strict=True):
        path.touch()
        os.utime(path, (time.time() + ahead,) * 2)
    before = [path.stat().st_mtime_ns for path in paths]
    check_folders(tmp_path / "results", tmp_path / "raw")
    after = [path.stat().st_mtime_ns for path in paths]
    assert after[:2] == before[:2]
    assert after[2] == after[3] <= time.time_ns()
