"""SDOMLv2 (Galvez et al. 2019): AIA frames in a Zarr store, on disk or on a server.

A store holds one group per year and in it one array (N, H, W) per channel, in DN or DN s⁻¹,
corrected for degradation and scaled to one solar radius. Header keywords are lists in the
array's attributes; some are shorter than N or hold null, and ``T_OBS`` is not always sorted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from heliosynth.errors import InputError
from heliosynth.sources import sdoml_keywords
from heliosynth.sources.reading import ReadingReport
from heliosynth.sources.zarr_chunks import ChunkedArray, open_array
from heliosynth.sources.zarr_store import array_names, list_folder


@dataclass(frozen=True)
class YearHeader:
    """Header of the frames of a year.

    Attributes
    ----------
    table
        One row per frame in order of time: ``time`` (datetime64[s], UTC), ``year``,
        ``store_row`` (int, index in the array), ``exposure_s`` (float, NaN if unknown) and
        ``quality`` (int, 0 if unknown).
    report
        Counts of the frames, and of those that were left out.
    unknown
        Number of the frames kept whose value of a keyword is unknown, by keyword.
    """

    table: pd.DataFrame
    report: ReadingReport
    unknown: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return the counts, with ``unknown`` beside those of the report."""
        return {**self.report.to_json(), "unknown": self.unknown}


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
    """Read the header of the usable frames of a year; see :func:`read_year`."""
    return read_year(store, year, channel).table


def read_year(store: Path | str, year: int, channel: str) -> YearHeader:
    """Read the header of the frames of a year, and leave out those that cannot be used.

    A frame is left out if its time is missing, unreadable or that of an earlier frame, its
    keywords say that it is of another channel, rolled or of another scale, or a value is
    outside its physical range. An array without frames has an empty header.

    Raises
    ------
    InputError
        If the store, the year or the channel is missing, no frame is left, or the frames are
        not in DN or DN s⁻¹; see :func:`heliosynth.sources.sdoml_keywords.check_unit`.
    """
    array = open_channel(store, year, channel)
    source, report = f"{store}: {year}/{channel}", ReadingReport(files=1)
    keywords = sdoml_keywords.Keywords(array.attributes, len(array), source)
    table = sdoml_keywords.usable_frames(keywords, array.width, channel, report)
    if table.empty and len(array):
        raise InputError(
            f"{source} has no frame that can be used: {_reasons(report)}; correct its keywords, or "
            "remove it"
        )
    sdoml_keywords.check_unit(keywords, table)
    report.read = len(table)
    unknown = {
        "EXPTIME": int(table["exposure_s"].isna().sum()),
        "QUALITY": int(table.pop("quality_unknown").sum()),
    }
    table.insert(1, "year", year)
    return YearHeader(table, report, unknown)


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
        years_held = ", ".join(map(str, available)) or "none"
        return f"{store}: holds no year {year}, only {years_held}; choose among these"
    channels = array_names(f"{store}/{year}")
    return (
        f"{store}: {year} holds no channel {channel}, only {', '.join(channels) or 'nothing'}; "
        "set `dataset.channel` to one that it holds"
    )


def _reasons(report: ReadingReport) -> str:
    """Return the reasons of a report with counts and examples, for an error."""
    return "; ".join(
        f"{count} {reason} (such as {report.examples[reason]})"
        if reason in report.examples
        else f"{count} {reason}"
        for reason, count in report.left_out.items()
    )
