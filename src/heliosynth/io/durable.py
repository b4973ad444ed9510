"""Order on disk: what is written before a power cut is whole after it.

A file system may write data and names to the disk in any order until it is asked to sync. Products
are written, synced, given their name, and then the folder with the name is synced.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from pathlib import Path

UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EXDEV)
"""System errors of an exchange that the kernel or the file system does not offer."""
NO_FOLDER_SYNC = (errno.EACCES, errno.EBADF, errno.EINVAL, errno.ENOTSUP)
"""System errors of file systems that cannot sync folders, and write names in order instead."""

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
    """Write a folder with all files and folders inside it to the disk."""
    for path, _, names in os.walk(folder, topdown=False):
        for file in (Path(path, name) for name in names):
            if not file.is_symlink():
                sync_file(file)
        sync_folder(Path(path))


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
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "renameat2"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    paths = os.fsencode(one), os.fsencode(other)
    if library.renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one), None, str(other))


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
