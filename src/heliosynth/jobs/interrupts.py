"""Interrupts (SIGINT) of a script: one KeyboardInterrupt, or an exit while modules are imported."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType

STATUS = 128 + signal.SIGINT
"""Exit status of a script that was interrupted, as shells report it."""
MESSAGE = "interrupted"


@contextlib.contextmanager
def handle_interrupts() -> Iterator[None]:
    """Handle interrupts within the block, which must run in the main thread.

    The first one raises KeyboardInterrupt; later ones are ignored, so that they do not disturb
    the cleanup. While a module is being imported the process exits at once instead: libraries
    in C can swallow an exception that is raised in their import.

    An interrupt that was blocked when the process started is unblocked, and so arrives in the
    block. Where the caller ignores interrupts, as a shell does for background jobs, they stay
    ignored.
    """
    previous = signal.getsignal(signal.SIGINT)
    if previous is signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, _interrupt)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is _interrupt:
            signal.signal(signal.SIGINT, previous)


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if _is_importing(frame):
        with contextlib.suppress(OSError):
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"{MESSAGE}\n".encode())
        os._exit(STATUS)
    raise KeyboardInterrupt


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False
