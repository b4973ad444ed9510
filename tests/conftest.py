"""Fixtures of all tests: the archive of real frames and a finished tiny run."""

import fcntl
import os
import signal
from pathlib import Path

import pytest

# Before the helpers are imported: a failed assertion of theirs shows its values.
pytest.register_assert_rewrite("helpers", "factories")

from helpers.project import ROOT, TINY, copy_project, run_snakemake  # noqa: E402


def pytest_configure() -> None:
    """Let tests interrupt the processes that they start.

    A shell that runs pytest in the background lets it ignore interrupts, which is inherited.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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

    All workers of pytest-xdist share it: the first to need it runs it, the others wait. Tests
    only read it; those that edit files or run Snakemake do so in a copy.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, done = shared / "finished", shared / "finished.done"
    with (shared / "finished.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert done.exists() or not folder.exists(), "the tiny run failed in another worker"
        if not done.exists():
            folder.mkdir()
            copy_project(folder)
            run = run_snakemake(folder, *TINY)
            assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-8000:]
            done.touch()
    return folder
