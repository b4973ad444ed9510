"""NOAA's science-quality netCDF files of GOES XRS, read through sunpy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from heliosynth.arrays import Floats
from heliosynth.errors import InputError
from heliosynth.sources.signature import require_signature

LAST_SCALED_SATELLITE = 15
"""From the next satellite on, the operational scale is the true scale."""
LONGEST_REASON = 200
"""Characters of a library's own message to show."""


@dataclass(frozen=True)
class NetcdfSamples:
    """The samples of a file.

    Attributes
    ----------
    times
        Starts of the averaging intervals (N,), UTC.
    xrsb, xrsa
        1–8 Å and 0.5–4 Å true flux (N,), W m⁻²; XRS-B is NaN where flagged.
    satellite
        GOES number.
    """

    times: pd.DatetimeIndex
    xrsb: Floats
    xrsa: Floats
    satellite: int


def read_netcdf(path: Path) -> NetcdfSamples:
    """Read a file of 1-minute averages (``xrsf-l2-avg1m``).

    Raises
    ------
    InputError
        If the file is missing or damaged, or its satellite is unknown.
    """
    require_signature(path, "netCDF")
    table, texts = _read_with_sunpy(path)
    missing = [name for name in ("xrsa", "xrsb", "xrsb_quality") if name not in table]
    if missing:
        raise InputError(f"{path}: lacks {', '.join(missing)}; use 1-minute files (avg1m)")
    number = next(filter(None, map(satellite_number, [*texts, path.name])), None)
    if number is None:
        raise InputError(f"{path}: does not state its GOES satellite; put it in the file name")
    seconds, units, about = _read_clock_and_flags(path)
    flags = table["xrsb_quality"].to_numpy()
    for name, values in (("time", seconds), ("xrsb_quality", flags)):
        if values.shape != (len(table),) or values.dtype.kind not in "iuf":
            raise InputError(f"{path}: {name} should be a number per sample; fetch it again")
    mask, value = _good_flags(path, about, number)
    good = (flags.astype(np.int64) & mask) == value
    return NetcdfSamples(
        times=_times(path, seconds, units),
        xrsb=np.where(good, to_floats(table["xrsb"]), np.nan),
        xrsa=to_floats(table["xrsa"]),
        satellite=number,
    )


def _read_with_sunpy(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return a file's samples, and texts that name its satellite."""
    # Imported only when needed: sunpy takes seconds to import.
    from sunpy.timeseries import TimeSeries

    try:
        series = TimeSeries(str(path), source="XRS")
        platform = series.meta.metas[0].get("platform")
        return series.to_dataframe(), [str(series.observatory), f"{platform}_"]
    # sunpy, its readers and HDF5 raise errors of many types.
    except Exception as error:
        raise _unreadable(path, error) from error


def _read_clock_and_flags(path: Path) -> tuple[npt.NDArray[Any], str, dict[str, Any]]:
    """Return a file's times, their units, and the attributes of its flags."""
    try:
        with h5py.File(path) as file:
            names = [name for name in ("xrsb_flag", "xrsb_flags", "b_flags") if name in file]
            about = dict(file[names[0]].attrs) if names else {}
            return file["time"][()], _text(file["time"].attrs["units"]), about
    # h5py raises errors of many types, depending on what part of the file is damaged.
    except (OSError, LookupError, ValueError, TypeError, RuntimeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = str(error)[:LONGEST_REASON]
    return InputError(f"{path}: cannot be read as a NOAA XRS file ({reason}); fetch it again")


def _times(path: Path, seconds: npt.NDArray[Any], units: str) -> pd.DatetimeIndex:
    """Return the times on the file's clock, which has 86,400 seconds per day.

    sunpy's times are astropy's, which spread a leap second over its day.
    """
    text = units.removeprefix("seconds since").removesuffix("UTC").strip()
    try:
        return pd.DatetimeIndex(pd.Timestamp(text) + pd.to_timedelta(seconds, unit="s"))
    except (ValueError, OverflowError) as error:
        raise _unreadable(path, error) from error


def _good_flags(path: Path, about: dict[str, Any], number: int) -> tuple[int, int]:
    """Return a mask of the flags of good samples, and their value under it.

    Satellites number their flags differently, and set flags on good samples too, such as
    for an electron correction that does not apply. So the meanings stated in the file are used,
    if any.

    Parameters
    ----------
    path
        The file, for messages.
    about
        Attributes of the flags.
    number
        GOES number.
    """
    words = _text(about.get("flag_meanings", "")).split()
    if "good_data" not in words or not {"flag_masks", "flag_values"} <= about.keys():
        # Bad data, eclipse and, up to GOES-15, recovery of the temperature.
        return (0b111 if number <= LAST_SCALED_SATELLITE else 0b11), 0
    index = words.index("good_data")
    masks, values = np.ravel(about["flag_masks"]), np.ravel(about["flag_values"])
    try:
        return int(masks[index]), int(values[index])
    except (IndexError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: its flags have no mask or value of good_data; fetch it again"
        ) from error


def satellite_number(text: str) -> int | None:
    """Return the GOES number in a text such as ``GOES-15``, ``goes15_xrs.csv`` or ``…_g15_…``."""
    match = re.search(r"(?:goes[-_ ]?|(?:^|_)g)(\d{1,2})(?!\d)", text, re.IGNORECASE)
    return int(match.group(1)) if match else None


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def to_floats(column: pd.Series[Any]) -> Floats:
    """Return a column as numbers, NaN for values that are not numbers."""
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
