"""Times in tables: one form for a whole file, decided from all of its values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from heliosynth.arrays import Booleans, Times
from heliosynth.errors import InputError
from heliosynth.sources.reading import ReadingReport
from heliosynth.sources.time_forms import (
    FIRST_TIME,
    LONGEST_SAMPLE,
    REMEDY,
    last_time,
    no_times,
    parse_texts,
    shown_samples,
)

UNREADABLE_SHARE = 0.05
UNREADABLE_ROWS = 3
"""More unreadable values than both, this share and this number, mean that the form is wrong."""
UNREADABLE = "not readable"
OUTSIDE = "before 1974 or in the future"
"""Reasons in reports."""


@dataclass(frozen=True)
class ParsedTimes:
    """Times of a file.

    Attributes
    ----------
    texts
        The values as text (N,), empty where there is none.
    times
        datetime64[us] (N,), UTC, NaT where there is none.
    leap
        Whether a time is a leap second (N,), which is read as the second after it.
    outside
        Whether a value is a time before 1974 or in the future (N,), and so no time.
    """

    texts: list[str]
    times: Times
    leap: Booleans
    outside: Booleans

    def rows(self, first: int, last: int) -> ParsedTimes:
        """Return the times of some rows, from ``first`` to before ``last``."""
        part = slice(first, last)
        return ParsedTimes(self.texts[part], self.times[part], self.leap[part], self.outside[part])

    @property
    def given(self) -> Booleans:
        """Whether there is a value (N,)."""
        return np.array([bool(text) for text in self.texts], dtype=np.bool_)

    @property
    def unreadable(self) -> Booleans:
        """Whether a value is not a time (N,)."""
        return self.given & np.isnat(self.times) & ~self.outside

    def count(self, report: ReadingReport, source: str, subject: str = "time") -> None:
        """Add unreadable values and times outside 1974 to now to a report.

        Parameters
        ----------
        report
            The report.
        source
            File, for the examples.
        subject
            What the times are, for the reasons.
        """
        for what, rejected in ((UNREADABLE, self.unreadable), (OUTSIDE, self.outside)):
            report.leave_out(
                f"{subject} {what}", int(rejected.sum()), self.example(rejected, source)
            )

    def example(self, rows: Booleans, source: str) -> str:
        """Return the first of some rows as ``source: value``; empty if there is none."""
        if not rows.any():
            return ""
        return f"{source}: {self.texts[int(np.argmax(rows))][:LONGEST_SAMPLE]}"

    def require_readable(self, source: str) -> None:
        """Check that values are times, except a few.

        Raises
        ------
        InputError
            If there are values but no time, or if more than :data:`UNREADABLE_ROWS` and more than
            :data:`UNREADABLE_SHARE` of the values are no times. The message shows some.
        """
        given, bad = int(self.given.sum()), self.given & np.isnat(self.times)
        count, rejected = int(bad.sum()), shown_samples(self._of(bad))
        if count and count == given:
            reason = f"lie before 1974 or after {str(last_time())[:10]}"
            reason = reason if self.outside.all() else "cannot be read"
            raise InputError(f"{source}: the times {reason}, such as {rejected}; {REMEDY}")
        if count > max(UNREADABLE_ROWS, UNREADABLE_SHARE * given):
            raise InputError(
                f"{source}: {count} of {given} times cannot be read, such as {rejected}, while "
                f"others are like {shown_samples(self._of(self.given & ~bad))}; {REMEDY}"
            )

    def _of(self, rows: Booleans) -> Iterator[str]:
        return (text for text, shown in zip(self.texts, rows, strict=True) if shown)


def parse_times(values: Iterable[Any], source: str) -> ParsedTimes:
    """Read the times of a file, in the form that most of its values have.

    Parameters
    ----------
    values
        A column of the file, or all its columns of times one after the other (N,).
    source
        File and column, for messages.

    Raises
    ------
    InputError
        If the order of day and month cannot be known, or numbers are serial days of a
        spreadsheet or times before AIA.
    """
    texts = [_text(value) for value in values]
    given = np.array([bool(text) for text in texts], dtype=np.bool_)
    codes, unique = pd.factorize(np.array([text for text in texts if text], dtype=object))
    of_unique, leap_of_unique = parse_texts([str(text) for text in unique], source)
    times, leap = no_times(len(texts))
    times[given], leap[given] = of_unique[codes], leap_of_unique[codes]
    outside = ~np.isnat(times) & ((times < FIRST_TIME) | (times > last_time()))
    times[outside] = np.datetime64("NaT")
    return ParsedTimes(texts, times, leap & ~outside, outside)


def _text(value: Any) -> str:
    """Return a value as text, empty if there is none; whole numbers without a decimal point."""
    if value is None or isinstance(value, bool | list | dict | tuple):
        return "" if value is None else str(value)
    if isinstance(value, float | np.floating):
        if np.isnan(value):
            return ""
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return str(value).strip()
