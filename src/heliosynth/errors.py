"""What ends a script without being its fault, and how that is reported: in one line."""

from __future__ import annotations

import functools
import signal
import sys
from collections.abc import Callable, Sequence

from heliosynth.orphans import end_with_snakemake


class InputError(Exception):
    """Something given to the pipeline is wrong; the message says what, where, and what to do."""

    def __init__(self, message: str) -> None:
        # Names of files and keys may hold line breaks, and so may what another library says.
        super().__init__(" ".join(message.splitlines()))


class OutOfTimeError(Exception):
    """The time allowed is over before the work is; what was done is kept, so start it again."""


TIME_UP_STATUS = 75
"""Exit status of a script that wants to be started again: ``EX_TEMPFAIL`` of sysexits.h."""

Main = Callable[[Sequence[str] | None], None]


def one_line_errors(main: Main) -> Callable[..., None]:
    """Let a script end with one line and status 1 on an :class:`InputError`.

    On an :class:`OutOfTimeError` the status is :data:`TIME_UP_STATUS`. It does not outlive the
    Snakemake that started it.
    """

    @functools.wraps(main)
    def guarded(argv: Sequence[str] | None = None) -> None:
        try:
            end_with_snakemake()
            main(argv)
        except InputError as error:
            sys.exit(f"error: {error}")
        except OutOfTimeError as error:
            print(error, file=sys.stderr)
            sys.exit(TIME_UP_STATUS)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            sys.exit(128 + signal.SIGINT)

    return guarded
