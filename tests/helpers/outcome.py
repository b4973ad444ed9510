"""Outcome of a script, a product or an error line, run in a process that is free to crash."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

LIMIT_S = 600
"""A safety net: the scripts run for less than a second on an idle machine."""
LONGEST_LINE = 700

Main = Callable[[list[str]], None]


def error_line(main: Main, argv: list[str]) -> str:
    """Run a script in a forked process; return the line it ended with, empty on success.

    Libraries in C can crash on what they read, which must not end the tests. A crash is a failed
    assertion, and so is an internal error.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(LIMIT_S)
        os.write(writing, _run(main, argv).encode(errors="replace")[:60000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        line = stream.read().decode()
    _, status = os.waitpid(child, 0)
    assert status == 0, f"ended by signal {os.waitstatus_to_exitcode(status)}: {argv}"
    assert "Traceback" not in line, line[-1500:]
    assert "internal error" not in line, line
    return line


def _run(main: Main, argv: list[str]) -> str:
    sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  (the process ends)
    try:
        main(argv)
    except SystemExit as stop:
        return str(stop.code)
    except BaseException:
        return traceback.format_exc()
    return ""


def succeeds(main: Main, argv: list[str], output: Path, *names: str) -> bool:
    """Return whether a script wrote its output, and check its error if it did not.

    An error is one line that begins with ``error:`` and contains one of some names; no file is
    left behind.
    """
    output.unlink(missing_ok=True)
    output.parent.mkdir(exist_ok=True)
    before = sorted(output.parent.iterdir())
    line = error_line(main, argv)
    if not line:
        assert output.is_file()
        return True
    assert line.startswith("error: "), line
    assert len(line.splitlines()) == 1, line
    assert len(line) < LONGEST_LINE, line
    assert any(name in line for name in names), (names, line)
    assert sorted(output.parent.iterdir()) == before, line
    return False
