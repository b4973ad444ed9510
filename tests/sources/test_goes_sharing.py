"""Light curves that share the time: one owner of each minute, averages, spans."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.sources.cadence import sample_cadence
from heliosynth.sources.goes import read_xrs, summarize
from heliosynth.sources.goes_samples import LightCurve, median_cadence
from heliosynth.sources.goes_sharing import average_to_minutes, ranked, share_minutes, spans
from heliosynth.sources.reading import ReadingReport

START = int(np.datetime64("2014-02-25T00:00:00", "s").astype(np.int64))


def curve(
    offsets: np.ndarray | list[int],
    flux: np.ndarray | list[float] | float,
    satellite: str = "GOES-15",
) -> LightCurve:
    time = START + np.asarray(offsets, dtype=np.int64)
    values = np.broadcast_to(np.asarray(flux, dtype=np.float32), time.shape).copy()
    return LightCurve(time, values, "true", satellite, median_cadence(time))


@st.composite
def curves(draw: st.DrawFn) -> list[LightCurve]:
    """Two to four light curves with gaps and missing samples, of several cadences and phases."""
    made = []
    for number in range(draw(st.integers(2, 4))):
        cadence = draw(st.sampled_from([60, 60, 300, 3600]))
        phase = draw(st.sampled_from([0, 30, 17]))
        slots = draw(st.lists(st.integers(0, 7200 // min(cadence, 1800)), min_size=1, unique=True))
        offsets = phase + cadence * np.sort(slots)
        valid = draw(st.lists(st.booleans(), min_size=len(slots), max_size=len(slots)))
        flux = np.where(valid, 1e-6 * (number + 1), np.nan)
        made.append(curve(offsets, flux, f"GOES-{13 + number}"))
    return made


@settings(max_examples=60, deadline=None)
@given(candidates=curves())
def test_every_minute_is_from_one_light_curve(candidates: list[LightCurve]) -> None:
    order = ranked(candidates)
    taken = share_minutes(order)
    owners: dict[int, set[int]] = {}
    for number, (candidate, rows) in enumerate(zip(order, taken, strict=True)):
        cadence = np.minimum(sample_cadence(candidate.time), 7200)[rows]
        for time, interval in zip(candidate.time[rows], cadence, strict=True):
            begin = (time + 30) // 60
            for minute in range(begin, begin + max(1, round(interval / 60))):
                owners.setdefault(minute, set()).add(number)
    assert all(len(numbers) == 1 for numbers in owners.values())
    # The first light curve gives all of its valid samples.
    assert np.isfinite(order[0].xrsb)[~taken[0]].sum() == 0
    # What is left out lies in a minute of another light curve.
    for number, (candidate, rows) in enumerate(zip(order, taken, strict=True)):
        cadence = np.minimum(sample_cadence(candidate.time), 7200)
        for row in np.flatnonzero(~rows & np.isfinite(candidate.xrsb)):
            begin = (candidate.time[row] + 30) // 60
            slot = range(begin, begin + max(1, round(cadence[row] / 60)))
            assert any(owners.get(minute, {number}) != {number} for minute in slot)


@settings(max_examples=30, deadline=None)
@given(candidates=curves())
def test_spans_count_every_sample_once(candidates: list[LightCurve]) -> None:
    for candidate, rows in zip(candidates, share_minutes(candidates), strict=True):
        found = spans(candidate, rows)
        assert sum(span.samples for span in found) == np.isfinite(candidate.xrsb[rows]).sum()
        assert all(span.first <= span.last for span in found)


def test_gaps_of_the_first_light_curve_are_filled() -> None:
    first = curve([0, 60, 240, 300], [1e-6, 1e-6, 1e-6, np.nan])
    second = curve(60 * np.arange(6), 2e-6, "GOES-14")
    taken = share_minutes([first, second])
    assert taken[0].tolist() == [True, True, True, False]
    assert taken[1].tolist() == [False, False, True, True, False, True]


def test_a_long_interval_is_not_mixed_with_minutes_in_it() -> None:
    coarse = curve(300 * np.arange(4), 1e-6)
    fine = curve(60 * np.arange(0, 30), 2e-6, "GOES-14")
    taken = share_minutes([coarse, fine])
    assert taken[0].all()
    assert taken[1].tolist() == [False] * 20 + [True] * 10
    taken = share_minutes([fine, curve(300 * np.arange(8), 1e-6)])
    assert taken[1].tolist() == [False] * 6 + [True] * 2


def test_the_most_complete_light_curve_is_asked_first() -> None:
    whole_day = 60 * np.arange(1440)
    complete = curve(whole_day, 1e-6, "GOES-13")
    with_gap = curve(np.delete(whole_day, np.arange(100)), 1e-6, "GOES-15")
    coarse = curve(300 * np.arange(288), 1e-6, "GOES-13")
    assert ranked([with_gap, coarse, complete]) == [complete, coarse, with_gap]


@pytest.mark.parametrize("cadence", [1, 2, 3])
def test_fine_samples_are_averaged_to_minutes(cadence: int) -> None:
    offsets = np.arange(0, 150, cadence)
    flux = np.where(offsets < 60, 1e-6, 3e-6)
    flux[offsets < 20] = np.nan
    averaged = average_to_minutes(curve(offsets, flux))
    # The third minute is half measured; the first lacks a third.
    assert (averaged.time - START).tolist() == [0, 60, 120]
    np.testing.assert_allclose(averaged.xrsb, [1e-6, 3e-6, 3e-6])
    assert averaged.native_cadence_s == cadence


def test_a_minute_with_too_few_samples_is_missing() -> None:
    averaged = average_to_minutes(curve(np.arange(0, 80, 2), 1e-6))
    np.testing.assert_array_equal(np.isnan(averaged.xrsb), [False, True])


def test_only_the_fine_stretch_is_averaged() -> None:
    offsets = np.concatenate([300 * np.arange(20), 6000 + 2 * np.arange(90)])
    averaged = average_to_minutes(curve(offsets, 1e-6))
    expected = np.concatenate([300 * np.arange(20), 6000 + 60 * np.arange(3)])
    assert (averaged.time - START).tolist() == expected.tolist()


def test_samples_of_a_minute_stay_as_they_are() -> None:
    minutes = curve(60 * np.arange(10), 1e-6)
    assert average_to_minutes(minutes) is minutes


def test_a_series_of_two_cadences_has_a_span_of_each(tmp_path: Path) -> None:
    path, day = tmp_path / "goes15.csv", 86_400
    offsets = np.concatenate([np.arange(0, 10 * day, 300), np.arange(10 * day, 20 * day, 60)])
    times = (START + offsets).astype("datetime64[s]")
    flux = 1e-6 + 1e-9 * np.arange(len(times))
    rows = [f"{time},{value}" for time, value in zip(times, flux, strict=True)]
    path.write_text("\n".join(["time,xrsb", *rows]))
    report = ReadingReport()
    series = read_xrs([path], "operational", report)
    assert (series.time - START).tolist() == offsets.tolist()
    about = summarize(series, report)["coverage"]
    assert [(span["cadence_s"], span["samples"]) for span in about] == [(300, 2880), (60, 14400)]
    assert about[0]["first"] == "2014-02-25T00:00:00"
    assert about[1]["last"] == "2014-03-16T23:59:00"


@pytest.mark.archive
def test_two_real_cadences_are_joined(archive: Path) -> None:
    (year,) = archive.glob("goes/goes15*.csv")
    (day,) = archive.glob("goes/*g15_d20120712*.nc")
    series = read_xrs([year, day], "operational")
    # The 5-minute samples have the whole day, so none of its minutes is taken from the other.
    assert {span.cadence_s for span in series.coverage} == {300}
    assert len(series) == 105_984
