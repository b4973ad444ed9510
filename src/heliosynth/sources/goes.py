"""GOES X-ray sensor (XRS): 1–8 Å light curves, their flux scale and missing samples.

There are two scales. NOAA's science-quality netCDF files hold true flux; the published flare
classes of the GOES 8–15 era are on SWPC's operational scale, 0.7 times the true XRS-B flux of
those satellites. From GOES-16 on the two are the same (NOAA, User's Guide for GOES-R XRS L2
Products). A series therefore carries its scale.

A sample is missing if the file's flags say so, if the flux is at the sensor's floor of
1e-9 W m⁻² or below, which is not a measurement, or if XRS-A (0.5–4 Å) exceeds XRS-B, which no
solar spectrum does: the channels of such samples are exchanged.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np
import pandas as pd
from tqdm import tqdm

from heliosynth.arrays import DAY_S, Floats, Floats32, Seconds
from heliosynth.errors import InputError
from heliosynth.io import hdf5
from heliosynth.io.provenance import stamp
from heliosynth.sources.goes_netcdf import (
    LAST_SCALED_SATELLITE,
    read_netcdf,
    satellite_number,
    to_floats,
)

Scale = Literal["true", "operational"]

OPERATIONAL_FACTOR = 0.7
"""Operational over true XRS-B flux, GOES 8–15."""

FLOOR = 1e-9
"""Smallest flux that the sensor measures, W m⁻²; also NOAA's smallest valid value."""

COVER_TOLERANCE_S = 900
"""Longest time by which frames can lie outside a light curve, s: three 5-minute samples."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class XrsSeries:
    """An XRS-B light curve.

    Attributes
    ----------
    time
        Seconds since 1970 UTC (N,), strictly increasing; starts of the averaging intervals.
    xrsb
        1–8 Å flux (N,), W m⁻², NaN where missing.
    scale
        Scale of the flux.
    satellite
        Such as ``GOES-15``; several names if each supplies some of the days.

    Raises
    ------
    ValueError
        If the arrays are not of one length, the time does not increase or the scale is unknown.
    """

    time: Seconds
    xrsb: Floats32
    scale: Scale
    satellite: str

    def __post_init__(self) -> None:
        if self.time.shape != self.xrsb.shape or self.time.ndim != 1:
            raise ValueError(f"time {self.time.shape} and xrsb {self.xrsb.shape} do not match")
        if np.any(np.diff(self.time) <= 0):
            raise ValueError("time must be strictly increasing")
        if self.scale not in get_args(Scale):
            raise ValueError(f"scale {self.scale!r} must be one of {', '.join(get_args(Scale))}")

    def __len__(self) -> int:
        return len(self.time)

    def to_operational(self) -> XrsSeries:
        """Return the series on the scale of the published flare classes.

        Raises
        ------
        InputError
            If the flux is true and the satellite unknown.
        """
        if self.scale == "operational":
            return self
        number = satellite_number(self.satellite)
        if number is None:
            raise InputError(
                f"the satellite of a true-flux light curve is unknown ({self.satellite}), and so "
                "is its operational scale; put it in the file name, as in goes15_xrs.csv"
            )
        factor = OPERATIONAL_FACTOR if number <= LAST_SCALED_SATELLITE else 1.0
        return replace(self, xrsb=(self.xrsb * factor).astype(np.float32), scale="operational")


def read_xrs(files: Sequence[Path | str], csv_scale: Scale) -> XrsSeries:
    """Read light curves into one series, each day of which is from one instrument.

    Files of one satellite, scale and cadence form a set. If several sets share a day, it is
    taken from the set with the most days; days that only another set has are taken from that
    set. If sets differ in satellite or scale, all samples are converted to the operational scale.

    Parameters
    ----------
    files
        CSV (``time``, ``xrsb`` and, if known, ``xrsa``) and NOAA netCDF
        (``xrsf-l2-avg1m``).
    csv_scale
        Scale of CSV light curves.

    Raises
    ------
    InputError
        If a file is missing or damaged, or no sample is left.
    """
    sets: dict[tuple[str, Scale, int], list[XrsSeries]] = {}
    for path in tqdm(files, desc="XRS files", mininterval=2, disable=len(files) < 5):
        series = _read_file(Path(path), csv_scale)
        if len(series):
            key = (series.satellite, series.scale, _cadence(series))
            sets.setdefault(key, []).append(series)
    joined = [_join(group) for group in sets.values()]
    joined = [series for series in joined if np.isfinite(series.xrsb).any()]
    if not joined:
        listed = ", ".join(map(str, files)) or "an empty list of files"
        raise InputError(f"no valid XRS sample in {listed}; add light curves")
    return _choose_days(joined)


def require_cover(series: XrsSeries, first: Any, last: Any) -> None:
    """Check that a light curve covers the times of the frames.

    Parameters
    ----------
    series
        The light curve.
    first, last
        Times of the first and last frame: seconds since 1970 UTC, or any datetime.

    Raises
    ------
    InputError
        If a frame is before the first or after the last valid sample, or none is valid.
    """
    valid = series.time[np.isfinite(series.xrsb)]
    if not valid.size:
        raise InputError("the XRS files hold no valid sample; add light curves")
    begin, end = _seconds(first), _seconds(last)
    if valid[0] - COVER_TOLERANCE_S > begin or valid[-1] + COVER_TOLERANCE_S < end:
        raise InputError(
            f"XRS files cover {_iso(valid[0])} to {_iso(valid[-1])}, but frames run "
            f"{_iso(begin)} to {_iso(end)}; add light curves for the rest"
        )


def write_series(path: Path | str, series: XrsSeries) -> None:
    """Write a series as HDF5: datasets ``time`` and ``xrsb``, attributes scale and satellite."""
    with hdf5.open_write(path) as file:
        for name, values in (("time", series.time), ("xrsb", series.xrsb)):
            hdf5.create_dataset(file, name, values.dtype, values.shape)[...] = values
        file.attrs["scale"] = series.scale
        file.attrs["satellite"] = series.satellite
        file.attrs["unit"] = "W m-2"
        file.attrs["provenance"] = json.dumps(stamp())


def read_series(path: Path | str) -> XrsSeries:
    """Read a series that :func:`write_series` wrote.

    Raises
    ------
    InputError
        If the file cannot be read or is not an XRS series.
    """
    with hdf5.open_read(path, "XRS series") as file:
        time, xrsb = file.array("time"), file.array("xrsb")
        scale, satellite = file.text("scale"), file.text("satellite")
    try:
        return XrsSeries(time, xrsb, cast("Scale", scale), satellite)
    except ValueError as error:
        raise InputError(f"{path}: not an XRS series ({error}); rebuild it") from error


def _read_file(path: Path, csv_scale: Scale) -> XrsSeries:
    return _read_csv(path, csv_scale) if path.suffix == ".csv" else _read_netcdf(path)


def _read_csv(path: Path, scale: Scale) -> XrsSeries:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as CSV ({error})") from error
    missing = [name for name in ("time", "xrsb") if name not in table]
    if missing:
        raise InputError(f"{path}: lacks the columns {', '.join(missing)}")
    table["time"] = pd.to_datetime(table["time"], format="ISO8601", utc=True, errors="coerce")
    table = table.dropna(subset="time")
    number = satellite_number(path.name)
    return _series(
        pd.DatetimeIndex(table["time"]).tz_localize(None),
        to_floats(table["xrsb"]),
        to_floats(table["xrsa"]) if "xrsa" in table else None,
        scale,
        f"GOES-{number}" if number else "unknown",
    )


def _read_netcdf(path: Path) -> XrsSeries:
    samples = read_netcdf(path)
    satellite = f"GOES-{samples.satellite}"
    return _series(samples.times, samples.xrsb, samples.xrsa, "true", satellite)


def _series(
    times: pd.DatetimeIndex,
    xrsb: Floats,
    xrsa: Floats | None,
    scale: Scale,
    satellite: str,
) -> XrsSeries:
    """Build a series whose missing samples are NaN."""
    missing = ~(xrsb > FLOOR * 1.0001)
    if xrsa is not None:
        missing |= xrsa > xrsb
    time = np.asarray(times.round("s"), dtype="datetime64[s]").astype(np.int64)
    return _sorted(time, np.where(missing, np.nan, xrsb).astype(np.float32), scale, satellite)


def _sorted(time: Seconds, xrsb: Floats32, scale: Scale, satellite: str) -> XrsSeries:
    """Sort by time; of samples of the same second (overlaps, leap seconds) keep a valid one."""
    order = np.lexsort((np.isnan(xrsb), time))
    time, xrsb = time[order], xrsb[order]
    first = np.concatenate([np.ones(min(len(time), 1), dtype=bool), np.diff(time) > 0])
    return XrsSeries(time[first], xrsb[first], scale, satellite)


def _join(parts: list[XrsSeries]) -> XrsSeries:
    """Join series of one satellite and scale."""
    time = np.concatenate([part.time for part in parts])
    xrsb = np.concatenate([part.xrsb for part in parts])
    return _sorted(time, xrsb, parts[0].scale, parts[0].satellite)


def _choose_days(candidates: list[XrsSeries]) -> XrsSeries:
    """Take each day from one candidate, those with the most days first."""
    ranked = sorted(candidates, key=lambda s: (-len(_days(s)), -_cadence(s), s.satellite))
    # Days without a valid sample stay, as missing, in the first candidate.
    empty = np.setdiff1d(ranked[0].time // DAY_S, np.concatenate(list(map(_days, ranked))))
    covered = empty[:0]
    used: list[XrsSeries] = []
    for series in ranked:
        new = np.setdiff1d(_days(series), covered)
        if not new.size:
            _log.warning("XRS: %s not used, others cover all its days", _about(series))
            continue
        if used:
            _log.warning("XRS: %s used for %d days", _about(series), len(new))
        covered = np.union1d(covered, new)
        days = new if used else np.union1d(new, empty)
        kept = np.isin(series.time // DAY_S, days)
        used.append(replace(series, time=series.time[kept], xrsb=series.xrsb[kept]))
    if len({(series.satellite, series.scale) for series in used}) > 1:
        used = [series.to_operational() for series in used]
    names = ", ".join(dict.fromkeys(series.satellite for series in used))
    return replace(_join(used), satellite=names)


def _days(series: XrsSeries) -> Seconds:
    """Return the days since 1970 with a valid sample."""
    return np.unique(series.time[np.isfinite(series.xrsb)] // DAY_S)


def _cadence(series: XrsSeries) -> int:
    """Return the median time between samples, s."""
    return int(np.median(np.diff(series.time))) if len(series) > 1 else 0


def _about(series: XrsSeries) -> str:
    return f"{series.satellite} ({series.scale} flux, {_cadence(series)} s)"


def _seconds(time: Any) -> int:
    if isinstance(time, int | np.integer):
        return int(time)
    return int(pd.Timestamp(time).timestamp())


def _iso(seconds: int) -> str:
    return pd.Timestamp(int(seconds), unit="s").isoformat()
