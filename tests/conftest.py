"""What all tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def archive() -> Path:
    """Give the directory of the real archive of 2012, or skip."""
    default = Path(__file__).resolve().parents[2] / "shared" / "aia2012"
    directory = Path(os.environ.get("HELIOSYNTH_ARCHIVE", default))
    if not directory.is_dir():
        pytest.skip(f"no archive of real frames at {directory}; HELIOSYNTH_ARCHIVE names another")
    return directory
