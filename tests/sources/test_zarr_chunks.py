"""The real client code against a server on this machine."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import fsspec
import numpy as np
import pytest

from heliosynth.errors import InputError
from heliosynth.io.provenance import file_sha256
from heliosynth.sources import retry, sdoml, zarr_chunks
from helpers.loopback import FaultyServer, serving

N = 10
IMAGES = np.random.default_rng(0).normal(200, 10, (N, 8, 8)).astype(np.float32)
TIMES = [f"2012-01-01T00:{6 * i:02d}:10.34Z" for i in range(N)]
CHUNK = "/sdomlv2.zarr/2012/171A/1.0.0"


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "time", SimpleNamespace(sleep=lambda seconds: None))
    monkeypatch.setattr(zarr_chunks, "LIMIT_S", 1.0)


@pytest.fixture
def server(make_store: Callable[..., Path]) -> Iterator[FaultyServer]:
    with serving(make_store(IMAGES, {"T_OBS": TIMES}).parent) as server:
        yield server


def read(server: FaultyServer) -> np.ndarray:
    array = sdoml.open_channel(f"{server.url}/sdomlv2.zarr", 2012, "171A")
    return np.concatenate([part.made for part in array.read(range(N), np.copy)])


def test_a_store_on_a_server_reads_like_one_on_disk(server: FaultyServer) -> None:
    header = sdoml.read_header(f"{server.url}/sdomlv2.zarr", 2012, "171A")
    assert len(header) == N
    np.testing.assert_array_equal(read(server), IMAGES)
    array = sdoml.open_channel(f"{server.url}/sdomlv2.zarr", 2012, "171A")
    (part,) = array.read([5], np.copy)
    assert part.source.url == server.url + CHUNK
    assert part.source.sha256 == file_sha256(server.folder / CHUNK[1:])
    server.asked.clear()
    read(server)
    assert [path for path in server.asked if path.endswith(".0.0")].count(CHUNK) == 1


@pytest.mark.parametrize("fault", [429, 403, 500, "html", "cut", "stall"])
def test_a_fault_that_passes_changes_nothing(server: FaultyServer, fault: str | int) -> None:
    server.faults[CHUNK] = [fault, fault]
    np.testing.assert_array_equal(read(server), IMAGES)
    assert server.asked.count(CHUNK) == 3


@pytest.mark.parametrize("fault", [429, 403, "html", "cut", "stall"])
def test_a_fault_that_stays_is_named_with_its_address(
    server: FaultyServer, fault: str | int
) -> None:
    server.faults[CHUNK] = [fault] * 20
    with pytest.raises(InputError, match=f"{server.url}{CHUNK}: no good answer in 5 attempts"):
        read(server)


@pytest.mark.parametrize("fault", [429, 403, "html", "cut", "stall"])
@pytest.mark.parametrize("name", [".zarray", ".zattrs"])
def test_faults_of_the_attributes_pass_too(
    server: FaultyServer, fault: str | int, name: str
) -> None:
    server.faults[f"/sdomlv2.zarr/2012/171A/{name}"] = [fault, fault]
    header = sdoml.read_header(f"{server.url}/sdomlv2.zarr", 2012, "171A")
    assert len(header) == N


def test_a_chunk_that_the_server_does_not_hold_is_missing(
    server: FaultyServer, caplog: pytest.LogCaptureFixture
) -> None:
    (server.folder / CHUNK[1:]).unlink()
    images = read(server)
    assert np.isnan(images[4:8]).all()
    np.testing.assert_array_equal(images[:4], IMAGES[:4])
    assert f"{server.url}{CHUNK}: no such chunk" in caplog.text


def test_a_store_that_is_not_there_is_named(server: FaultyServer) -> None:
    with pytest.raises(InputError, match=f"{server.url}/nowhere.zarr"):
        sdoml.read_header(f"{server.url}/nowhere.zarr", 2012, "171A")


def test_memory_holds_few_chunks_at_a_time(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zarr_chunks, "REMOTE_AT_ONCE", 1)
    array = sdoml.open_channel(f"{server.url}/sdomlv2.zarr", 2012, "171A")
    worked: list[int] = []
    parts = array.read(range(N), lambda frames: worked.append(len(frames)))
    next(parts)
    assert len(worked) <= 2, "the third chunk waits until the first is taken"
    parts.close()  # type: ignore[attr-defined]


@pytest.fixture(params=["s3", "gs"])
def bucket(
    request: pytest.FixtureRequest, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The address of the store as an object store without accounts serves it."""
    (server.folder / "archive").mkdir()
    (server.folder / "sdomlv2.zarr").rename(server.folder / "archive" / "sdomlv2.zarr")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    clients = fsspec.get_filesystem_class(request.param)
    clients.clear_instance_cache()
    yield f"{request.param}://archive/sdomlv2.zarr"
    clients.clear_instance_cache()


def path_of(bucket: str, key: str) -> str:
    """Give the path at which the client of a bucket asks for an object."""
    if bucket.startswith("s3"):
        return f"/archive/sdomlv2.zarr/{key}"
    return "/download/storage/v1/b/archive/o/" + quote(f"sdomlv2.zarr/{key}", safe="")


def test_a_store_in_a_bucket_reads_like_one_on_disk(server: FaultyServer, bucket: str) -> None:
    assert sdoml.years(bucket) == [2012]
    assert len(sdoml.read_header(bucket, 2012, "171A")) == N
    array = sdoml.open_channel(bucket, 2012, "171A")
    parts = list(array.read(range(N), np.copy))
    np.testing.assert_array_equal(np.concatenate([part.made for part in parts]), IMAGES)
    assert parts[1].source.url == f"{bucket}/2012/171A/1.0.0"
    assert server.asked.count(path_of(bucket, "2012/171A/1.0.0")) == 1
    with pytest.raises(InputError, match=f"{bucket}: holds no year 2013, only 2012"):
        sdoml.read_header(bucket, 2013, "171A")


@pytest.mark.parametrize("fault", [429, 403, 500, "html", "cut", "stall"])
def test_faults_of_a_bucket_pass_or_are_named(
    server: FaultyServer, bucket: str, fault: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The client asks some times itself before it gives up.
    monkeypatch.setattr(zarr_chunks, "LIMIT_S", 4.0)
    array = sdoml.open_channel(bucket, 2012, "171A")
    chunk = path_of(bucket, "2012/171A/1.0.0")
    server.faults[chunk] = [fault, fault]
    parts = list(array.read(range(N), np.copy))
    np.testing.assert_array_equal(np.concatenate([part.made for part in parts]), IMAGES)
    monkeypatch.setattr(retry, "ATTEMPTS", 2)
    monkeypatch.setattr(zarr_chunks, "LIMIT_S", 1.0)
    server.faults[chunk] = [fault] * 40
    with pytest.raises(InputError, match=f"{bucket}/2012/171A/1.0.0: no good answer"):
        list(array.read(range(N), np.copy))


def test_a_chunk_that_a_bucket_does_not_hold_is_missing(server: FaultyServer, bucket: str) -> None:
    (server.folder / "archive/sdomlv2.zarr/2012/171A/1.0.0").unlink()
    array = sdoml.open_channel(bucket, 2012, "171A")
    images = np.concatenate([part.made for part in array.read(range(N), np.copy)])
    assert np.isnan(images[4:8]).all()
