"""Times in every form that tables have, and columns that cannot be read."""

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliosynth.errors import InputError
from heliosynth.sources.reading import ReadingReport
from heliosynth.sources.time_forms import FIRST_TIME, last_time
from heliosynth.sources.times import ParsedTimes, parse_times

JULIAN_1970 = 2440587.5


def read(*values: object) -> list[str]:
    times = parse_times(list(values), "a.csv").times.astype("datetime64[s]")
    return [str(time) for time in times]


@pytest.mark.parametrize(
    "text",
    [
        "2014-02-25T00:49:00",
        "2014-02-25T00:49:00Z",
        "2014-02-25 00:49:00.000 UTC",
        "2014-02-25T01:49:00+01:00",
        "2014-02-24T19:49:00-0500",
        "2014-02-25 02:49+02",
        "2014/02/25 00:49",
        "2014/2/25 0:49",
        "2014.02.25 00:49:00",
        "20140225T004900",
        "20140225_004900",
        "20140225T004900Z",
        "201402250049",
        "20140225004900",
        "02/25/2014 00:49",
        "2/25/2014 0:49",
        "02/25/2014 12:49 AM",
        "02-25-2014 00:49:00",
        "25.02.2014 00:49",
        "25.02.2014, 00:49:00",
        "25/02/2014 00:49",
        "25-Feb-2014 00:49",
        "25 February 2014 00:49:00",
        "Feb 25, 2014 00:49",
        "1393289340",
        "1393289340.0",
        "1393289340000",
        "1393289340000000",
        "1393289340000000000",
        f"{JULIAN_1970 + 1393289340 / 86400:.7f}",
        f"{40587 + 1393289340 / 86400:.7f}",
        1393289340,
        1393289340.0,
        201402250049,
        np.int64(1393289340),
    ],
)
def test_a_form_is_read(text: object) -> None:
    assert read(text) == ["2014-02-25T00:49:00"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["02/03/2014 01:00", "02/25/2014 01:00"], ["2014-02-03T01:00:00", "2014-02-25T01:00:00"]),
        (["02/03/2014 01:00", "25/02/2014 01:00"], ["2014-03-02T01:00:00", "2014-02-25T01:00:00"]),
        (["2/25/2014 12:00 PM", "2/25/2014 1:00 pm"], ["2014-02-25T12:00:00", "2014-02-25T13:00:00"]),  # noqa: E501
        (["20140225", "20140226"], ["2014-02-25T00:00:00", "2014-02-26T00:00:00"]),
        (["2014022500", "2014022501"], ["2014-02-25T00:00:00", "2014-02-25T01:00:00"]),
        (["2014-02-25", "2014-02-25T24:00:00"], ["2014-02-25T00:00:00", "2014-02-26T00:00:00"]),
    ],
)  # fmt: skip
def test_the_form_is_that_of_the_whole_file(values: list[str], expected: list[str]) -> None:
    assert read(*values) == expected


def test_single_bad_values_are_no_times_and_are_counted() -> None:
    values = [f"2014-02-{day:02d}" for day in range(1, 29)]
    values += ["busy", "2014-02-30", "9999-01-01", "", None, "1950-01-01", "02/25/2014"]  # type: ignore[list-item]
    parsed, report = parse_times(values, "a.csv"), ReadingReport()
    assert list(np.isnat(parsed.times)) == [False] * 28 + [True] * 7
    parsed.count(report, "a.csv")
    assert report.left_out == {"time not readable": 3, "time before 1974 or in the future": 2}
    assert report.examples["time not readable"] == "a.csv: busy"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["yesterday", "today"], "a.csv: the times cannot be read, such as 'yesterday', 'today'"),
        (["9999-01-01"], "a.csv: the times lie before 1974 or after .*'9999-01-01'"),
        (["2014.02.25_00:49:00_TAI"], "cannot be read"),
        (["25/02/14 00:49"], "cannot be read"),
        (
            ["2014-02-25"] * 50 + ["x1", "x2", "x3", "x4"],
            "4 of 54 times cannot be read, such as 'x1', 'x2', 'x3', .* others are like '2014-02",
        ),
        (["2014-02-25T00:00"] * 9 + ["02/25/2014 00:49"] * 9, "9 of 18 times cannot be read"),
        (["12345", "12346"], "cannot be read"),
    ],
)
def test_a_file_of_another_form_is_an_error(values: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_times(values, "a.csv").require_readable("a.csv")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["02/03/2014 00:49"], "day and month cannot be told apart .*'02/03/2014 00:49'"),
        (["02.03.2014"], "day and month cannot be told apart"),
        (["02/25/2014", "25/02/2014"], "in some times the day is first, in others the month"),
        (["41695.034", "41696.5"], "serial days of a spreadsheet"),
        (["50000"], "serial days of a spreadsheet"),
        # Seconds from 2000-01-01 12:00, as in NOAA's files.
        (["446561340", "446561400"], "counted from 1970, end in 1984-02-25, before AIA"),
    ],
)
def test_an_ambiguous_form_is_an_error(values: list[str], message: str) -> None:
    with pytest.raises(InputError, match=f"a.csv: .*{message}"):
        parse_times(values, "a.csv")


def test_a_few_values_are_tolerated() -> None:
    parsed = parse_times(["2014-02-25"] * 50 + ["x"] * 3, "a.csv")
    parsed.require_readable("a.csv")
    assert parsed.unreadable.sum() == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2012-06-30T23:59:60Z", "2012-07-01T00:00:00"),
        ("2012-06-30 23:59:60.5", "2012-07-01T00:00:00"),
        ("20120630235960", "2012-07-01T00:00:00"),
        ("2012-07-01T01:59:60+02:00", "2012-07-01T00:00:00"),
    ],
)
def test_a_leap_second_is_the_second_after_it(text: str, expected: str) -> None:
    parsed = parse_times([text, "2012-06-30T23:59:59"], "a.csv")
    if not text.isdigit():
        assert parsed.leap.tolist() == [True, False]
    assert read(text) == [expected]


def test_times_of_rows_are_those_of_the_file() -> None:
    parsed = parse_times(["02/03/2014", "02/25/2014", ""], "a.csv")
    part = parsed.rows(0, 1)
    assert isinstance(part, ParsedTimes)
    assert str(part.times[0])[:10] == "2014-02-03"
    assert parsed.rows(2, 3).given.tolist() == [False]


def test_no_values_are_no_times() -> None:
    parsed = parse_times([], "a.csv")
    parsed.require_readable("a.csv")
    assert len(parsed.times) == 0


TIMES = st.datetimes(
    datetime.datetime(2010, 1, 1), datetime.datetime(2025, 12, 31), timezones=st.none()
).map(lambda time: time.replace(microsecond=0))

FORMS = {
    "iso": lambda t: t.isoformat(),
    "offset": lambda t: f"{(t + datetime.timedelta(hours=3)).isoformat()}+03:00",
    "slashes": lambda t: t.strftime("%Y/%m/%d %H:%M:%S"),
    "digits": lambda t: t.strftime("%Y%m%d%H%M%S"),
    "American": lambda t: t.strftime("%m/%d/%Y %H:%M:%S"),
    "German": lambda t: t.strftime("%d.%m.%Y %H:%M:%S"),
    "seconds": lambda t: str(int(t.replace(tzinfo=datetime.UTC).timestamp())),
    "milliseconds": lambda t: str(int(t.replace(tzinfo=datetime.UTC).timestamp()) * 1000),
    "julian": lambda t: f"{t.replace(tzinfo=datetime.UTC).timestamp() / 86400 + JULIAN_1970:.8f}",
}


@given(times=st.lists(TIMES, min_size=1, max_size=20), form=st.sampled_from(sorted(FORMS)))
def test_times_are_read_as_they_were_written(times: list[datetime.datetime], form: str) -> None:
    # A day above 12 decides between day and month.
    times = [*times, datetime.datetime(2014, 2, 25, 0, 49)]
    parsed = parse_times([FORMS[form](time) for time in times], "a.csv")
    assert list(parsed.times) == [np.datetime64(time, "us") for time in times]


@given(values=st.lists(st.one_of(st.text(), st.floats(), st.integers(), st.none())))
def test_any_values_give_times_in_range_or_an_error(values: list[object]) -> None:
    try:
        parsed = parse_times(values, "a.csv")
    except InputError:
        return
    valid = parsed.times[~np.isnat(parsed.times)]
    assert np.all((valid >= FIRST_TIME) & (valid <= last_time()))
