"""The report holds what the paper rests on, and the same run gives the same bytes."""

import zipfile
from pathlib import Path

import pytest

import fake_run
from heliosynth.paper.report import write_report


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = fake_run.build(tmp_path)
    (folder / "figures").mkdir()
    (folder / "figures/class_distribution.png").write_bytes(b"picture")
    (folder / "paper.pdf").write_bytes(b"%PDF")
    return folder


def test_the_report_shows_what_there_is_and_leaves_out_images(results: Path) -> None:
    write_report(results, results / "report.zip")
    with zipfile.ZipFile(results / "report.zip") as archive:
        names = set(archive.namelist())
        page = archive.read("index.html").decode()
    assert {"paper.pdf", "config.json", "metrics/summary.json"} <= names
    assert not [name for name in names if name.endswith((".h5", ".safetensors"))]
    assert 'src="figures/class_distribution.png"' in page
    assert "forward_diffusion" not in page


def test_the_same_products_give_the_same_bytes(results: Path) -> None:
    write_report(results, results / "a.zip")
    write_report(results, results / "b.zip")
    assert (results / "a.zip").read_bytes() == (results / "b.zip").read_bytes()
