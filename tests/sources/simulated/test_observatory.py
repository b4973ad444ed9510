"""Raw inputs: true formats that the field's own readers open, and the same for the same seed."""

import hashlib
import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import zarr

from heliosynth import goes_class
from heliosynth.config.observations import SimulationConfig
from heliosynth.errors import InputError
from heliosynth.sources import goes, hek, sdoml
from heliosynth.sources.archive import locate
from heliosynth.sources.simulated import simulate
from heliosynth.sources.simulated.observatory import act


def hashes(directory: Path) -> dict[str, str]:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    assert files
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_the_store_is_sdoml_version_2(observed: Path, short: SimulationConfig) -> None:
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


def test_the_rooms_of_real_data_read_it(observed: Path, short: SimulationConfig) -> None:
    paths = locate(observed)
    header = sdoml.read_header(paths.aia_store, 2012, "171A")
    assert header["exposure_s"].between(1.9, 2.1).all()
    series = goes.read_xrs(paths.xrs_files, "operational")
    assert (series.scale, series.satellite) == ("true", "GOES-15")
    expected = act(short, 3).series
    found = series.to_operational().xrsb
    seen = np.isfinite(found)
    assert 0.9 < seen.mean() < 1
    assert found[seen] == pytest.approx(expected[seen], rel=0.06)
    flares = hek.read_flares(paths.flare_files)
    assert (flares["start"] < flares["peak"]).all()
    assert (flares["peak"] < flares["end"]).all()


def test_flares_stand_in_the_light_curve(observed: Path) -> None:
    paths = locate(observed)
    series = goes.read_xrs(paths.xrs_files, "operational").to_operational()
    flares = hek.read_flares(paths.flare_files)
    seconds = flares["peak"].to_numpy().astype("datetime64[s]").astype(np.int64)
    measured = series.xrsb[np.searchsorted(series.time, seconds)]
    seen = np.isfinite(measured)
    assert seen.sum() > 10
    # Labels are cut off after a tenth, so they lie a little below.
    assert measured[seen] == pytest.approx(flares["peak_flux"].to_numpy()[seen], rel=0.15)


def test_sunpy_opens_the_light_curve(observed: Path) -> None:
    timeseries = pytest.importorskip("sunpy.timeseries")
    opened = timeseries.TimeSeries(observed / "goes" / "sci_xrsf-l2-avg1m_g15_y2012_v1-0-0.nc")
    assert type(opened).__name__ == "XRSTimeSeries"
    assert opened.meta.get("platform").values() == ["g15"]
    assert {"xrsa", "xrsb"} <= set(opened.columns)
    assert str(opened.time_range.start.isot).startswith("2012-01-01T00:00:00")
    assert opened.quantity("xrsb").unit.is_equivalent("W/m2")


@pytest.mark.archive
def test_the_netcdf_has_what_a_real_one_has(observed: Path, archive: Path) -> None:
    real = archive / "goes" / "sci_xrsf-l2-avg1m_g15_d20120712_v1-0-0.nc"
    made = observed / "goes" / "sci_xrsf-l2-avg1m_g15_y2012_v1-0-0.nc"
    with h5py.File(real) as theirs, h5py.File(made) as ours:
        assert set(theirs) == set(ours)
        for name in theirs:
            assert theirs[name].dtype == ours[name].dtype, name
            assert set(theirs[name].attrs) - {"comments"} <= set(ours[name].attrs), name


def test_the_flare_list_is_an_answer_of_the_service(observed: Path) -> None:
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
            assert np.hypot(event["hpc_x"], event["hpc_y"]) <= 976


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    settings = SimulationConfig.model_validate(
        {"start": "2012-01-01", "days": 2, "cadence_minutes": 360, "size_px": 32}
    )
    for name, seed in (("one", 4), ("again", 4), ("other", 5)):
        simulate(settings, "171A", seed, tmp_path / name)
    assert hashes(tmp_path / "one") == hashes(tmp_path / "again")
    assert hashes(tmp_path / "one") != hashes(tmp_path / "other")


def test_only_171_is_simulated(short: SimulationConfig, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="171A"):
        simulate(short, "193A", 1, tmp_path / "raw")
    assert not list(tmp_path.iterdir())
