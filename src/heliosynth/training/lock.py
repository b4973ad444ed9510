"""One training at a time in a folder of states.

A job of a run that was killed may still be at it when the next run starts the same job: on a
cluster, jobs outlive the Snakemake that submitted them. The later one waits, and then goes on from
what the earlier one kept.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from heliosynth.errors import OutOfTimeError
from heliosynth.training.distributed import Processes

LOOK_EVERY_S = 1.0


@contextlib.contextmanager
def exclusive(
    folder: Path, name: str, processes: Processes, deadline: float = math.inf
) -> Iterator[None]:
    """Wait until no other training has a folder of states, and have it within the block.

    The system takes the folder back from a process that ends, in whatever way.

    Raises
    ------
    OutOfTimeError
        If the deadline, s of ``time.monotonic``, passes first.
    """
    # Whoever opens it to append leaves what it says of who has the folder.
    with (folder / "lock").open("a+", encoding="utf-8") as lock:
        said = not processes.first
        while processes.any(processes.first and not _taken(lock.fileno())):
            if not said:
                lock.seek(0)
                tqdm.write(f"{name}: waits for another training of it, {lock.read().strip()}")
                said = True
            if processes.any(time.monotonic() > deadline):
                raise OutOfTimeError(f"{name}: another training of it still goes on, submit again")
            time.sleep(LOOK_EVERY_S)
        if processes.first:
            _say_who(lock.fileno())
        yield


def _say_who(lock: int) -> None:
    # A full disk is no reason not to train; it will be one where a state is to be kept.
    with contextlib.suppress(OSError):
        os.ftruncate(lock, 0)
        os.write(lock, f"process {os.getpid()} on {socket.gethostname()}\n".encode())


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # Some shared file systems have no locks, and there is nothing to wait for.
        return True
    return True
