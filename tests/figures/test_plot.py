"""Every figure is plotted completely, at the size of print, and the same each time."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib import image as mpl_image

from factories.run import configuration
from heliosynth.config.presentation import PresentationConfig
from heliosynth.errors import InputError
from heliosynth.figures import style
from heliosynth.figures.plot import plot_figure
from heliosynth.figures.registry import of_run
from heliosynth.results.run import Run
from helpers.scripts import load

# One worker builds the run that all of these tests read.
pytestmark = pytest.mark.xdist_group("figures")

FIGURES = list(of_run(PresentationConfig.of(configuration())))
script = load("figure")


@pytest.mark.parametrize("name", FIGURES)
def test_figure_has_ink_in_every_quarter(plotted: Path, name: str) -> None:
    assert (plotted / f"{name}.pdf").read_bytes().startswith(b"%PDF")
    pixels = mpl_image.imread(plotted / f"{name}.png")[..., :3]
    width_in = pixels.shape[1] / style.PNG_DPI
    assert width_in <= style.PAGE_IN + 0.01
    # A quarter without ink: a panel is missing, or all are crammed into a corner.
    rows, columns = pixels.shape[0] // 2, pixels.shape[1] // 2
    for quarter in (pixels[:rows, :columns], pixels[:rows, columns:],
                    pixels[rows:, :columns], pixels[rows:, columns:]):  # fmt: skip
        assert np.mean(quarter.min(axis=-1) < 0.9) > 0.002


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_cut_at_the_edge(plotted: Path, name: str) -> None:
    pixels = mpl_image.imread(plotted / f"{name}.png")[..., :3]
    for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        assert edge.min() > 0.95


def test_same_products_give_the_same_bytes(plotted: Path, run: Run, tmp_path: Path) -> None:
    name = "class_distribution"
    plot_figure(name, run, tmp_path / "again.pdf", tmp_path / "again.png")
    for suffix in ("pdf", "png"):
        again = (tmp_path / f"again.{suffix}").read_bytes()
        assert again == (plotted / f"{name}.{suffix}").read_bytes()
        assert b"CreationDate" not in again


def test_script_plots_a_figure(run: Run, tmp_path: Path) -> None:
    files = ["--pdf", str(tmp_path / "a.pdf"), "--png", str(tmp_path / "a.png")]
    presentation = run.presentation.model_dump_json()
    options = ["--results", str(run.root), "--presentation", presentation, *files]
    script.main(["--name", "unet", *options])
    assert (tmp_path / "a.pdf").exists()
    assert (tmp_path / "a.png").exists()
    with pytest.raises(SystemExit, match=r"^error: simulated_against_real: needs two folders"):
        script.main(["--name", "simulated_against_real", *options])


def test_unknown_figure_is_an_input_error(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"choose one of .*class_distribution"):
        plot_figure("class_distribtion", run, tmp_path / "x.pdf", tmp_path / "x.png")


def test_missing_product_is_named(run: Run, tmp_path: Path) -> None:
    empty = Run(tmp_path, presentation_config=run.presentation)
    with pytest.raises(InputError, match=r"dataset/summary\.json"):
        plot_figure("class_distribution", empty, tmp_path / "x.pdf", tmp_path / "x.png")
