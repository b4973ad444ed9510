"""Order on disk: what is written before a power cut is whole after it.

A file system may write data and names to the disk in any order until it is asked to sync. Products
are written, synced, given their name, and then the folder with the name is synced.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EXDEV)
"""System errors of an exchange that the kernel or the file system does not offer."""
NO_FOLDER_SYNC = (errno.EACCES, errno.EBADF, errno.EINVAL, errno.ENOTSUP)
"""System errors of file systems that cannot sync folders, and write names in order instead."""
ERRORS_REPORTED = (5, 8)
"""The version of Linux from which on the sync of a file system reports its errors."""

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def sync_file(path: Path) -> None:
    """Write the content of a file to the disk."""
    _sync(path, os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Write the names in a folder to the disk, where the file system offers it."""
    try:
        _sync(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise


def sync_tree(folder: Path) -> None:
    """Write a folder with all files and folders inside it to the disk.

    Where the system reports errors of it, the whole file system is synced at once, which is much
    faster than many small files one by one.
    """
    if _can_sync_file_system():
        sync_file_system(folder)
        return
    for path, _, names in os.walk(folder, topdown=False):
        for file in (Path(path, name) for name in names):
            if not file.is_symlink():
                sync_file(file)
        sync_folder(Path(path))


def sync_file_system(path: Path) -> None:
    """Write everything on the file system of a file or folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if _library().syncfs(descriptor):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    finally:
        os.close(descriptor)


def make_folder(path: Path | str) -> Path:
    """Create a folder and its missing parents so that their names are on the disk."""
    folder = Path(path)
    for missing in reversed([*_missing(folder)]):
        missing.mkdir(exist_ok=True)
        sync_folder(missing.parent)
    # Also raises the error of a path that is a file.
    folder.mkdir(exist_ok=True)
    return folder


def exchange(one: Path, other: Path) -> None:
    """Exchange two files or folders in one step: at every moment, both names exist.

    Raises
    ------
    OSError
        With an errno of :data:`UNSUPPORTED` if the kernel or the file system cannot.
    """
    if not hasattr(_library(), "renameat2"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    paths = os.fsencode(one), os.fsencode(other)
    if _library().renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one), None, str(other))


@functools.cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@functools.cache
def _can_sync_file_system() -> bool:
    version = re.match(r"(\d+)\.(\d+)", platform.release())
    if platform.system() != "Linux" or version is None:
        return False
    return (int(version[1]), int(version[2])) >= ERRORS_REPORTED and hasattr(_library(), "syncfs")


def _missing(folder: Path) -> Iterator[Path]:
    while not folder.exists():
        yield folder
        folder = folder.parent


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        os.close(descriptor)
