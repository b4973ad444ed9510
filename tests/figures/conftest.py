"""A run to draw, and a small archive of raw frames beside it."""

from pathlib import Path

import pytest

import fake_run
from heliosynth.figures.draw import draw
from heliosynth.figures.registry import FIGURES
from heliosynth.products import Products


@pytest.fixture(scope="session")
def products(tmp_path_factory: pytest.TempPathFactory) -> Products:
    root = tmp_path_factory.mktemp("figures")
    simulated, archive = root / "simulated", root / "archive"
    fake_run.build_archive(simulated, frames=12, seed=1)
    fake_run.build_archive(archive, frames=9, seed=2)
    return Products(fake_run.build(root / "results"), simulated, archive)


@pytest.fixture(scope="session")
def drawn(products: Products, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder in which every figure is drawn, each from no more than its own products."""
    folder = tmp_path_factory.mktemp("drawn")
    for name, figure in FIGURES.items():
        own = tmp_path_factory.mktemp(name)
        for product in figure.products:
            for model in fake_run.MODELS if "{model}" in product else ("",):
                path = product.replace("{model}", model).replace("{year}", "2012")
                path = path.replace("{flux_model}", "ddpm_continuous")
                (own / path).parent.mkdir(parents=True, exist_ok=True)
                (own / path).symlink_to(products.root / path)
        alone = Products(own, products.simulated, products.archive, products.presentation)
        draw(name, alone, folder / f"{name}.pdf", folder / f"{name}.png")
    return folder
