"""A job ends with the Snakemake above it, and with no other process."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from heliosynth.jobs.watchdog import PARENT_VARIABLE, process_identity

JOB = """
import sys, time
from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.io.files import atomic_file

@one_line_errors
def main(argv):
    with atomic_file(argv[0]) as unfinished:
        unfinished.touch()
        time.sleep(60)

main(sys.argv[1:])
"""
ABOVE = """
import os, subprocess, sys
from heliosynth.jobs.watchdog import process_identity
os.environ[sys.argv[1]] = sys.argv[2] or process_identity()
# A shell and a pipe lie between, as they do between Snakemake and a job.
command = '"$0" -c "$1" "$2" 2>&1 | tee "$3"; true'
subprocess.run(["bash", "-c", command, sys.executable, *sys.argv[3:]])
"""


@contextlib.contextmanager
def job(folder: Path, named: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Give the process that started a job, which has come so far as to write."""
    given = [PARENT_VARIABLE, named, JOB, str(folder / "product"), str(folder / "log")]
    above = subprocess.Popen([sys.executable, "-c", ABOVE, *given], start_new_session=True)
    try:
        while not list(folder.glob(".unfinished-*/product")):
            assert above.poll() is None
            time.sleep(0.02)
        yield above
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(above.pid, signal.SIGKILL)
        above.wait()


def test_a_job_whose_snakemake_was_killed_clears_up_and_ends(tmp_path: Path) -> None:
    with job(tmp_path, "") as above:
        above.kill()
        above.wait()
        until = time.monotonic() + 10
        while (tmp_path / "log").read_text() != "interrupted\n":
            assert time.monotonic() < until
            time.sleep(0.05)
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_a_job_whose_snakemake_is_gone_before_it_begins_ends_at_once(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as gone:
        pass
    named = process_identity().replace(str(os.getpid()), str(gone.pid))
    done = subprocess.run(
        [sys.executable, "-c", JOB, str(tmp_path / "product")],
        env={**os.environ, PARENT_VARIABLE: named},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (130, "interrupted\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("named", ["somebody of another container", "by hand", "nonsense"])
def test_a_job_does_not_end_with_a_process_that_did_not_start_it(
    tmp_path: Path, named: str
) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        told = {"somebody of another container": f"{other.pid} pid:[7]", "nonsense": "☀ pid:[7]"}
        with job(tmp_path, told.get(named, " ")):
            other.kill()
            other.wait()
            time.sleep(1.5)
            assert list(tmp_path.glob(".unfinished-*/product"))
            assert (tmp_path / "log").read_text() == ""
