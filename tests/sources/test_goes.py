"""GOES XRS light curves: scales, missing samples, choice of satellite, and damaged files."""

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from heliosynth.arrays import DAY_S
from heliosynth.errors import InputError
from heliosynth.sources.goes import XrsSeries, read_series, read_xrs, require_cover, write_series
from heliosynth.sources.reading import ReadingReport
from helpers.scripts import load

script = load("xrs")

FLUX = np.full(10, 2e-6)


def seconds(text: str) -> int:
    return int(np.datetime64(text, "s").astype(np.int64))


def write_csv(
    path: Path, times: list[str], xrsb: list[float], xrsa: list[float] | None = None
) -> Path:
    table = pd.DataFrame({"time": times, "xrsb": xrsb})
    if xrsa is not None:
        table["xrsa"] = xrsa
    table.to_csv(path, index=False)
    return path


@pytest.mark.parametrize(("satellite", "factor"), [(13, 0.7), (15, 0.7), (16, 1.0), (18, 1.0)])
def test_netcdf_files_are_on_the_true_scale(
    make_netcdf: Callable[..., Path], satellite: int, factor: float
) -> None:
    series = read_xrs([make_netcdf(satellite, "d20120712", "2012-07-12", FLUX)], "operational")
    assert (series.scale, series.satellite) == ("true", f"GOES-{satellite}")
    np.testing.assert_allclose(series.xrsb, FLUX, rtol=1e-6)
    operational = series.to_operational()
    assert operational.scale == "operational"
    np.testing.assert_allclose(operational.xrsb, factor * FLUX, rtol=1e-6)
    assert operational.to_operational() is operational, "the factor applies once"


def test_a_yearly_file_has_a_sample_per_minute(make_netcdf: Callable[..., Path]) -> None:
    series = read_xrs([make_netcdf(15, "y2012", "2012-01-01", FLUX)], "true")
    assert series.satellite == "GOES-15"
    np.testing.assert_array_equal(series.time, seconds("2012-01-01") + 60 * np.arange(10))


@pytest.mark.parametrize(
    ("satellite", "flags", "good"),
    [
        # Samples of GOES-15 with an invalid electron correction are good.
        (15, [0, 1, 2, 16, 17], [True, False, False, True, False]),
        (16, [0, 1, 2, 4, 6], [True, False, False, True, False]),
    ],
)
def test_flags_make_samples_missing(
    make_netcdf: Callable[..., Path], satellite: int, flags: list[int], good: list[bool]
) -> None:
    path = make_netcdf(satellite, "d20210101", "2021-01-01", FLUX[:5], flags=np.array(flags))
    series = read_xrs([path], "true")
    np.testing.assert_array_equal(np.isfinite(series.xrsb), good)


def test_flags_without_meanings_use_the_defaults(make_netcdf: Callable[..., Path]) -> None:
    path = make_netcdf(15, "d20210101", "2021-01-01", FLUX[:4], flags=np.array([0, 1, 4, 16]))
    with h5py.File(path, "a") as file:
        del file["xrsb_flag"].attrs["flag_meanings"]
    valid = np.isfinite(read_xrs([path], "true").xrsb)
    np.testing.assert_array_equal(valid, [True, False, False, True])


def test_floor_fill_and_swapped_channels_become_missing(tmp_path: Path) -> None:
    times = [f"2012-01-01T00:0{minute}:00" for minute in range(5)]
    path = write_csv(
        tmp_path / "goes15.csv",
        times,
        [2e-7, 1e-9, -9999.0, 3e-9, float("nan")],
        [1e-8, 1e-9, 1e-9, 4e-7, 1e-9],
    )
    series = read_xrs([path], "operational")
    assert (series.scale, series.satellite) == ("operational", "GOES-15")
    np.testing.assert_array_equal(np.isfinite(series.xrsb), [True, False, False, False, False])


def test_a_minute_is_taken_from_one_satellite_only(
    make_netcdf: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    files = [
        make_netcdf(15, "d20120712", "2012-07-12", FLUX),
        make_netcdf(15, "d20120713", "2012-07-13", FLUX),
        make_netcdf(14, "d20120712", "2012-07-12", 9 * FLUX),
    ]
    series = read_xrs(files, "true")
    assert (series.satellite, series.scale, len(series)) == ("GOES-15", "true", 20)
    np.testing.assert_allclose(series.xrsb, 2e-6, rtol=1e-6)
    assert "GOES-14" in caplog.text


def test_satellites_of_different_days_are_joined_as_operational(
    make_netcdf: Callable[..., Path],
) -> None:
    files = [
        make_netcdf(16, "d20200101", "2020-01-01", FLUX),
        make_netcdf(15, "d20191231", "2019-12-31", FLUX),
    ]
    series = read_xrs(files, "true")
    assert series.scale == "operational"
    assert set(series.satellite.split(", ")) == {"GOES-15", "GOES-16"}
    np.testing.assert_allclose(series.xrsb, [1.4e-6] * 10 + [2e-6] * 10, rtol=1e-6)


def test_overlapping_files_of_one_satellite_keep_the_valid_sample(
    make_netcdf: Callable[..., Path],
) -> None:
    flags = np.array([0] * 9 + [1])
    files = [
        make_netcdf(15, "d20120712", "2012-07-12T00:00", FLUX, flags=flags),
        make_netcdf(15, "d20120713", "2012-07-12T00:09", FLUX),
    ]
    series = read_xrs(files, "true")
    assert len(series) == 19
    assert np.isfinite(series.xrsb).all()


def test_an_empty_day_stays_as_missing(tmp_path: Path) -> None:
    times = [f"2012-01-0{day}T00:0{minute}:00" for day in (1, 2, 3) for minute in (0, 1)]
    path = write_csv(tmp_path / "goes15.csv", times, [1e-6, 1e-6, 1e-9, 1e-9, 1e-6, 1e-6])
    series = read_xrs([path], "operational")
    np.testing.assert_array_equal(np.isnan(series.xrsb), [0, 0, 1, 1, 0, 0])


@pytest.mark.parametrize("name", ["sci_xrsf-l2-avg1m_g15_d20120712.nc", "goes15.csv"])
def test_a_web_page_is_an_error_that_names_it(web_page: Callable[[str], Path], name: str) -> None:
    with pytest.raises(InputError, match=name):
        read_xrs([web_page(name)], "true")


def test_a_truncated_file_is_an_error_that_names_it(make_netcdf: Callable[..., Path]) -> None:
    path = make_netcdf(15, "d20120712", "2012-07-12", FLUX)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match=f"{path}: cannot be read"):
        read_xrs([path], "true")


def test_unusable_files_are_errors_that_name_them(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("date,flux\n2012-01-01,1e-6\n")
    with pytest.raises(
        InputError,
        match=f"{other}: not a light curve: lacks the columns time, xrsb, and has date, flux",
    ):
        read_xrs([other], "true")
    with pytest.raises(InputError, match="cannot be read"):
        read_xrs([tmp_path / "missing.csv"], "true")
    with pytest.raises(InputError, match="no valid XRS sample"):
        read_xrs([write_csv(tmp_path / "floor.csv", ["2012-01-01"], [1e-9])], "true")
    with pytest.raises(InputError, match=r"satellite .* unknown"):
        read_xrs([write_csv(tmp_path / "xrs.csv", ["2012-01-01"], [1e-6])], "true").to_operational()


def test_a_light_curve_must_cover_the_frames() -> None:
    time = seconds("2012-01-01") + 300 * np.arange(288)
    flux = np.full(288, 1e-6, dtype=np.float32)
    flux[:12] = np.nan
    series = XrsSeries(time, flux, "operational", "GOES-15")
    require_cover(series, np.datetime64("2012-01-01T01:00"), pd.Timestamp("2012-01-01T23:59:30"))
    require_cover(series, int(time[12]), int(time[-1]))
    message = (
        "XRS files cover 2012-01-01T01:00:00 to 2012-01-01T23:55:00, "
        "but frames run 2012-01-01T00:00:00 to 2012-01-01T12:00:00; "
        "add light curves for the time until 2012-01-01T01:00:00"
    )
    with pytest.raises(InputError, match=f"{message}$"):
        require_cover(series, pd.Timestamp("2012-01-01"), pd.Timestamp("2012-01-01T12:00"))
    with pytest.raises(InputError, match=r"for the time from 2012-01-01T23:55:00$"):
        require_cover(series, pd.Timestamp("2012-01-01T12:00"), pd.Timestamp("2012-01-03"))
    with pytest.raises(InputError, match="until 2012-01-01T01:00:00 and from 2012-01-01T23"):
        require_cover(series, pd.Timestamp("2012-01-01"), pd.Timestamp("2012-01-03"))
    for year in (2011, 2013):
        with pytest.raises(InputError, match="at no common time"):
            require_cover(series, pd.Timestamp(f"{year}-05-01"), pd.Timestamp(f"{year}-05-02"))


def test_gaps_between_the_frames_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    days = np.array([0, 1, 2, 5, 6, 20])
    flux = np.full(len(days), 1e-6, np.float32)
    series = XrsSeries(seconds("2012-01-01") + DAY_S * days, flux, "true", "GOES-15")
    require_cover(series, np.datetime64("2012-01-01"), np.datetime64("2012-01-03"))
    assert not caplog.messages
    require_cover(series, np.datetime64("2012-01-01"), np.datetime64("2012-01-21"))
    assert "2 gaps of more than a day" in caplog.text
    assert "the longest 14.0 days from 2012-01-07T00:00:00" in caplog.text


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    flux=hnp.arrays(np.float32, st.integers(1, 20), elements=st.floats(0, 1, width=32)),
    scale=st.sampled_from(["true", "operational"]),
)
def test_a_series_is_read_as_it_was_written(flux: np.ndarray, scale: str, tmp_path: Path) -> None:
    series = XrsSeries(np.arange(len(flux)) * 60, flux, scale, "GOES-15")  # type: ignore[arg-type]
    write_series(tmp_path / "xrs.h5", series)
    read = read_series(tmp_path / "xrs.h5")
    np.testing.assert_array_equal(read.time, series.time)
    np.testing.assert_array_equal(read.xrsb, series.xrsb)
    assert (read.scale, read.satellite) == (scale, "GOES-15")


@pytest.mark.parametrize(
    ("time", "scale", "message"),
    [([0, 0], "true", "increasing"), ([0], "true", "do not match"), ([0, 1], "other", "scale")],
)
def test_an_inconsistent_series_is_an_error(time: list[int], scale: str, message: str) -> None:
    flux = np.zeros(2, dtype=np.float32)
    with pytest.raises(ValueError, match=message):
        XrsSeries(np.array(time), flux, scale, "GOES-15")  # type: ignore[arg-type]


def test_a_file_that_is_not_a_series_is_named(tmp_path: Path) -> None:
    path = tmp_path / "xrs.h5"
    write_series(path, XrsSeries(np.arange(2), np.ones(2, np.float32), "true", "GOES-15"))
    with h5py.File(path, "a") as file:
        file.attrs["scale"] = "other"
    with pytest.raises(InputError, match=f"{path}: not an XRS series"):
        read_series(path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda file: file["time"].attrs.update(units="days"), "cannot be read as a NOAA XRS file"),
        (lambda file: file["xrsb_flag"].attrs.update(flag_masks=[]), "no mask or value of good"),
    ],
)
def test_a_file_with_wrong_attributes_is_named(
    make_netcdf: Callable[..., Path], damage: Callable[[h5py.File], None], message: str
) -> None:
    path = make_netcdf(15, "d20120712", "2012-07-12", FLUX)
    with h5py.File(path, "a") as file:
        damage(file)
    with pytest.raises(InputError, match=f"{path}: .*{message}"):
        read_xrs([path], "true")


def test_the_script_takes_files_and_folders(
    make_netcdf: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_netcdf(15, "d20120712", "2012-07-12", FLUX, flags=np.array([1] + [0] * 9))
    make_netcdf(16, "d20120712", "2012-07-12", FLUX[:0])
    (tmp_path / "go1520120712.fits").write_bytes(b"SIMPLE  =")
    output, report = (tmp_path / "observations" / name for name in ("xrs.h5", "xrs.json"))
    files = ["--files", str(tmp_path), "--csv-scale", "operational"]
    script.main([*files, "--output", str(output), "--report", str(report)])
    assert len(read_series(output)) == 10
    content = json.loads(report.read_text())
    assert content["left_out"]["flagged as bad in the file"]["count"] == 1
    assert content["left_out"]["file: without a sample"]["count"] == 1
    (unread,) = (reason for reason in content["left_out"] if "FITS" in reason)
    assert "go1520120712.fits" in content["left_out"][unread]["example"]
    assert (content["files"], content["read"], content["scale"]) == (2, 9, "true")
    assert content["coverage"] == [
        {
            "satellite": "GOES-15",
            "scale": "true",
            "cadence_s": 60,
            "native_cadence_s": 60,
            "first": "2012-07-12T00:01:00",
            "last": "2012-07-12T00:09:00",
            "samples": 9,
        }
    ]
    assert "samples left out, flagged as bad in the file: 1" in caplog.text


@pytest.mark.archive
def test_the_flare_of_2012_07_12_peaks_at_x1_4(archive: Path) -> None:
    (path,) = archive.glob("goes/*g15_d20120712*.nc")
    series = read_xrs([path], "operational")
    assert (series.scale, series.satellite) == ("true", "GOES-15")
    flux = series.to_operational().xrsb
    peak = int(np.nanargmax(flux))
    assert f"{flux[peak] / 1e-4:.1f}" == "1.4"
    assert abs(int(series.time[peak]) - seconds("2012-07-12T16:49")) < 600
    assert np.isnan(flux).sum() == 8, "the samples that the file flags as bad"


@pytest.mark.archive
def test_csv_and_netcdf_agree_on_the_operational_scale(archive: Path) -> None:
    (csv,) = archive.glob("goes/goes15*.csv")
    (netcdf,) = archive.glob("goes/*g15_d20120712*.nc")
    year = read_xrs([csv], "operational")
    day = read_xrs([netcdf], "operational").to_operational()
    means = pd.Series(day.xrsb, pd.to_datetime(day.time, unit="s")).resample("5min").mean()
    samples = pd.Series(year.xrsb, pd.to_datetime(year.time, unit="s"))
    ratio = (means / samples.reindex(means.index)).dropna()
    assert len(ratio) > 280
    assert abs(ratio.median() - 1) < 0.01


@pytest.mark.archive
def test_samples_of_swapped_channels_in_the_archive_are_missing(archive: Path) -> None:
    (csv,) = archive.glob("goes/goes15*.csv")
    series = read_xrs([csv], "operational")
    missing = series.time[np.isnan(series.xrsb)]
    day = seconds("2012-11-19")
    np.testing.assert_array_equal(missing, day + 300 * np.arange(288))


@pytest.mark.archive
def test_a_goes_r_file_needs_no_factor(archive: Path) -> None:
    (path,) = archive.glob("goes/*g16*.nc")
    series = read_xrs([path], "operational")
    assert series.satellite == "GOES-16"
    np.testing.assert_array_equal(series.to_operational().xrsb, series.xrsb)


def test_the_minutes_around_a_leap_second_keep_their_times(
    make_netcdf: Callable[..., Path], tmp_path: Path
) -> None:
    # 2012-06-30 ended with 23:59:60; the times of NOAA and of the labels have no such second.
    days = [
        make_netcdf(15, "d20120630", "2012-06-30T23:57", FLUX[:3]),
        make_netcdf(15, "d20120701", "2012-07-01", FLUX[3:6]),
    ]
    series = read_xrs(days, "operational")
    midnight = seconds("2012-07-01")
    assert series.time.tolist() == [midnight + 60 * minute for minute in range(-3, 3)]
    table = tmp_path / "goes15_xrs.csv"
    table.write_text(
        "time,xrsb\n2012-06-30T23:59:00Z,1e-6\n2012-06-30T23:59:60Z,2e-6\n"
        "2012-07-01T00:00:00Z,3e-6\n"
    )
    series = read_xrs([table], "operational")
    assert series.time.tolist() == [midnight - 60, midnight]
    np.testing.assert_allclose(series.xrsb, [1e-6, 3e-6])
    assert len(read_xrs([table], "operational")) == 2
    table.write_text("time,xrsb\n2012-06-30T23:59:00Z,1e-6\n2012-06-30T23:59:60Z,2e-6\n")
    report = ReadingReport()
    series = read_xrs([table], "operational", report)
    assert series.time.tolist() == [midnight - 60, midnight]
    np.testing.assert_allclose(series.xrsb, [1e-6, 2e-6])
    assert report.left_out == {"leap second, kept as the second after it": 1}
