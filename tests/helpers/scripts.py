"""Scripts of the workflow as modules."""

import functools
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow" / "scripts"


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
