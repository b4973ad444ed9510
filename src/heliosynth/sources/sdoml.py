"""SDOMLv2 (Galvez et al. 2019): AIA frames in Zarr format 2, on disk or on a server.

A store holds one group per year and in it one array (N, H, W) per channel, in DN, corrected for
degradation and scaled to one solar radius. Header keywords are lists in the array's attributes;
some are shorter than N or hold null, and ``T_OBS`` is not always sorted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from heliosynth.errors import InputError
from heliosynth.sources.zarr_chunks import ChunkedArray, list_folder, open_array


def years(store: Path | str) -> list[int]:
    """List the years of a store, by its folders.

    Raises
    ------
    InputError
        If there is no folder of a year.
    """
    names = [name for name in list_folder(store) if name.isdecimal() and len(name) == 4]
    if not names:
        raise InputError(f"{store}: not an SDOMLv2 store (no group of a year); check the path")
    return [int(name) for name in names]


def read_header(store: Path | str, year: int, channel: str) -> pd.DataFrame:
    """Read the header keywords of all frames of a year that have a time.

    Returns
    -------
    pandas.DataFrame
        One row per frame in order of time: ``time`` (datetime64[s], UTC), ``year``,
        ``store_row`` (int, index in the array), ``exposure_s`` (float, NaN if unknown) and
        ``quality`` (int, 0 if good or unknown).

    Raises
    ------
    InputError
        If the store, the year or the channel is missing, or there are no times.
    """
    array = open_channel(store, year, channel)
    attributes, length = array.attributes, len(array)
    if not isinstance(attributes.get("T_OBS"), list):
        raise InputError(f"{store}: {year}/{channel} has no list T_OBS in its attributes")
    header = pd.DataFrame(
        {
            "time": _times(_keyword(attributes, "T_OBS", length)),
            "year": year,
            "store_row": np.arange(length),
            "exposure_s": pd.to_numeric(
                pd.Series(_keyword(attributes, "EXPTIME", length), dtype=object), errors="coerce"
            ).astype(float),
            "quality": np.array(
                [_quality(value) for value in _keyword(attributes, "QUALITY", length)], np.int64
            ),
        }
    )
    header = header.dropna(subset="time")
    if header.empty:
        raise InputError(f"{store}: {year}/{channel} has no frame with a time; fetch it again")
    return header.sort_values(["time", "store_row"], ignore_index=True)


def open_channel(store: Path | str, year: int, channel: str) -> ChunkedArray:
    """Open the frames of a year.

    Raises
    ------
    InputError
        If the store, the year or the channel is missing, damaged or cannot be read.
    """
    try:
        return open_array(f"{str(store).rstrip('/')}/{year}/{channel}")
    except FileNotFoundError as error:
        raise InputError(_missing(store, year, channel)) from error


def _missing(store: Path | str, year: int, channel: str) -> str:
    """Return which of store, year and channel is missing, and what there is instead."""
    available = years(store)
    if year not in available:
        return f"{store}: holds no year {year}, only {', '.join(map(str, available))}"
    channels = [name for name in list_folder(f"{store}/{year}") if not name.startswith(".")]
    return f"{store}: {year} holds no channel {channel}, only {', '.join(channels) or 'nothing'}"


def _keyword(attributes: dict[str, Any], keyword: str, length: int) -> list[Any]:
    """Return the values of a keyword, one per frame, None where there is none."""
    values = attributes.get(keyword)
    listed = values if isinstance(values, list) else []
    return (listed + [None] * length)[:length]


def _times(values: list[Any]) -> pd.Series[Any]:
    texts = pd.Series([v if isinstance(v, str) else None for v in values], dtype=object)
    times = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")
    return times.dt.tz_localize(None).dt.round("s").astype("datetime64[s]")


def _quality(value: Any) -> int:
    try:
        # Some bit masks are text, "0x40000000".
        number = int(value, 0) if isinstance(value, str) else int(value)
    except (TypeError, ValueError, OverflowError):
        return 0
    return number if abs(number) < 2**63 else 0
