"""CSV light curves: forms that are read, values that are refused or counted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heliosynth.errors import InputError
from heliosynth.sources.goes import read_xrs
from heliosynth.sources.goes_csv import read_csv
from heliosynth.sources.reading import ReadingReport

TIMES = np.arange("2014-02-25T00:00", "2014-02-26T06:00", 5, dtype="datetime64[m]")
FLUX = 1e-6 * (2 + np.sin(np.arange(len(TIMES))))
"""Thirty hours of C flux, W m⁻²."""


def write(path: Path, xrsb: Any = None, xrsa: Any = None, times: Any = None) -> Path:
    columns = {"time": TIMES if times is None else times, "xrsb": FLUX if xrsb is None else xrsb}
    if xrsa is not None:
        columns["xrsa"] = xrsa
    rows = [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join([",".join(columns), *rows, ""]))
    return path


def test_a_file_is_read_with_its_satellite_and_scale(tmp_path: Path) -> None:
    report = ReadingReport()
    curve = read_csv(write(tmp_path / "goes15_xrs.csv"), "operational", report)
    assert curve is not None
    assert (curve.satellite, curve.scale, curve.native_cadence_s) == ("GOES-15", "operational", 300)
    np.testing.assert_allclose(curve.xrsb, FLUX, rtol=1e-6)
    assert report.left_out == {}


@pytest.mark.parametrize(
    "form",
    [
        lambda times: [str(time).replace("T", " ") for time in times],
        lambda times: [f"{time}:00+00:00" for time in times],
        lambda times: [time.item().strftime("%m/%d/%Y %H:%M") for time in times],
        lambda times: [time.item().strftime("%d.%m.%Y %H:%M") for time in times],
        lambda times: [time.item().strftime("%Y%m%d%H%M") for time in times],
        lambda times: times.astype("datetime64[s]").astype(np.int64),
        lambda times: times.astype("datetime64[ms]").astype(np.int64),
        lambda times: times.astype("datetime64[s]").astype(np.int64) / 86400 + 2440587.5,
    ],
)
def test_times_of_any_form_give_the_same_light_curve(
    tmp_path: Path, form: Callable[[Any], Any]
) -> None:
    path = write(tmp_path / "goes15.csv", times=form(TIMES))
    series = read_xrs([path], "operational")
    np.testing.assert_array_equal(series.time, TIMES.astype("datetime64[s]").astype(np.int64))
    np.testing.assert_allclose(series.xrsb, FLUX, rtol=1e-6)


def test_a_table_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "goes15.csv"
    rows = [
        f"{time.item():%d.%m.%Y %H:%M};{f'{flux:.4e}'.replace('.', ',')};"
        for time, flux in zip(TIMES, FLUX, strict=True)
    ]
    path.write_text("\r\n".join(["Time;XRSB;", *rows]), encoding="utf-16")
    np.testing.assert_allclose(read_xrs([path], "operational").xrsb, FLUX, rtol=1e-4)


@pytest.mark.parametrize(
    ("flux", "message"),
    [
        (
            FLUX * 1e6,
            "360 of 360 values are outside 1e-10…0.01 W m⁻², such as 2, as in another unit",
        ),
        (FLUX * 1e9, "as in another unit"),
        (FLUX * 1e-6, "as in another unit"),
        (np.log10(FLUX), "such as -5.699, as log₁₀ of a flux would be"),
        # mW m⁻², and so erg cm⁻² s⁻¹.
        (FLUX * 1e3, "as if the Sun were never quieter than M2"),
        (["C2.0"] * len(TIMES), "360 of 360 values are no numbers, such as 'C2.0'"),
        (np.full(len(TIMES), 1e-6), "all 360 values are 1e-06"),
    ],
)
def test_another_unit_is_an_error(tmp_path: Path, flux: object, message: str) -> None:
    path = write(tmp_path / "goes15.csv", flux)
    with pytest.raises(InputError, match=message) as caught:
        read_csv(path, "operational", ReadingReport())
    assert f"{path}, column xrsb: " in str(caught.value)


def test_single_spikes_are_missing_and_counted(tmp_path: Path) -> None:
    flux = FLUX.astype(object)
    flux[:10] = [2.5, -9999, -5e-7, 0, "bad", 1e-9, "", "inf", 3e-6, 3e-6]
    path, report = write(tmp_path / "goes15.csv", flux), ReadingReport()
    curve = read_csv(path, "operational", report)
    assert curve is not None
    np.testing.assert_array_equal(np.isnan(curve.xrsb[:11]), [True] * 8 + [False] * 3)
    assert report.left_out == {
        "xrsb that is no number": 1,
        "no value": 4,
        "at or below the floor of the sensor, 1e-09 W m⁻²": 3,
        "above 0.01 W m⁻², more than any flare": 1,
    }
    assert report.examples["xrsb that is no number"] == f"{path}: bad"
    assert report.examples["above 0.01 W m⁻², more than any flare"] == f"{path}: 2.5"


def test_unreadable_times_are_counted_or_refused(tmp_path: Path) -> None:
    times = TIMES.astype(str).astype(object)
    times[:3] = ["x", "", "2014-02-30T00:00"]
    path, report = write(tmp_path / "goes15.csv", times=times), ReadingReport()
    assert len(read_xrs([path], "operational", report)) == len(TIMES) - 3
    assert report.left_out == {"time not readable": 2, "no time": 1}
    times[:40] = "x"
    with pytest.raises(InputError, match=f"{path}, column time: 40 of 360 times cannot be read"):
        read_xrs([write(tmp_path / "goes15.csv", times=times)], "operational")


def test_a_file_of_another_form_beside_a_good_one_is_an_error(tmp_path: Path) -> None:
    good = write(tmp_path / "goes15_2014-01.csv")
    days = [f"{day:02d}/02/2014" for day in range(1, 10)]
    bad = write(tmp_path / "goes15_2014-02.csv", FLUX[:9], times=days)
    with pytest.raises(InputError, match=f"{bad}, column time: day and month cannot be told apart"):
        read_xrs([good, bad], "operational")


def test_exchanged_columns_are_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "goes15.csv", FLUX / 20, FLUX)
    with pytest.raises(InputError, match=f"{path}: xrsa is above xrsb in 360 of 360 samples"):
        read_csv(path, "operational", ReadingReport())
    path = write(tmp_path / "goes15.csv", FLUX, FLUX)
    with pytest.raises(InputError, match="xrsa and xrsb are the same in all 360 samples"):
        read_csv(path, "operational", ReadingReport())


def test_a_few_exchanged_samples_are_missing(tmp_path: Path) -> None:
    xrsa = FLUX / 20
    xrsa[:40] = FLUX[:40] * 2
    path, report = write(tmp_path / "goes15.csv", FLUX, xrsa), ReadingReport()
    curve = read_csv(path, "operational", report)
    assert curve is not None
    assert np.isnan(curve.xrsb).sum() == 40
    assert report.left_out == {"XRS-A flux above XRS-B flux": 40}


@pytest.mark.parametrize(
    "header",
    ["time_tag,xrsb_flux", "time_tag,satellite,flux,observed_flux,energy", "date,xrsb", "Zeit,B"],
)
def test_other_columns_are_named_in_the_error(tmp_path: Path, header: str) -> None:
    path = tmp_path / "goes15.csv"
    path.write_text(f"{header}\n" + ",".join("1" for _ in header.split(",")))
    with pytest.raises(
        InputError, match=r"lacks the columns (time|time, xrsb), and has "
    ) as caught:
        read_csv(path, "operational", ReadingReport())
    assert header.lower().replace(",", ", ") in str(caught.value)


@pytest.mark.parametrize(
    ("column", "values"), [("energy", ["0.05-0.4nm", "0.1-0.8nm"]), ("satellite", ["15", "16"])]
)
def test_rows_of_two_kinds_are_an_error(tmp_path: Path, column: str, values: list[str]) -> None:
    path = tmp_path / "goes.csv"
    rows = [f"2014-02-25T00:00:00,1e-6,{value}" for value in values]
    path.write_text("\n".join([f"time,xrsb,{column}", *rows]))
    with pytest.raises(InputError, match=f"column {column} is '{values[0]}' or '{values[1]}'"):
        read_csv(path, "operational", ReadingReport())


def test_a_file_without_rows_is_counted(tmp_path: Path) -> None:
    good, empty = write(tmp_path / "goes15.csv"), tmp_path / "goes15_empty.csv"
    empty.write_text("time,xrsb\n")
    floor = write(tmp_path / "goes14.csv", np.full(len(TIMES), 1e-9))
    report = ReadingReport()
    assert len(read_xrs([good, empty, floor], "operational", report)) == len(TIMES)
    assert report.left_out["file: without a sample"] == 1
    assert report.left_out["file: without a valid sample"] == 1
    assert report.examples["file: without a valid sample"] == str(floor)
    with pytest.raises(InputError, match=r"no valid XRS sample in .*, left out: 1 file: without a"):
        read_xrs([empty], "operational")


@pytest.mark.parametrize(
    ("name", "satellite"),
    [
        ("goes15.csv", "GOES-15"),
        ("GOES-08_2001.csv", "GOES-8"),
        ("sci_g16_2020.csv", "GOES-16"),
        ("goes_30min.csv", "unknown"),
        ("goes2012.csv", "unknown"),
    ],
)
def test_the_satellite_is_that_of_the_name(tmp_path: Path, name: str, satellite: str) -> None:
    curve = read_csv(write(tmp_path / name), "operational", ReadingReport())
    assert curve is not None
    assert curve.satellite == satellite


def test_fine_samples_are_averaged(tmp_path: Path) -> None:
    times = np.arange("2014-02-25T00:00:00", "2014-02-25T00:10:00", 2, dtype="datetime64[s]")
    flux = 1e-6 + 1e-9 * np.arange(len(times))
    series = read_xrs([write(tmp_path / "goes15.csv", flux, times=times)], "operational")
    assert len(series) == 10
    np.testing.assert_allclose(series.xrsb, flux.reshape(10, 30).mean(axis=1), rtol=1e-6)
    assert series.coverage[0].native_cadence_s == 2
