"""Errors caused by input or environment."""

from __future__ import annotations


class InputError(Exception):
    """Something given to the pipeline is wrong; the message says what, where, and what to do."""

    def __init__(self, message: str) -> None:
        # Names of files and keys may hold line breaks, and so may what another library says.
        super().__init__(" ".join(message.splitlines()))


class OutOfTimeError(Exception):
    """The time allowed is over before the work is; what was done is kept, so start it again."""
