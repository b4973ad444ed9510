"""Flare lists of the Heliophysics Events Knowledgebase (HEK): the flares of one team, once each."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from heliosynth import goes_class
from heliosynth.arrays import Booleans, Floats
from heliosynth.errors import InputError
from heliosynth.sources.hek_files import EventFile, read_events, require_all_pages
from heliosynth.sources.manifest import SUFFIX as MANIFEST
from heliosynth.sources.reading import ReadingReport
from heliosynth.sources.text_files import to_numbers
from heliosynth.sources.times import UNREADABLE_ROWS, UNREADABLE_SHARE, ParsedTimes, parse_times

TIMES = {"start": "event_starttime", "peak": "event_peaktime", "end": "event_endtime"}
"""Columns of the table, and their names in HEK."""

TIME: Literal["datetime64[s]"] = "datetime64[s]"

LAST_REGION = 99_999
"""Largest NOAA number of an active region."""

OBSERVER = "SWPC"
"""The team whose list defines GOES classes; HEK also has the same flares from other teams."""

FLARE = "FL"
"""HEK's type of flares."""

LONGEST_TEXT = 40
"""Characters of a value to show."""

_log = logging.getLogger(__name__)


def read_flares(files: Sequence[Path | str], report: ReadingReport | None = None) -> pd.DataFrame:
    """Read flare lists into one table, in order of peak, each flare once.

    If any file holds flares of SWPC's list, those of other teams are left out; files that do not
    state teams are read as they are. Duplicates are entries with the same identifier, or with the
    same peak and class.

    Parameters
    ----------
    files
        HEK JSON (``{"result": [...]}`` or a list) and CSV with HEK's column names.
    report
        Report to which the counts of what is kept and left out are added.

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
        If a file is missing or damaged, is only the first page of a list, is not a flare list, has
        times in no known form or classes that are no GOES classes, or there is no flare at all.
    """
    counts = ReadingReport()
    lists = [read_events(path) for path in _without_manifests(files, counts)]
    require_all_pages(lists)
    candidates = [_flares_with_class(file, counts) for file in lists]
    of_team = [_of_team(events) for events in candidates]
    if any(rows is not None and rows.any() for rows in of_team):
        for number, rows in enumerate(of_team):
            events, path = candidates[number], lists[number].path
            if rows is not None:
                reason = f"not of {OBSERVER}'s list"
                _leave_out(counts, reason, ~rows, events, "frm_name", path)
                candidates[number] = events[rows]
    elif any(rows is not None and len(rows) for rows in of_team):
        _log.warning("flares: none is of %s's list; those of all other teams are read", OBSERVER)
    tables = [_tidy(events, file, counts) for events, file in zip(candidates, lists, strict=True)]
    flares = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    counts.files = len(lists)
    if flares.empty:
        raise InputError(_no_flare(files, counts))
    flares = _without_duplicates(flares, counts)
    counts.read = len(flares)
    if report is not None:
        report.merge(counts)
    return flares


def _without_manifests(files: Sequence[Path | str], report: ReadingReport) -> list[Path]:
    """Return the files without manifests, which lie next to fetched lists."""
    paths = list(map(Path, files))
    lists = [path for path in paths if not path.name.endswith(MANIFEST)]
    manifests = [str(path) for path in paths if path not in lists]
    report.leave_out("file: manifest of raw inputs", len(manifests), "".join(manifests[:1]))
    return lists


def _no_flare(files: Sequence[Path | str], report: ReadingReport) -> str:
    """Return the message for files without a flare, with the reasons."""
    names = list(map(str, files))
    listed = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
    reasons = "; ".join(
        f"{count} {reason}{f' ({report.examples[reason]})' * (reason in report.examples)}"
        for reason, count in list(report.left_out.items())[:3]
    )
    why = f", left out: {reasons}" if reasons else ""
    return f"no flare in {listed or 'an empty list of files'}{why}; add flare lists"


def _flares_with_class(file: EventFile, report: ReadingReport) -> pd.DataFrame:
    """Return the events of a file that are flares and have a GOES class."""
    events = file.events
    if "event_type" in events:
        kind = events["event_type"].astype("str").str.strip().str.upper().str[: len(FLARE)]
        other = (events["event_type"].notna() & (kind != "") & (kind != FLARE)).to_numpy(np.bool_)
        _leave_out(
            report, "another type of event than a flare", other, events, "event_type", file.path
        )
        events = events[~other]
    label = events["fl_goescls"]
    none = (label.isna() | (label.astype("str").str.strip() == "")).to_numpy(np.bool_)
    _leave_out(report, "no GOES class", none, events, "frm_name", file.path)
    return events[~none]


def _of_team(events: pd.DataFrame) -> Booleans | None:
    """Return whether each flare is of SWPC's list; None if the file does not state the teams."""
    if "frm_name" not in events:
        return None
    names = events["frm_name"].astype("str").str.strip().str.upper()
    return (names == OBSERVER).to_numpy(np.bool_)


def _leave_out(
    report: ReadingReport,
    reason: str,
    rows: Booleans,
    events: pd.DataFrame,
    column: str,
    path: Path,
) -> None:
    """Count rows that are left out, with the value of a column as the example."""
    if rows.any():
        value = str(_column(events, column).fillna("").iloc[int(np.argmax(rows))])[:LONGEST_TEXT]
        report.leave_out(reason, int(rows.sum()), f"{path}: {value}" if value else str(path))


def _tidy(events: pd.DataFrame, file: EventFile, report: ReadingReport) -> pd.DataFrame:
    """Convert a file's flares to the columns of the table; flares can still be repeated."""
    flares = pd.DataFrame(_times(events, file, report), index=events.index)
    flares = _correct_midnight(flares)
    labels = events["fl_goescls"].astype("str").str.replace(r"\s+", "", regex=True).str.upper()
    if file.decimal_comma:
        labels = labels.str.replace(",", ".")
    flares["goes_class_label"] = labels
    flares["peak_flux"] = _peak_fluxes(labels, file, report)
    region = _number(events, "ar_noaanum", file, report)
    flares["active_region"] = region.where(region.between(1, LAST_REGION), 0).astype(int)
    for name in ("hpc_x", "hpc_y"):
        flares[name] = _number(events, name, file, report)
    flares = flares.dropna(subset=["peak", "peak_flux"])
    # Select the remaining rows first: assigning to an empty table would add rows.
    identifiers = _column(events.loc[flares.index], "kb_archivid")
    flares["identifier"] = identifiers.fillna(_default_identifiers(flares)).astype(str)
    return flares


def _times(
    events: pd.DataFrame, file: EventFile, report: ReadingReport
) -> dict[str, pd.Series[Any]]:
    """Return the starts, peaks and ends of a file, which have one form."""
    columns = [_column(events, name) for name in TIMES.values()]
    parsed = parse_times(pd.concat(columns, ignore_index=True), f"{file.path}, times of events")
    times = {}
    for number, column in enumerate(TIMES):
        of_column = parsed.rows(number * len(events), (number + 1) * len(events))
        if column == "peak":
            of_column.require_readable(f"{file.path}, column {TIMES[column]}")
            _count_missing(of_column, file.path, report)
        of_column.count(report, str(file.path), f"{column} time")
        times[column] = pd.Series(of_column.times.astype(TIME), index=events.index)
    return times


def _count_missing(peaks: ParsedTimes, path: Path, report: ReadingReport) -> None:
    report.leave_out("no peak time", int((~peaks.given).sum()), str(path))
    report.leave_out(
        "peak at a leap second, moved to the second after it",
        int(peaks.leap.sum()),
        peaks.example(peaks.leap, str(path)),
    )


def _correct_midnight(flares: pd.DataFrame) -> pd.DataFrame:
    """Add a day to peaks and ends after midnight that are listed with the date of the start.

    In SWPC's list such a flare peaks before it starts; its light curve peaks a day later.
    """
    day = pd.Timedelta(days=1)
    start, peak, end = (flares[name] for name in TIMES)
    late_peak = peak.mask((peak < start) & (peak + day >= start), peak + day)
    late_end = end.mask((end < late_peak) & (end + day >= late_peak), end + day)
    return flares.assign(peak=late_peak, end=late_end).astype(dict.fromkeys(TIMES, TIME))


def _column(events: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return a column, NaN if there is none."""
    if name in events:
        return events[name]
    return pd.Series(np.nan, index=events.index, dtype=object)


def _number(
    events: pd.DataFrame, name: str, file: EventFile, report: ReadingReport
) -> pd.Series[float]:
    """Return a column as numbers, NaN where there is none; count other text."""
    column = _column(events, name)
    texts = column.astype("str").str.strip()
    if file.decimal_comma:
        texts = texts.str.replace(",", ".")
    numbers, wrong = to_numbers(texts.where(column.notna() & (texts != "")))
    _leave_out(report, f"{name} not a number, left empty", wrong, events, name, file.path)
    return pd.Series(numbers, index=events.index, dtype=float)


def _default_identifiers(flares: pd.DataFrame) -> pd.Series[str]:
    """Return identifiers from peak and class, such as ``2012-07-12T16:49:00_X1.4``."""
    peaks = flares["peak"].dt.strftime("%Y-%m-%dT%H:%M:%S")
    identifiers: pd.Series[str] = peaks.str.cat(flares["goes_class_label"], sep="_")
    return identifiers


def _peak_fluxes(labels: pd.Series[str], file: EventFile, report: ReadingReport) -> Floats:
    """Return the fluxes of classes, NaN for text that is no GOES class.

    Raises
    ------
    InputError
        If there are as many of these that the column is another one.
    """
    fluxes, reason = np.full(len(labels), np.nan), ""
    for row, label in enumerate(labels):
        try:
            fluxes[row] = goes_class.peak_flux(label)
        except InputError as error:
            # Without what to do, which differs here.
            reason = reason or str(error).removesuffix("; correct it")
    wrong, few = int(np.isnan(fluxes).sum()), max(UNREADABLE_ROWS, UNREADABLE_SHARE * len(labels))
    if wrong and (wrong == len(labels) or wrong > few):
        raise InputError(
            f"{file.path}, column fl_goescls: in {wrong} of {len(labels)} flares, {reason}; "
            "write classes such as M1.2"
        )
    report.leave_out("class that is no GOES class", wrong, f"{file.path}: {reason}")
    return fluxes


def _without_duplicates(flares: pd.DataFrame, report: ReadingReport) -> pd.DataFrame:
    """Return flares in order of peak, each once."""
    # Of two entries of one flare, the one with an active region is kept.
    ordered = flares.sort_values(
        ["peak", "goes_class_label", "active_region"], ascending=[True, True, False]
    )
    once = ordered.drop_duplicates("identifier").drop_duplicates(["peak", "peak_flux"])
    repeated = ordered.drop(index=once.index)
    if len(repeated):
        report.leave_out("repeat of a flare", len(repeated), str(repeated["identifier"].iloc[0]))
    return once.reset_index(drop=True)


def summarize(flares: pd.DataFrame, report: ReadingReport) -> dict[str, Any]:
    """Return a report as JSON, with the first and last peak of the flares that were read."""
    peaks = flares["peak"].dt.strftime("%Y-%m-%dT%H:%M:%S")
    return {**report.to_json(), "first_peak": peaks.iloc[0], "last_peak": peaks.iloc[-1]}
