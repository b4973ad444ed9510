"""Where a product came from: versions and checksums."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import heliosynth

PACKAGES = ("torch", "numpy", "scikit-learn", "sunpy", "zarr", "timm", "snakemake")
"""The packages whose versions a product carries."""


def digest(content: Any) -> str:
    """Give the SHA-256 of a JSON-able object, independent of the order of its keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_sha256(path: Path | str) -> str:
    """Give the SHA-256 of a file's bytes."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Give the versions of this package, of Python and of :data:`PACKAGES`."""
    found = {"heliosynth": heliosynth.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def stamp(**about: Any) -> Mapping[str, Any]:
    """Give the provenance record of a product: what it is made from, and with which versions."""
    return {**about, "versions": versions()}
