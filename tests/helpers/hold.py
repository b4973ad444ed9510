"""Processes held at a chosen point until the test releases them.

A test that needs a training (or any other script) to be under way must not guess how long it
takes. It names a point in the code, waits until a process has reached it, does what it wants to
test (an interrupt, a kill, a second training), and releases the process or kills it::

    hold = Hold(tmp_path / "hold", call=5)                # before the fifth step of the optimiser
    with subprocess.Popen(command, env=hold.environment) as training:
        hold.wait(training)                               # four steps are taken, none is running
        training.send_signal(signal.SIGINT)

    hold = Hold(tmp_path / "hold", "torch")               # as `import torch` begins: start-up
    hold.install(project / "src")                         # Snakemake sets PYTHONPATH to it
    with running(project, *options) as run:
        hold.wait(run.process, processes=2)               # both ranks of a training
        hold.release()

The hold travels as a ``sitecustomize`` module on the PYTHONPATH, so it reaches every descendant:
scripts, ranks of a training, jobs of Snakemake. A held process sleeps in its main thread,
where an interrupt does what it would do in the code held. A process is held once.
This module is loaded by those processes, so it imports the standard library only.
"""

import functools
import importlib.abc
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

STEP = "heliosynth.training.trainer:Trainer.step"
"""One step of the optimiser, in every training."""
POLL_S = 0.01
SITECUSTOMIZE = """\
import importlib.util
spec = importlib.util.spec_from_file_location("heliosynth_hold", {path!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.activate({folder!r})
"""


class Process(Protocol):
    """What a hold needs to know of the process that it waits for, for example a ``Popen``."""

    @property
    def returncode(self) -> Any: ...

    def poll(self) -> int | None: ...


class Hold:
    """A point at which processes wait for this test.

    Parameters
    ----------
    folder
        Where the test and the processes exchange files; created.
    point
        ``package.module:function`` or ``package.module:Class.method`` holds before a call of
        it, ``package.module`` as its first import begins.
    call
        Which call in a process is held, from 1.
    within
        Hold only processes whose command line has this text, for example ``train.py``.
    constants
        Values that module constants have in those processes, by ``package.module:NAME``.
    """

    def __init__(
        self,
        folder: Path,
        point: str = STEP,
        call: int = 1,
        within: str = "",
        constants: Mapping[str, float] | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.constants = dict(constants or {})
        self.install(self.folder)
        self.set(point, call, within)

    @property
    def variables(self) -> dict[str, str]:
        """The variable with the hold on the PYTHONPATH."""
        folders = filter(None, (str(self.folder), os.getenv("PYTHONPATH")))
        return {"PYTHONPATH": os.pathsep.join(folders)}

    @property
    def environment(self) -> dict[str, str]:
        """The environment of this process, with the hold."""
        return {**os.environ, **self.variables}

    def install(self, folder: Path) -> None:
        """Put the hold in a folder of the PYTHONPATH, for programs that set it themselves."""
        text = SITECUSTOMIZE.format(path=str(Path(__file__).resolve()), folder=str(self.folder))
        (folder / "sitecustomize.py").write_text(text)

    def set(self, point: str = STEP, call: int = 1, within: str = "") -> None:
        """Hold new processes at another point; those held before must have ended."""
        for path in (*self.folder.glob("held-*"), self.folder / "released"):
            path.unlink(missing_ok=True)
        settings = {"point": point, "call": call, "within": within, "constants": self.constants}
        (self.folder / "settings.json").write_text(json.dumps(settings))

    @property
    def held(self) -> list[int]:
        """The pids of the processes that have reached the point."""
        return sorted(int(path.name.partition("-")[2]) for path in self.folder.glob("held-*"))

    def wait(self, process: Process, processes: int = 1, timeout_s: float = 1800) -> list[int]:
        """Wait until a number of processes are held; return their pids.

        Raises
        ------
        AssertionError
            If the process that should lead to them ends before, or time is up.
        """
        deadline = time.monotonic() + timeout_s
        while len(self.held) < processes:
            assert process.poll() is None, f"ended with {process.returncode} before it was held"
            assert time.monotonic() < deadline, f"only {self.held} held after {timeout_s} s"
            time.sleep(POLL_S)
        return self.held

    def release(self) -> None:
        """Let the held processes go on, and hold no other until :meth:`set`."""
        (self.folder / "released").touch()


def before_call(point: str, call: int, action: Callable[[], None]) -> None:
    """Take an action in this process before a call of the function at a point."""
    module, _, name = point.partition(":")
    _patch(importlib.import_module(module), name, call, action)


def activate(folder: str) -> None:
    """Set up the hold in this process; called by ``sitecustomize``."""
    settings = json.loads(Path(folder, "settings.json").read_text())
    if settings["within"] not in " ".join(sys.orig_argv):
        return
    wait = functools.partial(_wait, Path(folder))
    module, _, name = settings["point"].partition(":")
    if name:
        _change(module, functools.partial(_patch, name=name, call=settings["call"], action=wait))
    else:
        sys.meta_path.insert(0, _Finder(module, begin=wait))
    for constant, value in settings["constants"].items():
        module, _, name = constant.partition(":")
        _change(module, functools.partial(_set_constant, name=name, value=value))


def _wait(folder: Path) -> None:
    released = folder / "released"
    if not released.exists():
        (folder / f"held-{os.getpid()}").touch()
    while not released.exists():
        time.sleep(POLL_S)


def _change(name: str, change: Callable[[ModuleType], None]) -> None:
    """Change a module: now, or as soon as it has been imported."""
    if name in sys.modules:
        change(sys.modules[name])
    else:
        sys.meta_path.insert(0, _Finder(name, end=change))


def _set_constant(module: ModuleType, name: str, value: float) -> None:
    getattr(module, name)
    setattr(module, name, value)


def _patch(module: ModuleType, name: str, call: int, action: Callable[[], None]) -> None:
    """Replace a function of a module by one that takes an action before a call of it."""
    *outer, last = name.split(".")
    owner = functools.reduce(getattr, outer, module)
    function, calls = getattr(owner, last), 0

    @functools.wraps(function)
    def replacement(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            action()
        return function(*args, **kwargs)

    setattr(owner, last, replacement)


class _Finder(importlib.abc.MetaPathFinder):
    """Does something once, as a module's import begins or ends; other finders find the module."""

    def __init__(
        self,
        module: str,
        begin: Callable[[], None] | None = None,
        end: Callable[[ModuleType], None] | None = None,
    ) -> None:
        self.module, self.begin, self.end, self.done = module, begin, end, False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.module or self.done:
            return None
        self.done = True
        if self.begin is not None:
            self.begin()
        spec = importlib.util.find_spec(fullname) if self.end is not None else None
        if spec is not None and spec.loader is not None:
            execute, change = spec.loader.exec_module, self.end

            def execute_and_change(module: ModuleType) -> None:
                execute(module)
                change(module)

            spec.loader.exec_module = execute_and_change  # type: ignore[method-assign]
        return spec
