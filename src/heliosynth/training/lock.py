"""Lock on a checkpoint folder: one training at a time.

A job of a killed run can still be training when the next run starts the same job: on a cluster,
jobs outlive the Snakemake that submitted them. The later training waits, then resumes from the
checkpoint of the earlier one.
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
from heliosynth.training.distributed import DistributedContext

POLL_S = 1.0


@contextlib.contextmanager
def exclusive(
    folder: Path, name: str, distributed: DistributedContext, deadline: float = math.inf
) -> Iterator[None]:
    """Hold an exclusive lock on the checkpoint folder within the block.

    The system releases the lock when the process exits, even if it is killed.

    Parameters
    ----------
    folder
        The checkpoint folder of one training.
    name
        Name of the model.
    distributed
        The ranks of this training, which wait together.
    deadline
        When to stop waiting, s of ``time.monotonic``.

    Raises
    ------
    OutOfTimeError
        If the deadline passes before the lock is free.
    """
    # Append mode keeps the name of the current holder.
    with (folder / "lock").open("a+", encoding="utf-8") as lock:
        announced = not distributed.is_main
        while distributed.any(distributed.is_main and not _try_lock(lock.fileno())):
            if not announced:
                lock.seek(0)
                holder = lock.read().strip()
                tqdm.write(f"{name}: waiting for another training of this model, {holder}")
                announced = True
            if distributed.any(time.monotonic() > deadline):
                raise OutOfTimeError(
                    f"{name}: another training of this model is still running; resubmit to continue"
                )
            time.sleep(POLL_S)
        if distributed.is_main:
            _write_holder(lock.fileno())
        yield


def _write_holder(lock: int) -> None:
    # A full disk does not stop the training here, only when a checkpoint cannot be written.
    with contextlib.suppress(OSError):
        os.ftruncate(lock, 0)
        os.write(lock, f"process {os.getpid()} on {socket.gethostname()}\n".encode())


def _try_lock(lock: int) -> bool:
    """Return whether the lock is held now; some shared file systems have no locks to wait for."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
