"""An interrupt of a script is one line and status 130, whenever it comes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from heliosynth.jobs.interrupts import handle_interrupts
from helpers.hold import Hold

SCRIPT = """
import contextlib
import os
import signal
import sys

from heliosynth.jobs.entry_point import one_line_errors

@one_line_errors
def main(argv):
    if argv == ["swallow"]:
        with contextlib.suppress(KeyboardInterrupt):
            import colorsys
        print("not interrupted")
    elif argv == ["twice"]:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            print("cleaned up")

main(sys.argv[1:])
"""


def run(*argv: str, **options: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", SCRIPT, *argv]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def test_an_import_cannot_swallow_an_interrupt(tmp_path: Path) -> None:
    hold = Hold(tmp_path, "colorsys")
    command = [sys.executable, "-c", SCRIPT, "swallow"]
    with subprocess.Popen(
        command, env=hold.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        hold.wait(process)
        process.send_signal(signal.SIGINT)
        assert process.communicate() == ("", "interrupted\n")
    assert process.returncode == 130


def test_a_second_interrupt_does_not_disturb_the_cleanup() -> None:
    done = run("twice")
    assert (done.returncode, done.stdout, done.stderr) == (130, "cleaned up\n", "interrupted\n")


def test_an_interrupt_blocked_at_the_start_arrives() -> None:
    def interrupt_while_blocked() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        os.kill(os.getpid(), signal.SIGINT)

    done = run(preexec_fn=interrupt_while_blocked)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


def test_interrupts_that_the_caller_ignores_stay_ignored() -> None:
    done = run("twice", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    assert (done.returncode, done.stdout, done.stderr) == (0, "cleaned up\n", "")


def test_the_handler_of_the_caller_is_restored() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), handle_interrupts():
        assert signal.getsignal(signal.SIGINT) is not before
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before
