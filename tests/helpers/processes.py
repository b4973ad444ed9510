"""Snakemake in a session of its own, and whatever it leaves running."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

MARK = "HELIOSYNTH_TEST_RUN"
TINY = ("--configfile", "config/tiny.yaml")
TRAINED = "results/tiny/models/cevae/weights.safetensors"
STATES = "results/tiny/models/.states/*/*.sha256"


class Run:
    """A Snakemake that runs; all its processes carry a mark, whatever group they are in."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.mark = f"{MARK}={uuid.uuid4().hex}"
        name, _, value = self.mark.partition("=")
        self.output = folder / f"{value}.txt"
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--nocolor", *options]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env={
                    **os.environ,
                    name: value,
                    "OMP_NUM_THREADS": "1",
                    "CUDA_VISIBLE_DEVICES": "",
                    "XDG_CACHE_HOME": str(folder / ".cache"),
                },
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.output.read_text(errors="replace")

    @property
    def left(self) -> dict[int, str]:
        """Its processes that are still there, by number, with their commands."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if self.mark.encode() in (folder / "environ").read_bytes():
                    words = (folder / "cmdline").read_bytes().split(b"\0")
                    found[int(folder.name)] = b" ".join(words).decode(errors="replace")
        return found

    def wait_until(self, happens: Callable[[], object], patience_s: float = 120) -> None:
        """Wait until something happens while it runs."""
        until = time.monotonic() + patience_s
        while not happens():
            assert self.process.poll() is None, self.said[-3000:]
            assert time.monotonic() < until, self.said[-3000:]
            time.sleep(0.02)

    def seconds_until_gone(self, patience_s: float = 30) -> float:
        """Wait until no process of it is left, and give the seconds that took."""
        began = time.monotonic()
        while self.left:
            self.process.poll()
            assert time.monotonic() - began < patience_s, self.left
            time.sleep(0.05)
        return time.monotonic() - began

    def end(self) -> None:
        for number in self.left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self.process.wait()


def training(images: int, processes: int = 1) -> tuple[str, ...]:
    """Give the options of a run that trains one model for a while, and often keeps its state."""
    length = f"images: {images}, checkpoints: {images // 100}, gpus: {processes}"
    return (TRAINED, *TINY, "--config", f"models={{cevae: {{training: {{{length}}}}}}}")


@contextlib.contextmanager
def running(folder: Path, *options: str) -> Iterator[Run]:
    """Give a Snakemake that runs in a folder; nothing of it is left afterwards."""
    run = Run(folder, *options)
    try:
        yield run
    finally:
        run.end()
