"""SDOMLv2 stores on disk: headers, chunks, and errors that name what is missing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numcodecs import Blosc, Zlib

from heliosynth.errors import InputError
from heliosynth.io.provenance import file_sha256
from heliosynth.sources import manifest, sdoml
from helpers.scripts import load

script = load("frames")

N = 10
IMAGES = np.arange(N * 4, dtype=np.float32).reshape(N, 2, 2)
TIMES = [f"2012-01-01T00:{6 * i:02d}:10.34Z" for i in range(N)]


@pytest.fixture
def store(make_store: Callable[..., Path]) -> Path:
    return make_store(IMAGES, {"T_OBS": TIMES})


def test_header_is_sorted_by_time(make_store: Callable[..., Path]) -> None:
    store = make_store(IMAGES, {"T_OBS": TIMES[::-1]})
    header = sdoml.read_header(store, 2012, "171A")
    assert list(header["store_row"]) == list(range(N))[::-1]
    assert header["time"].dtype == "datetime64[s]"
    assert header["time"].is_monotonic_increasing
    assert header["time"].iloc[1] == pd.Timestamp("2012-01-01T00:06:10")


def test_header_lists_can_be_short_or_hold_null(make_store: Callable[..., Path]) -> None:
    store = make_store(
        IMAGES,
        {
            "T_OBS": [None, *TIMES[1:8]],
            "EXPTIME": [2.0, 1.9, None],
            "QUALITY": [0, None, 64, "0x40000000"],
        },
    )
    header = sdoml.read_year(store, 2012, "171A")
    table = header.table.set_index("store_row")
    assert list(table.index) == list(range(1, 8)), "frames without a time are left out"
    assert table["exposure_s"][1] == pytest.approx(1.9)
    assert table["exposure_s"].loc[2:].isna().all()
    assert list(table["quality"]) == [0, 64, 0x40000000, 0, 0, 0, 0]
    assert header.to_json() == {
        "files": 1,
        "read": 7,
        "left_out": {
            "no time (T_OBS)": {
                "count": 3,
                "example": f"{store}: 2012/171A: frame 0 has T_OBS None",
            }
        },
        "unknown": {"EXPTIME": 6, "QUALITY": 5},
    }


def test_optional_keywords_have_defaults(store: Path) -> None:
    header = sdoml.read_header(store, 2012, "171A")
    assert header["exposure_s"].isna().all()
    assert (header["quality"] == 0).all()


def test_a_header_without_times_is_an_error(make_store: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match="T_OBS"):
        sdoml.read_header(make_store(IMAGES, {}), 2012, "171A")


def test_errors_name_what_is_missing_and_what_is_available(
    store: Path, make_store: Callable[..., Path], tmp_path: Path
) -> None:
    make_store(IMAGES, {"T_OBS": TIMES}, channel="193A")
    assert sdoml.years(store) == [2012]
    with pytest.raises(InputError, match=f"{store}: 2012 holds no channel 94A, only 171A, 193A"):
        sdoml.read_header(store, 2012, "94A")
    with pytest.raises(InputError, match=f"{store}: holds no year 2013, only 2012"):
        sdoml.read_header(store, 2013, "171A")
    with pytest.raises(InputError, match="no such Zarr store"):
        sdoml.years(tmp_path / "nowhere.zarr")
    with pytest.raises(InputError, match="not an SDOMLv2 store"):
        sdoml.years(tmp_path)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.integers(0, N - 1), max_size=2 * N))
def test_every_chunk_is_read_once(rows: list[int], store: Path) -> None:
    parts = list(sdoml.open_channel(store, 2012, "171A").read(rows, np.copy))
    chunks = [set(part.rows // 4) for part in parts]
    assert all(len(chunk) == 1 for chunk in chunks)
    assert len(chunks) == len({row // 4 for row in rows}), "every chunk is read once"
    rows_read = [int(row) for part in parts for row in part.rows]
    assert rows_read == sorted(set(rows))
    for part in parts:
        assert part.value.dtype == np.float32
        np.testing.assert_array_equal(part.value, IMAGES[part.rows])
        assert part.source.size_bytes == Path(part.source.url).stat().st_size


def test_a_row_outside_the_store_is_an_error(store: Path) -> None:
    with pytest.raises(InputError, match="rows 0 to 9"):
        list(sdoml.open_channel(store, 2012, "171A").read([3, N], np.copy))


def test_a_damaged_chunk_is_named(store: Path) -> None:
    chunk = store / "2012" / "171A" / "1.0.0"
    chunk.write_bytes(chunk.read_bytes()[:10])
    with pytest.raises(InputError, match=r"2012/171A/1\.0\.0: cannot be read"):
        list(sdoml.open_channel(store, 2012, "171A").read(range(N), np.copy))


def test_a_chunk_is_checked_if_a_manifest_lists_it(store: Path) -> None:
    chunk = store / "2012" / "171A" / "1.0.0"
    files = [manifest.describe(path, "simulated", store.parent) for path in chunk.parent.iterdir()]
    manifest.write_manifest(store, files)
    (part,) = sdoml.open_channel(store, 2012, "171A").read([4], np.copy)
    assert part.source.sha256 == file_sha256(chunk)
    # Another chunk in its place decodes without error; only the checksum differs.
    other = chunk.with_name("0.0.0").read_bytes()
    chunk.write_bytes(other)
    with pytest.raises(InputError, match=r"2012/171A/1\.0\.0: checksum differs"):
        list(sdoml.open_channel(store, 2012, "171A").read([4], np.copy))


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<i2"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("compressor", [None, Blosc("zstd", 3, Blosc.BITSHUFFLE), Zlib()])
def test_chunks_decode_as_zarr_decodes_them(
    tmp_path: Path, dtype: str, order: Any, compressor: Any
) -> None:
    images = np.random.default_rng(0).normal(300, 90, (7, 6, 6)).astype(dtype)
    array = zarr.create_array(
        tmp_path / "store.zarr" / "2012" / "171A",
        data=images,
        chunks=(3, 6, 6),
        order=order,
        compressors=compressor,
        zarr_format=2,
    )
    parts = sdoml.open_channel(tmp_path / "store.zarr", 2012, "171A").read(range(7), np.copy)
    read = np.concatenate([part.value for part in parts])
    np.testing.assert_array_equal(read, np.asarray(array[:], np.float32))


def test_frames_of_a_chunk_not_in_the_store_are_nan(
    store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (store / "2012" / "171A" / "1.0.0").unlink()
    first, second, third = sdoml.open_channel(store, 2012, "171A").read(range(N), np.copy)
    np.testing.assert_array_equal(first.value, IMAGES[:4])
    assert np.isnan(second.value).all()
    assert (second.source.size_bytes, second.source.sha256) == (0, "")
    np.testing.assert_array_equal(third.value, IMAGES[8:])
    assert "2012/171A/1.0.0: no such chunk" in caplog.text


def test_a_store_can_be_read_by_url(store: Path) -> None:
    url = store.as_uri()
    assert sdoml.years(url) == [2012]
    assert len(sdoml.read_header(url, 2012, "171A")) == N
    (part,) = sdoml.open_channel(url, 2012, "171A").read([2, 1], np.copy)
    np.testing.assert_array_equal(part.value, IMAGES[[1, 2]])
    with pytest.raises(InputError, match="holds no channel 94A, only 171A"):
        sdoml.read_header(url, 2012, "94A")


def test_the_script_writes_the_frames(store: Path, tmp_path: Path) -> None:
    output = tmp_path / "frames_2012.csv"
    report = tmp_path / "frames_2012.json"
    options = ["--store", str(store), "--year", "2012", "--channel", "171A"]
    script.main([*options, "--output", str(output), "--report", str(report)])
    table = pd.read_csv(output, parse_dates=["time"])
    assert list(table.columns) == ["time", "year", "store_row", "exposure_s", "quality"]
    assert len(table) == N
    assert json.loads(report.read_text())["read"] == N


def test_a_missing_store_ends_the_script_with_one_line(tmp_path: Path) -> None:
    output = tmp_path / "frames.csv"
    options = ["--store", str(tmp_path / "nowhere"), "--year", "2012", "--channel", "171A"]
    with pytest.raises(SystemExit, match=r"error: .*nowhere: no such Zarr store"):
        script.main([*options, "--output", str(output)])
    assert not output.exists()


@pytest.mark.archive
def test_the_real_store_has_a_centred_sun(archive: Path) -> None:
    store = archive / "aia" / "sdomlv2.zarr"
    header = sdoml.read_header(store, 2012, "171A")
    assert len(header) == 6033
    assert header["time"].is_monotonic_increasing
    (part,) = sdoml.open_channel(store, 2012, "171A").read([17, 15], np.copy)
    assert list(part.rows) == [15, 17]
    images = part.value
    disk, sky = images[:, 54:74, 54:74].mean(), images[:, :6, :6].mean()
    assert disk > 5 * sky > 0, "the Sun is in the centre"
