"""Fixtures of all tests: the archive of real frames and a finished tiny run."""

import os
import signal
from pathlib import Path

import pytest

# Before the helpers are imported: a failed assertion of theirs shows its values.
pytest.register_assert_rewrite("helpers", "factories")

from helpers.once import make_once  # noqa: E402
from helpers.project import ROOT, TINY, copy_project, run_snakemake  # noqa: E402


def pytest_configure() -> None:
    """Let tests interrupt the processes that they start, and give them an environment.

    A shell that runs pytest in the background lets it ignore interrupts, which is inherited.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Scripts that tests start keep the environment that the tests give them.
    os.environ.setdefault("HELIOSYNTH_INHERIT", "1")
    # Read as torch is imported. Threads that wait for each other would else keep busy the cores
    # that other tests need.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(scope="session")
def archive() -> Path:
    """Return the folder of the real archive of 2012, or skip."""
    default = ROOT.parent / "shared" / "aia2012"
    folder = Path(os.environ.get("HELIOSYNTH_ARCHIVE", default))
    if not folder.is_dir():
        pytest.skip(f"no archive of real frames at {folder}; HELIOSYNTH_ARCHIVE names another")
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the tiny configuration has run to the paper.

    All workers of pytest-xdist share it. Tests only read it; those that edit files or run
    Snakemake do so in a copy.
    """

    def make(folder: Path) -> None:
        run = run_snakemake(copy_project(folder), *TINY)
        assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-8000:]

    return make_once(tmp_path_factory, "finished", make)
