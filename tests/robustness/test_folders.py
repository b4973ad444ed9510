"""Folders: moved ones, two runs in one, and names of any characters."""

import json
import re
import shutil
from pathlib import Path

import pytest

from factories.archive import write_archive
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


NAME = '-it\'s "raw" $HOME [x] *?#%&;@~,=(é) 太陽 🌞 \\\\ `x`\n<two>'
"""What a file system allows and a shell, make, LaTeX or a pattern interprets."""
SMALL = ("--configfile", "config/archive.yaml", "--config", "dataset={image_size_px: 16}", "run=a")


def test_an_archive_can_have_any_name(project: Path, tmp_path: Path) -> None:
    archive = write_archive(tmp_path / f"{NAME} {{year}} {{{{x}}}} a::b")
    # On the command line YAML would fold the line break.
    (project / "config/mine.yaml").write_text(json.dumps({"archive": str(archive)}))
    overlays = ("--configfile", "config/archive.yaml", "config/mine.yaml")
    run = run_snakemake(project, *overlays, *SMALL[2:], "--until", "intensities")
    assert run.returncode == 0, run.stderr[-3000:]
    (tmp_path / "link").symlink_to(archive)
    options = (*SMALL, "archive=../link/", "--until", "intensities", "--dry-run")
    run = run_snakemake(project, *options)
    assert run.returncode == 0, run.stderr
    assert not re.search(r"^(?:local)?rule \w+:", run.stdout + run.stderr, re.MULTILINE)


def test_the_project_can_have_any_name(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    project = copy_project(tmp_path / NAME)
    write_archive(project / "raw")
    run = run_snakemake(project, *SMALL, "archive=raw", "--until", "intensities")
    assert run.returncode == 0, run.stderr[-3000:]
    assert list((project / "results/a/dataset/intensities").glob("2012.h5"))


def test_a_name_that_snakemake_interprets_is_refused_for_the_project(tmp_path: Path) -> None:
    (tmp_path / "a {year}").mkdir()
    run = run_snakemake(copy_project(tmp_path / "a {year}"), "--dry-run", *TINY)
    assert run.returncode != 0
    assert "contains '{', and Snakemake takes braces" in run.stderr.splitlines()[-1]
