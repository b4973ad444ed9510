"""Files and folders written atomically, and JSON."""

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

DISK_REFUSES = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
"""Errors that whoever runs this can mend: no space, no quota, nothing may be written."""


@contextlib.contextmanager
def atomic_file(path: Path | str) -> Iterator[Path]:
    """Give a temporary path that becomes ``path`` when the block ends without an error.

    The temporary file lies in the same folder, so that the renaming is atomic, and keeps
    the suffix, which some writers go by.

    Raises
    ------
    InputError
        If the disk is full, or nothing may be written there.
    """
    final = Path(path)
    with _said_of(final), _room_for(final) as folder:
        unfinished = folder / final.name
        yield unfinished
        unfinished.replace(final)


@contextlib.contextmanager
def atomic_directory(path: Path | str) -> Iterator[Path]:
    """Give a temporary folder that becomes ``path`` when the block ends without an error.

    Raises
    ------
    InputError
        If the disk is full, or nothing may be written there.
    """
    final = Path(path)
    with _said_of(final), _room_for(final) as unfinished:
        unfinished.chmod(0o755)
        yield unfinished
        if final.exists():
            shutil.rmtree(final)
        unfinished.rename(final)


@contextlib.contextmanager
def _room_for(final: Path) -> Iterator[Path]:
    """Give a folder beside a product, to write it in.

    It is locked, so that what was left by a writer that was killed can be told from what another
    one is at, and is cleared.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    start = f".unfinished-{final.name}-"
    for left in final.parent.glob(f"{glob.escape(start)}{'[a-z0-9_]' * 8}"):
        with _locked(left, fcntl.LOCK_EX | fcntl.LOCK_NB) as locked:
            if locked:
                shutil.rmtree(left, ignore_errors=True)
    while True:
        folder = Path(tempfile.mkdtemp(dir=final.parent, prefix=start))
        with _locked(folder, fcntl.LOCK_EX):
            # Another writer may have been quicker, and have cleared it.
            if not folder.exists():
                continue
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return


@contextlib.contextmanager
def _locked(folder: Path, how: int) -> Iterator[bool]:
    """Lock a folder until the block or this process ends, and tell whether it is locked now.

    It is not where another process has it, where it is gone, or where there are no locks: some
    shared file systems have none, and there nothing is cleared.
    """
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(opened, how)
        locked = True
    except OSError:
        locked = False
    try:
        yield locked
    finally:
        os.close(opened)


@contextlib.contextmanager
def _said_of(final: Path) -> Iterator[None]:
    """Say of a product why the disk does not take it; other errors pass."""
    try:
        yield
    except Exception as error:
        # HDF5 and safetensors tell the number or the words of the system's error in their text.
        reason = next((os.strerror(n) for n in DISK_REFUSES if _tells(error, n)), None)
        if reason is None:
            raise
        raise InputError(
            f"{final}: cannot be written ({reason}); mend that and run again"
        ) from None


def _tells(error: Exception, number: int) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno == number
    text = str(error)
    return os.strerror(number) in text or f"errno = {number}," in text


def write_text(path: Path | str, text: str) -> None:
    """Write a text file whole."""
    with atomic_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def write_json(path: Path | str, content: Any) -> None:
    """Write a JSON file whole, indented."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))
