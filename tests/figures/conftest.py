"""A run with all its figures, and two small archives of raw frames."""

import itertools
from pathlib import Path

import pytest

from factories.dataset import YEAR, write_archive
from factories.run import build_run
from heliosynth.figures.plot import plot_figure
from heliosynth.figures.registry import Figure, of_run
from heliosynth.results.run import Run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("figures")
    simulated, archive = root / "simulated", root / "archive"
    write_archive(simulated, frames=12, seed=1)
    write_archive(archive, frames=9, seed=2)
    return Run(build_run(root / "results"), simulated, archive)


@pytest.fixture(scope="session")
def plotted(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every figure, each plotted from nothing but its own products."""
    folder = tmp_path_factory.mktemp("plotted")
    for name, figure in of_run(run.presentation).items():
        root = tmp_path_factory.mktemp(name)
        _link_products(figure, run, root)
        alone = Run(root, run.simulated, run.archive, run.presentation)
        plot_figure(name, alone, folder / f"{name}.pdf", folder / f"{name}.png")
    return folder


def _link_products(figure: Figure, run: Run, root: Path) -> None:
    values = {**run.presentation.placeholders, "year": [str(YEAR)]}
    for product in figure.products:
        keys = [key for key in values if f"{{{key}}}" in product]
        for combination in itertools.product(*(values[key] for key in keys)):
            path = product.format(**dict(zip(keys, combination, strict=True)))
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).symlink_to(run.root / path)
