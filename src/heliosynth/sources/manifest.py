"""What was fetched: a manifest beside every raw product, and the check that nothing changed."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from heliosynth.errors import InputError
from heliosynth.io.files import read_json, write_json
from heliosynth.io.provenance import file_sha256, stamp

SUFFIX = ".manifest.json"


@dataclass(frozen=True)
class Fetched:
    """A raw file: where it is from, when it came, and what it is.

    ``path`` is its place beside its manifest, empty for a piece that was read and not kept;
    ``sha256`` is empty for a piece that was read from a disk, and is in no manifest there.
    """

    path: str
    url: str
    time: str
    size_bytes: int
    sha256: str


def fetched(file: Path, url: str, beside: Path) -> Fetched:
    """Describe a file that came from an address, in a folder next to its manifest."""
    status = file.stat()
    time = datetime.datetime.fromtimestamp(status.st_mtime, datetime.UTC)
    place = file.relative_to(beside).as_posix()
    return Fetched(place, url, _iso(time), status.st_size, file_sha256(file))


def now() -> str:
    """Give the time as manifests write it, UTC."""
    return _iso(datetime.datetime.now(datetime.UTC))


def manifest_of(product: Path | str) -> Path:
    """Give the path of the manifest that lies beside a raw product."""
    path = Path(product)
    # A year is a folder of one source and a file of another.
    return path.parent / f"{path.name.removesuffix('.json').removesuffix('.h5')}{SUFFIX}"


def write_manifest(product: Path | str, files: Iterable[Fetched]) -> None:
    """Write the manifest of a raw product, whole."""
    record(product, [asdict(file) for file in files])


def record(product: Path | str, files: list[dict[str, Any]]) -> None:
    """Write a manifest of the fields of :class:`Fetched`, whole."""
    write_json(manifest_of(product), {"files": files, **stamp()})


def checksums(folder: Path | str) -> dict[str, str]:
    """Give the SHA-256 of the files in a folder, by their path in it.

    They are looked up in the manifest that lies beside the folder, or one above it; there are
    none where there is no manifest.

    Raises
    ------
    InputError
        If the manifest cannot be read.
    """
    inside = Path(folder).absolute()
    for product in (inside, *inside.parents):
        path = manifest_of(product)
        if path.is_file():
            start = f"{inside.relative_to(product.parent).as_posix()}/"
            return {
                entry["path"].removeprefix(start): entry["sha256"]
                for entry in _entries(path)
                if entry["path"].startswith(start)
            }
    return {}


def faults(manifest: Path | str) -> list[str]:
    """Compare the files of a manifest with it: those beside it, and pieces read from a disk.

    Returns
    -------
    list of str
        One line a file that is missing or not what was fetched; none where all is well.

    Raises
    ------
    InputError
        If the manifest itself cannot be read.
    """
    path = Path(manifest)
    return [line for entry in _entries(path) if (line := _fault(path.parent, entry))]


def verify(manifests: Sequence[Path | str]) -> int:
    """Check all files of some manifests, and give their number.

    Raises
    ------
    InputError
        If a file is missing or changed, or a manifest cannot be read; names the first of them.
    """
    found = [line for manifest in manifests for line in faults(manifest)]
    if found:
        raise InputError(
            f"{len(found)} raw file{'s' * (len(found) > 1)} changed since fetching: {found[0]}"
            f"{', …' * (len(found) > 1)}; delete what is wrong and run again"
        )
    return sum(len(_entries(Path(manifest))) for manifest in manifests)


def _entries(manifest: Path) -> list[dict[str, Any]]:
    try:
        return list(read_json(manifest)["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{manifest}: is no manifest ({error!r}); fetch its files anew") from None


def _iso(time: datetime.datetime) -> str:
    return time.isoformat(timespec="seconds")


def _fault(folder: Path, entry: dict[str, Any]) -> str:
    file = folder / entry["path"] if entry["path"] else Path(entry["url"])
    # Nothing is kept of pieces that a server sent, nor was there anything of those of size 0.
    if ("://" in entry["url"] and not entry["path"]) or not entry["size_bytes"]:
        return ""
    if not file.is_file():
        return f"{file} is gone"
    if file.stat().st_size != entry["size_bytes"]:
        return f"{file} has {file.stat().st_size} bytes, not {entry['size_bytes']}"
    if entry["sha256"] and file_sha256(file) != entry["sha256"]:
        return f"{file} has other content"
    return ""
