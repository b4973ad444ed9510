"""Read-only results: one error line before the first job."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from heliosynth.errors import InputError
from heliosynth.workflow.preflight import check_folders
from helpers.project import TINY, copy_project, run_snakemake, snakemake_log

pytestmark = [pytest.mark.robustness, pytest.mark.workflow]
TARGET = "results/tiny/config.json"
NEXT = "results/tiny/observations/flares.csv"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A copy of the project whose results are on a file system of their own."""
    (tmp_path / "project" / "results").mkdir(parents=True)
    project = copy_project(tmp_path / "project")
    try:
        mounted = mount(project, "-t", "tmpfs", "tmpfs")
    except FileNotFoundError:
        pytest.skip("the program `mount` is not installed")
    if mounted.returncode:
        pytest.skip(f"a file system cannot be mounted: {mounted.stderr.strip()}")
    yield project
    subprocess.run(["umount", "--lazy", str(project / "results")], check=True)


def mount(project: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = ["mount", *options, str(project / "results")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def error_line(project: Path, target: str) -> str:
    """Return the error line of a run that starts no job and writes nothing."""
    before = sorted(project.glob("re*/**/*"))
    run = run_snakemake(project, target, *TINY)
    log = run.stdout + run.stderr
    assert run.returncode != 0, log
    assert "Traceback" not in log
    assert "Execute" not in snakemake_log(project)
    assert sorted(project.glob("re*/**/*")) == before
    (line,) = [line for line in log.splitlines() if "error" in line.lower()]
    return line


def test_read_only_results_stop_a_run_before_its_first_job(project: Path) -> None:
    assert mount(project, "-o", "remount,ro").returncode == 0
    line = error_line(project, TARGET)
    assert line.startswith("error: results/tiny: cannot be written (Read-only file system)")
    assert line.endswith("fix this and rerun")

    # Existing results can still be inspected.
    assert mount(project, "-o", "remount,rw").returncode == 0
    assert run_snakemake(project, TARGET, *TINY).returncode == 0
    assert mount(project, "-o", "remount,ro").returncode == 0
    for options in ((TARGET,), (NEXT, "--dry-run")):
        assert run_snakemake(project, *options, *TINY).returncode == 0
    assert "results/tiny: cannot be written (Read-only" in error_line(project, NEXT)

    assert mount(project, "-o", "remount,rw").returncode == 0
    assert run_snakemake(project, NEXT, *TINY).returncode == 0
    assert (project / NEXT).is_file()


def test_a_read_only_folder_in_the_results_is_named(project: Path) -> None:
    inner = project / "results" / "tiny" / "observations"
    inner.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(inner)], check=True)
    try:
        with pytest.raises(InputError, match=r"tiny/observations: cannot be written \(Read-only"):
            check_folders(project / "results" / "tiny")
    finally:
        subprocess.run(["umount", str(inner)], check=True)
    check_folders(project / "results" / "tiny")


def test_a_file_instead_of_the_results_is_named(tmp_path: Path) -> None:
    (tmp_path / "results").touch()
    with pytest.raises(InputError, match=r"results/tiny: cannot be written \(Not a directory\)"):
        check_folders(tmp_path / "results" / "tiny")
