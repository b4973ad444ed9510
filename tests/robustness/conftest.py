"""Raw inputs of the simulated observatory and copies of a finished run."""

import datetime
import shutil
from pathlib import Path

import pytest

from heliosynth.config.observations import SimulationConfig
from heliosynth.sources.simulated.observatory import simulate


@pytest.fixture(scope="session")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw inputs of four days in 2012, one frame per hour; not to be changed."""
    folder = tmp_path_factory.mktemp("observed") / "raw"
    settings = SimulationConfig(
        start=datetime.date(2012, 7, 12), days=4, cadence_minutes=60, size_px=16, flares_per_day=6
    )
    simulate(settings, "171A", 1, folder)
    return folder


@pytest.fixture
def raw(observed: Path, tmp_path: Path) -> Path:
    """A copy of the raw inputs, without their manifest."""
    return Path(shutil.copytree(observed, tmp_path / "raw"))


@pytest.fixture
def untrained(finished: Path, tmp_path: Path) -> Path:
    """A copy of a finished run in which no model has been trained yet."""
    folder = Path(shutil.copytree(finished, tmp_path / "untrained", symlinks=True))
    shutil.rmtree(folder / "results" / "tiny" / "models")
    return folder
