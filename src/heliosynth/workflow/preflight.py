"""Preflight checks: where Snakemake runs, write access, and no times in the future."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from heliosynth.errors import InputError

FORBIDDEN = {
    "{": "Snakemake takes braces in it for wildcards",
    "}": "Snakemake takes braces in it for wildcards",
    ":": "colons separate the folders of PATH and PYTHONPATH",
}
"""Characters that the path of the project must not contain, and why."""


def check_project(project: Path | str) -> None:
    """Check that Snakemake runs in the project's folder, and that its path can be used.

    Raises
    ------
    InputError
        If another working directory was chosen, or a character in the path has a meaning.
    """
    folder = Path(project).resolve()
    for character, reason in FORBIDDEN.items():
        if character in str(folder):
            raise InputError(
                f"{folder}: the project's path contains {character!r}, and {reason}; "
                "rename or move the folder"
            )
    if Path.cwd() != folder:
        raise InputError(
            f"{Path.cwd()}: is not the project's folder, in which paths of rules begin; run "
            f"snakemake in {folder}, without --directory"
        )


def check_folders(*roots: Path | str) -> None:
    """Check write access to the folders of a run, and clamp modification times to now.

    Files have times in the future after the clock was set back. Snakemake would reject every new
    product made from them.

    Raises
    ------
    InputError
        If a folder, or one inside it, is not writable.
    """
    # One time for all of them: a file newer than its product would have it made again.
    now_ns = time.time_ns()
    for root in map(Path, roots):
        _check_writable(root)
        _clamp_times(root, now_ns)


def _check_writable(root: Path) -> None:
    folder = root
    try:
        root.mkdir(parents=True, exist_ok=True)
        for folder in _folders(root):
            with tempfile.TemporaryFile(dir=folder):
                pass
    except OSError as error:
        # Ignore folders removed meanwhile.
        if isinstance(error, FileNotFoundError) and not folder.exists() and root.is_dir():
            return
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}), and a run writes there; "
            "fix this and rerun"
        ) from error


def _clamp_times(root: Path, now_ns: int) -> None:
    for folder in _folders(root):
        for path in (folder, *folder.iterdir()):
            with contextlib.suppress(OSError):
                status = path.lstat()
                if status.st_mtime_ns > now_ns:
                    os.utime(path, ns=(status.st_atime_ns, now_ns), follow_symlinks=False)


def _folders(root: Path) -> Iterator[Path]:
    """Yield a folder and all folders inside it, without following links."""
    return (Path(folder) for folder, _, _ in os.walk(root))
