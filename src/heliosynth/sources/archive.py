"""Layout of a local archive of raw inputs: where each provider's files are.

Used while the DAG is planned: folders are listed, no file is opened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from heliosynth.errors import InputError


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
        If the directory or one of the three parts is missing.
    """
    root = Path(directory)
    if not root.is_dir():
        raise InputError(f"{root}: no such directory; set `archive` to a directory of raw inputs")
    store, level1 = root / "aia" / "sdomlv2.zarr", root / "aia" / "level1"
    if not store.is_dir() and not level1.is_dir():
        raise InputError(
            f"{store}: no such Zarr store; put the AIA frames of the archive there, or as level-1 "
            f"FITS files into {level1}"
        )
    light_curves, flares = xrs_files(root / "goes"), flare_files(root / "hek")
    if store.is_dir():
        return ArchivePaths(store, None, light_curves, flares)
    return ArchivePaths(None, level1, light_curves, flares)


def xrs_files(path: Path | str) -> list[Path]:
    """List the light curves of a folder; the path of a file is returned as it is.

    If a folder holds CSV, its netCDF files are ignored: the two can differ in scale, and scales
    must not be mixed unnoticed.

    Raises
    ------
    InputError
        If there is none.
    """
    files = _files(path, "*.csv") or _files(path, "*.nc")
    if not files:
        raise InputError(f"{path}: holds no XRS light curve (*.csv or *.nc); add one")
    return files


def flare_files(path: Path | str) -> list[Path]:
    """List the flare lists of a folder; the path of a file is returned as it is.

    Raises
    ------
    InputError
        If there is none.
    """
    files = _files(path, "*.json", "*.csv")
    if not files:
        raise InputError(f"{path}: holds no flare list (*.json or *.csv); add one")
    return files


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
    groups = sorted(paths.aia_store.glob("[12][0-9][0-9][0-9]"))
    with_channel = [int(group.name) for group in groups if channel in _channels(group)]
    if not with_channel:
        available = ", ".join(sorted({name for group in groups for name in _channels(group)}))
        raise InputError(
            f"{paths.aia_store}: holds no channel {channel}, only {available or 'nothing'}; "
            "set `dataset.channel` to one that it holds"
        )
    return with_channel


def _years_in_names(folder: Path) -> list[int]:
    in_names = {
        int(match.group(1))
        for path in folder.glob("*.fits*")
        if (match := re.search(r"(?<!\d)(20\d\d)[-_]?[01]\d[-_]?[0-3]\d", path.name))
    }
    if not in_names:
        raise InputError(
            f"{folder}: holds no FITS file with a date in its name, such as "
            "aia.lev1_euv_12s.2012-07-12T160001Z.171.image_lev1.fits"
        )
    return sorted(in_names)


def _channels(group: Path) -> set[str]:
    return {array.parent.name for array in group.glob("*/.zarray")}


def _files(path: Path | str, *patterns: str) -> list[Path]:
    if Path(path).is_file():
        return [Path(path)]
    return sorted(file for pattern in patterns for file in Path(path).glob(pattern))
