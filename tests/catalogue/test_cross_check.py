"""Flare list, light curve and labels against each other."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import numpy as np
import pytest

from heliosynth.arrays import DAY_S
from heliosynth.catalogue import cross_check, cross_check_report
from heliosynth.config.dataset import CrossCheckConfig
from heliosynth.errors import InputError
from helpers.flaring import RULE, Observed, observe

CLASSES = [*["C2.0", "C7.0", "M1.5"] * 13, "X4.9"]


@pytest.fixture(scope="module")
def observed() -> Observed:
    """Sixty days with forty flares."""
    return observe(CLASSES)


def counts(observed: Observed, **limits):
    """Return the report of a cross-check."""
    args = observed.labels, observed.xrs, observed.flares
    comparison = cross_check.compare(*args, RULE.window_minutes)
    spans = cross_check.spans(*args)
    return cross_check_report.report(comparison, spans, CrossCheckConfig(**limits))


def refusal(observed: Observed, **limits) -> str:
    """Return the message of the refusal."""
    with pytest.raises(InputError) as error:
        cross_check_report.check_limits(counts(observed, **limits))
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("cadence", [60, 300])
def test_a_list_that_agrees_passes(observed, cadence):
    report = counts(replace(observed, xrs=observe(CLASSES, cadence=cadence).xrs))
    cross_check_report.check_limits(report)
    missing, not_measured = report["flares_missing_from_list"], report["flares_not_measured"]
    expected = {"C": 26, "M": 13, "X": 1}
    assert {name: entry["compared"] for name, entry in missing.items()} == expected
    assert {name: entry["compared"] for name, entry in not_measured.items()} == expected
    entries = [*missing.values(), *not_measured.values(), report["frames_above_label"]]
    assert [entry["count"] for entry in entries] == [0] * 7
    assert report["flux_ratio"]["compared"] == len(CLASSES)
    assert report["flux_ratio"]["median"] == pytest.approx(1, abs=0.15)
    assert report["light_curve_later_hours"] == 0
    json.dumps(report, allow_nan=False)


def test_a_list_that_lacks_its_largest_flare_is_refused(observed):
    message = refusal(observed.without("X4.9"))
    assert "1 of 1 X flares in the light curve are not in the list" in message
    assert "X4.9" in message
    assert "dataset.cross_check.flares_missing_from_list" in message
    assert "fetch the list again" in message


def test_a_first_page_of_the_list_is_refused_with_its_span(observed):
    page = replace(observed, flares=observed.flares.iloc[:10])
    message = refusal(page)
    last = str(observed.flares["peak"].iloc[9]).replace(" ", "T")
    assert "10 of 13 M, 1 of 1 X flares in the light curve are not in the list" in message
    assert "(10 flares, 2012-07-01" in message
    assert f"to {last}) is incomplete" in message
    assert counts(page)["frames_above_label"]["count"] > 10


def test_a_small_flare_beside_a_large_one_does_not_stand_for_it(observed):
    flares = observed.flares.copy()
    flares.loc[len(flares) - 1, ["peak_flux", "goes_class_label"]] = 4e-6, "C4.0"
    assert "1 of 1 X flares" in refusal(replace(observed, flares=flares))


@pytest.mark.parametrize(("factor", "shown"), [(1 / 0.7, "0.70"), (0.7, "1.4")])
def test_another_scale_is_named(observed, factor, shown):
    message = refusal(observed.curve_scaled(factor))
    assert f"the listed peak fluxes are {shown}" in message
    assert "dataset.xrs_csv_scale" in message


@pytest.mark.parametrize("hours", [-8, 1, 5.5, 12, 24])
@pytest.mark.parametrize("cadence", [60, 300])
def test_another_time_zone_is_named(hours, cadence):
    message = refusal(observe(CLASSES, cadence=cadence).curve_moved(hours))
    way = "late" if hours > 0 else "early"
    assert f"They agree if the light curve is {abs(hours):g} h {way}: correct the times" in message
    assert "xrs_csv_scale" not in message


@pytest.mark.parametrize("days", [366, -365])
def test_a_list_of_another_year_is_named(observed, days):
    message = refusal(observed.list_moved(days))
    year = {366: "2013-07", -365: "2011-07"}[days]
    assert f"The flare list ({year}" in message
    assert "is of another time than the frames (2012-07-01" in message


def test_an_hourly_light_curve_shows_a_list_of_another_year(observed):
    hourly = replace(observed, xrs=observe(CLASSES, cadence=3600).xrs)
    assert "is of another time" in refusal(hourly.list_moved(366))
    report = counts(hourly)
    cross_check_report.check_limits(report)
    # Hourly samples do not show the peak of each flare, so none is said to be missing there.
    assert sum(entry["compared"] for entry in report["flares_not_measured"].values()) == 0
    assert report["flux_ratio"]["median"] is None


def test_a_listed_flare_that_was_not_there_is_refused(observed):
    flares = observed.flares.copy()
    flares.loc[3, ["peak_flux", "goes_class_label"]] = 2e-4, "X2.0"
    message = refusal(replace(observed, flares=flares), flux_ratio=1.5)
    assert "1 of 2 X listed flares are not in the light curve" in message


def test_flares_in_a_hole_of_the_light_curve_are_counted_apart(observed):
    peak = observed.flares["peak"].to_numpy("datetime64[s]").astype(np.int64)[5]
    flux = observed.xrs.xrsb.copy()
    flux[np.abs(observed.xrs.time - peak) < DAY_S // 4] = np.nan
    report = counts(replace(observed, xrs=replace(observed.xrs, xrsb=flux)))
    assert report["flares_outside_light_curve"]["count"] == 1
    assert report["flares_outside_light_curve"]["examples"][0]["class"] == CLASSES[5]
    assert report["flares_not_measured"]["M"]["compared"] == 12
    cross_check_report.check_limits(report)


def test_flares_far_from_every_frame_are_not_compared(observed):
    frames = observed.frames[observed.frames["time"] < "2012-07-11"]
    report = counts(replace(observed.without("X4.9"), frames=frames))
    compared = sum(entry["compared"] for entry in report["flares_missing_from_list"].values())
    assert 0 < compared < 12
    cross_check_report.check_limits(report)


def test_one_flare_is_no_share_unless_the_limit_is_0(observed):
    flares = observed.flares.drop(index=2)
    assert observed.flares["goes_class_label"][2] == "M1.5"
    lacking = replace(observed, flares=flares.reset_index(drop=True))
    report = counts(lacking)
    assert report["flares_missing_from_list"]["M"]["count"] == 1
    cross_check_report.check_limits(report)
    assert "1 of 13 M" in refusal(lacking, flares_missing_from_list={"M": 0})
    assert "2 of 13 M" in refusal(replace(lacking, flares=lacking.flares.drop(index=4)))


def test_a_limit_can_be_raised(observed):
    without = observed.without("X4.9")
    report = counts(without, flares_missing_from_list={"X": 1.0})
    cross_check_report.check_limits(report)
    assert report["flares_missing_from_list"]["M"]["limit"] == 0.05


def test_spans_and_gaps_of_each_source(observed):
    flux = observed.xrs.xrsb.copy()
    flux[5000:5720] = np.nan
    xrs = replace(observed.xrs, xrsb=flux)
    spans = cross_check.spans(observed.labels, xrs, observed.flares)
    assert spans["frames"] == {
        "n": 1440,
        "first": "2012-07-01T00:00:00",
        "last": "2012-08-29T23:00:00",
    }
    assert spans["flares"]["n"] == len(CLASSES)
    curve = spans["light_curve"]
    assert curve["n"] == len(flux) - 720
    assert curve["cadences_s"] == {"60": curve["n"]}
    assert (curve["gaps"], curve["hours_in_gaps"]) == (1, 12.0)
    assert curve["longest_gap"]["first"] == "2012-07-03T11:19:00"
    assert 0.9 < spans["frames_in_time_of_flares"] < 1


def test_the_log_names_each_kind_with_an_example(observed, caplog):
    with caplog.at_level(logging.WARNING):
        cross_check_report.log(counts(observed.without("X4.9")), logging.getLogger("test"))
    assert "1 of 1 X flares in the light curve are not in the list (2012-08" in caplog.text
    assert "frames have a measured flux a class or more above their label" in caplog.text


def test_sources_without_anything_to_compare_pass(observed):
    empty = replace(observed, flares=observed.flares.iloc[:0])
    quiet = replace(empty, xrs=replace(observed.xrs, xrsb=np.full_like(observed.xrs.xrsb, 3e-7)))
    report = counts(quiet)
    cross_check_report.check_limits(report)
    assert report["spans"]["flares"] == {"n": 0, "first": None, "last": None}
    json.dumps(report, allow_nan=False)
