"""An edited archive re-runs what reads the edited files, shown by the real Snakefile."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from factories.archive import write_archive, write_frames, write_light_curve
from factories.archive import write_flares as write_flare_list
from helpers.project import copy_project, run_snakemake

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("archive rerun")]

CHUNK = "aia/sdomlv2.zarr/2012/171A/1.0.0"
OVERLAY = """
run: small
dataset: {image_size_px: 16}
defaults: {cevae: {widths: [8, 16]}}
"""
UNTIL = ("--until", "intensities")
Jobs = Callable[..., set[str]]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A project and an archive, whose frames have been read."""
    project = copy_project(tmp_path_factory.mktemp("project"))
    (project / "config/small.yaml").write_text(OVERLAY)
    archive = write_archive(tmp_path_factory.mktemp("raw") / "an archive, {year} of it")
    run(project, archive, *UNTIL)
    return project, archive


def run(project: Path, archive: Path | str, *options: str) -> str:
    overlays = ("--configfile", "config/archive.yaml", "config/small.yaml")
    settings = ("--config", f"archive={archive}")
    result = run_snakemake(project, *overlays, *settings, *options)
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout + result.stderr


def planned(project: Path, archive: Path | str) -> set[str]:
    """Return the rules of a dry run, with the year of those that have one."""
    output = run(project, archive, "--dry-run", *UNTIL)
    jobs = re.findall(r"^(?:local)?rule (\w+):\n((?:    .+\n)*)", output, re.MULTILINE)
    years = [re.search(r"^    wildcards: year=(\d+)$", text, re.MULTILINE) for _, text in jobs]
    return {
        f"{rule} {year[1]}" if year else rule for (rule, _), year in zip(jobs, years, strict=True)
    }


@contextmanager
def kept(archive: Path) -> Iterator[None]:
    """Restore the archive after the block."""
    copy = archive.with_name("copy")
    shutil.copytree(archive, copy)
    try:
        yield
    finally:
        shutil.rmtree(archive)
        copy.rename(archive)


def downstream(planned: set[str]) -> set[str]:
    """Return the jobs of a dry run but for checks between labels and images."""
    return planned - {"cross_check"}


def test_other_files_run_nothing(folders: tuple[Path, Path]) -> None:
    _, archive = folders
    with kept(archive):
        for name in (".DS_Store", "hek/._2012.csv", "hek/notes.txt", "goes/2012.csv~", f"{CHUNK}~"):
            (archive / name).write_text("not read")
        write_frames(archive, 2012, channel="193A")
        assert planned(*folders) == set()


def test_an_edited_flare_runs_flares_and_what_follows(folders: tuple[Path, Path]) -> None:
    _, archive = folders
    path = archive / "hek/2012.csv"
    with kept(archive):
        path.write_text(path.read_text().replace("C2.0", "C3.0"))
        assert downstream(planned(*folders)) == {"flares", "labels", "intensities 2012"}


def test_a_replaced_light_curve_runs_xrs_and_what_follows(folders: tuple[Path, Path]) -> None:
    _, archive = folders
    with kept(archive):
        write_light_curve(archive / "goes/2012.csv", 2012, [("03-01T05:10", "M1.0")])
        assert downstream(planned(*folders)) == {"xrs", "labels", "intensities 2012"}


def test_a_rewritten_chunk_reads_the_frames_of_its_year(folders: tuple[Path, Path]) -> None:
    _, archive = folders
    with kept(archive):
        (archive / CHUNK).write_bytes((archive / "aia/sdomlv2.zarr/2012/171A/0.0.0").read_bytes())
        assert planned(*folders) == {"intensities 2012"}


def test_frames_of_a_new_year_have_its_labels(folders: tuple[Path, Path]) -> None:
    project, archive = folders
    peak = "03-01T12:00"
    with kept(archive):
        write_frames(archive, 2013)
        write_flare_list(archive / "hek/2013.csv", 2013, [(peak, "X4.9")])
        write_light_curve(archive / "goes/2013.csv", 2013, [(peak, "X4.9")])
        assert downstream(planned(project, archive)) == {
            "flares", "xrs", "labels", "frames 2013", "intensities 2012", "intensities 2013",
        }  # fmt: skip
        run(project, archive, "--until", "labels")
        labels = pd.read_csv(project / "results/small/dataset/labels.csv", parse_dates=["time"])
        labels = labels[labels["year"] == 2013]
        near = (labels["time"] - pd.Timestamp(f"2013-{peak}")).abs() <= pd.Timedelta("720min")
        assert len(labels) == 48
        assert near.sum() > 20
        assert (labels["goes_class"][near] == "X").all()
        assert (labels["goes_class"][~near] == "B").all()
