"""Zarr stores on disk or on a server: files, folders and metadata, and errors that name them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem

from heliosynth.errors import InputError
from heliosynth.sources.retry import NOT_FOUND, retry

T = TypeVar("T")

LIMIT_S = 180.0
"""Time limit for one chunk, or the attributes of an array, from a server."""
LONGEST_REASON = 200
"""Characters of a library's own message to show."""
ARRAY_METADATA = (".zarray", "zarr.json")
"""Files that describe an array, of Zarr format 2 and 3."""

ANONYMOUS: dict[str, dict[str, Any]] = {
    "s3": {"anon": True},
    "gs": {"token": "anon"},
    "gcs": {"token": "anon"},
}
"""Options of remote file systems for readers without an account."""
GCS_PROTOCOLS = ("gs", "gcs")


def array_names(location: Path | str) -> list[str]:
    """List the arrays in a group, on disk or on a server.

    Raises
    ------
    InputError
        If there is no such group.
    """
    return [
        name
        for name in list_folder(location)
        # The listing of a file is the file itself.
        if name not in ARRAY_METADATA
        and any(
            metadata in list_folder(f"{location}/{name}", strict=False)
            for metadata in ARRAY_METADATA
        )
    ]


def list_folder(location: Path | str, strict: bool = True) -> list[str]:
    """List a folder on disk or on a server; not ``strict``: nothing if it is not a folder.

    Raises
    ------
    InputError
        If there is no such folder.
    """

    def list_names() -> list[str]:
        files, folder = file_system(str(location))
        entries = library(lambda: files.ls(folder, detail=False))
        return sorted(Path(entry).name for entry in entries)

    try:
        return request(str(location), str(location), list_names)
    except NOT_FOUND as error:
        if not strict:
            return []
        if isinstance(error, NotADirectoryError):
            raise InputError(
                f"{location}: is a file, not a Zarr store; give the store's folder"
            ) from error
        raise InputError(f"{location}: no such Zarr store; check the path") from error


def is_remote(location: str) -> bool:
    """Return whether a location is on a server."""
    protocol, separator, _ = location.partition("://")
    return bool(separator) and protocol not in ("file", "local")


def request(location: str, what: str, call: Callable[[], T]) -> T:
    """Call a function that reads a store: on a server with retries, on a disk once.

    Parameters
    ----------
    location
        Path or URL of the store.
    what
        The file, for messages.
    call
        The function, which raises OSError if the file is damaged or cannot be read.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If there is no such file.
    InputError
        If the file is damaged or cannot be read.
    """
    if is_remote(location):
        return retry(call, what, LIMIT_S)
    try:
        return call()
    except NOT_FOUND:
        raise
    except OSError as error:
        reason = str(error)[:LONGEST_REASON]
        raise InputError(f"{what}: cannot be read ({reason}); copy or fetch it again") from error


def library(call: Callable[[], T]) -> T:
    """Return what a library's call returns, and raise its errors as OSError.

    ``call`` must contain only the library's call, so that errors of this code keep their type.
    """
    try:
        return call()
    except OSError:
        raise
    # Remote file systems, Zarr and codecs raise errors of many types.
    except Exception as error:
        raise OSError(repr(error)[:LONGEST_REASON]) from error


def open_zarr(location: str) -> Any:
    # Imported only when needed: zarr takes a second to import.
    import zarr

    if "://" not in location:
        # In a path that is a text, zarr takes double colons for a chain of file systems.
        return library(lambda: zarr.open_array(Path(location), mode="r"))
    options = _storage_options(location)
    return library(lambda: zarr.open_array(location, mode="r", storage_options=options))


def file_system(location: str) -> tuple[Any, str]:
    """Return the file system of a location, and the path in it."""
    if "://" not in location:
        return LocalFileSystem(), str(Path(location).absolute())
    options = _storage_options(location)
    files, path = library(lambda: fsspec.core.url_to_fs(location, **options))
    return files, str(path)


def _storage_options(location: str) -> dict[str, Any]:
    """Return the options with which fsspec opens a location."""
    protocol, separator, _ = location.partition("://")
    if separator and protocol in GCS_PROTOCOLS:
        from gcsfs.core import GCSFileSystem

        # gcsfs's default class first queries the bucket's type, which requires an account.
        fsspec.register_implementation(protocol, GCSFileSystem, clobber=True)
    return dict(ANONYMOUS.get(protocol, {})) if separator else {}
