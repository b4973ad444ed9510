"""Scripts of the workflow, as modules and as processes."""

import functools
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "workflow" / "scripts"
SOURCE = ROOT / "src"


@functools.cache
def load(name: str) -> ModuleType:
    """Return the module of ``workflow/scripts/<name>.py``, which is called ``script_<name>``.

    The scripts are not on the path: their names (``dataset``, ``paper``) would be global modules.
    """
    spec = importlib.util.spec_from_file_location(f"script_{name}", SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def command(name: str, options: list[str]) -> list[str]:
    """Return the command that runs a script in a process of its own."""
    return [sys.executable, str(SCRIPTS / f"{name}.py"), *options]


def environment(*folders: Path) -> dict[str, str]:
    """Return the environment of such a process: this checkout's package, on the CPU.

    Further folders come first on its path.
    """
    path = os.pathsep.join(map(str, (*folders, SOURCE)))
    return {**os.environ, "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": path}
