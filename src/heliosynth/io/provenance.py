"""Provenance of products: versions and checksums."""

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
"""The packages whose versions are recorded in a product."""


def digest(content: Any) -> str:
    """Return the SHA-256 of a JSON-serialisable object, independent of the order of its keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_sha256(path: Path | str) -> str:
    """Return the SHA-256 of a file."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of this package, of Python and of :data:`PACKAGES`."""
    result = {"heliosynth": heliosynth.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            result[package] = metadata.version(package)
    return result


def stamp(**about: Any) -> Mapping[str, Any]:
    """Return the provenance record of a product: its inputs, and the versions of packages."""
    return {**about, "versions": versions()}
