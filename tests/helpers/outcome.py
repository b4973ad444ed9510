"""Outcome of a script: a product or one error line; a crash fails only the test."""

import contextlib
import functools
import io
import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIMIT_S = 800
"""A safety net: the tests take less than a minute on an idle machine."""
LONGEST_LINE = 700

Main = Callable[[list[str]], None]


def isolated(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test in a forked process: libraries in C can crash on what they read.

    A crash is a failure of the test. It must not end the process of pytest.
    """

    @functools.wraps(test)
    def forking(*args: Any, **kwargs: Any) -> None:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            signal.alarm(LIMIT_S)
            error = _error_of(functools.partial(test, *args, **kwargs))
            os.write(writing, error.encode(errors="replace")[-60000:])
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as stream:
            error = stream.read().decode(errors="replace")
        _, status = os.waitpid(child, 0)
        assert status == 0, f"ended by signal {os.waitstatus_to_exitcode(status)}"
        assert not error, error

    return forking


def _error_of(test: Callable[[], None]) -> str:
    try:
        test()
    except BaseException:
        return traceback.format_exc()
    return ""


def error_line(main: Main, argv: list[str]) -> str:
    """Run a script in this process; return the line it ended with, empty on success.

    An internal error is a failed assertion. Use it in :func:`isolated` tests.
    """
    line, output = "", io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            main(argv)
        except SystemExit as stop:
            line = str(stop.code)
    assert "internal error" not in line, output.getvalue()[-1500:]
    return line


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
