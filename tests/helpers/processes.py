"""Commands in the background, Snakemake first, and all processes that they start."""

import contextlib
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from helpers.project import environment, snakemake_command

MARK = "HELIOSYNTH_TEST_RUN"
LIMIT_S = 1800
"""A safety net: what is waited for takes seconds on an idle machine."""
POLL_S = 0.02


class Background:
    """A command in a session of its own.

    Attributes
    ----------
    process
        The process of the command itself.
    mark
        A variable in the environment of all its descendants, in whatever group they are.
    """

    def __init__(self, command: list[str], folder: Path, variables: dict[str, str]) -> None:
        mark = uuid.uuid4().hex
        self.mark = f"{MARK}={mark}"
        self._log = folder / f"{mark}.txt"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env={**variables, MARK: mark},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        """What it and its descendants have printed so far."""
        return self._log.read_text(errors="replace")

    @property
    def alive(self) -> dict[int, str]:
        """Its processes that have not ended, by pid, with their command lines."""
        commands = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if self.mark.encode() in (folder / "environ").read_bytes():
                    words = (folder / "cmdline").read_bytes().split(b"\0")
                    commands[int(folder.name)] = b" ".join(words).decode(errors="replace")
        return commands

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Wait until a condition holds, which must happen before the command ends."""
        wait_until(condition, self.process, lambda: self.log[-3000:])

    def wait_until_all_ended(self) -> None:
        """Wait until the command and all its descendants have ended."""
        deadline = time.monotonic() + LIMIT_S
        while self.alive:
            self.process.poll()
            assert time.monotonic() < deadline, self.alive
            time.sleep(POLL_S)
        self.process.wait(LIMIT_S)

    def interrupt(self) -> None:
        """Send SIGINT to the process group of the command, as a terminal does on Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)

    def kill_all(self) -> None:
        for pid in self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def background(command: list[str], folder: Path, variables: dict[str, str]) -> Iterator[Background]:
    """Start a command in a folder; kill what is left of it when the block ends."""
    run = Background(command, folder, variables)
    try:
        yield run
    finally:
        run.kill_all()


def running(folder: Path, *options: str) -> contextlib.AbstractContextManager[Background]:
    """Start Snakemake in a copy of the project; kill what is left of it when the block ends."""
    return background(snakemake_command(*options), folder, environment(folder))


def wait_until(
    condition: Callable[[], object],
    process: "subprocess.Popen[bytes] | subprocess.Popen[str] | None" = None,
    describe: Callable[[], object] = lambda: "",
) -> None:
    """Wait until a condition holds, which must happen before a process ends."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert process is None or process.poll() is None, describe()
        assert time.monotonic() < deadline, describe()
        time.sleep(POLL_S)
