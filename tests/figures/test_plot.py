"""Every registered figure is drawn, whole, at the size of print, and the same each time."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib import image as mpl_image

from heliosynth.errors import InputError
from heliosynth.figures import style
from heliosynth.figures.plot import DRAWINGS, plot_figure
from heliosynth.figures.registry import FIGURES
from heliosynth.results.run import Run
from helpers.scripts import load

script = load("figure")


@pytest.mark.parametrize("name", FIGURES)
def test_is_drawn_and_not_empty(drawn: Path, name: str) -> None:
    assert (drawn / f"{name}.pdf").read_bytes().startswith(b"%PDF")
    pixels = mpl_image.imread(drawn / f"{name}.png")[..., :3]
    width_in = pixels.shape[1] / style.PNG_DPI
    assert width_in <= style.PAGE_IN + 0.01
    # Ink in every quarter of the picture: no panel is lost, nothing is crammed in a corner.
    rows, columns = pixels.shape[0] // 2, pixels.shape[1] // 2
    for quarter in (pixels[:rows, :columns], pixels[:rows, columns:],
                    pixels[rows:, :columns], pixels[rows:, columns:]):  # fmt: skip
        assert np.mean(quarter.min(axis=-1) < 0.9) > 0.002


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_cut_at_the_edge(drawn: Path, name: str) -> None:
    pixels = mpl_image.imread(drawn / f"{name}.png")[..., :3]
    for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        assert edge.min() > 0.95


@pytest.mark.parametrize("name", ["class_distribution"])
def test_same_products_give_the_same_bytes(
    drawn: Path, products: Run, tmp_path: Path, name: str
) -> None:
    plot_figure(name, products, tmp_path / "again.pdf", tmp_path / "again.png")
    for suffix in ("pdf", "png"):
        again = (tmp_path / f"again.{suffix}").read_bytes()
        assert again == (drawn / f"{name}.{suffix}").read_bytes()
        assert b"CreationDate" not in again


def test_door_draws(products: Run, tmp_path: Path) -> None:
    pdf, png = tmp_path / "a.pdf", tmp_path / "a.png"
    presentation = products.presentation.model_dump_json()
    results = ["--results", str(products.root), "--presentation", presentation]
    script.main(["--name", "unet", *results, "--pdf", str(pdf), "--png", str(png)])
    assert pdf.exists()
    assert png.exists()
    with pytest.raises(SystemExit, match=r"^error: simulated_against_real: needs the folders"):
        script.main(
            ["--name", "simulated_against_real", *results, "--pdf", str(pdf), "--png", str(png)]
        )


def test_unknown_figure_is_an_input_error(products: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="class_distribution"):
        plot_figure("class_distribtion", products, tmp_path / "x.pdf", tmp_path / "x.png")


def test_missing_product_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json|summary\.json"):
        plot_figure("class_distribution", Run(tmp_path), tmp_path / "x.pdf", tmp_path / "x.png")


def test_every_registered_figure_has_a_drawing() -> None:
    assert set(DRAWINGS) == set(FIGURES)
