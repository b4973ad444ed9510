"""Errors that a user can mend, and how a script reports them: in one line."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence


class InputError(Exception):
    """Something given to the pipeline is wrong; the message says what, where, and what to do."""

    def __init__(self, message: str) -> None:
        # Names of files and keys may hold line breaks, and so may what another library says.
        super().__init__(" ".join(message.splitlines()))


Main = Callable[[Sequence[str] | None], None]


def one_line_errors(main: Main) -> Callable[..., None]:
    """Let a script end on an :class:`InputError` with one line and exit status 1."""

    @functools.wraps(main)
    def guarded(argv: Sequence[str] | None = None) -> None:
        try:
            main(argv)
        except InputError as error:
            sys.exit(f"error: {error}")

    return guarded
