"""How a process computes on the processor: its threads, and the memory that it reuses."""

from __future__ import annotations

import contextlib
import ctypes

import torch

MMAP_MAX, TRIM_THRESHOLD, TOP_PAD = -4, -1, -2
"""Numbers of glibc's ``mallopt``."""
NEVER_BYTES, STEP_BYTES = 2**31 - 1, 2**26


def configure(threads: int) -> None:
    """Compute on so many threads, and keep memory that is freed for the next tensors.

    A step takes and frees the same tensors again and again. glibc gives large ones back to the
    system, which has to clear each of their pages when they are taken anew.
    """
    torch.set_num_threads(max(1, threads))
    # Other C libraries have no such function, or another way with memory.
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(MMAP_MAX, 0)
        mallopt(TRIM_THRESHOLD, NEVER_BYTES)
        mallopt(TOP_PAD, STEP_BYTES)
