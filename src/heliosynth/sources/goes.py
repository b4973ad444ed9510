"""GOES X-ray sensor (XRS): 1–8 Å light curves, their flux scale and missing samples.

There are two scales. NOAA's science-quality netCDF files hold true flux; the published flare
classes of the GOES 8–15 era are on SWPC's operational scale, 0.7 times the true XRS-B flux of
those satellites. From GOES-16 on the two are the same (NOAA, User's Guide for GOES-R XRS L2
Products). A series therefore carries its scale.

A sample is missing if the file's flags say so, if the flux is at the sensor's floor of
1e-9 W m⁻² or below, which is not a measurement, or if XRS-A (0.5–4 Å) exceeds XRS-B, which no
solar spectrum does: the channels of such samples are exchanged. Samples finer than half a minute
are averaged to minutes, to which the published flare classes refer.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import pandas as pd
from tqdm import tqdm

from heliosynth.arrays import DAY_S, Booleans, Floats32, Seconds
from heliosynth.errors import InputError
from heliosynth.io import hdf5
from heliosynth.io.provenance import stamp
from heliosynth.sources.goes_csv import read_csv
from heliosynth.sources.goes_netcdf import LAST_SCALED_SATELLITE, read_netcdf
from heliosynth.sources.goes_samples import LightCurve, Scale, join, satellite_number
from heliosynth.sources.goes_sharing import (
    Span,
    average_to_minutes,
    ranked,
    share_minutes,
    spans,
)
from heliosynth.sources.reading import ReadingReport

OPERATIONAL_FACTOR = 0.7
"""Operational over true XRS-B flux, GOES 8–15."""

COVER_TOLERANCE_S = 900
"""Longest time by which frames can lie outside a light curve, s: three 5-minute samples."""
WARNED_GAP_S = DAY_S
"""Gaps of a light curve between the frames that are longer are named in the log, s."""

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
        Such as ``GOES-15``; several names if each supplies some of the minutes.
    coverage
        What each satellite supplies; empty if it is not known.

    Raises
    ------
    ValueError
        If the arrays are not of one length, the time does not increase or the scale is unknown.
    """

    time: Seconds
    xrsb: Floats32
    scale: Scale
    satellite: str
    coverage: tuple[Span, ...] = ()

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


def read_xrs(
    files: Sequence[Path | str], csv_scale: Scale, report: ReadingReport | None = None
) -> XrsSeries:
    """Read light curves into one series, each minute of which is from one instrument.

    Files of one satellite, scale and cadence form a light curve. Several of them share the time
    minute by minute, in the order of :mod:`heliosynth.sources.goes_sharing`: the one that covers
    most minutes first, then what it lacks from the next. If they differ in satellite or scale, all
    samples are converted to the operational scale.

    Parameters
    ----------
    files
        CSV (``time``, ``xrsb`` and, if known, ``xrsa``) and NOAA netCDF
        (``xrsf-l2-avg1m``, and ``xrsf-l2-flx1s`` or ``gxrs-l2-irrad``, which are averaged).
    csv_scale
        Scale of CSV light curves.
    report
        Report to which the counts of what is kept and left out are added.

    Raises
    ------
    InputError
        If a file is missing or damaged, is no light curve in W m⁻², has times in no known form,
        or no valid sample is left.
    """
    counts = ReadingReport()
    sets: dict[tuple[str, Scale, int], list[LightCurve]] = {}
    for path in tqdm(files, desc="XRS files", mininterval=2, disable=len(files) < 5):
        curve = _read_file(Path(path), csv_scale, counts)
        counts.files += 1
        if curve is None:
            continue
        if not np.isfinite(curve.xrsb).any():
            counts.leave_out("file: without a valid sample", example=str(path))
        if len(curve.time):
            key = (curve.satellite, curve.scale, curve.native_cadence_s)
            sets.setdefault(key, []).append(curve)
    curves = [average_to_minutes(join(group, counts)) for group in sets.values()]
    curves = [curve for curve in curves if np.isfinite(curve.xrsb).any()]
    if not curves:
        raise InputError(_no_sample(files, counts))
    series = _shared(ranked(curves))
    counts.read = int(np.isfinite(series.xrsb).sum())
    if report is not None:
        report.merge(counts)
    return series


def summarize(series: XrsSeries, report: ReadingReport) -> dict[str, Any]:
    """Return a report as JSON, with what each satellite supplies and on which scale the series is.

    Parameters
    ----------
    series
        The result of :func:`read_xrs`.
    report
        Its report.
    """
    coverage = [
        {**asdict(span), "first": _iso(span.first), "last": _iso(span.last)}
        for span in series.coverage
    ]
    about = {"scale": series.scale, "satellite": series.satellite, "coverage": coverage}
    return {**report.to_json(), **about}


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
        If a frame is before the first or after the last valid sample, or none is valid. Gaps in
        between are only logged.
    """
    valid = series.time[np.isfinite(series.xrsb)]
    if not valid.size:
        raise InputError("the XRS files hold no valid sample; add light curves")
    begin, end = _seconds(first), _seconds(last)
    covered = f"XRS files cover {_iso(valid[0])} to {_iso(valid[-1])}, but frames run"
    frames = f"{_iso(begin)} to {_iso(end)}"
    if valid[-1] + COVER_TOLERANCE_S < begin or valid[0] - COVER_TOLERANCE_S > end:
        raise InputError(
            f"{covered} {frames}, at no common time; add light curves of that time, or check the "
            "form of the times"
        )
    sides = [f"until {_iso(valid[0])}"] if valid[0] - COVER_TOLERANCE_S > begin else []
    sides += [f"from {_iso(valid[-1])}"] if valid[-1] + COVER_TOLERANCE_S < end else []
    if sides:
        raise InputError(f"{covered} {frames}; add light curves for the time {' and '.join(sides)}")
    inside = valid[(valid >= begin) & (valid <= end)]
    gaps = np.diff(np.concatenate([[begin], inside, [end]]))
    if gaps.max() > WARNED_GAP_S:
        at = int(np.argmax(gaps))
        start = int(np.concatenate([[begin], inside])[at])
        _log.warning(
            "XRS: %d gaps of more than a day between the frames, the longest %.1f days from %s; "
            "frames in them have no measured flux",
            int((gaps > WARNED_GAP_S).sum()), gaps[at] / DAY_S, _iso(start),
        )  # fmt: skip


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


def _read_file(path: Path, csv_scale: Scale, report: ReadingReport) -> LightCurve | None:
    if path.suffix.lower() == ".nc":
        return read_netcdf(path, report)
    if path.name.lower().removesuffix(".gz").endswith((".fits", ".fts", ".fit")):
        raise InputError(
            f"{path}: FITS, such as SDAC's files, has no flags and its scale is not stated; fetch "
            "NOAA's netCDF files (xrsf-l2-avg1m) of the same days"
        )
    return read_csv(path, csv_scale, report)


def _no_sample(files: Sequence[Path | str], report: ReadingReport) -> str:
    """Return the message for files without a valid sample, with the reasons."""
    names = list(map(str, files))
    listed = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
    reasons = "; ".join(f"{count} {reason}" for reason, count in list(report.left_out.items())[:3])
    why = f", left out: {reasons}" if reasons else ""
    return f"no valid XRS sample in {listed or 'an empty list of files'}{why}; add light curves"


def _shared(curves: list[LightCurve]) -> XrsSeries:
    """Return the series of light curves that share the time in this order."""
    taken = share_minutes(curves)
    used: list[tuple[LightCurve, Booleans]] = []
    for curve, rows in zip(curves, taken, strict=True):
        count = int(np.isfinite(curve.xrsb[rows]).sum())
        if not count:
            _log.warning("XRS: %s not used, others have all its minutes", curve.about)
            continue
        if used:
            _log.warning("XRS: %s supplies %d samples that others lack", curve.about, count)
        used.append((curve, rows))
    parts = [
        XrsSeries(curve.time[rows], curve.xrsb[rows], curve.scale, curve.satellite)
        for curve, rows in used
    ]
    if len({(part.satellite, part.scale) for part in parts}) > 1:
        parts = [part.to_operational() for part in parts]
    time = np.concatenate([part.time for part in parts])
    order = np.argsort(time, kind="stable")
    found = sorted(
        (span for curve, rows in used for span in spans(curve, rows)), key=lambda span: span.first
    )
    return XrsSeries(
        time=time[order],
        xrsb=np.concatenate([part.xrsb for part in parts])[order],
        scale=parts[0].scale,
        satellite=", ".join(dict.fromkeys(part.satellite for part in parts)),
        coverage=tuple(found),
    )


def _seconds(time: Any) -> int:
    if isinstance(time, int | np.integer):
        return int(time)
    return int(pd.Timestamp(time).timestamp())


def _iso(seconds: int) -> str:
    return pd.Timestamp(int(seconds), unit="s").isoformat()
