"""A local archive of raw inputs: where each provider's files lie in it."""

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

    The layout is ``aia/*.zarr`` (one store), ``goes/*.csv`` or ``goes/*.nc``, and
    ``hek/*.json`` or ``hek/*.csv``. Where ``goes`` holds CSV, its netCDF files are left
    alone: the two differ in scale, and a light curve never mixes scales unseen.

    Raises
    ------
    InputError
        If the directory or one of the three parts is missing.
    """
    root = Path(directory)
    if not root.is_dir():
        raise InputError(f"{root}: no such directory; set `archive` to a directory of raw inputs")
    stores = sorted(root.glob("aia/*.zarr"))
    if len(stores) != 1:
        raise InputError(
            f"{root / 'aia'}: should hold one Zarr store (*.zarr), but holds {len(stores)}"
        )
    light_curves = sorted(root.glob("goes/*.csv")) or sorted(root.glob("goes/*.nc"))
    if not light_curves:
        raise InputError(f"{root / 'goes'}: holds no GOES XRS light curves (*.csv or *.nc)")
    flare_lists = sorted([*root.glob("hek/*.json"), *root.glob("hek/*.csv")])
    if not flare_lists:
        raise InputError(f"{root / 'hek'}: holds no flare list (*.json or *.csv)")
    return ArchivePaths(stores[0], light_curves, flare_lists)
