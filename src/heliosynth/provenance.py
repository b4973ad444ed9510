"""Where a product came from, and how it is put in place whole."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import heliosynth

PACKAGES = ("torch", "numpy", "scikit-learn", "sunpy", "zarr", "timm", "snakemake")
"""The packages whose versions a product carries."""


@contextlib.contextmanager
def whole_file(path: Path | str) -> Iterator[Path]:
    """Give a temporary path that becomes ``path`` when the block ends without an error.

    The temporary file lies in the same folder, so that the renaming is atomic, and keeps
    the suffix, which some writers go by.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=final.parent, prefix=".unfinished-") as folder:
        unfinished = Path(folder) / final.name
        yield unfinished
        unfinished.replace(final)


@contextlib.contextmanager
def whole_directory(path: Path | str) -> Iterator[Path]:
    """Give a temporary folder that becomes ``path`` when the block ends without an error."""
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=final.parent, prefix=".unfinished-"))
    try:
        unfinished.chmod(0o755)
        yield unfinished
        if final.exists():
            shutil.rmtree(final)
        unfinished.rename(final)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def write_text(path: Path | str, text: str) -> None:
    """Write a text file whole."""
    with whole_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def write_json(path: Path | str, content: Any) -> None:
    """Write a JSON file whole, indented."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


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
