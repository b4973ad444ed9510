"""The folders that a run writes in, before its first job: may they be written, do times fit."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from heliosynth.errors import InputError


def check_folders(*roots: Path | str) -> None:
    """Make folders ready for a run's products.

    What lies in them from the future, since the clock was set back, is dated to now; Snakemake
    would else throw out whatever is newly made of it. The order of times stays as it is.

    Raises
    ------
    InputError
        If nothing may be written in one of them, or in a folder within.
    """
    # One time for all, since what is newer than its product would have that made again.
    now_ns = time.time_ns()
    for root in map(Path, roots):
        _refuse_unwritable(root)
        _settle_times(root, now_ns)


def _refuse_unwritable(root: Path) -> None:
    folder = root
    try:
        root.mkdir(parents=True, exist_ok=True)
        for folder in _folders(root):
            with tempfile.TemporaryFile(dir=folder):
                pass
    except OSError as error:
        # What is gone meanwhile is no hindrance.
        if isinstance(error, FileNotFoundError) and not folder.exists() and root.is_dir():
            return
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}), and a run writes there; "
            "mend that and run again"
        ) from None


def _settle_times(root: Path, now_ns: int) -> None:
    for folder in _folders(root):
        for path in (folder, *folder.iterdir()):
            with contextlib.suppress(OSError):
                status = path.lstat()
                if status.st_mtime_ns > now_ns:
                    os.utime(path, ns=(status.st_atime_ns, now_ns), follow_symlinks=False)


def _folders(root: Path) -> Iterator[Path]:
    """List a folder and all within it, but not what links lead to."""
    return (Path(folder) for folder, _, _ in os.walk(root))
