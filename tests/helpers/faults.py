"""The n-th system call of each kind fails, for every n, while a product is written.

Run as a program, with ``faults.c`` preloaded: it prints one JSON line per fault::

    LD_PRELOAD=faults.so python -m helpers.faults folder product.h5 ...
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

KINDS = ("open", "write", "truncate", "fsync", "rename", "unlink", "mkdir")
"""Kinds of calls; exchanges are renames, and deletions of folders are unlinks."""
FAULTS = {"EIO once": (errno.EIO, 0), "ENOSPC from then on": (errno.ENOSPC, 1)}
SOURCE = Path(__file__).with_suffix(".c")
MOST_CALLS = 500
OLD, NEW = 1, 2


def compiled(folder: Path) -> Path | None:
    """Return the compiled ``faults.c``, or None without a C compiler."""
    compiler, library = shutil.which("cc") or shutil.which("gcc"), folder / "faults.so"
    if compiler is None:
        return None
    options = ["-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run([compiler, *options], check=True)
    return library


def inject(library: Path, folder: Path, names: list[str]) -> list[dict[str, Any]]:
    """Run this module with faults, and return what became of each product."""
    tests = SOURCE.parents[1]
    path = os.pathsep.join([str(tests.parent / "src"), str(tests)])
    environment = {**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-m", "helpers.faults", str(folder), *names],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def main(folder: Path, names: list[str]) -> None:
    """Write each product with each fault in a forked process, and print what became of it."""
    # Imported before the forks, which would each take seconds otherwise.
    import helpers.writers  # noqa: F401

    for name in names:
        for kind in KINDS:
            for fault in FAULTS:
                for nth in range(1, MOST_CALLS):
                    result = _forked(folder, name, kind, fault, nth)
                    if not result.get("struck", 1):
                        break
                    case = {"name": name, "kind": kind, "fault": fault, "nth": nth}
                    print(json.dumps({**case, **result}), flush=True)


def _forked(folder: Path, name: str, kind: str, fault: str, nth: int) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            text = json.dumps(_fault(folder, name, kind, fault, nth))
        except BaseException as error:
            text = json.dumps({"harness": repr(error)})
        os.write(writing, text.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        text = stream.read().decode()
    _, status = os.waitpid(child, 0)
    return json.loads(text) if text else {"harness": f"ended with status {status}"}


def _fault(folder: Path, name: str, kind: str, fault: str, nth: int) -> dict[str, Any]:
    """Replace a product while a call fails; return the error and what is left."""
    from heliosynth.errors import InputError
    from helpers.writers import WRITERS

    shim, writer = ctypes.CDLL(None), WRITERS[name]
    root = Path(tempfile.mkdtemp(dir=folder))
    writer.write_into(root, OLD)
    old = writer.outcome(root)
    number, sticky = FAULTS[fault]
    error, text = "", ""
    shim.fault_arm(os.fsencode(root), kind.encode(), ctypes.c_long(nth), number, sticky)
    try:
        writer.write_into(root, NEW)
    except InputError as caught:
        error, text = "InputError", str(caught)
    except Exception as caught:
        error, text = type(caught).__name__, str(caught)
    struck = shim.fault_disarm()
    after = writer.outcome(root)
    writer.write_into(root, NEW)
    new = writer.outcome(root)
    left = [str(path) for path in root.rglob(".unfinished-*")]
    shutil.rmtree(root)
    return {
        "struck": struck,
        "error": error,
        "named": text.startswith(str(root)),
        "text": text,
        "is_old": after == old,
        "is_new": after == new,
        "left": left,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
