"""Validated paths and store addresses."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator

LONGEST_NAME = 255
"""Longest file name of common file systems, bytes."""
ALLOWED_PROTOCOLS = ("https", "s3", "gs", "gcs", "file")
"""Encrypted protocols, and local files."""
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
FILE_PROTOCOL = "file://"


def _check_folder_path(path: str) -> str:
    """Reject paths that Snakemake would interpret, such as those with wildcards."""
    if not path or any(character in path for character in "{}\n\0"):
        raise ValueError("must not be empty or contain braces, line breaks or null characters")
    if any(len(part.encode()) > LONGEST_NAME for part in path.split("/")):
        raise ValueError(f"names in a path must not be longer than {LONGEST_NAME} bytes")
    return path


def local_path(path: str) -> str:
    """Return the one spelling of a local path that all rules use.

    ``~``, ``$NAME`` and ``file://`` are resolved unless a file has that very name; the result is
    relative to the current folder inside it, and absolute elsewhere. Another spelling of the same
    path therefore re-runs nothing.

    Raises
    ------
    ValueError
        If a URL names another host, or the path is a URL of another protocol.
    """
    if path.lower().startswith(FILE_PROTOCOL):
        host, slash, rest = path[len(FILE_PROTOCOL) :].partition("/")
        if host not in ("", *LOCAL_HOSTS):
            raise ValueError(f"names the host {host}; copy it to this machine, and give its path")
        path = unquote(slash + rest)
    elif "://" in path and not os.path.lexists(path):
        raise ValueError("is a URL; copy it to this machine, and give its path")
    if not os.path.lexists(path):
        path = os.path.expandvars(path)
    location = Path(path)
    if path.startswith("~") and not os.path.lexists(path):
        with contextlib.suppress(RuntimeError):  # no such user
            location = location.expanduser()
    # After a link, `..` is not the folder that the text suggests.
    location = location.resolve() if os.pardir in location.parts else location.absolute()
    here = Path.cwd()
    return str(location.relative_to(here) if location.is_relative_to(here) else location)


def _store_address(address: str) -> str:
    """Return the one spelling of a store's URL or local path."""
    protocol, separator, rest = address.partition("://")
    if not separator or protocol.lower() == "file":
        return local_path(address)
    return f"{protocol.lower()}://{rest.rstrip('/')}"


def _check_protocol(address: str) -> str:
    """Reject unencrypted protocols."""
    if not address.strip():
        raise ValueError("must not be empty; name a URL or a path")
    protocol, separator, _ = address.partition("://")
    protocol = protocol.lower()
    local = protocol == "http" and urlsplit(address).hostname in LOCAL_HOSTS
    if separator and protocol not in ALLOWED_PROTOCOLS and not local:
        raise ValueError(
            f"{protocol}:// is not an encrypted protocol; use {', '.join(ALLOWED_PROTOCOLS)}"
        )
    return address


FolderPath = Annotated[str, AfterValidator(_check_folder_path), AfterValidator(local_path)]
FilePath = FolderPath
"""The path of a file, spelt and checked like that of a folder."""
StoreAddress = Annotated[str, AfterValidator(_check_protocol), AfterValidator(_store_address)]
