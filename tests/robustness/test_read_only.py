"""Results that may not be written cost a run one line, before its first job."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from heliosynth.errors import InputError
from heliosynth.workflow.preflight import check_folders
from helpers.project import TINY, copy_project, run_snakemake

pytestmark = [pytest.mark.robustness, pytest.mark.workflow]
TARGET = "results/tiny/config.json"
NEXT = "results/tiny/observations/flares.csv"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A copy of the project whose results are a disk of their own."""
    (tmp_path / "project" / "results").mkdir(parents=True)
    project = copy_project(tmp_path / "project")
    try:
        mounted = mount(project, "-t", "tmpfs", "tmpfs")
    except FileNotFoundError:
        pytest.skip("no mount here")
    if mounted.returncode:
        pytest.skip(f"a disk cannot be mounted: {mounted.stderr.strip()}")
    yield project
    subprocess.run(["umount", "--lazy", str(project / "results")], check=True)


def mount(project: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = ["mount", *options, str(project / "results")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def refused(project: Path, target: str) -> str:
    """Give what a run says that is refused, after its lists of jobs."""
    before = sorted(project.glob("re*/**/*"))
    done = run_snakemake(project, target, *TINY)
    said = done.stdout + done.stderr
    assert done.returncode != 0, said
    assert "Traceback" not in said
    assert "Execute" not in said
    assert sorted(project.glob("re*/**/*")) == before
    (line,) = [line for line in said.splitlines() if "error" in line.lower()]
    return line


def test_read_only_results_are_refused_in_one_line_before_the_first_job(project: Path) -> None:
    assert mount(project, "-o", "remount,ro").returncode == 0
    line = refused(project, TARGET)
    assert line.startswith("error: results/tiny: cannot be written (Read-only file system)")
    assert line.endswith("mend that and run again")

    # Results that were made before can still be looked at.
    assert mount(project, "-o", "remount,rw").returncode == 0
    assert run_snakemake(project, TARGET, *TINY).returncode == 0
    assert mount(project, "-o", "remount,ro").returncode == 0
    for options in ((TARGET,), (NEXT, "--dry-run")):
        assert run_snakemake(project, *options, *TINY).returncode == 0
    assert "results/tiny: cannot be written (Read-only" in refused(project, NEXT)

    assert mount(project, "-o", "remount,rw").returncode == 0
    assert run_snakemake(project, NEXT, *TINY).returncode == 0
    assert (project / NEXT).is_file()


def test_a_folder_in_the_results_that_is_read_only_is_named(project: Path) -> None:
    inner = project / "results" / "tiny" / "observations"
    inner.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(inner)], check=True)
    try:
        with pytest.raises(InputError, match=r"tiny/observations: cannot be written \(Read-only"):
            check_folders(project / "results" / "tiny")
    finally:
        subprocess.run(["umount", str(inner)], check=True)
    check_folders(project / "results" / "tiny")


def test_a_file_in_place_of_the_results_is_named(tmp_path: Path) -> None:
    (tmp_path / "results").touch()
    with pytest.raises(InputError, match=r"results/tiny: cannot be written \(Not a directory\)"):
        check_folders(tmp_path / "results" / "tiny")
