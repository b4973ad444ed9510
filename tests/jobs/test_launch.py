"""Ranks of a training on one machine: they end together, with one line and one status."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

LAUNCHER = """
import sys
from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.jobs import launch

@one_line_errors
def main(argv):
    launch.FAILURE_GRACE_S = float(argv[0])
    sys.exit(launch.run_ranks(["-c", *argv[1:]], 2))

main(sys.argv[1:])
"""
RANK = """
import os, pathlib, sys, time
from heliosynth.errors import InputError, OutOfTimeError
from heliosynth.jobs.entry_point import one_line_errors

rank, folder = int(os.environ["RANK"]), pathlib.Path(sys.argv[1])

def sleep():
    (folder / f"{rank}-{os.getpid()}").touch()
    time.sleep(300)

@one_line_errors
def main(argv=None):
"""


def command(body: str, folder: Path, grace_s: float = 60) -> list[str]:
    """Return the command of two ranks whose main function has a body."""
    script = f"{RANK}{textwrap.indent(body, '    ')}\nmain()"
    return [sys.executable, "-c", LAUNCHER, str(grace_s), script, str(folder)]


def run(body: str, folder: Path, grace_s: float = 60) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(body, folder, grace_s), capture_output=True, text=True, check=False
    )


def wait_for_ranks(folder: Path) -> list[int]:
    """Wait until both ranks sleep; return their pids."""
    deadline = time.monotonic() + 120
    while len(files := list(folder.iterdir())) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return [int(path.name.partition("-")[2]) for path in files]


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 120
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_ranks_know_their_number_and_share_a_rendezvous(tmp_path: Path) -> None:
    body = """
names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "HELIOSYNTH_RENDEZVOUS")
(folder / str(rank)).write_text(" ".join(os.environ[name] for name in names))
print("printed")
"""
    done = run(body, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "printed\n", "")
    first, second = ((tmp_path / name).read_text().split() for name in ("0", "1"))
    assert (first[:3], second[:3]) == (["0", "0", "2"], ["1", "1", "2"])
    assert first[3] == second[3]
    assert first[3].startswith("file:///")


def test_an_error_that_all_ranks_have_is_one_line(tmp_path: Path) -> None:
    done = run('raise InputError("dataset.h5: not found")', tmp_path)
    assert (done.returncode, done.stderr) == (1, "error: dataset.h5: not found\n")


@pytest.mark.parametrize("failing", [0, 1])
def test_the_rank_that_fails_stops_the_other(tmp_path: Path, failing: int) -> None:
    body = f"""
if rank != {failing}:
    sleep()
while not list(folder.iterdir()):
    time.sleep(0.02)
raise InputError("the loss is not finite")
"""
    done = run(body, tmp_path, grace_s=0)
    assert done.returncode == 1
    if failing == 1:
        assert done.stderr.splitlines() == ["interrupted", "error: the loss is not finite"]
    else:
        assert done.stderr.splitlines() == ["error: the loss is not finite"]


def test_the_status_of_a_time_limit_is_passed_on(tmp_path: Path) -> None:
    done = run('if rank == 0:\n    raise OutOfTimeError("time limit reached")', tmp_path)
    assert (done.returncode, done.stderr) == (75, "time limit reached\n")


def test_an_interrupt_reaches_every_rank_once(tmp_path: Path) -> None:
    with subprocess.Popen(
        command("sleep()", tmp_path), stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as launcher:
        pids = wait_for_ranks(tmp_path)
        os.killpg(launcher.pid, signal.SIGINT)
        assert launcher.communicate()[1] == "interrupted\n"
    assert launcher.returncode == 130
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []


def test_ranks_exit_when_the_launcher_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(command("sleep()", tmp_path), stderr=subprocess.DEVNULL) as launcher:
        pids = wait_for_ranks(tmp_path)
        launcher.kill()
    wait_until_gone(pids)
