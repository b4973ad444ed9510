"""Forms of Zarr stores: formats, types, chunks of any shape, and what else lies in a store."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from heliosynth.errors import InputError
from heliosynth.sources import sdoml
from heliosynth.sources.zarr_store import array_names

N, SIZE = 10, 6
IMAGES = np.arange(N * SIZE * SIZE, dtype=np.float32).reshape(N, SIZE, SIZE)
TIMES = [f"2012-01-01T00:{6 * i:02d}:10.34Z" for i in range(N)]


def write(store: Path, images: np.ndarray = IMAGES, channel: str = "171A", **options: Any) -> Path:
    """Write frames into a store, by Zarr's own defaults but for the options; return its array."""
    group = zarr.open_group(store, mode="a", zarr_format=options.pop("zarr_format", 2))
    array = group.require_group("2012").create_array(
        channel, shape=images.shape, dtype=images.dtype, **options
    )
    array[:] = images
    array.attrs["T_OBS"] = TIMES[: len(images)]
    return store / "2012" / channel


def read(store: Path, rows: Any = range(N)) -> np.ndarray:
    parts = list(sdoml.open_channel(store, 2012, "171A").read(rows, np.copy))
    for part in parts:
        for source in part.sources:
            assert source.size_bytes in (0, *_size(source.url))
    return np.concatenate([part.value for part in parts])


def _size(url: str) -> tuple[int, ...]:
    return (Path(url).stat().st_size,) if Path(url).is_file() else ()


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunks": (4, SIZE, SIZE)},
        {"chunks": (1, SIZE, SIZE)},
        {"chunks": (3, 4, 2)},
        {"chunks": (N, SIZE, 1)},
        {"chunks": (4, SIZE, SIZE), "fill_value": np.nan},
        {"chunks": (4, SIZE, SIZE), "compressors": None},
    ],
)
def test_frames_of_any_chunks_and_format_are_read(
    tmp_path: Path, zarr_format: int, options: dict[str, Any]
) -> None:
    store = tmp_path / "store.zarr"
    write(store, zarr_format=zarr_format, **options)
    assert sdoml.years(store) == [2012]
    assert len(sdoml.read_header(store, 2012, "171A")) == N
    np.testing.assert_array_equal(read(store), IMAGES)
    np.testing.assert_array_equal(read(store, [7, 2, 5]), IMAGES[[2, 5, 7]])


def test_shards_are_read(tmp_path: Path) -> None:
    write(tmp_path / "a.zarr", zarr_format=3, chunks=(2, 3, 3), shards=(4, SIZE, SIZE))
    np.testing.assert_array_equal(read(tmp_path / "a.zarr"), IMAGES)


def test_a_directory_separator_is_read(tmp_path: Path) -> None:
    write(
        tmp_path / "a.zarr",
        chunks=(4, SIZE, SIZE),
        chunk_key_encoding={"name": "v2", "separator": "/"},
    )
    assert (tmp_path / "a.zarr/2012/171A/1/0/0").is_file()
    np.testing.assert_array_equal(read(tmp_path / "a.zarr"), IMAGES)


@pytest.mark.parametrize("dtype", ["<i2", ">i4", "<u2", "<f8", ">f4", "<f2"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_numbers_of_any_type_are_read(tmp_path: Path, dtype: str, zarr_format: int) -> None:
    images = IMAGES.astype(
        np.dtype(dtype) if zarr_format == 2 else np.dtype(dtype).newbyteorder("=")
    )
    write(tmp_path / "a.zarr", images, zarr_format=zarr_format, chunks=(4, SIZE, SIZE))
    frames = read(tmp_path / "a.zarr")
    assert frames.dtype == np.float32
    np.testing.assert_array_equal(frames, images.astype(np.float32))


def test_a_negative_fill_value_of_integers_is_missing(tmp_path: Path) -> None:
    images = IMAGES.astype(np.int16)
    images[3, 1, 2] = -32768
    write(tmp_path / "a.zarr", images, fill_value=-32768, chunks=(4, SIZE, SIZE))
    frames = read(tmp_path / "a.zarr")
    assert np.argwhere(np.isnan(frames)).tolist() == [[3, 1, 2]]


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("fill_value", [0, np.nan, None])
def test_what_a_missing_chunk_held_is_nan(
    tmp_path: Path, zarr_format: int, fill_value: float | None, caplog: pytest.LogCaptureFixture
) -> None:
    array = write(
        tmp_path / "a.zarr", zarr_format=zarr_format, chunks=(4, 3, SIZE), fill_value=fill_value
    )
    key = "1.1.0" if zarr_format == 2 else "c/1/1/0"
    (array / key).unlink()
    expected = IMAGES.copy()
    expected[4:8, 3:] = np.nan
    np.testing.assert_array_equal(read(tmp_path / "a.zarr"), expected)
    assert f"171A/{key}: no such chunk" in caplog.text


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_damaged_chunk_of_any_form_is_named(tmp_path: Path, zarr_format: int) -> None:
    array = write(tmp_path / "a.zarr", zarr_format=zarr_format, chunks=(4, 3, SIZE))
    key = "1.1.0" if zarr_format == 2 else "c/1/1/0"
    (array / key).write_bytes((array / key).read_bytes()[:20])
    with pytest.raises(InputError, match=f"171A/{key}: cannot be read"):
        read(tmp_path / "a.zarr")


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    store = tmp_path / "a.zarr"
    array = write(store, zarr_format=3)
    for path in (
        store / ".DS_Store",
        store / "2012" / "Thumbs.db",
        store / "README.md",
        array / "x",
    ):
        path.write_bytes(b"\0\1")
    shutil.copytree(store / "2012", store / "2012_old")
    (store / "2012" / "notes").mkdir()
    assert sdoml.years(store) == [2012]
    assert array_names(store / "2012") == ["171A"]
    np.testing.assert_array_equal(read(store), IMAGES)
    with pytest.raises(InputError, match=r"2012 holds no channel 94A, only 171A; set"):
        sdoml.read_header(store, 2012, "94A")
    (store / "2013").mkdir()
    with pytest.raises(InputError, match="2013 holds no channel 171A, only nothing"):
        sdoml.read_header(store, 2013, "171A")


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES[:, None], r"has 4 dimensions \(10, 1, 6, 6\), not the three of frames"),
        (IMAGES[0], "has 2 dimensions"),
        (IMAGES[:, :, :4], "frames of 6 by 4 pixels are not square"),
        (IMAGES.astype(np.uint8), "numbers of type uint8 cannot hold intensities in DN"),
        (IMAGES > 3, "numbers of type bool cannot"),
        (IMAGES.astype(np.complex64), "numbers of type complex64 cannot"),
    ],
)
def test_arrays_that_are_not_frames_are_errors(
    tmp_path: Path, images: np.ndarray, message: str
) -> None:
    write(tmp_path / "a.zarr", images)
    with pytest.raises(InputError, match=rf"2012/171A: {message}"):
        sdoml.read_header(tmp_path / "a.zarr", 2012, "171A")


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("content", ["", "{", "[]", '{"zarr_format": 9}'])
def test_damaged_metadata_are_named(tmp_path: Path, zarr_format: int, content: str) -> None:
    array = write(tmp_path / "a.zarr", zarr_format=zarr_format)
    (array / (".zarray" if zarr_format == 2 else "zarr.json")).write_text(content)
    with pytest.raises(InputError, match="2012/171A"):
        sdoml.read_header(tmp_path / "a.zarr", 2012, "171A")


def test_an_array_without_frames_is_read(tmp_path: Path) -> None:
    write(tmp_path / "a.zarr", IMAGES[:0], chunks=(4, SIZE, SIZE))
    assert len(sdoml.read_header(tmp_path / "a.zarr", 2012, "171A")) == 0
    assert list(sdoml.open_channel(tmp_path / "a.zarr", 2012, "171A").read([], np.copy)) == []


def test_attributes_with_nan_are_read(tmp_path: Path) -> None:
    array = write(tmp_path / "a.zarr")
    attributes = {"T_OBS": TIMES, "EXPTIME": [float("nan")] * N, "OSCNMEAN": "nan"}
    (array / ".zattrs").write_text(json.dumps(attributes))
    assert sdoml.read_header(tmp_path / "a.zarr", 2012, "171A")["exposure_s"].isna().all()
