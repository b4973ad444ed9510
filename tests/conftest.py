"""What all tests share."""

import os
from pathlib import Path

import pytest

from project import copy_project
from workflow.conftest import run_snakemake


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests that share a finished run in one process, so that it is made once."""
    for item in items:
        if "finished" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("finished"))


@pytest.fixture(scope="session")
def archive() -> Path:
    """Give the directory of the real archive of 2012, or skip."""
    default = Path(__file__).resolve().parents[2] / "shared" / "aia2012"
    directory = Path(os.environ.get("HELIOSYNTH_ARCHIVE", default))
    if not directory.is_dir():
        pytest.skip(f"no archive of real frames at {directory}; HELIOSYNTH_ARCHIVE names another")
    return directory


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the tiny configuration has run to the paper."""
    folder = copy_project(tmp_path_factory.mktemp("finished"))
    done = run_snakemake(folder, "--configfile", "config/tiny.yaml")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-8000:]
    return folder
