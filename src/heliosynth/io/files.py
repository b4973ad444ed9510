"""Atomic writes of files and folders, and JSON."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from heliosynth.errors import InputError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""System errors that only a write can cause: no space, no quota, read-only file system."""
NOT_PERMITTED = (errno.EACCES, errno.EPERM)


class UnwritableError(InputError):
    """A product cannot be written: the disk is full or read-only, or permission is missing."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.errno: int | None = None


@contextlib.contextmanager
def atomic_file(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path that becomes ``path`` if the block ends without an error.

    The temporary file is in the same folder, so that the renaming is atomic, and keeps the
    suffix, from which some writers choose the format.

    Raises
    ------
    UnwritableError
        If the disk is full or read-only, or permission is missing.
    """
    final = Path(path)
    with _disk_errors_named(final), _temporary_folder(final) as folder:
        unfinished = folder / final.name
        yield unfinished
        unfinished.replace(final)


@contextlib.contextmanager
def atomic_directory(path: Path | str) -> Iterator[Path]:
    """Yield a temporary folder that becomes ``path`` if the block ends without an error.

    Raises
    ------
    UnwritableError
        If the disk is full or read-only, or permission is missing.
    """
    final = Path(path)
    with _disk_errors_named(final), _temporary_folder(final) as unfinished:
        unfinished.chmod(0o755)
        yield unfinished
        if final.exists():
            shutil.rmtree(final)
        unfinished.rename(final)


@contextlib.contextmanager
def _temporary_folder(final: Path) -> Iterator[Path]:
    """Create a temporary folder next to a product, and delete it after the block.

    Writers lock their folders, so folders without a lock are leftovers of killed writers; they
    are deleted as well.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".unfinished-{final.name}-"
    for leftover in final.parent.glob(f"{glob.escape(prefix)}{'[a-z0-9_]' * 8}"):
        with _locked(leftover, fcntl.LOCK_EX | fcntl.LOCK_NB) as locked:
            if locked:
                shutil.rmtree(leftover, ignore_errors=True)
    while True:
        folder = Path(tempfile.mkdtemp(dir=final.parent, prefix=prefix))
        with _locked(folder, fcntl.LOCK_EX):
            # Another writer may have deleted it before it was locked.
            if not folder.exists():
                continue
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return


@contextlib.contextmanager
def _locked(folder: Path, operation: int) -> Iterator[bool]:
    """Lock a folder until the block or this process ends; yield whether it is locked.

    It is not locked if another process holds the lock, if the folder no longer exists, or if the
    file system does not support locks, like some shared ones, where leftovers are never deleted.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(descriptor, operation)
        locked = True
    except OSError:
        locked = False
    try:
        yield locked
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _disk_errors_named(final: Path) -> Iterator[None]:
    """Raise disk errors of the block as UnwritableError with the product's name, others as is."""
    try:
        yield
    except Exception as error:
        number = _disk_errno(error, final)
        if number is None:
            raise
        named = UnwritableError(
            f"{final}: cannot be written ({os.strerror(number)}); fix this and rerun"
        )
        named.errno = number
        raise named from error


def _disk_errno(error: Exception, final: Path) -> int | None:
    """Return the errno if an error was caused by writing a product, else None."""
    if isinstance(error, UnwritableError):
        return error.errno
    if isinstance(error, OSError):
        if error.errno in DISK_FULL or (error.errno in NOT_PERMITTED and _near(error, final)):
            return error.errno
        return None
    if type(error).__module__ == "builtins":
        return None
    # Libraries such as safetensors report the system's error only in their message.
    return next((n for n in DISK_FULL if os.strerror(n) in str(error)), None)


def _near(error: OSError, final: Path) -> bool:
    """Return whether an error concerns a file in the folder of a product or in its parents."""
    if not isinstance(error.filename, str | bytes):
        return False
    path, folder = Path(os.fsdecode(error.filename)).absolute(), final.absolute().parent
    return path.is_relative_to(folder) or folder.is_relative_to(path)


def write_text(path: Path | str, text: str) -> None:
    """Write a text file atomically."""
    with atomic_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def write_json(path: Path | str, content: Any) -> None:
    """Write a JSON file atomically, indented."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read_json_product(path: Path | str) -> Any:
    """Read a JSON file that the workflow has written.

    Raises
    ------
    InputError
        If it cannot be read, or is not JSON.
    """
    try:
        return read_json(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); rebuild it") from error
