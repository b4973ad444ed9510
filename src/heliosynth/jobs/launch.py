"""Launcher of the ranks of a distributed training on one machine.

It does what ``torchrun --standalone`` does, without importing torch, and ends as a single process
does: with the line and the status of the rank that failed first, or with ``interrupted``.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence

from heliosynth.jobs import interrupts
from heliosynth.jobs.watchdog import PARENT_VARIABLE, process_identity

RENDEZVOUS_VARIABLE = "HELIOSYNTH_RENDEZVOUS"
"""Where the ranks meet: ``init_method`` of torch.distributed."""
POLL_S = 0.05
FAILURE_GRACE_S = 10.0
"""Time in which the other ranks can report an error of their own; then they are interrupted."""
INTERRUPT_GRACE_S = 10.0
"""Time to clean up after an interrupt; then a rank is killed."""
LAST_BYTES = 100_000
"""How much of a rank's standard error is remembered."""


def is_rank() -> bool:
    """Return whether this process is a rank that this launcher or torchrun started."""
    return "RANK" in os.environ


def run_ranks(command: Sequence[str], world_size: int) -> int:
    """Run a script in several processes; return the exit status.

    A rank that fails stops the others. An interrupt of this process interrupts all ranks, which
    have sessions of their own so that a terminal does not interrupt them a second time.

    Parameters
    ----------
    command
        Arguments of the Python interpreter.
    world_size
        Number of processes.

    Raises
    ------
    KeyboardInterrupt
        If this process is interrupted and no rank has printed that it was.
    """
    ranks: list[_Rank] = []
    with tempfile.TemporaryDirectory(prefix="heliosynth-ranks-") as folder:
        try:
            with _blocked_interrupts():
                ranks.extend(_Rank(command, r, world_size, folder) for r in range(world_size))
            failed = _first_failure(ranks)
            if failed is not None:
                # The other ranks fail for the same reason, or because this one is gone.
                _wait_at_most(FAILURE_GRACE_S, ranks)
        except KeyboardInterrupt:
            _stop(ranks)
            if ranks and ranks[0].process.returncode == interrupts.STATUS:
                return interrupts.STATUS
            raise
        _stop(ranks)
    return 0 if failed is None else _report(failed, ranks[0])


class _Rank:
    """A process whose standard error is remembered, and passed on if it is the main rank."""

    def __init__(self, command: Sequence[str], rank: int, world_size: int, folder: str) -> None:
        self.is_main = rank == 0
        self.stderr = b""
        # The ranks watch this process, which watches Snakemake.
        environment = {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(world_size),
            RENDEZVOUS_VARIABLE: f"file://{folder}/rendezvous",
            PARENT_VARIABLE: process_identity(),
        }
        self.process = subprocess.Popen(
            [sys.executable, *command],
            env={**os.environ, **environment},
            stdout=None if self.is_main else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    @property
    def last_line(self) -> bytes:
        return (self.stderr.splitlines() or [b""])[-1]

    def _read(self) -> None:
        stream = self.process.stderr
        assert stream is not None
        for chunk in iter(lambda: os.read(stream.fileno(), LAST_BYTES), b""):
            self.stderr = (self.stderr + chunk)[-LAST_BYTES:]
            if self.is_main:
                _print(chunk)


def _first_failure(ranks: Sequence[_Rank]) -> _Rank | None:
    """Wait for a rank that fails, or for all; return the one that failed, if any."""
    while True:
        is_running = any(rank.is_running for rank in ranks)
        failed = next((rank for rank in ranks if rank.process.poll()), None)
        if failed is not None or not is_running:
            return failed
        time.sleep(POLL_S)


def _report(failed: _Rank, main: _Rank) -> int:
    """Print what a rank that failed printed last, unless the main rank did; return its status."""
    if failed.last_line != main.last_line:
        _print(b"" if main.stderr.endswith(b"\n") else b"\n")  # after a progress bar
        _print(failed.stderr)
    status = failed.process.returncode
    return status if status > 0 else 128 - status


def _stop(ranks: Sequence[_Rank]) -> None:
    """Interrupt the ranks that are running, kill those that do not exit; read what they print."""
    for number in (signal.SIGINT, signal.SIGKILL):
        for rank in ranks:
            if rank.is_running:
                rank.process.send_signal(number)
        _wait_at_most(INTERRUPT_GRACE_S, ranks)
    for rank in ranks:
        rank.reader.join(INTERRUPT_GRACE_S)


def _wait_at_most(seconds: float, ranks: Sequence[_Rank]) -> None:
    deadline = time.monotonic() + seconds
    while any(rank.is_running for rank in ranks) and time.monotonic() < deadline:
        time.sleep(POLL_S)


def _print(text: bytes) -> None:
    sys.stderr.buffer.write(text)
    sys.stderr.buffer.flush()


@contextlib.contextmanager
def _blocked_interrupts() -> Iterator[None]:
    """Block interrupts within the block, and in processes that start there until they unblock."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
