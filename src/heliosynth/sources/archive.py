"""A local archive of raw inputs: where each provider's files lie in it.

Light enough to be asked before a run begins: nothing is opened, only folders are listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from heliosynth.errors import InputError


@dataclass(frozen=True)
class ArchivePaths:
    """The raw inputs of an archive.

    Attributes
    ----------
    aia_store
        SDOMLv2 Zarr store.
    xrs_files
        GOES XRS light curves, of one kind: CSV or NOAA netCDF.
    flare_files
        Flare lists: HEK JSON and CSV.
    """

    aia_store: Path
    xrs_files: list[Path]
    flare_files: list[Path]


def locate(directory: Path | str) -> ArchivePaths:
    """Find the raw inputs of an archive.

    The layout is ``aia/sdomlv2.zarr``, ``goes/*.csv`` or ``goes/*.nc``, and ``hek/*.json`` or
    ``hek/*.csv``.

    Raises
    ------
    InputError
        If the directory or one of the three parts is missing.
    """
    root = Path(directory)
    if not root.is_dir():
        raise InputError(f"{root}: no such directory; set `archive` to a directory of raw inputs")
    store = root / "aia" / "sdomlv2.zarr"
    if not store.is_dir():
        raise InputError(f"{store}: no such Zarr store; an archive keeps its AIA frames there")
    return ArchivePaths(store, xrs_files(root / "goes"), flare_files(root / "hek"))


def xrs_files(place: Path | str) -> list[Path]:
    """List the light curves of a folder; a file stands for itself.

    Where a folder holds CSV, its netCDF files are left alone: the two differ in scale, and a
    light curve never mixes scales unseen.

    Raises
    ------
    InputError
        If there is none.
    """
    found = _files(place, "*.csv") or _files(place, "*.nc")
    if not found:
        raise InputError(f"{place}: holds no XRS light curve (*.csv or *.nc)")
    return found


def flare_files(place: Path | str) -> list[Path]:
    """List the flare lists of a folder; a file stands for itself.

    Raises
    ------
    InputError
        If there is none.
    """
    found = _files(place, "*.json", "*.csv")
    if not found:
        raise InputError(f"{place}: holds no flare list (*.json or *.csv)")
    return found


def years(paths: ArchivePaths, channel: str) -> list[int]:
    """List the years in which an archive has frames of a channel.

    Raises
    ------
    InputError
        If there is none; the message names the channels that the archive has.
    """
    groups = sorted(paths.aia_store.glob("[12][0-9][0-9][0-9]"))
    found = [int(group.name) for group in groups if channel in _channels(group)]
    if not found:
        held = ", ".join(sorted({name for group in groups for name in _channels(group)}))
        raise InputError(
            f"{paths.aia_store}: holds no channel {channel}, only {held or 'nothing'}; "
            "set `dataset.channel` to one that it holds"
        )
    return found


def _channels(group: Path) -> set[str]:
    return {array.parent.name for array in group.glob("*/.zarray")}


def _files(place: Path | str, *patterns: str) -> list[Path]:
    if Path(place).is_file():
        return [Path(place)]
    return sorted(path for pattern in patterns for path in Path(place).glob(pattern))
