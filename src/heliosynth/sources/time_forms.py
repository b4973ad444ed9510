"""Forms of times, and the choice of the one that most values of a file have.

Forms that are read, in UTC:

=================  =================================================================
year first         ISO 8601 and its relatives: ``2014-02-25T00:49:00Z``,
                   ``2014/02/25 00:49``, ``20140225T004900``, with an offset from UTC
digits             ``20140225``, ``2014022500``, ``201402250049``, ``20140225004900``
day or month       ``02/25/2014 00:49``, ``25.02.2014 00:49``, ``2/25/2014 12:49 AM``;
first              only if a day above 12 decides which comes first
named month        ``25-Feb-2014 00:49``, ``Feb 25, 2014 00:49``
seconds from 1970  in s, ms, µs or ns, told apart by their size
Julian days        and modified Julian days
=================  =================================================================

Spreadsheets' serial days are refused: they count from 1900 or 1904, which the file does not say.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from heliosynth.arrays import DAY_S, Booleans, Floats, Times
from heliosynth.errors import InputError

FIRST_TIME = np.datetime64("1974-01-01T00:00:00", "us")
"""The first X-ray sensor of the GOES series (SMS-1) was launched in 1974."""
FIRST_AIA_TIME = np.datetime64("2010-01-01T00:00:00", "us")
"""Before it there are no frames of AIA."""
LEAST_NOW = np.datetime64("2026-01-01T00:00:00", "us")
"""The present is not earlier, whatever the clock of the machine says."""

MISTYPED_SHARE = 0.05
"""Share of times whose day and month can be exchanged by mistake in a file of one order."""

SAMPLES = 3
LONGEST_SAMPLE = 40
"""Values to show in a message, and the characters of each."""

REMEDY = "write all times of the file in one form, such as 2014-02-25T00:49:00 (UTC)"

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
CLOCK = (
    r"(?:[Tt\s,_]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?)?\s*(?P<zone>Z|z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?"
)
YEAR_FIRST = r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})" + CLOCK
DIGITS = (
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?:[T\s_]?(?P<hour>\d{2})(?:(?P<minute>\d{2})"
    r"(?:(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?)?)?\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?"
)
YEAR_LAST = r"(?P<first>\d{1,2})(?P<mark>[-/.])(?P<other>\d{1,2})(?P=mark)(?P<year>\d{4})" + CLOCK
DAY_MONTH_NAME = (
    r"(?P<day>\d{1,2})[-\s/.]+(?P<name>[A-Za-z]{3,9})\.?[-\s/.,]+(?P<year>\d{4})" + CLOCK
)
MONTH_NAME_DAY = r"(?P<name>[A-Za-z]{3,9})\.?\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})" + CLOCK

FAST_FORMATS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S")

NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?", re.ASCII)

TimesAndLeaps = tuple[Times, Booleans]
"""datetime64[us] (N,), NaT where there is none, and whether each is a leap second (N,)."""


def last_time() -> np.datetime64:
    """Return the latest possible time of an observation: a day from now, UTC."""
    now = np.datetime64(datetime.datetime.now(datetime.UTC).replace(tzinfo=None), "us")
    latest: np.datetime64 = max(now, LEAST_NOW) + np.timedelta64(DAY_S, "s")
    return latest


def shown_samples(texts: Iterable[str]) -> str:
    """Return the first few different values as messages show them."""
    shown = list(dict.fromkeys(text[:LONGEST_SAMPLE] for text in texts))[:SAMPLES]
    return ", ".join(map(repr, shown))


def parse_texts(texts: list[str], source: str) -> TimesAndLeaps:
    """Read different texts in the form that most of them have.

    Parameters
    ----------
    texts
        Values of a file, each once, without blanks at their ends (N,).
    source
        File and column, for messages.

    Raises
    ------
    InputError
        If the form is ambiguous.
    """
    if not texts:
        return no_times(0)
    numeric = np.array([bool(NUMBER.fullmatch(text)) for text in texts])
    if 2 * numeric.sum() > len(texts):
        return _from_numbers(texts, numeric, source)
    best = no_times(len(texts))
    for read in (_year_first, _digits, _year_last, _day_month_name, _month_name_day):
        parsed = read(texts, source)
        if _count(parsed) > _count(best):
            best = parsed
        if _count(best) == len(texts):
            break
    return best


def _count(parsed: TimesAndLeaps) -> int:
    return int((~np.isnat(parsed[0])).sum())


def no_times(count: int) -> TimesAndLeaps:
    """Return as many missing times."""
    times = np.full(count, np.datetime64("NaT"), dtype="datetime64[us]")
    return times, np.zeros(count, dtype=np.bool_)


def _year_first(texts: list[str], source: str) -> TimesAndLeaps:
    times, leap = no_times(len(texts))
    # Long light curves have this form, for which pandas has a parser in C. It also takes seconds
    # up to 61, and words such as "today".
    plain = np.array([text[:1].isdigit() and text[17:18] != "6" for text in texts], dtype=np.bool_)
    for pattern in FAST_FORMATS:
        rest = np.flatnonzero(np.isnat(times) & plain)
        if rest.size:
            values = pd.Series([texts[row] for row in rest], dtype=object)
            parsed = pd.to_datetime(values, format=pattern, errors="coerce")
            times[rest] = parsed.to_numpy("datetime64[us]")
    rest = np.flatnonzero(np.isnat(times))
    times[rest], leap[rest] = _assembled(_parts([texts[row] for row in rest], YEAR_FIRST))
    return times, leap


def _digits(texts: list[str], source: str) -> TimesAndLeaps:
    return _assembled(_parts(texts, DIGITS))


def _day_month_name(texts: list[str], source: str) -> TimesAndLeaps:
    return _assembled(_with_month_numbers(_parts(texts, DAY_MONTH_NAME)))


def _month_name_day(texts: list[str], source: str) -> TimesAndLeaps:
    return _assembled(_with_month_numbers(_parts(texts, MONTH_NAME_DAY)))


def _year_last(texts: list[str], source: str) -> TimesAndLeaps:
    """Read times whose date ends with the year, after finding which of day and month is first.

    Raises
    ------
    InputError
        If no value above 12 decides it for the file, or values contradict each other.
    """
    parts = _parts(texts, YEAR_LAST)
    matched = parts["year"].notna().to_numpy()
    if 2 * matched.sum() <= len(texts):
        return no_times(len(texts))
    first, other = (parts[name].astype(float).to_numpy() for name in ("first", "other"))
    day_first, month_first = (first > 12).sum(), (other > 12).sum()
    shown = shown_samples(text for text, ok in zip(texts, matched, strict=True) if ok)
    if not day_first and not month_first:
        raise InputError(
            f"{source}: day and month cannot be told apart in times such as {shown}; {REMEDY}"
        )
    # A few values can be typing errors; a file with both orders has no known order.
    if min(day_first, month_first) > MISTYPED_SHARE * max(day_first, month_first):
        contradicting = [texts[int(np.argmax(first > 12))], texts[int(np.argmax(other > 12))]]
        raise InputError(
            f"{source}: in some times the day is first, in others the month, such as "
            f"{shown_samples(contradicting)}; {REMEDY}"
        )
    names = ("day", "month") if day_first > month_first else ("month", "day")
    return _assembled(parts.rename(columns=dict(zip(("first", "other"), names, strict=True))))


def _parts(texts: list[str], pattern: str) -> pd.DataFrame:
    """Return the named groups of a pattern for each text, missing where it does not match."""
    return pd.Series(texts, dtype=object).str.extract(rf"^{pattern}$", flags=re.ASCII)


def _with_month_numbers(parts: pd.DataFrame) -> pd.DataFrame:
    """Replace English names of months by numbers; others become unreadable."""
    numbers = {name: float(number) for number, name in enumerate(MONTHS, 1)}
    month = parts["name"].str[:3].str.lower().map(numbers)
    return parts.assign(month=month, year=parts["year"].where(month.notna()))


def _assembled(parts: pd.DataFrame) -> TimesAndLeaps:
    """Return the times of parts; NaT where the parts are no date, such as 30 February."""

    def number(name: str) -> Floats:
        if name not in parts:
            return np.zeros(len(parts))
        return np.asarray(parts[name].astype(float).fillna(0.0), dtype=np.float64)

    year, month, day = number("year"), number("month"), number("day")
    hour, minute, second = number("hour"), number("minute"), number("second")
    if "half" in parts:
        half = parts["half"].str.lower()
        valid_half = np.asarray(half.isna() | ((hour >= 1) & (hour <= 12)))
        hour = np.where(half.notna(), hour % 12 + 12 * (half == "p"), hour)
    else:
        valid_half = np.ones(len(parts), dtype=np.bool_)
    leap = (second == 60) & (minute == 59)
    midnight = (hour == 24) & (minute == 0) & (second == 0)
    valid = parts["year"].notna().to_numpy() & (year >= 1) & (month >= 1) & (month <= 12)
    valid &= (day >= 1) & ((hour < 24) | midnight) & (minute < 60) & ((second < 60) | leap)
    valid &= valid_half
    months = np.where(valid, (year - 1970) * 12 + month - 1, 0).astype(np.int64)
    first = months.astype("datetime64[M]").astype("datetime64[D]")
    days = ((months + 1).astype("datetime64[M]").astype("datetime64[D]") - first).astype(np.int64)
    valid &= day <= days
    seconds = (hour * 60 + minute - _zone_minutes(parts)) * 60 + second
    times = (first + np.where(valid, day - 1, 0).astype("timedelta64[D]")).astype("datetime64[us]")
    times = times + (seconds * 1_000_000 + _microseconds(parts)).astype("timedelta64[us]")
    times[~valid] = np.datetime64("NaT")
    return times, leap & valid


def _zone_minutes(parts: pd.DataFrame) -> Floats:
    """Return offsets from UTC, minutes; 0 for UTC and where there is none."""
    zone = parts["zone"].fillna("").astype(str)
    digits = zone.str.replace(r"\D", "", regex=True).str.ljust(4, "0")
    minutes = digits.str[:2].astype(float) * 60 + digits.str[2:4].astype(float)
    return np.asarray(minutes.where(~zone.str.startswith("-"), -minutes), dtype=np.float64)


def _microseconds(parts: pd.DataFrame) -> Floats:
    if "fraction" not in parts:
        return np.zeros(len(parts))
    fraction = ("0." + parts["fraction"].fillna("0").astype(str)).astype(float)
    return np.round(np.asarray(fraction, dtype=np.float64) * 1e6)


def _from_numbers(texts: list[str], numeric: Booleans, source: str) -> TimesAndLeaps:
    """Read numbers, whose kind is the one into whose range most of them fall.

    Raises
    ------
    InputError
        If they can be of several kinds, such as spreadsheets' serial days.
    """
    values = np.array([float(t) if ok else np.nan for t, ok in zip(texts, numeric, strict=True)])
    _refuse_serial_days(values, texts, source)
    best = _digits([re.sub(r"\.0*$", "", text) for text in texts], source)
    # A number of 12 digits is also a time in 1976, ms from 1970; the calendar is likelier.
    if 2 * _count(best) > len(texts):
        return best
    for low, high, to_microseconds in _number_kinds():
        inside = (values >= low) & (values <= high)
        if 2 * inside.sum() > len(texts):
            _require_aia(values[inside], to_microseconds, texts, source)
            times = np.full(len(texts), np.datetime64("NaT"), dtype="datetime64[us]")
            times[inside] = to_microseconds(values[inside])
            return times, np.zeros(len(texts), dtype=np.bool_)
    return no_times(len(texts))


def _number_kinds() -> list[tuple[float, float, Callable[[Floats], Times]]]:
    """Return the kinds of numbers: the range of each from 1974 to now, and its conversion."""
    low = float((FIRST_TIME - np.datetime64(0, "us")).astype(np.int64)) / 1e6
    high = float((last_time() - np.datetime64(0, "us")).astype(np.int64)) / 1e6

    def kind(unit_s: float, zero: float = 0.0) -> tuple[float, float, Callable[[Floats], Times]]:
        def convert(values: Floats) -> npt.NDArray[np.datetime64]:
            # Julian days of 64 bits are exact to 40 µs: whole seconds come out as such.
            microseconds = np.round((values - zero) * unit_s * 1e3) * 1e3
            return microseconds.astype(np.int64).astype("datetime64[us]")

        return low / unit_s + zero, high / unit_s + zero, convert

    units_s = (1.0, 1e-3, 1e-6, 1e-9)
    # Julian days and modified Julian days of 1970-01-01.
    return [*(kind(unit) for unit in units_s), kind(DAY_S, 2440587.5), kind(DAY_S, 40587.0)]


def _require_aia(
    values: Floats, convert: Callable[[Floats], Times], texts: list[str], source: str
) -> None:
    """Raise InputError if all numbers, counted from 1970, are before the frames of AIA."""
    latest = convert(values).max()
    if latest < FIRST_AIA_TIME:
        raise InputError(
            f"{source}: times such as {shown_samples(texts)}, counted from 1970, end in "
            f"{str(latest)[:10]}, before AIA; if they count from another time, {REMEDY}"
        )


def _refuse_serial_days(values: Floats, texts: list[str], source: str) -> None:
    """Raise InputError if most numbers are serial days of a spreadsheet.

    Serial days of 2010 to 2040 are modified Julian days of 1969 to 1999, before AIA.
    """
    if 2 * ((values > 27_000) & (values < 51_500)).sum() > len(texts):
        raise InputError(
            f"{source}: numbers such as {shown_samples(texts)} are serial days of a spreadsheet, "
            "which count from 1900 or 1904; format the cells as yyyy-mm-dd hh:mm:ss and save again"
        )
