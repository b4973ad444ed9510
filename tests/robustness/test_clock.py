"""A clock that is set back: nothing is done again, nothing is thrown out, nothing waits for it."""

import os
import shutil
import time
from pathlib import Path

import pytest

from heliosynth.workflow.preflight import check_folders
from helpers.project import TINY, run_snakemake

pytestmark = pytest.mark.robustness

DAY_S = 86_400
SAMPLES = "results/tiny/samples/cevae.h5"


def products(project: Path) -> list[Path]:
    roots = [project / root / "tiny" for root in ("results", "resources")]
    return [path for root in roots for path in (root, *root.rglob("*"))]


def date(paths: list[Path], seconds: float) -> None:
    """Date files to later, as they are for whoever sets the clock back, or to earlier."""
    for path in paths:
        status = path.stat()
        os.utime(path, (status.st_atime + seconds, status.st_mtime + seconds))


@pytest.mark.workflow
def test_a_finished_run_has_nothing_to_be_done_whatever_the_clock_says(
    finished: Path, tmp_path: Path
) -> None:
    project = Path(shutil.copytree(finished, tmp_path / "copy", symlinks=True))
    of_the_run = products(project)
    # Back by a day, and on by two: then all of it is a day old.
    for seconds in (DAY_S, -2 * DAY_S):
        date(of_the_run, seconds)
        done = run_snakemake(project, *TINY, "--dry-run")
        assert done.returncode == 0, done.stderr
        assert "Nothing to be done" in done.stdout + done.stderr
    # An input that is newer than what was made of it, and has the same content.
    date([project / "results/tiny/dataset/labels.csv"], DAY_S / 2)
    done = run_snakemake(project, *TINY, "--dry-run")
    assert "Nothing to be done" in done.stdout + done.stderr


@pytest.mark.workflow
def test_what_is_made_after_the_clock_was_set_back_is_kept_and_not_made_again(
    untrained: Path,
) -> None:
    (untrained / SAMPLES).unlink()
    shutil.rmtree(untrained / "results/tiny/samples/shards")
    date(products(untrained), DAY_S)
    done = run_snakemake(untrained, SAMPLES, *TINY)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "rule train:" in done.stdout + done.stderr
    assert "rule dataset:" not in done.stdout + done.stderr
    done = run_snakemake(untrained, SAMPLES, *TINY)
    assert "Nothing to be done" in done.stdout + done.stderr


def test_times_ahead_become_now_and_keep_their_order(tmp_path: Path) -> None:
    made = [tmp_path / name for name in ("results/old", "raw/now", "results/later", "raw/last")]
    for folder in ("results", "raw"):
        (tmp_path / folder).mkdir()
    for path, ahead in zip(made, (-DAY_S, -1, 60, DAY_S), strict=True):
        path.touch()
        os.utime(path, (time.time() + ahead,) * 2)
    before = [path.stat().st_mtime_ns for path in made]
    check_folders(tmp_path / "results", tmp_path / "raw")
    after = [path.stat().st_mtime_ns for path in made]
    assert after[:2] == before[:2]
    assert after[2] == after[3] <= time.time_ns()
