"""X-ray light curves in the format of NOAA's science-quality netCDF files of GOES 13–15.

The variables, attributes and flags are those of ``sci_xrsf-l2-avg1m`` version 1-0-0. The files
hold true flux: SWPC's operational scale, on which flares are classified, is 0.7 of it for XRS-B
and 0.85 for XRS-A (NOAA, README for science quality GOES 13–15 XRS data).
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import h5netcdf
import numpy as np

from heliosynth.arrays import Booleans, Floats, Times
from heliosynth.io.files import atomic_file
from heliosynth.io.hdf5 import deferred_errors

SATELLITE = 15
OPERATIONAL_XRSB, OPERATIONAL_XRSA = 0.7, 0.85
"""Operational over true flux."""

LOG_XRSB = [-8.0, -7.0, -6.25, -5.75, -5.25, -4.75, -4.25, -3.75, -3.0]
LOG_XRSA = [-9.6, -8.98, -8.35, -7.32, -6.50, -5.74, -5.05, -4.52, -3.75]
"""Median XRS-A flux at an XRS-B flux, log₁₀ W m⁻², operational scale (measured, GOES-15 2012)."""

XRSA_LEAD_MINUTES = 1
"""Time by which XRS-A, the hotter channel, peaks earlier."""

FLOOR = 1e-9
"""Smallest flux that the sensor measures, W m⁻²."""

FILL = -9999.0
EPOCH = np.datetime64("2000-01-01T12:00:00")

ECLIPSED, CORRECTION_INVALID = 2, 16
"""Bits of the flags: eclipsed by the Earth; no electron correction was made."""

GAPS_PER_YEAR = 24
"""Gaps of tens of minutes per year."""
NOISE = 0.008
"""Relative noise of a minute."""


def write_years(
    folder: Path, start: datetime.date, series: Floats, rng: np.random.Generator
) -> None:
    """Write one file per year.

    Parameters
    ----------
    folder
        Folder of the files.
    start
        The day that begins with the first minute.
    series
        XRS-B flux of every minute (N,), W m⁻², operational scale, at least an hour.
    rng
        Random numbers of the noise and the gaps.
    """
    minutes = np.arange(len(series)).astype("timedelta64[m]")
    time = np.datetime64(start, "m") + minutes
    xrsa = _short_channel(series, rng)
    xrsb = np.maximum(series * (1 + NOISE * rng.standard_normal(len(series))), FLOOR)
    missing = _gaps(len(series), rng)
    years = time.astype("datetime64[Y]")
    for year in np.unique(years):
        rows = years == year
        name = f"sci_xrsf-l2-avg1m_g{SATELLITE}_y{year}_v1-0-0.nc"
        with atomic_file(folder / name) as path:
            _write(
                path,
                name,
                time=time[rows],
                xrsa=xrsa[rows],
                xrsb=xrsb[rows],
                missing=missing[rows],
            )


def _short_channel(series: Floats, rng: np.random.Generator) -> Floats:
    """Return the XRS-A flux of an XRS-B flux, with noise."""
    shifted = np.append(series[XRSA_LEAD_MINUTES:], np.full(XRSA_LEAD_MINUTES, series[-1]))
    flux = 10 ** np.interp(np.log10(shifted), LOG_XRSB, LOG_XRSA)
    return np.asarray(np.maximum(flux * (1 + 3 * NOISE * rng.standard_normal(len(flux))), FLOOR))


def _gaps(minutes: int, rng: np.random.Generator) -> Booleans:
    """Draw which minutes are missing."""
    missing = np.zeros(minutes, dtype=bool)
    for _ in range(max(2, round(GAPS_PER_YEAR * minutes / 525_600))):
        first = int(rng.integers(0, minutes))
        missing[first : first + int(rng.integers(10, 70))] = True
    return missing


def _write(
    path: Path, name: str, *, time: Times, xrsa: Floats, xrsb: Floats, missing: Booleans
) -> None:
    """Write a file from times (N,), fluxes of the two channels and missing minutes."""
    with deferred_errors(path) as raw, h5netcdf.File(raw, "w") as file:
        file.attrs.update(_about(name, time))
        file.dimensions = {"time": len(time)}
        _variable(file, "time", (time - EPOCH) / np.timedelta64(1, "s"), _TIME)
        for letter, flux, scale in (
            ("a", xrsa, OPERATIONAL_XRSA),
            ("b", xrsb, OPERATIONAL_XRSB),
        ):
            true = np.where(missing, FILL, flux / scale).astype(np.float32)
            flags = np.where(missing, ECLIPSED, 0).astype(np.uint16)
            channel, largest = f"xrs{letter}", 0.003 if letter == "a" else 0.2
            about = _flux_attributes(channel, largest)
            _variable(file, f"{channel}_flux", true, about)
            observed = about | {
                "long_name": f"XRS-{letter.upper()} primary average flux, without electron "
                "contamination correction.",
                "comments": f"Average of XRS-{letter.upper()} primary flux reported by the sensor.",
            }
            _variable(file, f"{channel}_flux_observed", true, observed)
            _variable(file, f"{channel}_flux_electrons", np.zeros_like(true), _electrons(channel))
            _variable(file, f"{channel}_flag", flags + CORRECTION_INVALID, _flags(channel))
            counts = np.where(missing, 0, 29).astype(np.uint8)
            _variable(file, f"{channel}_num", counts, _numbers(channel))
            excluded = np.where(missing, 4, 0).astype(np.uint16)
            _variable(file, f"{channel}_flag_excluded", excluded, _excluded(channel))


def _variable(
    file: h5netcdf.File, name: str, values: np.ndarray[Any, Any], attributes: dict[str, Any]
) -> None:
    about = dict(attributes)
    kind = values.dtype
    variable = file.create_variable(
        name,
        ("time",),
        kind,
        data=values,
        fillvalue=kind.type(about.pop("_FillValue")),
        chunks=(min(len(values), 1440),),
        compression="gzip",
    )
    variable.attrs.update(about)


_TIME: dict[str, Any] = {
    "long_name": "Record start time.",
    "units": "seconds since 2000-01-01 12:00:00",
    "_FillValue": FILL,
}


def _flux_attributes(channel: str, largest: float) -> dict[str, Any]:
    return {
        "long_name": f"{channel[:3].upper()}-{channel[3].upper()} primary average flux.",
        "comments": "Electron contamination has been removed. "
        f"{channel}_flux =  {channel}_flux_observed - {channel}_flux_electrons",
        "units": "W/m2",
        "_FillValue": FILL,
        "valid_min": np.float32(FLOOR),
        "valid_max": np.float32(largest),
        "ancillary_variables": f"{channel}_flag {channel}_num {channel}_flag_excluded",
    }


def _electrons(channel: str) -> dict[str, Any]:
    return {
        "long_name": f"{channel[:3].upper()}-{channel[3].upper()} primary electron contamination.",
        "units": "W/m2",
        "_FillValue": FILL,
        "valid_min": np.float32(0),
        "valid_max": np.float32(1e-6),
        "ancillary_variables": f"{channel}_flag",
    }


def _flags(channel: str) -> dict[str, Any]:
    return {
        "long_name": f"Flags for {channel}_flux.",
        "comments": "good_data is independent of electron contamination flags.",
        "_FillValue": 255,
        "flag_masks": np.array([7, 1, 2, 4, 120, 120, 120, 120], dtype=np.uint16),
        "flag_values": np.array([0, 1, 2, 4, 8, 16, 32, 64], dtype=np.uint16),
        "flag_meanings": "good_data bad_data eclipsed_by_earth temperature_recovery "
        "electron_correction_valid electron_correction_invalid electron_correction_interp "
        "electron_correction_decay",
    }


def _numbers(channel: str) -> dict[str, Any]:
    return {
        "long_name": f"Number of averaged measurements in {channel}_flux.",
        "_FillValue": 255,
    }


def _excluded(channel: str) -> dict[str, Any]:
    bits = np.array([1 << bit for bit in range(10)], dtype=np.uint16)
    return {
        "long_name": f"Flags on data excluded from {channel}_flux average.",
        "_FillValue": 65535,
        "flag_masks": bits,
        "flag_values": bits,
        "flag_meanings": "calibration off_pointed eclipsed_by_earth eclipsed_by_moon "
        "eclipsed_by_unknown temperature_recovery spike unknown_bad_data saturated "
        "gain_state_change",
    }


def _about(name: str, time: Times) -> dict[str, Any]:
    return {
        "Conventions": "ACDD-1.3, Spase v2.2.6",
        "title": "GOES 1-15 L2 XRS 1-minute Irradiance averages",
        "summary": "X-ray flux in a short (XRS-A, 0.05-0.4 nm) and a long channel (XRS-B, "
        "0.1-0.8 nm), averaged over minutes. Written by a simulated observatory; no real data.",
        "processing_level": "Level 2",
        "instrument": "GOES 1-15 X-ray Irradiance Sensor (XRS)",
        "program": "Geostationary Operational Environmental Satellite (GOES)",
        "time_coverage_resolution": "PT1M",
        "id": name,
        "platform": f"g{SATELLITE}",
        "time_coverage_start": f"{time[0]}:00.000Z",
        "time_coverage_end": f"{time[-1] + np.timedelta64(1, 'm')}:00.000Z",
        "creator_name": "heliosynth",
        "institution": "none (simulated)",
    }
