"""What came of a script: a file, or one line; in a process of its own, which may crash."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

PATIENCE_S = 30
LONGEST_LINE = 700

Main = Callable[[list[str]], None]


def line_of(main: Main, argv: list[str]) -> str:
    """Run a script in a forked process; give the line that it ended with, empty if all is well.

    Libraries in C can crash on what they read, which must not end the tests: it is an
    assertion that fails, and so is a traceback.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(PATIENCE_S)
        said = _said(main, argv)
        os.write(writing, said.encode(errors="replace")[:60000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        said = stream.read().decode()
    _, status = os.waitpid(child, 0)
    assert status == 0, f"ended by signal {os.waitstatus_to_exitcode(status)}: {argv}"
    assert "Traceback" not in said, said[-1500:]
    return said


def _said(main: Main, argv: list[str]) -> str:
    sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  (the process ends)
    try:
        main(argv)
    except SystemExit as stop:
        return str(stop.code)
    except BaseException:
        return traceback.format_exc()
    return ""


def accepted(main: Main, argv: list[str], output: Path, *names: str) -> bool:
    """Tell whether a script made its output, after checking how it refused if it did not.

    A refusal is one line that begins with ``error:`` and has one of some names in it, with
    nothing written.
    """
    output.unlink(missing_ok=True)
    output.parent.mkdir(exist_ok=True)
    before = sorted(output.parent.iterdir())
    said = line_of(main, argv)
    if not said:
        assert output.is_file()
        return True
    assert said.startswith("error: "), said
    assert len(said.splitlines()) == 1, said
    assert len(said) < LONGEST_LINE, said
    assert any(name in said for name in names), (names, said)
    assert sorted(output.parent.iterdir()) == before, said
    return False
