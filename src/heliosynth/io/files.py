"""Atomic writes of files and folders, and JSON.

At every moment, also after a power cut, a product is the old one, the new one, or absent if there
was no old one; when the writer returns, it is the new one.
"""

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
from heliosynth.io import durable

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""System errors that only a write can cause: no space, no quota, read-only file system."""
NOT_PERMITTED = (errno.EACCES, errno.EPERM)
DISK_FAILED = errno.EIO
"""The system error of a disk that cannot be written or read."""


class UnwritableError(InputError):
    """A product cannot be written: the disk is full or read-only, or permission is missing."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.errno: int | None = None


@contextlib.contextmanager
def atomic_file(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path that becomes ``path`` if the block ends without an error.

    The temporary file is next to it, so that the renaming is atomic, and keeps the name, since
    some writers choose the format from the suffix. Its content is on the disk before it is
    renamed, and its name before this returns.

    Raises
    ------
    UnwritableError
        If the disk is full, read-only or failing, or permission is missing.
    """
    final = Path(path)
    with _disk_errors_named(final), _temporary_folder(final) as folder:
        unfinished = folder / final.name
        yield unfinished
        durable.sync_file(unfinished)
        unfinished.replace(final)
        durable.sync_folder(final.parent)


@contextlib.contextmanager
def atomic_directory(path: Path | str) -> Iterator[Path]:
    """Yield a temporary folder that becomes ``path`` if the block ends without an error.

    A folder that exists already is exchanged with the new one in one step, and deleted when that
    is on the disk.

    Raises
    ------
    UnwritableError
        If the disk is full, read-only or failing, permission is missing, or the folder exists and
        the file system cannot exchange folders.
    """
    final = Path(path)
    with _disk_errors_named(final), _temporary_folder(final) as folder:
        if os.path.lexists(final):
            _check_exchange(final, folder)
        unfinished = folder / final.name
        unfinished.mkdir()
        yield unfinished
        durable.sync_tree(unfinished)
        _rename_folder(unfinished, final)


def _check_exchange(final: Path, folder: Path) -> None:
    """Raise UnwritableError if the file system of a temporary folder cannot exchange folders."""
    probes = folder / ".one", folder / ".other"
    for probe in probes:
        probe.mkdir()
    try:
        durable.exchange(*probes)
    except OSError as error:
        if error.errno not in durable.UNSUPPORTED:
            raise
        raise UnwritableError(
            f"{final}: exists, and its file system cannot exchange it for a new folder in one "
            f"step ({error.strerror}); delete it and rerun"
        ) from error


def _rename_folder(unfinished: Path, final: Path) -> None:
    """Rename a folder to its final name; a folder that had the name gets the temporary one."""
    if os.path.lexists(final):
        durable.exchange(unfinished, final)
    else:
        unfinished.rename(final)
    durable.sync_folder(final.parent)


@contextlib.contextmanager
def _temporary_folder(final: Path) -> Iterator[Path]:
    """Create a temporary folder next to a product, and delete it after the block.

    Writers lock their folders, so folders without a lock are leftovers of killed writers; they
    are deleted as well.
    """
    durable.make_folder(final.parent)
    prefix = f".unfinished-{final.name}-"
    for leftover in final.parent.glob(f"{glob.escape(prefix)}{'[a-z0-9_]' * 8}"):
        with _locked(leftover, fcntl.LOCK_EX | fcntl.LOCK_NB) as locked:
            if locked:
                _delete_temporary(leftover, final)
    while True:
        folder = Path(tempfile.mkdtemp(dir=final.parent, prefix=prefix))
        with _locked(folder, fcntl.LOCK_EX):
            # Another writer may have deleted it before it was locked.
            if not folder.exists():
                continue
            try:
                yield folder
            finally:
                _delete_temporary(folder, final)
            return


def _delete_temporary(folder: Path, final: Path) -> None:
    """Delete a temporary folder, unless it may hold the product that a power cut would restore."""
    if (folder / final.name).is_dir():
        # It may have been exchanged with the product, which the disk may not know yet.
        try:
            durable.sync_folder(final.parent)
        except OSError:
            return
    shutil.rmtree(folder, ignore_errors=True)


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
        # The errors of reads and writes have no file name, those of other calls do.
        failed = error.errno == DISK_FAILED and error.filename is None
        near = error.errno in (*NOT_PERMITTED, DISK_FAILED) and _near(error, final)
        return error.errno if error.errno in DISK_FULL or failed or near else None
    if type(error).__module__ == "builtins":
        return None
    # Libraries such as safetensors report the system's error only in their message.
    return next((n for n in (*DISK_FULL, DISK_FAILED) if os.strerror(n) in str(error)), None)


def _near(error: OSError, final: Path) -> bool:
    """Return whether an error concerns a file in the folder of a product or in its parents."""
    if not isinstance(error.filename, str | bytes | os.PathLike):
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
