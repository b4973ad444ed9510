"""Trainings in processes that are forked after the import of torch, which takes seconds.

Each runs ``train.py`` as its command does, but for the start of the interpreter.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from unittest import mock

from heliosynth.jobs.launch import RENDEZVOUS_VARIABLE
from heliosynth.jobs.watchdog import PARENT_VARIABLE, process_identity
from helpers.hold import Hold, activate

ON_CPU = {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
PRELOADED = ["helpers.training", "heliosynth.workflow.fingerprint", "torch._dynamo"]
"""What a training imports; the optimiser imports torch._dynamo."""
TIMEOUT_S = 600


def fork(function: Callable[..., None], *args: object) -> BaseProcess:
    """Start a function of a module in a process forked from a server that has imported torch."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    process = context.Process(target=function, args=args, daemon=True)
    # The server has the environment in which the first process is started.
    with mock.patch.dict(os.environ, {**ON_CPU, "PYTHONPATH": os.pathsep.join(sys.path)}):
        process.start()
    return process


class Forked:
    """A forked training, with the methods of a started command."""

    def __init__(self, process: BaseProcess) -> None:
        self.process = process
        self.pid, self.kill = process.pid, process.kill

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self, timeout_s: float = TIMEOUT_S) -> int | None:
        self.process.join(timeout_s)
        return self.process.exitcode


@contextmanager
def forked(command: Sequence[str], output: Path, hold: Hold | None = None) -> Iterator[Forked]:
    """Run the command of a training in a forked process, its output in a file; kill it after."""
    process = _start(command, output, hold)
    try:
        yield Forked(process)
    finally:
        process.kill()
        process.join()


def train_on_ranks(command: Sequence[str], world_size: int, folder: Path) -> None:
    """Run the command of a training as the ranks that the launcher starts, and wait for them.

    Raises
    ------
    AssertionError
        If a rank fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ranks = []
    for rank in range(world_size):
        variables = {
            "RANK": str(rank),
            "WORLD_SIZE": str(world_size),
            RENDEZVOUS_VARIABLE: f"file://{folder.resolve()}/rendezvous",
        }
        output = folder / f"rank_{rank}.log"
        ranks.append((_start(command, output, **variables), output))
    for process, output in ranks:
        process.join(TIMEOUT_S)
        process.kill()
        assert process.exitcode == 0, output.read_text()


def _start(
    command: Sequence[str], output: Path, hold: Hold | None = None, **variables: str
) -> BaseProcess:
    # It exits when this process has ended, as a job does without its Snakemake.
    variables = {PARENT_VARIABLE: process_identity(), **variables}
    return fork(_run, command[2:], output, hold and hold.folder, variables)


def _run(
    options: Sequence[str], output: Path, hold: Path | None, variables: Mapping[str, str]
) -> None:
    from helpers.scripts import load

    os.environ.update(variables)
    with output.open("wb") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    if hold is not None:
        activate(str(hold))
    load("train").main(options)
