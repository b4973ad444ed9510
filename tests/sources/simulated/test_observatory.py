"""Raw inputs of the simulation: formats that other readers open, and reproducibility."""

import hashlib
import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import zarr

from heliosynth import goes_class
from heliosynth.arrays import SOLAR_RADIUS_ARCSEC
from heliosynth.config.observations import SimulationConfig
from heliosynth.errors import InputError
from heliosynth.sources import goes, hek, sdoml
from heliosynth.sources.archive import locate
from heliosynth.sources.simulated import simulate
from heliosynth.sources.simulated.observatory import simulate_activity


def hashes(directory: Path) -> dict[str, str]:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    assert files
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_the_store_has_the_layout_of_sdomlv2(observed: Path, short: SimulationConfig) -> None:
    store = observed / "aia" / "sdomlv2.zarr"
    layout = json.loads((store / "2012" / "171A" / ".zarray").read_text())
    assert layout["zarr_format"] == 2
    assert layout["chunks"] == [15, 64, 64]
    assert layout["compressor"]["cname"] == "zstd"
    assert layout["compressor"]["shuffle"] == 2
    frames = 0
    for year in ("2011", "2012"):
        array = zarr.open_group(store, mode="r")[year]["171A"]
        assert array.dtype == np.float32
        assert {len(values) for values in dict(array.attrs).values()} == {array.shape[0]}
        assert array.attrs["T_OBS"][0].startswith(year)
        frames += array.shape[0]
    assert frames == short.days * 4
    assert sdoml.years(store) == [2011, 2012]


def test_simulated_files_are_read_like_real_ones(observed: Path, short: SimulationConfig) -> None:
    paths = locate(observed)
    header = sdoml.read_header(paths.aia_store, 2012, "171A")
    assert header["exposure_s"].between(1.9, 2.1).all()
    series = goes.read_xrs(paths.xrs_files, "operational")
    assert (series.scale, series.satellite) == ("true", "GOES-15")
    expected = simulate_activity(short, 3).series
    xrsb = series.to_operational().xrsb
    valid = np.isfinite(xrsb)
    assert 0.9 < valid.mean() < 1
    assert xrsb[valid] == pytest.approx(expected[valid], rel=0.06)
    flares = hek.read_flares(paths.flare_files)
    assert (flares["start"] < flares["peak"]).all()
    assert (flares["peak"] < flares["end"]).all()


def test_listed_flares_are_in_the_light_curve(observed: Path) -> None:
    paths = locate(observed)
    series = goes.read_xrs(paths.xrs_files, "operational").to_operational()
    flares = hek.read_flares(paths.flare_files)
    seconds = flares["peak"].to_numpy().astype("datetime64[s]").astype(np.int64)
    measured = series.xrsb[np.searchsorted(series.time, seconds)]
    valid = np.isfinite(measured)
    assert valid.sum() > 10
    # Labels are truncated after tenths, so they are slightly lower.
    assert measured[valid] == pytest.approx(flares["peak_flux"].to_numpy()[valid], rel=0.15)


def test_sunpy_opens_the_light_curve(observed: Path) -> None:
    timeseries = pytest.importorskip("sunpy.timeseries")
    series = timeseries.TimeSeries(observed / "goes" / "sci_xrsf-l2-avg1m_g15_y2012_v1-0-0.nc")
    assert type(series).__name__ == "XRSTimeSeries"
    assert series.meta.get("platform").values() == ["g15"]
    assert {"xrsa", "xrsb"} <= set(series.columns)
    assert str(series.time_range.start.isot).startswith("2012-01-01T00:00:00")
    assert series.quantity("xrsb").unit.is_equivalent("W/m2")


@pytest.mark.archive
def test_the_netcdf_has_the_variables_of_a_real_one(observed: Path, archive: Path) -> None:
    real = archive / "goes" / "sci_xrsf-l2-avg1m_g15_d20120712_v1-0-0.nc"
    simulated = observed / "goes" / "sci_xrsf-l2-avg1m_g15_y2012_v1-0-0.nc"
    with h5py.File(real) as expected, h5py.File(simulated) as actual:
        assert set(expected) == set(actual)
        for name in expected:
            assert expected[name].dtype == actual[name].dtype, name
            assert set(expected[name].attrs) - {"comments"} <= set(actual[name].attrs), name


def test_the_flare_lists_have_the_format_of_hek(observed: Path) -> None:
    names = sorted(path.name for path in (observed / "hek").iterdir())
    assert names == ["flares_2011-12.json", "flares_2012-01.json"]
    for name in names:
        answer = json.loads((observed / "hek" / name).read_text())
        assert answer["overmax"] is False
        for event in answer["result"]:
            assert event["event_type"] == "FL"
            assert event["frm_name"] == "SWPC"
            assert name[7:14] == event["event_peaktime"][:7]
            assert goes_class.peak_flux(event["fl_goescls"]) >= 1e-7
            assert np.hypot(event["hpc_x"], event["hpc_y"]) <= SOLAR_RADIUS_ARCSEC


def test_equal_seeds_write_equal_bytes(tmp_path: Path) -> None:
    settings = SimulationConfig.model_validate(
        {"start": "2012-01-01", "days": 2, "cadence_minutes": 360, "size_px": 32}
    )
    for name, seed in (("one", 4), ("again", 4), ("other", 5)):
        simulate(settings, channel="171A", seed=seed, output=tmp_path / name)
    assert hashes(tmp_path / "one") == hashes(tmp_path / "again")
    assert hashes(tmp_path / "one") != hashes(tmp_path / "other")


def test_only_171_is_simulated(short: SimulationConfig, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="171A"):
        simulate(short, channel="193A", seed=1, output=tmp_path / "raw")
    assert not list(tmp_path.iterdir())
