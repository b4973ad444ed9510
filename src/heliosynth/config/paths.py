"""Validated paths and store addresses."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

LONGEST_NAME = 255
"""Longest file name of common file systems, bytes."""
ALLOWED_PROTOCOLS = ("https", "s3", "gs", "gcs", "file")
"""Encrypted protocols, and local files."""
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


def _check_folder_path(path: str) -> str:
    """Reject paths that Snakemake would interpret, such as those with wildcards."""
    if not path or any(character in path for character in "{}\n\0"):
        raise ValueError("must not be empty or contain braces, line breaks or null characters")
    if any(len(part.encode()) > LONGEST_NAME for part in path.split("/")):
        raise ValueError(f"names in a path must not be longer than {LONGEST_NAME} bytes")
    return path


def _check_protocol(address: str) -> str:
    """Reject unencrypted protocols."""
    protocol, separator, _ = address.partition("://")
    local = protocol == "http" and urlsplit(address).hostname in LOCAL_HOSTS
    if separator and protocol not in ALLOWED_PROTOCOLS and not local:
        raise ValueError(
            f"{protocol}:// is not an encrypted protocol; use {', '.join(ALLOWED_PROTOCOLS)}"
        )
    return address


FolderPath = Annotated[str, AfterValidator(_check_folder_path)]
StoreAddress = Annotated[str, AfterValidator(_check_protocol)]
