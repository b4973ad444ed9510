"""The entry point of every script: errors in one line, exit statuses, the watchdog."""

from __future__ import annotations

import functools
import signal
import sys
from collections.abc import Callable, Sequence

from heliosynth.errors import InputError, OutOfTimeError
from heliosynth.jobs.watchdog import exit_with_parent

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
            exit_with_parent()
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
