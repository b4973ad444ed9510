"""A short simulated observation, and real frames to compare with."""

from pathlib import Path

import numpy as np
import pytest

from heliosynth.config.observations import SimulationConfig
from heliosynth.sources.simulated import simulate

CADENCE_MINUTES = 360


@pytest.fixture(scope="session")
def short() -> SimulationConfig:
    """Return settings of twelve days over a new year, at 64 pixels."""
    return SimulationConfig.model_validate(
        {"start": "2011-12-27", "days": 12, "cadence_minutes": CADENCE_MINUTES, "size_px": 64}
    )


@pytest.fixture(scope="session")
def observed(short: SimulationConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of raw inputs of that observation."""
    output = tmp_path_factory.mktemp("simulated") / "raw"
    simulate(short, channel="171A", seed=3, output=output)
    return output


@pytest.fixture(scope="session")
def real_frames(archive: Path) -> np.ndarray:
    """Return 200 real frames of the year 2012, DN."""
    import zarr

    array = zarr.open_array(archive / "aia" / "sdomlv2.zarr" / "2012" / "171A", mode="r")
    return np.stack([array[row] for row in range(0, array.shape[0], array.shape[0] // 200)])
