"""Validated paths and store addresses, each in one spelling."""

from __future__ import annotations

import contextlib
import os
import unicodedata
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator

LONGEST_NAME = 255
"""Longest file name of common file systems, bytes."""
ALLOWED_PROTOCOLS = ("https", "s3", "gs", "gcs", "file")
"""Encrypted protocols, and local files."""
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
FILE_PROTOCOL = "file://"


def local_path(path: str) -> str:
    """Return the one spelling of a local path that all rules use.

    ``~``, ``$NAME`` and ``file://`` are resolved unless a file has that very name, and so are
    ``..``, links, slashes and, where the file system ignores it, case. The result is relative to
    the current folder inside it, so that a project can be moved, and absolute elsewhere. Another
    spelling of the same path therefore re-runs nothing.

    Raises
    ------
    ValueError
        If a URL names another host, the path is a URL of another protocol, or a name in it is
        longer than file systems allow.
    """
    if path.lower().startswith(FILE_PROTOCOL):
        host, slash, rest = path[len(FILE_PROTOCOL) :].partition("/")
        if host not in ("", *LOCAL_HOSTS):
            raise ValueError(f"names the host {host}; copy it to this machine, and give its path")
        path = unquote(slash + rest)
    elif "://" in path and not os.path.lexists(path):
        raise ValueError("is a URL; copy it to this machine, and give its path")
    if any(len(part.encode()) > LONGEST_NAME for part in path.split("/")):
        raise ValueError(f"names in a path must not be longer than {LONGEST_NAME} bytes")
    if not os.path.lexists(path):
        path = os.path.expandvars(path)
    location = Path(path)
    if path.startswith("~") and not os.path.lexists(path):
        with contextlib.suppress(RuntimeError):  # no such user
            location = location.expanduser()
    real, here = _as_listed(Path(os.path.realpath(location))), Path.cwd()
    if not real.is_relative_to(here):
        return str(real)
    inside = str(real.relative_to(here))
    # Neither an option of a script, nor a home folder.
    return f"./{inside}" if inside.startswith(("-", "~")) else inside


def _as_listed(path: Path) -> Path:
    """Return a path with the names that its folders list, where other spellings name them too."""
    if not path.name:
        return path
    parent, name = _as_listed(path.parent), path.name
    with contextlib.suppress(OSError):
        if any((parent / name).samefile(parent / other) for other in _variants(name)):
            listed = [other.name for other in parent.iterdir()]
            same = [other for other in listed if _folded(other) == _folded(name)]
            if name not in listed and len(same) == 1:
                return parent / same[0]
    return parent / name


def _variants(name: str) -> set[str]:
    """Return another case and other Unicode forms of a name."""
    forms = {name.swapcase(), *(unicodedata.normalize(form, name) for form in ("NFC", "NFD"))}
    return forms - {name}


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _check_text(path: Any) -> Any:
    """Reject what system calls and JSON cannot hold, with a reason of its own."""
    if isinstance(path, str):
        if not path.strip() or "\0" in path:
            raise ValueError("must not be empty or contain null characters; name a path")
        try:
            path.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                "must be UTF-8, since JSON holds nothing else; rename it, or link to it"
            ) from error
    return path


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


FolderPath = Annotated[str, BeforeValidator(_check_text), AfterValidator(local_path)]
FilePath = FolderPath
"""The path of a file, spelt and checked like that of a folder."""
StoreAddress = Annotated[str, AfterValidator(_check_protocol), AfterValidator(_store_address)]
