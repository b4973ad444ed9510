"""A run to plot_figure, and a small archive of raw frames beside it."""

from pathlib import Path

import pytest

import fake_run
from heliosynth.figures.plot import plot_figure
from heliosynth.figures.registry import FIGURES
from heliosynth.results.run import Run


@pytest.fixture(scope="session")
def products(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("figures")
    simulated, archive = root / "simulated", root / "archive"
    fake_run.build_archive(simulated, frames=12, seed=1)
    fake_run.build_archive(archive, frames=9, seed=2)
    return Run(fake_run.build(root / "results"), simulated, archive)


@pytest.fixture(scope="session")
def drawn(products: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
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
        alone = Run(own, products.simulated, products.archive, products.presentation)
        plot_figure(name, alone, folder / f"{name}.pdf", folder / f"{name}.png")
    return folder
