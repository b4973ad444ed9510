"""Light curves of GOES XRS in CSV, whose values are checked before they are believed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from heliosynth.arrays import DAY_S, Booleans, Floats, Seconds
from heliosynth.errors import InputError
from heliosynth.sources.goes_netcdf import NO_SAMPLES
from heliosynth.sources.goes_samples import (
    CEILING,
    FLOOR,
    LARGEST_FILL,
    LightCurve,
    Scale,
    measured,
    median_cadence,
    satellite_number,
)
from heliosynth.sources.reading import ReadingReport
from heliosynth.sources.text_files import TextTable, read_table
from heliosynth.sources.times import UNREADABLE_ROWS, UNREADABLE_SHARE, ParsedTimes, parse_times

SMALLEST_FLUX = 1e-10
"""Smallest flux that a file in W m⁻² can hold, a tenth of the sensor's floor."""
SMALLEST_NEGATIVE = -1e-6
"""Noise around zero is not below it."""
HIGHEST_QUIET_FLUX = 2e-5
"""The X-ray flux of a day lies below it for more than 95 % of the time, W m⁻² (M2)."""
MOST_CONSTANT = 60
"""Samples of one value from which on a light curve is none."""
FEWEST_EXCHANGED = 10
"""Samples from which on columns can be recognised as exchanged."""

REMEDY = "write the 1–8 Å flux in W m⁻² into the column xrsb"


def read_csv(path: Path, scale: Scale, report: ReadingReport) -> LightCurve | None:
    """Read a light curve: columns ``time``, ``xrsb`` and, if known, ``xrsa``.

    Parameters
    ----------
    path
        The file; its name should contain the satellite, as in ``goes15_xrs.csv``.
    scale
        Scale of the flux.
    report
        Report to which the counts of samples that are no measurements are added.

    Returns
    -------
    LightCurve or None
        None, counted, if the file has no rows.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, or has values that are no times, or no flux in
        W m⁻²: another unit, exchanged columns, or one value throughout.
    """
    table = read_table(path)
    remedy = "name the columns so (time in UTC, xrsb the 1–8 Å flux in W m⁻²)"
    table.require(["time", "xrsb"], "a light curve", remedy)
    if not len(table.columns):
        report.leave_out(NO_SAMPLES, example=str(path))
        return None
    _require_one_kind(table)
    times = parse_times(table.columns["time"], f"{path}, column time")
    times.require_readable(f"{path}, column time")
    times.count(report, str(path))
    report.leave_out("no time", int((~times.given).sum()), str(path))
    known = ~np.isnat(times.times) & ~_doubled_leap_seconds(times, path, report)
    xrsb = _numbers(table, "xrsb", report)[known]
    xrsa = _numbers(table, "xrsa", report)[known] if "xrsa" in table.columns else None
    time = pd.DatetimeIndex(times.times[known]).round("s").to_numpy("datetime64[s]")
    seconds: Seconds = time.astype(np.int64)
    _require_flux(path, seconds, xrsb, xrsa)
    number = satellite_number(path.name)
    return LightCurve(
        time=seconds,
        xrsb=measured(xrsb, xrsa, np.zeros(len(xrsb), dtype=np.bool_), report, str(path)),
        scale=scale,
        satellite=f"GOES-{number}" if number else "unknown",
        native_cadence_s=median_cadence(seconds),
    )


def _require_one_kind(table: TextTable) -> None:
    """Raise InputError if rows are of several bands or satellites."""
    for name in ("energy", "satellite", "channel"):
        if name in table.columns:
            values = table.columns[name].dropna().unique()
            if len(values) > 1:
                raise InputError(
                    f"{table.path}: rows of several kinds, column {name} is "
                    f"{' or '.join(map(repr, values[:3]))}; keep one satellite a file, and the "
                    "1–8 Å flux in the column xrsb"
                )


def _doubled_leap_seconds(times: ParsedTimes, path: Path, report: ReadingReport) -> Booleans:
    """Return the leap seconds whose following second has a sample too (N,), and count all."""
    if not times.leap.any():
        return times.leap
    doubled: Booleans = times.leap & np.isin(times.times, times.times[~times.leap])
    example = times.example(times.leap, str(path))
    report.leave_out("leap second before a sample", int(doubled.sum()), example)
    moved = int((times.leap & ~doubled).sum())
    report.leave_out("leap second, kept as the second after it", moved, example)
    return doubled


def _numbers(table: TextTable, name: str, report: ReadingReport) -> Floats:
    """Return a column as numbers, NaN where there is none; count other text.

    Raises
    ------
    InputError
        If more than a few values are other text, such as flare classes.
    """
    numbers, wrong = table.numbers(name)
    count, given = int(wrong.sum()), int(table.columns[name].notna().sum())
    if count:
        sample = table.columns[name].iloc[int(np.argmax(wrong))][:40]
        if count == given or count > max(UNREADABLE_ROWS, UNREADABLE_SHARE * given):
            raise InputError(
                f"{table.path}, column {name}: {count} of {given} values are no numbers, such as "
                f"{sample!r}; write the flux in W m⁻²"
            )
        report.leave_out(f"{name} that is no number", count, f"{table.path}: {sample}")
    return numbers


def _require_flux(path: Path, time: Seconds, xrsb: Floats, xrsa: Floats | None) -> None:
    """Check that values are fluxes in W m⁻², those of XRS-B.

    Raises
    ------
    InputError
        If they are in another unit, exchanged with XRS-A, or all the same.
    """
    given = np.isfinite(xrsb) & (xrsb > LARGEST_FILL)
    values = xrsb[given]
    wrong = (values > CEILING) | (values < SMALLEST_NEGATIVE)
    wrong |= (values > 0) & (values < SMALLEST_FLUX)
    if wrong.any():
        _refuse_unit(path, values, wrong)
    values = values[values > FLOOR]
    span_s = int(np.ptp(time)) if len(time) else 0
    if len(values) and span_s >= DAY_S and np.percentile(values, 5) > HIGHEST_QUIET_FLUX:
        raise InputError(
            f"{path}, column xrsb: 95 % of the values are above {HIGHEST_QUIET_FLUX:g}, such as "
            f"{values[0]:.4g}, as if the Sun were never quieter than M2; {REMEDY}"
        )
    if len(values) >= MOST_CONSTANT and np.all(values == values[0]):
        raise InputError(
            f"{path}, column xrsb: all {len(values)} values are {values[0]:.4g}, but X-ray flux is "
            f"never constant; {REMEDY}"
        )
    if xrsa is not None:
        _require_not_exchanged(path, xrsb, xrsa)


def _refuse_unit(path: Path, values: Floats, wrong: Booleans) -> None:
    """Raise InputError if more than a few values are not in W m⁻²."""
    count = int(wrong.sum())
    if count < len(values) and count <= max(UNREADABLE_ROWS, UNREADABLE_SHARE * len(values)):
        return
    example, middle = values[int(np.argmax(wrong))], float(np.median(values[wrong]))
    hint = ", as log₁₀ of a flux would be" if -12 < middle < -1 else ", as in another unit"
    raise InputError(
        f"{path}, column xrsb: {count} of {len(values)} values are outside "
        f"{SMALLEST_FLUX:g}…{CEILING:g} W m⁻², such as {example:.4g}{hint}; {REMEDY}"
    )


def _require_not_exchanged(path: Path, xrsb: Floats, xrsa: Floats) -> None:
    """Raise InputError if most samples of XRS-A are above XRS-B, or all are the same."""
    both = (xrsb > FLOOR) & (xrsa > FLOOR)
    if both.sum() < FEWEST_EXCHANGED:
        return
    above = int((xrsa[both] > xrsb[both]).sum())
    if 2 * above > both.sum():
        raise InputError(
            f"{path}: xrsa is above xrsb in {above} of {int(both.sum())} samples, so the columns "
            "are exchanged; name the 0.5–4 Å flux xrsa and the 1–8 Å flux xrsb"
        )
    if np.all(xrsa[both] == xrsb[both]):
        raise InputError(
            f"{path}: xrsa and xrsb are the same in all {int(both.sum())} samples; write the "
            "0.5–4 Å flux into the column xrsa, or remove it"
        )
