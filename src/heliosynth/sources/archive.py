"""Layout of a local archive of raw inputs: where each provider's files are.

Used while the DAG is planned: folders are listed, no file is opened.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from heliosynth.errors import InputError
from heliosynth.sources.listing import FolderListing, entries, list_files, names

FITS = (".fits", ".fts", ".fit", ".fits.gz", ".fits.fz")
"""Suffixes of FITS files that can be read."""
XRS_OTHERS = {
    ".nc": "netCDF next to CSV, which is read instead",
    **dict.fromkeys(FITS, "FITS is not read; fetch NOAA's netCDF or write CSV"),
}
FLARE_OTHERS = {".xml": "VOTable is not read; fetch JSON or write CSV"}
ARRAY_FILES = (".zarray", "zarr.json")
"""Files of which an array of a Zarr store has one, by the format."""
ARRAY_METADATA = (*ARRAY_FILES, ".zattrs")
"""Files that describe an array."""
CHUNK_KEY = re.compile(r"(?:c[./])?\d+(?:[./]\d+)*")
"""Path of a chunk in its array, of Zarr format 2 or 3."""


@dataclass(frozen=True)
class ArchivePaths:
    """The raw inputs of an archive.

    Attributes
    ----------
    aia_store
        SDOMLv2 Zarr store, or None if the frames are level-1 files.
    level1
        Folder of AIA level-1 FITS files, or None if there is a store.
    xrs_files
        GOES XRS light curves, of one kind: CSV or NOAA netCDF.
    flare_files
        Flare lists: HEK JSON and CSV.
    """

    aia_store: Path | None
    level1: Path | None
    xrs_files: list[Path]
    flare_files: list[Path]


def locate(directory: Path | str) -> ArchivePaths:
    """Return the raw inputs of an archive.

    The layout is ``aia/sdomlv2.zarr`` or ``aia/level1/*.fits``, ``goes/*.csv`` or
    ``goes/*.nc``, and ``hek/*.json`` or ``hek/*.csv``.

    Raises
    ------
    InputError
        If the directory or one of the three parts is missing, or there are a store and level-1
        files.
    """
    root = Path(directory)
    if not _is_folder(root):
        raise InputError(f"{root}: no such directory; set `archive` to a directory of raw inputs")
    store, level1 = root / "aia" / "sdomlv2.zarr", root / "aia" / "level1"
    if not _is_folder(store) and not _is_folder(level1):
        raise InputError(
            f"{store}: no such Zarr store; put the AIA frames of the archive there, or as level-1 "
            f"FITS files into {level1}"
        )
    if _is_folder(store) and _is_folder(level1):
        raise InputError(
            f"{level1}: level-1 files next to the store {store}, and one archive has one of them; "
            "move one of the two out of the archive"
        )
    light_curves, flares = xrs_files(root / "goes"), flare_files(root / "hek")
    if _is_folder(store):
        return ArchivePaths(store, None, light_curves, flares)
    return ArchivePaths(None, level1, light_curves, flares)


def list_xrs(path: Path | str) -> FolderListing:
    """List the light curves of a folder; the path of a file is returned as it is.

    If a folder holds CSV, its netCDF files are left out: the two can differ in scale, and scales
    must not be mixed unnoticed.

    Raises
    ------
    InputError
        If there is none, or one is empty or cannot be read.
    """
    listing = list_files(path, [".csv"], XRS_OTHERS)
    if not listing.files:
        listing = list_files(path, [".nc"], XRS_OTHERS)
    if not listing.files:
        raise InputError(
            f"{path}: holds no XRS light curve (*.csv or *.nc){names(listing)}; add one"
        )
    return listing


def list_flares(path: Path | str) -> FolderListing:
    """List the flare lists of a folder; the path of a file is returned as it is.

    Raises
    ------
    InputError
        If there is none, or one is empty or cannot be read.
    """
    listing = list_files(path, [".json", ".csv"], FLARE_OTHERS)
    if not listing.files:
        raise InputError(f"{path}: holds no flare list (*.json or *.csv){names(listing)}; add one")
    return listing


def list_level1(path: Path | str) -> FolderListing:
    """List the FITS files of a folder of level-1 images; those that cannot be read are left out.

    Raises
    ------
    InputError
        If there is none.
    """
    listing = list_files(path, FITS, require_all=False)
    if not listing.files:
        raise InputError(f"{path}: holds no FITS file (*.fits){names(listing)}; add one")
    return listing


def xrs_files(path: Path | str) -> list[Path]:
    """Return the files of :func:`list_xrs`."""
    return list_xrs(path).files


def flare_files(path: Path | str) -> list[Path]:
    """Return the files of :func:`list_flares`."""
    return list_flares(path).files


def years(paths: ArchivePaths, channel: str) -> list[int]:
    """List the years in which an archive has frames of a channel.

    The years of level-1 files are those in their names, whatever the channel: names do not
    state it reliably.

    Raises
    ------
    InputError
        If there is none; the message names the channels that the archive has.
    """
    if paths.aia_store is None:
        return _years_in_names(paths.level1 or Path())
    groups = [
        paths.aia_store / entry.name
        for entry in entries(paths.aia_store)
        if re.fullmatch(r"[12]\d{3}", entry.name, re.ASCII) and entry.is_dir()
    ]
    with_channel = [int(group.name) for group in groups if channel in _channels(group)]
    if not with_channel:
        available = ", ".join(sorted({name for group in groups for name in _channels(group)}))
        raise InputError(
            f"{paths.aia_store}: holds no channel {channel}, only {available or 'nothing'}; "
            "set `dataset.channel` to one that it holds"
        )
    return with_channel


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be reached ({error.strerror}); you need the permission to read it and "
            "the folders around it"
        ) from error


def _years_in_names(folder: Path) -> list[int]:
    in_names = {
        int(match.group(1))
        for path in list_level1(folder).files
        if (match := re.search(r"(?<!\d)(20\d\d)[-_]?[01]\d[-_]?[0-3]\d", path.name))
    }
    if not in_names:
        raise InputError(
            f"{folder}: holds no FITS file with a date in its name, such as "
            "aia.lev1_euv_12s.2012-07-12T160001Z.171.image_lev1.fits; add one"
        )
    return sorted(in_names)


def channel_files(store: Path, year: int, channel: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the files of a year's array: its metadata and chunks, and nothing else.

    Yields
    ------
    str
        Path in the array.
    os.stat_result
        Status of the file, or of what a link names.

    Raises
    ------
    InputError
        If a folder cannot be listed, or a file is a link to nothing.
    """
    root = f"{store}/{year}/{channel}"
    folders = [""]
    while folders:
        inside = folders.pop()
        for entry in entries(f"{root}/{inside}"):
            path = f"{inside}{entry.name}"
            if CHUNK_KEY.fullmatch(path) or entry.name in ARRAY_METADATA:
                status = _status(entry)
                if stat.S_ISDIR(status.st_mode):
                    folders.append(f"{path}/")
                else:
                    yield path, status
            elif path == "c" and entry.is_dir():
                folders.append("c/")


def channel_metadata(store: Path, year: int, channel: str) -> list[Path]:
    """Return the files that describe a year's array.

    Raises
    ------
    InputError
        If there is none.
    """
    folder = store / str(year) / channel
    files = [folder / name for name in ARRAY_METADATA if (folder / name).is_file()]
    if not files:
        raise InputError(
            f"{folder}: holds no Zarr array ({' or '.join(ARRAY_FILES)}); fetch it again, or set "
            "`dataset.channel` to one that the store holds"
        )
    return files


def _status(entry: os.DirEntry[str]) -> os.stat_result:
    try:
        return entry.stat()
    except OSError as error:
        raise InputError(
            f"{entry.path}: cannot be found ({error.strerror}), perhaps a link to a file that was "
            "moved; restore the file or delete the link"
        ) from error


def _channels(group: Path) -> set[str]:
    """Return the arrays of a group, by the files that describe them."""
    return {
        entry.name
        for entry in entries(group)
        if any((group / entry.name / name).is_file() for name in ARRAY_FILES)
    }
