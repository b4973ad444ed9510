"""Listing of an input folder: the files to read, and those that are left out.

Used while the DAG is planned: folders are listed, no file is opened.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from heliosynth.errors import InputError
from heliosynth.sources.reading import ReadingReport

INVISIBLE = re.compile(
    r"\..*"  # hidden: .DS_Store, the resource fork ._2012.csv, .nfs0001, .snakemake_timestamp
    r"|.*~|#.*#|~\$.*|.*\.(?:bak|swp|swo|orig|old)"  # backups and locks of editors
    r"|thumbs\.db|desktop\.ini|icon\r|__macosx|@eadir|lost\+found|\$recycle\.bin",
    re.IGNORECASE | re.DOTALL,
)
"""Names of what editors, file managers and file systems leave in a folder."""
INCOMPLETE = (".part", ".partial", ".crdownload", ".download", ".filepart", ".tmp")
COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip", ".tar", ".tgz", ".7z", ".z", ".rar")
DOCUMENTATION = re.compile(r"(?:read.?me|licen[cs]e|changelog|copying)\b.*", re.IGNORECASE)
SHOWN = 3
"""Names of files to show in an error."""


@dataclass(frozen=True)
class FolderListing:
    """What a folder of raw inputs holds.

    Attributes
    ----------
    files
        The files to read, sorted.
    left_out
        The other entries and why they are not read, but for hidden files and backups.
    """

    files: list[Path] = field(default_factory=list)
    left_out: dict[Path, str] = field(default_factory=dict)

    def report(self) -> ReadingReport:
        """Count what is left out."""
        report = ReadingReport()
        for path, reason in self.left_out.items():
            report.leave_out(f"file: {reason}", example=str(path))
        return report


def list_files(
    folder: Path | str,
    suffixes: Sequence[str],
    others: dict[str, str] | None = None,
    *,
    require_all: bool = True,
) -> FolderListing:
    """List the files of a folder that have one of some suffixes, in upper or lower case.

    Parameters
    ----------
    folder
        The folder, or a single file, which is returned whatever its suffix.
    suffixes
        Suffixes of the files to read, lower case, such as ``.csv``.
    others
        Why files with other suffixes are not read; a reason per suffix.
    require_all
        Whether a file that is empty, unreadable or a link to nothing is an error, since without
        it a list would be incomplete; else it is left out.

    Raises
    ------
    InputError
        If the folder cannot be listed, or a required file cannot be read.
    """
    path = Path(folder)
    if path.is_file():
        _require_readable(path)
        return FolderListing([path])
    listing = FolderListing()
    for entry in entries(path):
        if INVISIBLE.fullmatch(entry.name):
            continue
        file = path / entry.name
        reason = _reason(entry, suffixes, others or {})
        if not reason and require_all:
            _require_readable(file)
        elif not reason:
            reason = _fault(file)
        if reason:
            listing.left_out[file] = reason
        else:
            listing.files.append(file)
    return listing


def entries(folder: Path | str) -> list[os.DirEntry[str]]:
    """Return the entries of a folder, sorted by name.

    Raises
    ------
    InputError
        If it does not exist or cannot be listed.
    """
    try:
        with os.scandir(folder) as scan:
            return sorted(scan, key=lambda entry: entry.name)
    except FileNotFoundError as error:
        raise InputError(f"{folder}: no such folder; check the path") from error
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be listed ({error.strerror}); make it a folder that you can read"
        ) from error


def names(listing: FolderListing) -> str:
    """Return what a folder without a file to read holds, for an error; empty for nothing."""
    if not listing.left_out:
        return ""
    shown = [f"{path.name} ({reason})" for path, reason in listing.left_out.items()]
    more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    return f", only {', '.join(shown[:SHOWN])}{more}"


def _reason(entry: os.DirEntry[str], suffixes: Sequence[str], others: dict[str, str]) -> str:
    """Return why an entry is not read; empty if it is."""
    name = entry.name.lower()
    if entry.is_dir():
        return "folder in the folder, which is not searched"
    if name.endswith(INCOMPLETE):
        return "unfinished download"
    if DOCUMENTATION.fullmatch(name):
        return "documentation, by its name"
    if name.endswith(tuple(suffixes)):
        return "" if entry.is_file() or entry.is_symlink() else "not a regular file"
    if name.endswith(COMPRESSED):
        return "compressed; decompress it to have it read"
    known = (reason for suffix, reason in others.items() if name.endswith(suffix))
    return next(known, "of another kind")


def _fault(path: Path) -> str:
    """Return why a file cannot be read; empty if it can."""
    try:
        size = path.stat().st_size
    except OSError:
        return "link to a file that is missing"
    if not os.access(path, os.R_OK):
        return "without permission to read it"
    return "" if size else "empty (0 bytes)"


def _require_readable(path: Path) -> None:
    """Check that a file can be read and is not empty.

    Raises
    ------
    InputError
        If not.
    """
    fault = _fault(path)
    if fault:
        raise InputError(
            f"{path}: {fault}, and its data are needed; restore it by a new download, a copy or "
            "chmod u+r, or delete it"
        )
