"""A job ends when the Snakemake that started it is gone.

A Snakemake that is killed takes nothing with it. Its jobs would compute on unseen, beside those
that the next run starts in their place.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

PARENT_VARIABLE = "HELIOSYNTH_SNAKEMAKE"
"""Tells jobs which process Snakemake is; see :func:`process_identity`."""
LOOK_EVERY_S = 0.5
GRACE_S = 5.0
"""Time to end by an interrupt, which clears up; then the process is killed."""


def process_identity() -> str:
    """Give the number of this process, and within what it means this process; empty if nothing."""
    try:
        return f"{os.getpid()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def exit_with_parent() -> None:
    """Interrupt this process as soon as the Snakemake above it is gone, or if it is gone already.

    Nothing happens where a script is called by hand, where Snakemake is beyond a container, and
    where the system does not tell who started whom.
    """
    number, _, within = os.environ.get(PARENT_VARIABLE, "").partition(" ")
    if number.isdecimal() and within and within == process_identity().partition(" ")[2]:
        threading.Thread(target=_watch, args=(int(number),), daemon=True).start()


def _watch(snakemake: int) -> None:
    while snakemake in _ancestors():
        time.sleep(LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(GRACE_S)
    os.kill(os.getpid(), signal.SIGKILL)


def _ancestors() -> Iterator[int]:
    """List the processes that this one descends from; whoever loses its parent gets another."""
    process = os.getppid()
    while process > 1:
        yield process
        try:
            told = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        # The name, in brackets, may hold anything.
        process = int(told.rpartition(")")[2].split()[1])
