"""Paths and addresses that a run may name."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

LONGEST_NAME = 255
"""Bytes of a file's name, on the disks of our day."""
SAFE_PROTOCOLS = ("https", "s3", "gs", "gcs", "file")
"""Ways to a store: by TLS, by a client of an object store, or on this machine."""
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def _as_is_in_rules(path: str) -> str:
    """Refuse a path that the rules of Snakemake would read as something else."""
    if not path or any(sign in path for sign in "{}\n\0"):
        raise ValueError("an empty path, braces and line breaks mean other things to Snakemake")
    if any(len(part.encode()) > LONGEST_NAME for part in path.split("/")):
        raise ValueError(f"no disk has names longer than {LONGEST_NAME} bytes")
    return path


def _by_a_safe_way(address: str) -> str:
    """Refuse an address whose answers anyone on the way could change."""
    protocol, separator, _ = address.partition("://")
    own = protocol == "http" and urlsplit(address).hostname in THIS_MACHINE
    if separator and protocol not in SAFE_PROTOCOLS and not own:
        raise ValueError(
            f"{protocol}:// is not among the ways that are safe, {', '.join(SAFE_PROTOCOLS)}"
        )
    return address


FolderPath = Annotated[str, AfterValidator(_as_is_in_rules)]
StoreAddress = Annotated[str, AfterValidator(_by_a_safe_way)]
