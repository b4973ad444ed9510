"""Wrong input: one clear line, an exit code that is not 0, nothing run; and the study's scale."""

import re
from pathlib import Path

import pytest
import zarr

pytestmark = pytest.mark.workflow


def one_line(done) -> str:
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if "error: " in line]
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--config", "imagesize_px=3"], ["imagesize_px", "dataset.image_size_px"]),
        (["--config", "seed=many"], ["seed", "'many'"]),
        (
            ["--configfile", "config/archive.yaml", "--config", "archive=no/such/place"],
            ["no/such/place"],
        ),
        (["--configfile", "config/archive.yaml"], ["archive"]),
    ],
)
def test_a_mistake_stops_before_any_rule(project: Path, snakemake, options, parts) -> None:
    message = one_line(snakemake(project, "--dry-run", *options))
    assert [part for part in parts if part not in message] == []
    assert not (project / "results").exists()


def test_a_store_without_the_channel_is_refused(project: Path, snakemake, tmp_path: Path) -> None:
    archive = tmp_path / "an archive"
    for folder in ("aia", "goes", "hek"):
        (archive / folder).mkdir(parents=True)
    (archive / "goes/xrs.csv").write_text("time,xrsa,xrsb\n")
    (archive / "hek/flares.csv").write_text("event_peaktime,fl_goescls\n")
    root = zarr.open_group(archive / "aia/sdomlv2.zarr", mode="w", zarr_format=2)
    root.create_group("2012").create_array("193A", shape=(1, 8, 8), chunks=(1, 8, 8), dtype="f4")
    options = ("--configfile", "config/archive.yaml", "--config", f"archive={archive}")
    message = one_line(snakemake(project, "--dry-run", *options))
    assert "171A" in message
    assert "193A" in message


def test_the_studys_own_scale_is_a_dag_offline(project: Path, snakemake) -> None:
    done = snakemake(project, "--dry-run", "--configfile", "config/paper.yaml")
    assert done.returncode == 0, done.stderr
    counts = dict(re.findall(r"^(\w+)\s+(\d+)$", done.stdout + done.stderr, re.MULTILINE))
    assert counts["intensities"] == counts["fetch_xrs"] == counts["fetch_flares"] == "11"
    assert counts["train"] == counts["sample"] == "4"
    assert counts["sample_shard"] == "13"  # three diffusion models in four shards, and the ceVAE
    assert "simulate" not in counts


def test_an_archive_is_a_dag_with_its_own_years(project: Path, snakemake, archive: Path) -> None:
    options = ("--configfile", "config/archive.yaml", "--config", f"archive={archive}")
    done = snakemake(project, "--dry-run", *options)
    assert done.returncode == 0, done.stderr
    counts = dict(re.findall(r"^(\w+)\s+(\d+)$", done.stdout + done.stderr, re.MULTILINE))
    assert counts["frames"] == counts["intensities"] == "1"
