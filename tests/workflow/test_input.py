"""Wrong input stops a run before its first job, in one line; right input is a DAG."""

import re
import subprocess
from pathlib import Path

import pytest
import zarr

pytestmark = pytest.mark.workflow


def error_line(result: "subprocess.CompletedProcess[str]") -> str:
    """Return the error of a run that failed, which is its last line."""
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    lines = result.stderr.splitlines()
    assert [line for line in lines if "error: " in line] == lines[-1:]
    return lines[-1]


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--config", "imagesize_px=3"], ["imagesize_px", "dataset.image_size_px"]),
        (["--config", "seed=many"], ["--config: seed: ", "'many'"]),
        (["--config", "run=x", "--config", "seed=3"], ["--config: given twice"]),
        (["--configfile", "config/twice.yaml"], ["config/twice.yaml, line 3: seed is set twice"]),
        (
            ["--configfile", "config/archive.yaml", "--config", "archive=no/such/folder"],
            ["no/such/folder"],
        ),
        (["--configfile", "config/archive.yaml"], ["archive"]),
    ],
)
def test_a_mistake_stops_the_run_before_any_job(
    project: Path, snakemake, options: list[str], parts: list[str]
) -> None:
    (project / "config/twice.yaml").write_text("seed: 1\nrun: x\nseed: 2\n")
    message = error_line(snakemake(project, "--dry-run", *options))
    assert [part for part in parts if part not in message] == []
    assert not (project / "results").exists()


def test_a_row_is_dropped_and_text_is_text(project: Path, snakemake) -> None:
    options = ("--config", "run=2012", "archive=null", "models={ddpm_cevae: null}")
    result = snakemake(project, "--dry-run", *options)
    counts = count_jobs(result)
    assert counts["train"] == counts["sample"] == 3
    assert "results/2012/paper.pdf" in result.stdout + result.stderr
    assert "models/ddpm_cevae" not in result.stdout + result.stderr


def test_a_store_without_the_channel_stops_the_run(
    project: Path, snakemake, tmp_path: Path
) -> None:
    archive = tmp_path / "an archive"
    for folder in ("aia", "goes", "hek"):
        (archive / folder).mkdir(parents=True)
    (archive / "goes/xrs.csv").write_text("time,xrsa,xrsb\n")
    (archive / "hek/flares.csv").write_text("event_peaktime,fl_goescls\n")
    root = zarr.open_group(archive / "aia/sdomlv2.zarr", mode="w", zarr_format=2)
    root.create_group("2012").create_array("193A", shape=(1, 8, 8), chunks=(1, 8, 8), dtype="f4")
    options = ("--configfile", "config/archive.yaml", "--config", f"archive={archive}")
    message = error_line(snakemake(project, "--dry-run", *options))
    assert "171A" in message
    assert "193A" in message


def count_jobs(result: "subprocess.CompletedProcess[str]") -> dict[str, int]:
    """Return the number of jobs per rule that a dry run plans."""
    assert result.returncode == 0, result.stderr
    counts = re.findall(r"^(\w+)\s+(\d+)$", result.stdout + result.stderr, re.MULTILINE)
    return {rule: int(count) for rule, count in counts}


def test_the_study_is_planned_without_a_network(project: Path, snakemake) -> None:
    counts = count_jobs(snakemake(project, "--dry-run", "--configfile", "config/paper.yaml"))
    assert counts["intensities"] == counts["fetch_xrs"] == counts["fetch_flares"] == 11
    assert counts["train"] == counts["sample"] == 4
    assert counts["sample_shard"] == 13  # three diffusion models in four shards, and the ceVAE
    assert "simulate" not in counts


def test_an_archive_is_planned_with_its_years(project: Path, snakemake, archive: Path) -> None:
    options = ("--configfile", "config/archive.yaml", "--config", f"archive={archive}")
    counts = count_jobs(snakemake(project, "--dry-run", *options))
    assert counts["frames"] == counts["intensities"] == 1
