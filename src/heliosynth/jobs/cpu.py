"""CPU settings of a process: its threads, and reuse of freed memory."""

from __future__ import annotations

import contextlib
import ctypes

import torch

MMAP_MAX, TRIM_THRESHOLD, TOP_PAD = -4, -1, -2
"""Parameters of glibc's ``mallopt``."""
NEVER_BYTES, STEP_BYTES = 2**31 - 1, 2**26


def configure(threads: int) -> None:
    """Set the number of CPU threads, at least 1, and keep freed memory for the next tensors.

    A training step allocates and frees the same tensors again and again. By default glibc returns
    large ones to the system, which has to clear each of their pages at the next allocation.
    """
    torch.set_num_threads(max(1, threads))
    # Other C libraries have no mallopt.
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(MMAP_MAX, 0)
        mallopt(TRIM_THRESHOLD, NEVER_BYTES)
        mallopt(TOP_PAD, STEP_BYTES)
