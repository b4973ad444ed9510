"""GOES X-ray sensor (XRS): 1–8 Å light curves, their scale and their quirks.

Two scales are about. NOAA's science-quality netCDF files hold true flux; the published flare
classes of the GOES 8–15 era are on SWPC's operational scale, 0.7 times the true XRS-B flux of
those satellites. From GOES-16 on the two are one (NOAA, User's Guide for GOES-R XRS L2
Products). A series therefore carries its scale.

A sample counts as missing where the file's flags say so, where the flux is at the sensor's
floor of 1e-9 W m⁻² or below, which is no measurement, and where XRS-A (0.5–4 Å) exceeds
XRS-B, which no solar spectrum does: such samples come from exchanged channels.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from heliosynth.errors import InputError
from heliosynth.io import hdf5
from heliosynth.io.provenance import stamp
from heliosynth.sources.signature import require_signature

Scale = Literal["true", "operational"]
Seconds = npt.NDArray[np.int64]
Flux = npt.NDArray[np.float32]

OPERATIONAL_FACTOR = 0.7
"""Operational over true XRS-B flux, GOES 8–15."""

LAST_SCALED_SATELLITE = 15
"""From the next satellite on, the operational scale is the true one."""

FLOOR = 1e-9
"""Flux below which the sensor reads nothing, W m⁻²; also NOAA's smallest valid value."""

COVER_TOLERANCE_S = 900
"""How far a frame may lie outside a light curve: three 5-minute samples."""

SECONDS_A_DAY = 86400

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
        The scale of the flux.
    satellite
        ``GOES-15``; several, where each serves days of its own.
    """

    time: Seconds
    xrsb: Flux
    scale: Scale
    satellite: str

    def __post_init__(self) -> None:
        if self.time.shape != self.xrsb.shape or self.time.ndim != 1:
            raise ValueError(f"time {self.time.shape} and xrsb {self.xrsb.shape} do not match")
        if np.any(np.diff(self.time) <= 0):
            raise ValueError("time must be strictly increasing")

    def __len__(self) -> int:
        return len(self.time)

    def to_operational(self) -> XrsSeries:
        """Give the series on the scale of the published flare classes.

        Raises
        ------
        InputError
            If the flux is true and the satellite unknown.
        """
        if self.scale == "operational":
            return self
        number = _satellite_number(self.satellite)
        if number is None:
            raise InputError(
                f"the satellite of a true-flux light curve is unknown ({self.satellite}), and so "
                "is its operational scale; put it in the file name, as in goes15_xrs.csv"
            )
        factor = OPERATIONAL_FACTOR if number <= LAST_SCALED_SATELLITE else 1.0
        return replace(self, xrsb=(self.xrsb * factor).astype(np.float32), scale="operational")


def read_xrs(files: Sequence[Path | str], csv_scale: Scale) -> XrsSeries:
    """Read light curves into one series in which every day comes from one instrument.

    Files of one satellite, scale and cadence belong together. Where several such sets share
    a day, the set with the most days serves it. Days that only another set has are taken
    from there, all then being brought to the operational scale.

    Parameters
    ----------
    files
        CSV (``time``, ``xrsb`` and, where known, ``xrsa``) and NOAA netCDF
        (``xrsf-l2-avg1m``).
    csv_scale
        The scale of CSV light curves.

    Raises
    ------
    InputError
        If a file is missing or broken, or no sample is left.
    """
    sets: dict[tuple[str, Scale, int], list[XrsSeries]] = {}
    for path in tqdm(files, desc="XRS files", mininterval=2, disable=len(files) < 5):
        series = _read_file(Path(path), csv_scale)
        if len(series):
            key = (series.satellite, series.scale, _cadence(series))
            sets.setdefault(key, []).append(series)
    joined = [_one_series(group) for group in sets.values()]
    joined = [series for series in joined if np.isfinite(series.xrsb).any()]
    if not joined:
        raise InputError(f"no valid XRS sample in {', '.join(map(str, files)) or 'no file'}")
    return _choose(joined)


def require_cover(series: XrsSeries, first: Any, last: Any) -> None:
    """Check that a light curve covers the frames.

    Parameters
    ----------
    first, last
        Times of the first and last frame: seconds since 1970 UTC, or any datetime.

    Raises
    ------
    InputError
        If the first or last valid sample leaves frames outside, or none is valid.
    """
    valid = series.time[np.isfinite(series.xrsb)]
    if not valid.size:
        raise InputError("the XRS files hold no valid sample")
    begin, end = _seconds(first), _seconds(last)
    if valid[0] - COVER_TOLERANCE_S > begin or valid[-1] + COVER_TOLERANCE_S < end:
        raise InputError(
            f"XRS files cover {_iso(valid[0])} to {_iso(valid[-1])}, but frames run "
            f"{_iso(begin)} to {_iso(end)}; add light curves for the rest"
        )


def write_series(path: Path | str, series: XrsSeries) -> None:
    """Write a series whole as HDF5: datasets ``time`` and ``xrsb``, and what they are."""
    with hdf5.open_write(path) as file:
        for name, values in (("time", series.time), ("xrsb", series.xrsb)):
            hdf5.create_dataset(file, name, values.dtype, values.shape)[...] = values
        file.attrs["scale"] = series.scale
        file.attrs["satellite"] = series.satellite
        file.attrs["unit"] = "W m-2"
        file.attrs["provenance"] = json.dumps(stamp())


def read_series(path: Path | str) -> XrsSeries:
    """Read a series back.

    Raises
    ------
    InputError
        If the file cannot be read or is no XRS series.
    """
    with hdf5.open_read(path, "XRS series") as file:
        return XrsSeries(
            time=file["time"][()],
            xrsb=file["xrsb"][()],
            scale=cast("Scale", str(file.attrs["scale"])),
            satellite=str(file.attrs["satellite"]),
        )


def _read_file(path: Path, csv_scale: Scale) -> XrsSeries:
    return _read_csv(path, csv_scale) if path.suffix == ".csv" else _read_netcdf(path)


def _read_csv(path: Path, scale: Scale) -> XrsSeries:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as CSV ({error})") from None
    missing = [name for name in ("time", "xrsb") if name not in table]
    if missing:
        raise InputError(f"{path}: lacks the columns {', '.join(missing)}")
    table["time"] = pd.to_datetime(table["time"], format="ISO8601", utc=True, errors="coerce")
    table = table.dropna(subset="time")
    number = _satellite_number(path.name)
    return _series(
        pd.DatetimeIndex(table["time"]).tz_localize(None),
        _numbers(table["xrsb"]),
        _numbers(table["xrsa"]) if "xrsa" in table else None,
        scale,
        f"GOES-{number}" if number else "unknown",
    )


def _read_netcdf(path: Path) -> XrsSeries:
    require_signature(path, "netCDF")
    # sunpy takes seconds to import, which readers of a finished series need not wait for.
    from sunpy.timeseries import TimeSeries

    try:
        series = TimeSeries(str(path), source="XRS")
        header = series.meta.metas[0]
        texts = [str(series.observatory), f"{header.get('platform')}_", path.name]
        number = next(filter(None, map(_satellite_number, texts)), None)
        table = series.to_dataframe()
        good = _is_good(path, table["xrsb_quality"].to_numpy(), number)
        index = _times(path)
    # sunpy, its readers and HDF5 each raise errors of their own.
    except Exception as error:
        reason = str(error)[:200]
        raise InputError(f"{path}: cannot be read as a NOAA XRS file ({reason})") from None
    if number is None:
        raise InputError(f"{path}: does not say which GOES satellite it is of")
    xrsb = np.where(good, _numbers(table["xrsb"]), np.nan)
    return _series(index, xrsb, _numbers(table["xrsa"]), "true", f"GOES-{number}")


def _times(path: Path) -> pd.DatetimeIndex:
    """Read the times by the file's clock, which has 86,400 seconds a day.

    sunpy's times go through astropy's, which spread a leap second over the whole of its day.
    """
    with h5py.File(path) as file:
        seconds, units = file["time"][()], file["time"].attrs["units"]
    text = units.decode() if isinstance(units, bytes) else str(units)
    epoch = pd.Timestamp(text.removeprefix("seconds since").removesuffix("UTC").strip())
    return pd.DatetimeIndex(epoch + pd.to_timedelta(seconds, unit="s"))


def _is_good(
    path: Path, flags: npt.NDArray[np.integer[Any]], number: int | None
) -> npt.NDArray[np.bool_]:
    """Tell good samples by the file's own account of its flags.

    Satellites number their flags differently, and set flags on good samples too, such as
    for an electron correction that does not apply.
    """
    with h5py.File(path) as file:
        names = [name for name in ("xrsb_flag", "xrsb_flags", "b_flags") if name in file]
        about = dict(file[names[0]].attrs) if names else {}
    meanings = about.get("flag_meanings", "")
    if isinstance(meanings, bytes):
        meanings = meanings.decode()
    words = str(meanings).split()
    if "good_data" in words and {"flag_masks", "flag_values"} <= about.keys():
        place = words.index("good_data")
        mask, value = int(about["flag_masks"][place]), int(about["flag_values"][place])
    else:
        # Bad data, eclipse and, up to GOES-15, recovery of the temperature.
        mask, value = (0b111 if (number or 0) <= LAST_SCALED_SATELLITE else 0b11), 0
    return np.asarray((flags.astype(np.int64) & mask) == value)


def _series(
    index: pd.DatetimeIndex,
    xrsb: npt.NDArray[np.float64],
    xrsa: npt.NDArray[np.float64] | None,
    scale: Scale,
    satellite: str,
) -> XrsSeries:
    missing = ~(xrsb > FLOOR * 1.0001)
    if xrsa is not None:
        missing |= xrsa > xrsb
    time = np.asarray(index.round("s"), dtype="datetime64[s]").astype(np.int64)
    return _in_order(time, np.where(missing, np.nan, xrsb).astype(np.float32), scale, satellite)


def _in_order(time: Seconds, xrsb: Flux, scale: Scale, satellite: str) -> XrsSeries:
    """Sort by time; of samples at one second (files overlap, leap seconds) keep a valid one."""
    order = np.lexsort((np.isnan(xrsb), time))
    time, xrsb = time[order], xrsb[order]
    first = np.concatenate([np.ones(min(len(time), 1), dtype=bool), np.diff(time) > 0])
    return XrsSeries(time[first], xrsb[first], scale, satellite)


def _one_series(parts: list[XrsSeries]) -> XrsSeries:
    time = np.concatenate([part.time for part in parts])
    xrsb = np.concatenate([part.xrsb for part in parts])
    return _in_order(time, xrsb, parts[0].scale, parts[0].satellite)


def _choose(candidates: list[XrsSeries]) -> XrsSeries:
    """Take every day from one candidate, those with the most days first."""
    ranked = sorted(candidates, key=lambda s: (-len(_days(s)), -_cadence(s), s.satellite))
    # Days without a valid sample stay, as missing, in the first.
    empty = np.setdiff1d(ranked[0].time // SECONDS_A_DAY, np.concatenate(list(map(_days, ranked))))
    served = empty[:0]
    used: list[XrsSeries] = []
    for series in ranked:
        new = np.setdiff1d(_days(series), served)
        if not new.size:
            _log.warning("XRS: %s left out, better served days only", _about(series))
            continue
        if used:
            _log.warning("XRS: %s serves %d days of its own", _about(series), len(new))
        served = np.union1d(served, new)
        own = new if used else np.union1d(new, empty)
        kept = np.isin(series.time // SECONDS_A_DAY, own)
        used.append(replace(series, time=series.time[kept], xrsb=series.xrsb[kept]))
    if len({(series.satellite, series.scale) for series in used}) > 1:
        used = [series.to_operational() for series in used]
    names = ", ".join(dict.fromkeys(series.satellite for series in used))
    return replace(_one_series(used), satellite=names)


def _days(series: XrsSeries) -> Seconds:
    return np.unique(series.time[np.isfinite(series.xrsb)] // SECONDS_A_DAY)


def _cadence(series: XrsSeries) -> int:
    return int(np.median(np.diff(series.time))) if len(series) > 1 else 0


def _about(series: XrsSeries) -> str:
    return f"{series.satellite} ({series.scale} flux, {_cadence(series)} s)"


def _satellite_number(text: str) -> int | None:
    """Find 15 in ``GOES-15``, ``goes15_xrs.csv``, ``g15_`` or ``…_g15_d20120712_…``."""
    found = re.search(r"(?:goes[-_ ]?|(?:^|_)g)(\d{1,2})(?!\d)", text, re.IGNORECASE)
    return int(found.group(1)) if found else None


def _numbers(column: pd.Series[Any]) -> npt.NDArray[np.float64]:
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)


def _seconds(time: Any) -> int:
    if isinstance(time, int | np.integer):
        return int(time)
    return int(pd.Timestamp(time).timestamp())


def _iso(seconds: int) -> str:
    return pd.Timestamp(int(seconds), unit="s").isoformat()
