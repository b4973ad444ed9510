"""Errors caused by input or environment."""

from __future__ import annotations


class InputError(Exception):
    """Wrong input: a file, a setting or the environment.

    The message says what is wrong, where, and what to do, in one line.
    """

    def __init__(self, message: str) -> None:
        # Names of files and keys, and messages of libraries, can contain line breaks.
        super().__init__(" ".join(message.splitlines()))


class OutOfTimeError(Exception):
    """The time limit of the job was reached; its work is saved, so resubmit it to continue."""
