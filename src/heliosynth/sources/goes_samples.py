"""Samples of GOES XRS light curves as files hold them, and which of them are no measurements."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from heliosynth.arrays import Booleans, Floats, Floats32, Seconds
from heliosynth.sources.reading import ReadingReport

Scale = Literal["true", "operational"]
"""Scale of a flux: that of NOAA's science-quality files, or that of the published classes."""

FLOOR = 1e-9
"""Smallest flux that the sensor measures, W m⁻²; also NOAA's smallest valid value."""
CEILING = 1e-2
"""Twice the flux of the largest flare known (about X45), W m⁻²."""
LARGEST_FILL = -99.0
"""Fill values, such as -9999, are not above it."""

LAST_SATELLITE = 19
"""The last satellite of the GOES-R series."""

FLAGGED = "flagged as bad in the file"
REPEATED = "repeat of a time"
"""Reasons in reports."""


@dataclass(frozen=True)
class LightCurve:
    """The samples of one satellite on one scale.

    Attributes
    ----------
    time
        Starts of the averaging intervals, s since 1970 UTC (N,).
    xrsb
        1–8 Å flux (N,), W m⁻², NaN where missing.
    scale
        Scale of the flux.
    satellite
        Such as ``GOES-15``, or ``unknown``.
    native_cadence_s
        Median time between samples of the files, s; 0 for one sample.
    """

    time: Seconds
    xrsb: Floats32
    scale: Scale
    satellite: str
    native_cadence_s: int

    @property
    def about(self) -> str:
        """The satellite, scale and cadence, for the log."""
        return f"{self.satellite} ({self.scale} flux, {self.native_cadence_s} s)"


def join(curves: list[LightCurve], report: ReadingReport) -> LightCurve:
    """Join light curves of one satellite and scale; of samples of one second keep a valid one.

    Parameters
    ----------
    curves
        At least one light curve.
    report
        Report to which repeated times are added.
    """
    time = np.concatenate([curve.time for curve in curves])
    xrsb = np.concatenate([curve.xrsb for curve in curves])
    order = np.lexsort((np.isnan(xrsb), time))
    time, xrsb = time[order], xrsb[order]
    repeated = np.concatenate([np.zeros(min(len(time), 1), np.bool_), np.diff(time) == 0])
    if repeated.any():
        at = str(time[int(np.argmax(repeated))].astype("datetime64[s]"))
        report.leave_out(REPEATED, int(repeated.sum()), f"{curves[0].satellite}: {at}")
    first = curves[0]
    return LightCurve(
        time[~repeated], xrsb[~repeated], first.scale, first.satellite, first.native_cadence_s
    )


def median_cadence(time: Seconds) -> int:
    """Return the median time between samples, s; 0 for fewer than two."""
    return int(np.median(np.diff(np.sort(time)))) if len(time) > 1 else 0


def measured(
    xrsb: Floats, xrsa: Floats | None, flagged: Booleans, report: ReadingReport, source: str
) -> Floats32:
    """Return the flux with NaN where it is not measured, and count why.

    Parameters
    ----------
    xrsb, xrsa
        1–8 Å and, if known, 0.5–4 Å flux of a file (N,), W m⁻², NaN where there is none.
    flagged
        Whether the file marks a sample as bad (N,).
    report
        Report to which the counts are added.
    source
        File, for the examples.
    """
    reasons = {
        "no value": ~np.isfinite(xrsb) | (xrsb <= LARGEST_FILL),
        FLAGGED: flagged,
        f"at or below the floor of the sensor, {FLOOR:g} W m⁻²": ~(xrsb > FLOOR * 1.0001),
        f"above {CEILING:g} W m⁻², more than any flare": xrsb > CEILING,
    }
    if xrsa is not None:
        # No solar spectrum has this: the channels of such samples are exchanged.
        reasons["XRS-A flux above XRS-B flux"] = xrsa > xrsb
    missing = np.zeros(len(xrsb), dtype=np.bool_)
    for reason, rows in reasons.items():
        new = rows & ~missing
        value = f"{source}: {xrsb[int(np.argmax(new))]:.4g}" if new.any() else ""
        report.leave_out(reason, int(new.sum()), value)
        missing |= rows
    return np.where(missing, np.nan, xrsb).astype(np.float32)


def satellite_number(text: str) -> int | None:
    """Return the GOES number in a text such as ``GOES-15``, ``goes15_xrs.csv`` or ``…_g15_…``."""
    match = re.search(r"(?:goes[-_ ]?|(?:^|_)g)(\d{1,2})(?!\d)", text, re.IGNORECASE | re.ASCII)
    number = int(match.group(1)) if match else 0
    return number if 1 <= number <= LAST_SATELLITE else None
