"""NOAA's science-quality netCDF files of GOES XRS.

Read are 1-minute averages (``avg1m``) and the files of full cadence (``flx1s`` from GOES-16 on,
``gxrs-l2-irrad`` before), all on the true scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from heliosynth.arrays import Booleans, Seconds, Times
from heliosynth.errors import InputError
from heliosynth.sources.goes_samples import (
    LightCurve,
    measured,
    median_cadence,
    satellite_number,
)
from heliosynth.sources.reading import ReadingReport
from heliosynth.sources.signature import require_signature
from heliosynth.sources.time_forms import FIRST_TIME, last_time

LAST_SCALED_SATELLITE = 15
"""From the next satellite on, the operational scale is the true scale."""
LONGEST_REASON = 200
"""Characters of a library's own message to show."""

XRSB = ("xrsb_flux", "b_flux")
XRSA = ("xrsa_flux", "a_flux")
FLAGS = ("xrsb_flag", "xrsb_flags", "b_flags")
"""Names of variables: those of ``xrsf`` files before those of ``gxrs`` files."""
FLARE_VARIABLES = ("flare_class", "flare_id")
"""Variables of flare summaries (``flsum``), which have flux too, but only at flares."""

NO_SAMPLES = "file: without a sample"
NO_LIGHT_CURVE = "file: netCDF that is no XRS light curve, such as avg1m"
"""Reasons in reports."""


@dataclass(frozen=True)
class _Content:
    """The variables of a file: arrays, and the attributes that tell how to read them."""

    seconds: npt.NDArray[Any]
    units: str
    time_fill: float
    xrsb: npt.NDArray[Any]
    xrsa: npt.NDArray[Any]
    flags: npt.NDArray[Any]
    flag_attributes: dict[str, Any]
    names: list[str]


def read_netcdf(path: Path, report: ReadingReport) -> LightCurve | None:
    """Read a light curve.

    Parameters
    ----------
    path
        The file.
    report
        Report to which the counts of samples that are no measurements are added.

    Returns
    -------
    LightCurve or None
        On the true scale; None, counted, for a file without samples or of another product.

    Raises
    ------
    InputError
        If the file is missing or damaged, or its satellite is unknown.
    """
    require_signature(path, "netCDF")
    content = _read(path, report)
    if content is None:
        return None
    if not content.seconds.size:
        report.leave_out(NO_SAMPLES, example=str(path))
        return None
    number = next(filter(None, map(satellite_number, content.names)), None)
    if number is None:
        raise InputError(f"{path}: does not state its GOES satellite; put it in the file name")
    for name, values in vars(content).items():
        if isinstance(values, np.ndarray) and (
            values.shape != content.seconds.shape
            or values.ndim != 1
            or values.dtype.kind not in "iuf"
        ):
            raise InputError(f"{path}: {name} should be a number per sample; fetch it again")
    mask, value = _good_flags(path, content.flag_attributes, number)
    flagged = (content.flags.astype(np.int64) & mask) != value
    times = _times(path, content)
    known = _known(times, path, report)
    xrsb, xrsa = (values.astype(np.float64) for values in (content.xrsb, content.xrsa))
    time: Seconds = times[known].astype("datetime64[s]").astype(np.int64)
    return LightCurve(
        time=time,
        xrsb=measured(xrsb[known], xrsa[known], flagged[known], report, str(path)),
        scale="true",
        satellite=f"GOES-{number}",
        native_cadence_s=median_cadence(time),
    )


def _read(path: Path, report: ReadingReport) -> _Content | None:
    """Return the content of a light curve; None, counted, if the file is another product."""
    try:
        with h5py.File(path) as file:
            if any(name in file for name in FLARE_VARIABLES) or not (
                any(name in file for name in XRSB + XRSA)
            ):
                title = _text(file.attrs.get("title", "without a title"))
                report.leave_out(NO_LIGHT_CURVE, example=f"{path}: {title[:LONGEST_REASON]}")
                return None
            xrsb, xrsa, flags = (_variable(file, path, names) for names in (XRSB, XRSA, FLAGS))
            time = _variable(file, path, ("time",))
            platform = _text(file.attrs.get("platform", ""))
            return _Content(
                seconds=np.asarray(time[()]),
                units=_text(time.attrs["units"]),
                time_fill=float(np.ravel(time.attrs.get("_FillValue", np.nan))[0]),
                xrsb=np.asarray(xrsb[()]),
                xrsa=np.asarray(xrsa[()]),
                flags=np.asarray(flags[()]),
                flag_attributes=dict(flags.attrs),
                names=[f"{platform}_", _text(file.attrs.get("id", "")), path.name],
            )
    # h5py raises errors of many types, depending on what part of the file is damaged.
    except (OSError, LookupError, ValueError, TypeError, RuntimeError) as error:
        raise _unreadable(path, error) from error


def _variable(file: h5py.File, path: Path, names: tuple[str, ...]) -> h5py.Dataset:
    """Return the first of some variables that a file has.

    Raises
    ------
    InputError
        If it has none.
    """
    variable = next((file[name] for name in names if name in file), None)
    if not isinstance(variable, h5py.Dataset):
        raise InputError(
            f"{path}: lacks {' or '.join(names)}; fetch it again, best as 1-minute averages (avg1m)"
        )
    return variable


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = str(error)[:LONGEST_REASON]
    return InputError(f"{path}: cannot be read as a NOAA XRS file ({reason}); fetch it again")


def _times(path: Path, content: _Content) -> Times:
    """Return the times on the file's clock, which has 86,400 seconds per day, to the second."""
    text = content.units.removeprefix("seconds since").removesuffix("UTC").strip()
    seconds = content.seconds.astype(np.float64)
    seconds[seconds == content.time_fill] = np.nan
    try:
        # No text, or none that is a date, fails here or gives no times at all.
        epoch = pd.to_datetime([text or "?"], format="ISO8601", utc=True).tz_localize(None)
        times = epoch[0] + pd.to_timedelta(seconds, unit="s")
        return pd.DatetimeIndex(times).round("s").to_numpy("datetime64[us]")
    except (ValueError, OverflowError) as error:
        raise _unreadable(path, error) from error


def _known(times: Times, path: Path, report: ReadingReport) -> Booleans:
    """Return which samples have a time from 1974 to now; count the others (N,)."""
    missing = np.isnat(times)
    outside = ~missing & ((times < FIRST_TIME) | (times > last_time()))
    report.leave_out("no time", int(missing.sum()), str(path))
    if outside.any():
        example = f"{path}: {times[int(np.argmax(outside))]}"
        report.leave_out("time before 1974 or in the future", int(outside.sum()), example)
    known: Booleans = ~missing & ~outside
    return known


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


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
