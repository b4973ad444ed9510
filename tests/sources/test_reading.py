"""Counts of what readers leave out."""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliosynth.sources.reading import ReadingReport

CASES = st.lists(
    st.tuples(st.sampled_from(["no class", "no time", "repeat"]), st.integers(0, 9), st.text())
)


def report_of(cases: list[tuple[str, int, str]]) -> ReadingReport:
    report = ReadingReport(files=1, read=len(cases))
    for reason, count, example in cases:
        report.leave_out(reason, count, example)
    return report


def test_the_first_example_of_a_reason_is_kept() -> None:
    report = ReadingReport()
    report.leave_out("no class", 2, "a.json: None")
    report.leave_out("no class", example="b.json:\n''")
    report.leave_out("no time")
    report.leave_out("repeat", 0, "c.json: x")
    assert report.to_json() == {
        "files": 0,
        "read": 0,
        "left_out": {
            "no class": {"count": 3, "example": "a.json: None"},
            "no time": {"count": 1, "example": ""},
        },
    }


@given(first=CASES, second=CASES)
def test_merged_reports_count_like_one(
    first: list[tuple[str, int, str]], second: list[tuple[str, int, str]]
) -> None:
    merged, one = report_of(first), report_of(first + second)
    merged.merge(report_of(second))
    assert merged.left_out == one.left_out
    assert (merged.files, merged.read) == (2, one.read)
    assert json.loads(json.dumps(merged.to_json())) == merged.to_json()


def test_a_warning_per_reason_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    report = ReadingReport()
    report.leave_out("no class", 2, "a.json: None")
    report.leave_out("no time", 1)
    report.log(logging.getLogger("test"), "flares")
    assert caplog.messages == [
        "flares left out, no class: 2, such as a.json: None",
        "flares left out, no time: 1",
    ]


def test_a_negative_count_is_an_error() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        ReadingReport().leave_out("no class", -1)
