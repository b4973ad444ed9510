"""Manifests of raw inputs: where each file came from, its size and SHA-256; and their check."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from heliosynth.errors import InputError
from heliosynth.io.files import read_json, write_json
from heliosynth.io.provenance import file_sha256, stamp

SUFFIX = ".manifest.json"
FETCH_AGAIN = "delete it with its files and rerun"


@dataclass(frozen=True)
class RawFile:
    """A raw file, as manifests list it.

    Attributes
    ----------
    path
        Relative to the folder of the manifest; empty for a chunk of a store, which is read
        and not kept.
    url
        Its origin: a URL, a path, or the simulation.
    time
        When it was fetched or written, UTC, ISO 8601.
    size_bytes
        Its size; 0 for a chunk that is missing in the store.
    sha256
        Its checksum; empty for a chunk on disk that no manifest lists.
    """

    path: str
    url: str
    time: str
    size_bytes: int
    sha256: str


def describe(file: Path, url: str, folder: Path) -> RawFile:
    """Return the manifest entry of a file.

    Parameters
    ----------
    file
        The file.
    url
        Its origin.
    folder
        Folder of the manifest.
    """
    status = file.stat()
    time = datetime.datetime.fromtimestamp(status.st_mtime, datetime.UTC)
    path = file.relative_to(folder).as_posix()
    return RawFile(path, url, _iso(time), status.st_size, file_sha256(file))


def utc_now() -> str:
    """Return the current time, UTC, in the format of manifests."""
    return _iso(datetime.datetime.now(datetime.UTC))


def manifest_path(product: Path | str) -> Path:
    """Return the path of the manifest of a raw product, which is next to it."""
    path = Path(product)
    # A year is a folder for GOES, and a file for HEK and averaged frames.
    return path.parent / f"{path.name.removesuffix('.json').removesuffix('.h5')}{SUFFIX}"


def write_manifest(product: Path | str, files: Iterable[RawFile]) -> None:
    """Write the manifest of a raw product atomically."""
    write_entries(product, [asdict(file) for file in files])


def write_entries(product: Path | str, entries: list[dict[str, Any]]) -> None:
    """Write a manifest from the fields of :class:`RawFile` atomically."""
    write_json(manifest_path(product), {"files": entries, **stamp()})


def checksums(folder: Path | str) -> dict[str, str]:
    """Return the SHA-256 of the files in a folder, by their relative path.

    They are looked up in the manifest next to the folder, or next to one of its parents;
    without a manifest there are none.

    Raises
    ------
    InputError
        If the manifest cannot be read.
    """
    inside = Path(folder).absolute()
    for product in (inside, *inside.parents):
        path = manifest_path(product)
        if path.is_file():
            prefix = f"{inside.relative_to(product.parent).as_posix()}/"
            return {
                entry["path"].removeprefix(prefix): entry["sha256"]
                for entry in read_entries(path)
                if entry["path"].startswith(prefix)
            }
    return {}


def find_changes(manifest: Path | str) -> list[str]:
    """Compare a manifest with its files: those next to it, and chunks of a store on disk.

    Returns
    -------
    list of str
        One line per file that is missing or differs; empty if all files are unchanged.

    Raises
    ------
    InputError
        If the manifest itself cannot be read.
    """
    path = Path(manifest)
    changes = (_change(path.parent, entry) for entry in read_entries(path))
    return [change for change in changes if change]


def verify(manifests: Sequence[Path | str]) -> int:
    """Check all files of manifests, and return their number.

    Raises
    ------
    InputError
        If a file is missing or changed, or a manifest cannot be read; names the first such file.
    """
    changes = [change for manifest in manifests for change in find_changes(manifest)]
    if changes:
        raise InputError(
            f"{len(changes)} raw file{'s' * (len(changes) > 1)} changed since fetching: "
            f"{changes[0]}{', …' * (len(changes) > 1)}; delete the changed files and rerun"
        )
    return sum(len(read_entries(Path(manifest))) for manifest in manifests)


def read_entries(manifest: Path) -> list[dict[str, Any]]:
    """Read the entries of a manifest, as mappings of the fields of :class:`RawFile`.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        content = read_json(manifest)
    except (OSError, ValueError) as error:
        raise InputError(f"{manifest}: not a manifest ({error}); {FETCH_AGAIN}") from error
    entries = content.get("files") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(_is_entry(entry) for entry in entries):
        raise InputError(f"{manifest}: not a manifest (no list of files); {FETCH_AGAIN}")
    return entries


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and {field.name for field in fields(RawFile)} <= entry.keys()


def _iso(time: datetime.datetime) -> str:
    return time.isoformat(timespec="seconds")


def _change(folder: Path, entry: dict[str, Any]) -> str:
    """Return how a file differs from its entry; empty if it does not."""
    file = folder / entry["path"] if entry["path"] else Path(entry["url"])
    # Chunks from a server are not kept, and those of size 0 never existed.
    if ("://" in entry["url"] and not entry["path"]) or not entry["size_bytes"]:
        return ""
    if not file.is_file():
        return f"{file} is gone"
    if file.stat().st_size != entry["size_bytes"]:
        return f"{file} has {file.stat().st_size} bytes, not {entry['size_bytes']}"
    if entry["sha256"] and file_sha256(file) != entry["sha256"]:
        return f"{file} has other content"
    return ""
