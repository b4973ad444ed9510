"""NOAA's netCDF products: flags, clocks, empty files, and other products among them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from heliosynth.errors import InputError
from heliosynth.sources.goes import read_xrs
from heliosynth.sources.goes_netcdf import read_netcdf
from heliosynth.sources.reading import ReadingReport

FLUX = np.full(10, 2e-6)


@pytest.fixture
def make_irradiance(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a file of full cadence of GOES 8–15 (``gxrs-l2-irrad``)."""

    def make(flux: np.ndarray, flags: np.ndarray, start: str = "2014-01-28") -> Path:
        path = tmp_path / "sci_gxrs-l2-irrad_g15_d20140128_v0-0-0.nc"
        seconds = np.datetime64(start, "s").astype(np.int64) + 2.047 * np.arange(len(flux))
        with h5py.File(path, "w") as file:
            # The real files state neither their satellite nor their name.
            file.attrs.update(id=" ", platform=" ", title="GOES 1-15 L2 XRS high-resolution")
            file["time"] = seconds
            file["time"].attrs.update(units="seconds since 1970-01-01 00:00:00.0 UTC")
            for band, values in (("a", flux / 10), ("b", flux)):
                file[f"{band}_flux"] = values.astype(np.float32)
                file[f"{band}_flags"] = flags.astype(np.uint16)
                file[f"{band}_flags"].attrs.update(
                    flag_meanings="good_data calibration spike",
                    flag_masks=[1023, 1, 128],
                    flag_values=[0, 1, 128],
                )
        return path

    return make


def test_files_of_full_cadence_are_averaged_to_minutes(
    make_irradiance: Callable[..., Path],
) -> None:
    flux = np.linspace(1e-6, 2e-6, 300)
    flags = np.zeros(300)
    flags[40:50] = 128
    flags[60:90] = 1
    report = ReadingReport()
    series = read_xrs([make_irradiance(flux, flags)], "operational", report)
    assert (series.scale, series.satellite) == ("true", "GOES-15")
    start = np.datetime64("2014-01-28", "s").astype(np.int64)
    assert (series.time - start).tolist() == [60 * minute for minute in range(11)]
    # The third minute is flagged; of the last one only a quarter was measured.
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(series.xrsb)), [2, 10])
    minute = np.flatnonzero((2.047 * np.arange(300)).round() // 60 == 1)
    good = minute[flags[minute] == 0]
    assert series.xrsb[1] == pytest.approx(flux[good].mean())
    assert report.left_out["flagged as bad in the file"] == 40
    (span,) = series.coverage
    assert (span.cadence_s, span.native_cadence_s, span.samples) == (60, 2, 9)


@pytest.mark.parametrize("count", [0, 1])
def test_a_file_with_few_samples_among_others_is_read(
    make_netcdf: Callable[..., Path], count: int
) -> None:
    good = make_netcdf(15, "d20120712", "2012-07-12", FLUX)
    few, report = make_netcdf(15, "d20120713", "2012-07-13", FLUX[:count]), ReadingReport()
    assert len(read_xrs([good, few], "operational", report)) == 10 + count
    expected = {} if count else {"file: without a sample": 1}
    assert report.left_out == expected
    if not count:
        assert report.examples == {"file: without a sample": str(few)}
        with pytest.raises(
            InputError, match=f"no valid XRS sample in {few}, left out: 1 file: wit"
        ):
            read_xrs([few], "operational")


@pytest.mark.parametrize("value", [-9999.0, -99999.0, np.nan])
def test_a_file_of_fill_values_is_counted(make_netcdf: Callable[..., Path], value: float) -> None:
    good = make_netcdf(15, "d20120712", "2012-07-12", FLUX)
    filled = make_netcdf(15, "d20120713", "2012-07-13", np.full(10, value))
    report = ReadingReport()
    series = read_xrs([good, filled], "operational", report)
    assert np.isfinite(series.xrsb).sum() == 10
    assert report.left_out == {"no value": 10, "file: without a valid sample": 1}
    with pytest.raises(InputError, match=f"no valid XRS sample in {filled}, left out: 10 no value"):
        read_xrs([filled], "operational")


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.create_dataset("flare_class", data=[b"C1.0"] * 10),
        lambda file: [file.pop(name) for name in ("xrsa_flux", "xrsb_flux")],
    ],
)
def test_another_product_is_no_light_curve(
    make_netcdf: Callable[..., Path], change: Callable[[h5py.File], Any]
) -> None:
    good = make_netcdf(15, "d20120712", "2012-07-12", FLUX)
    other, report = make_netcdf(16, "d20120712", "2012-07-12", FLUX), ReadingReport()
    with h5py.File(other, "a") as file:
        file.attrs["title"] = b"L2 XRS flare detection summary"
        change(file)
    assert read_xrs([good, other], "operational", report).satellite == "GOES-15"
    reason = "file: netCDF that is no XRS light curve, such as avg1m"
    assert report.left_out == {reason: 1}
    assert report.examples == {reason: f"{other}: L2 XRS flare detection summary"}
    with pytest.raises(InputError, match="1 file: netCDF that is no XRS light curve"):
        read_xrs([other], "operational")


def test_samples_without_a_time_are_counted(make_netcdf: Callable[..., Path]) -> None:
    path, report = make_netcdf(15, "d20120712", "2012-07-12", FLUX), ReadingReport()
    with h5py.File(path, "a") as file:
        file["time"].attrs["_FillValue"] = np.array([-9999.0])
        file["time"][:3] = [-9999.0, np.nan, 1e10]
    curve = read_netcdf(path, report)
    assert curve is not None
    assert len(curve.time) == 7
    assert report.left_out == {"no time": 2, "time before 1974 or in the future": 1}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda file: file.pop("xrsb_flux"), "lacks xrsb_flux or b_flux"),
        (lambda file: file.pop("xrsb_flag"), "lacks xrsb_flag or xrsb_flags or b_flags"),
        (lambda file: file.pop("time"), "lacks time"),
        (lambda file: file.attrs.update(platform="", id=""), None),
    ],
)
def test_a_damaged_light_curve_is_named(
    make_netcdf: Callable[..., Path], damage: Callable[[h5py.File], None], message: str | None
) -> None:
    path = make_netcdf(15, "d20120712", "2012-07-12", FLUX)
    with h5py.File(path, "a") as file:
        damage(file)
    if message is None:
        assert read_xrs([path], "true").satellite == "GOES-15", "from the name"
        path = path.rename(path.with_name("a.nc"))
        message = "does not state its GOES satellite"
    with pytest.raises(InputError, match=f"{path}: .*{message}"):
        read_xrs([path], "true")


def test_a_netcdf_of_the_classic_format_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sci_xrsf-l2-avg1m_g15_d20120712.nc"
    path.write_bytes(b"CDF\x01" + b"\0" * 100)
    with pytest.raises(InputError, match=f"{path}: netCDF of the classic format.*nccopy"):
        read_xrs([path], "true")


def test_fits_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "go1520120601.fits.gz"
    path.write_bytes(b"\x1f\x8b")
    with pytest.raises(InputError, match=f"{path}: FITS, .* fetch NOAA's netCDF"):
        read_xrs([path], "true")


@pytest.mark.parametrize(
    ("name", "satellite", "count", "peak", "cadence"),
    [
        ("sci_xrsf-l2-avg1m_g13_d20140128_v1-0-0", 13, 1438, 8.245e-5, 60),
        ("sci_xrsf-l2-avg1m_g15_d20190102_truncated", 15, 51, 3.077e-8, 60),
        ("sci_xrsf-l2-avg1m_g16_d20210101_truncated", 16, 100, 7.068e-8, 60),
        ("sci_gxrs-l2-irrad_g15_d20140128_v0-0-0", 15, 1427, 7.05e-5, 2),
        ("sci_gxrs-l2-irrad_g13_d20170901_truncated", 13, 21, 3.2e-7, 2),
        ("sci_gxrs-l2-irrad_g15_d20131028_truncated", 15, 21, 2.3e-6, 2),
        # The X8.2 flare: 0.7 of its flux on the operational scale.
        ("sci_gxrs-l2-irrad_g15_d20170910_v0-0-0_truncated", 15, 120, 8.2e-4 / 0.7, 2),
        ("sci_xrsf-l2-flx1s_g16_d20170910_v2-1-0_truncated", 16, 120, 1.29e-3, 1),
        ("sci_xrsf-l2-flx1s_g17_d20201016_truncated", 17, 1, 3.3e-8, 1),
        ("sci_xrsf-l2-flx1s_g18_d20250328_v2-2-0_truncated", 18, 67, 1.12e-4, 1),
    ],
)
def test_a_real_light_curve_is_read(
    samples: Path, name: str, satellite: int, count: int, peak: float, cadence: int
) -> None:
    series = read_xrs([samples / "goes" / f"{name}.nc"], "operational")
    assert (series.scale, series.satellite) == ("true", f"GOES-{satellite}")
    assert np.isfinite(series.xrsb).sum() == count
    assert np.nanmax(series.xrsb) == pytest.approx(peak, rel=0.03)
    assert {(span.cadence_s, span.native_cadence_s) for span in series.coverage} == {(60, cadence)}
    assert np.all(series.time % 60 == 0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sci_xrsf-l2-flsum_g16_d20170906_v2-2-0.nc", "1 file: netCDF that is no XRS light curve"),
        ("go1520110607.fits", "FITS, such as SDAC's files"),
        ("go1520120601.fits.gz", "FITS, such as SDAC's files"),
    ],
)
def test_a_real_file_of_another_product_is_named(samples: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=f"{name}.*{message}"):
        read_xrs([samples / "goes" / name], "operational")


def test_real_files_of_one_day_share_its_minutes(samples: Path) -> None:
    files = sorted((samples / "goes").glob("*d20140128*.nc"))
    report = ReadingReport()
    series = read_xrs(files, "operational", report)
    assert len(files) == 2
    assert (series.scale, series.satellite) == ("operational", "GOES-13, GOES-15")
    by_satellite = {span.satellite: span for span in series.coverage}
    # GOES-13 has two flagged minutes, which GOES-15 measured.
    assert by_satellite["GOES-13"].samples == 1438
    assert by_satellite["GOES-15"].samples == 2
    assert np.isfinite(series.xrsb).sum() == len(np.unique(series.time // 60)) == 1440
    one = read_xrs(files[:1], "operational").to_operational()
    assert np.nanmax(series.xrsb) == pytest.approx(np.nanmax(one.xrsb), rel=0.3)


def test_all_real_light_curves_are_read_together(samples: Path) -> None:
    report = ReadingReport()
    series = read_xrs(sorted((samples / "goes").glob("*.nc")), "operational", report)
    assert report.files == 11
    assert report.left_out["file: netCDF that is no XRS light curve, such as avg1m"] == 1
    assert {span.satellite for span in series.coverage} == {
        f"GOES-{number}" for number in (13, 15, 16, 17, 18)
    }
