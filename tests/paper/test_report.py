"""The report holds the basis of the paper, and the same run gives the same bytes."""

import shutil
import zipfile
from pathlib import Path

import pytest

from heliosynth.paper.report import write_report
from heliosynth.results.run import Run


@pytest.fixture
def results(run: Run, tmp_path: Path) -> Path:
    """A copy of the run with a paper and two of its figures."""
    folder = tmp_path / "results"
    shutil.copytree(run.root, folder)
    (folder / "figures").mkdir()
    for name in ("class_distribution", "class_grid_ddpm_cevae"):
        (folder / f"figures/{name}.png").write_bytes(b"picture")
    (folder / "paper.pdf").write_bytes(b"%PDF")
    return folder


def test_report_holds_products_but_no_images_and_weights(results: Path) -> None:
    write_report(results, results / "report.zip")
    with zipfile.ZipFile(results / "report.zip") as archive:
        names = set(archive.namelist())
    assert {"paper.pdf", "config.json", "metrics/summary.json", "index.html"} <= names
    assert not [name for name in names if name.endswith((".h5", ".safetensors"))]


def test_page_shows_the_figures_with_captions(results: Path) -> None:
    write_report(results, results / "report.zip")
    with zipfile.ZipFile(results / "report.zip") as archive:
        page = archive.read("index.html").decode()
    assert 'src="figures/class_distribution.png"' in page
    assert "<b>class_grid_ddpm_cevae</b> (Samples)" in page
    assert "the diffusion model with labels and ceVAE embeddings" in page
    assert "forward_diffusion" not in page


def test_the_same_products_give_the_same_bytes(results: Path) -> None:
    write_report(results, results / "a.zip")
    write_report(results, results / "b.zip")
    assert (results / "a.zip").read_bytes() == (results / "b.zip").read_bytes()
