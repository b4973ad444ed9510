"""Watchdog: a job exits when the Snakemake that started it has ended.

A Snakemake that is killed leaves its jobs running. They would go on unseen, next to those that
the next run starts for the same products.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

PARENT_VARIABLE = "HELIOSYNTH_SNAKEMAKE"
"""The environment variable with the :func:`process_identity` of Snakemake."""
CHECK_EVERY_S = 0.5
GRACE_S = 5.0
"""Time to clean up after the interrupt; then the process is killed."""


def process_identity() -> str:
    """Return the pid of this process and its pid namespace; empty on a system without /proc."""
    try:
        return f"{os.getpid()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def exit_with_parent() -> None:
    """Interrupt this process when Snakemake, one of its ancestors, has ended or ends later.

    Does nothing in a script run by hand, in a container (another pid namespace), and without
    /proc.
    """
    pid, _, namespace = os.environ.get(PARENT_VARIABLE, "").partition(" ")
    if pid.isdecimal() and namespace and namespace == process_identity().partition(" ")[2]:
        threading.Thread(target=_watch, args=(int(pid),), daemon=True).start()


def _watch(snakemake: int) -> None:
    while snakemake in _ancestors():
        time.sleep(CHECK_EVERY_S)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(GRACE_S)
    os.kill(os.getpid(), signal.SIGKILL)


def _ancestors() -> Iterator[int]:
    """Yield the pids of this process's ancestors; an orphan is adopted by another process."""
    pid = os.getppid()
    while pid > 1:
        yield pid
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        # pid (command) state ppid …, where the command can contain brackets and blanks.
        pid = int(stat.rpartition(")")[2].split()[1])
