"""A job ends with the Snakemake that started it, and with no other process."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from heliosynth.jobs import watchdog
from heliosynth.jobs.watchdog import PARENT_VARIABLE, process_identity

JOB = """
import sys, time
from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.io.files import atomic_file

@one_line_errors
def main(argv):
    with atomic_file(argv[0]) as unfinished:
        unfinished.touch()
        time.sleep(600)

main(sys.argv[1:])
"""
SNAKEMAKE = """
import os, subprocess, sys
from heliosynth.jobs.watchdog import process_identity
os.environ[sys.argv[1]] = sys.argv[2] or process_identity()
# As with Snakemake, a shell is between this process and the job.
command = '"$0" -c "$1" "$2" > "$3" 2>&1; true'
subprocess.run(["bash", "-c", command, sys.executable, *sys.argv[3:]])
"""
POLL_S = 0.02
TIMEOUT_S = 120.0


@contextlib.contextmanager
def job(folder: Path, identity: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Yield the process that started a job, once the job is writing its product.

    The job is told that the process of this identity is its Snakemake; if empty, it is the one
    that started it.
    """
    argv = [PARENT_VARIABLE, identity, JOB, str(folder / "product"), str(folder / "log")]
    snakemake = subprocess.Popen([sys.executable, "-c", SNAKEMAKE, *argv], start_new_session=True)
    try:
        while not list(folder.glob(".unfinished-*/product")):
            assert snakemake.poll() is None
            time.sleep(POLL_S)
        yield snakemake
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(snakemake.pid, signal.SIGKILL)
        snakemake.wait()


def test_a_job_ends_and_cleans_up_after_its_snakemake(tmp_path: Path) -> None:
    with job(tmp_path, "") as snakemake:
        snakemake.kill()
        snakemake.wait()
        deadline = time.monotonic() + TIMEOUT_S
        while (tmp_path / "log").read_text() != "interrupted\n":
            assert time.monotonic() < deadline
            time.sleep(POLL_S)
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_a_job_ends_at_once_if_its_snakemake_has_ended(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    identity = process_identity().replace(str(os.getpid()), str(ended.pid))
    result = subprocess.run(
        [sys.executable, "-c", JOB, str(tmp_path / "product")],
        env={**os.environ, PARENT_VARIABLE: identity},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    assert (result.returncode, result.stderr) == (130, "interrupted\n")
    # The interrupt can come after the temporary folder is made and before it is guarded.
    assert not (tmp_path / "product").exists()


@pytest.mark.parametrize("identity", ["{pid} pid:[7]", "☀ pid:[7]", " "])
def test_other_processes_are_not_watched(monkeypatch: pytest.MonkeyPatch, identity: str) -> None:
    started: list[object] = []
    monkeypatch.setattr(watchdog.threading, "Thread", lambda **thread: started.append(thread))
    monkeypatch.setenv(PARENT_VARIABLE, identity.format(pid=os.getppid()))
    watchdog.exit_with_parent()
    assert started == []
