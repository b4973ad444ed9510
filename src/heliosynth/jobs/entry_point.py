"""The entry point of every script: one line per error, tracebacks in logs, exit statuses."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from heliosynth.errors import InputError, OutOfTimeError
from heliosynth.jobs import interrupts
from heliosynth.jobs.environment import restart_in_job_environment
from heliosynth.jobs.watchdog import exit_with_parent

TIME_UP_STATUS = 75
"""Exit status of a script that is to be started again: ``EX_TEMPFAIL`` of sysexits.h."""
TRACEBACK_VARIABLE = "HELIOSYNTH_TRACEBACK"
"""Set to 1, every error is printed with its traceback; the Snakefile sets it, for the logs."""

MESSAGE_LENGTH = 500

Main = Callable[[Sequence[str] | None], None]


def one_line_errors(main: Main) -> Callable[..., None]:
    """Let the last line of a script be one that says why it failed.

    ================== ============================== =========================
    exception          last line                      exit status
    ================== ============================== =========================
    InputError         ``error: …``                   1
    OutOfTimeError     its message                    :data:`TIME_UP_STATUS`
    KeyboardInterrupt  ``interrupted``                130
    any other          ``error: internal error in …`` 1
    ================== ============================== =========================

    The traceback of an internal error is printed before it; that of an InputError where
    :data:`TRACEBACK_VARIABLE` is set. The script exits with the Snakemake that started it.
    Started by hand, it restarts itself in the environment of a job.
    """

    @functools.wraps(main)
    def guarded(argv: Sequence[str] | None = None) -> None:
        if main.__module__ == "__main__":
            restart_in_job_environment()
        try:
            with interrupts.handle_interrupts():
                exit_with_parent()
                main(argv)
        except InputError as error:
            if os.environ.get(TRACEBACK_VARIABLE) == "1":
                traceback.print_exc()
            sys.exit(f"error: {error}")
        except OutOfTimeError as error:
            print(error, file=sys.stderr)
            sys.exit(TIME_UP_STATUS)
        except KeyboardInterrupt:
            print(interrupts.MESSAGE, file=sys.stderr)
            sys.exit(interrupts.STATUS)
        except Exception as error:
            traceback.print_exc()
            script = Path(inspect.getfile(main)).name
            text = " ".join(str(error).split())[:MESSAGE_LENGTH]
            sys.exit(f"error: internal error in {script}: {type(error).__name__}: {text}")

    return guarded
