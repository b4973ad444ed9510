"""Flare lists of the Heliophysics Events Knowledgebase (HEK): its JSON responses, or CSV."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from heliosynth import goes_class
from heliosynth.errors import InputError
from heliosynth.sources.signature import require_signature

TIMES = {"start": "event_starttime", "peak": "event_peaktime", "end": "event_endtime"}
"""Columns of the table, and their names in HEK."""

TIME: Literal["datetime64[s]"] = "datetime64[s]"

REQUIRED = ["event_peaktime", "fl_goescls"]
"""HEK columns without which a flare is left out."""

LAST_REGION = 99_999
"""Largest NOAA number of an active region."""

OBSERVER = "SWPC"
"""The team whose list defines GOES classes; HEK also has the same flares from other teams."""


def read_flares(files: Sequence[Path | str]) -> pd.DataFrame:
    """Read flare lists into one table, in order of peak, each flare once.

    If a file holds flares of SWPC's list, only those are kept. Duplicates are entries with the
    same identifier, or with the same peak and class.

    Parameters
    ----------
    files
        HEK JSON (``{"result": [...]}`` or a list) and CSV with HEK's column names.

    Returns
    -------
    pandas.DataFrame
        ``start``, ``peak``, ``end`` (datetime64[s], UTC; start and end can be missing),
        ``goes_class_label`` (``M1.2``), ``peak_flux`` (W m⁻², operational scale),
        ``active_region`` (NOAA number, 0 if unknown), ``hpc_x``, ``hpc_y`` (arcsec, NaN
        if unknown), ``identifier``.

    Raises
    ------
    InputError
        If a file is missing or damaged, lacks peak times or classes, holds a class that is not
        a GOES class, or there is no flare at all.
    """
    tables = [_tidy(_read_events(Path(path)), path) for path in files]
    flares = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    if flares.empty:
        listed = ", ".join(map(str, files)) or "an empty list of files"
        raise InputError(f"no flare in {listed}; add flare lists")
    # Of two entries of one flare, the one with an active region is kept.
    flares = flares.sort_values(
        ["peak", "goes_class_label", "active_region"], ascending=[True, True, False]
    )
    flares = flares.drop_duplicates("identifier").drop_duplicates(["peak", "goes_class_label"])
    return flares.reset_index(drop=True)


def _read_events(path: Path) -> pd.DataFrame:
    if path.suffix.lower() != ".json":
        try:
            return pd.read_csv(path, dtype=object, keep_default_na=True)
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot be read as CSV ({error})") from error
    require_signature(path, "JSON")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    # Deeply nested brackets exceed the recursion limit.
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: not valid JSON ({error}); delete it and fetch it again"
        ) from error
    events = content.get("result") if isinstance(content, dict) else content
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise InputError(f"{path}: holds no list of events under `result`; fetch it again")
    # A month without flares is an empty list, from which columns cannot be inferred.
    return pd.DataFrame(events, columns=None if events else REQUIRED, dtype=object)


def _tidy(events: pd.DataFrame, path: Path | str) -> pd.DataFrame:
    """Convert a file's events to the columns of the table; flares can still be repeated."""
    missing = [name for name in REQUIRED if name not in events.columns]
    if missing:
        raise InputError(f"{path}: lacks the HEK columns {', '.join(missing)}")
    events = events.dropna(subset=REQUIRED)
    events = events[events["fl_goescls"].astype(str).str.strip() != ""]
    if "frm_name" in events and (events["frm_name"] == OBSERVER).any():
        events = events[events["frm_name"] == OBSERVER]
    flares = pd.DataFrame({column: _time(events, name) for column, name in TIMES.items()})
    flares = _correct_midnight(flares)
    flares["goes_class_label"] = events["fl_goescls"].astype(str).str.strip().str.upper()
    flares["peak_flux"] = [_peak_flux(label, path) for label in flares["goes_class_label"]]
    region = _number(events, "ar_noaanum")
    flares["active_region"] = region.where(region.between(1, LAST_REGION), 0).astype(int)
    flares["hpc_x"] = _number(events, "hpc_x")
    flares["hpc_y"] = _number(events, "hpc_y")
    flares = flares.dropna(subset="peak")
    # Select the remaining rows first: assigning to an empty table would add rows.
    identifiers = _column(events.loc[flares.index], "kb_archivid")
    flares["identifier"] = identifiers.fillna(_default_identifiers(flares)).astype(str)
    return flares


def _correct_midnight(flares: pd.DataFrame) -> pd.DataFrame:
    """Add a day to peaks and ends after midnight that are listed with the date of the start.

    In SWPC's list such a flare peaks before it starts; its light curve peaks a day later.
    """
    day = pd.Timedelta(days=1)
    late_peak = flares["peak"].mask(flares["peak"] < flares["start"], flares["peak"] + day)
    late_end = flares["end"].mask(flares["end"] < late_peak, flares["end"] + day)
    return flares.assign(peak=late_peak, end=late_end).astype(dict.fromkeys(TIMES, TIME))


def _column(events: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return a column, NaN if there is none."""
    if name in events:
        return events[name]
    return pd.Series(np.nan, index=events.index, dtype=object)


def _time(events: pd.DataFrame, name: str) -> pd.Series[Any]:
    times = pd.to_datetime(_column(events, name), format="ISO8601", utc=True, errors="coerce")
    return times.dt.tz_localize(None).astype(TIME)


def _number(events: pd.DataFrame, name: str) -> pd.Series[float]:
    return pd.to_numeric(_column(events, name), errors="coerce").astype(float)


def _default_identifiers(flares: pd.DataFrame) -> pd.Series[str]:
    """Return identifiers from peak and class, such as ``2012-07-12T16:49:00_X1.4``."""
    peaks = flares["peak"].dt.strftime("%Y-%m-%dT%H:%M:%S")
    identifiers: pd.Series[str] = peaks.str.cat(flares["goes_class_label"], sep="_")
    return identifiers


def _peak_flux(label: str, path: Path | str) -> float:
    try:
        return goes_class.peak_flux(label)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
