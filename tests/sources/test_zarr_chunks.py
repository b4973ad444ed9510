"""Remote stores: the real client libraries against a server on this machine."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import fsspec
import numpy as np
import pytest

from heliosynth.errors import InputError
from heliosynth.io.provenance import file_sha256
from heliosynth.sources import retry, sdoml, zarr_chunks, zarr_store
from helpers.loopback import FaultyServer, serving

N = 10
IMAGES = np.random.default_rng(0).normal(200, 10, (N, 8, 8)).astype(np.float32)
TIMES = [f"2012-01-01T00:{6 * i:02d}:10.34Z" for i in range(N)]
CHUNK = "/sdomlv2.zarr/2012/171A/1.0.0"

pytestmark = pytest.mark.usefixtures("fast_retries")


@pytest.fixture(params=[429, 403, 500, "html", "cut", "stall"])
def fault(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | int:
    """A fault of a server; attempts have a short time limit only if it stalls."""
    if request.param == "stall":
        monkeypatch.setattr(zarr_store, "LIMIT_S", 3.0)
    return request.param


@pytest.fixture
def server(make_store: Callable[..., Path]) -> Iterator[FaultyServer]:
    with serving(make_store(IMAGES, {"T_OBS": TIMES}).parent) as server:
        yield server


def read(server: FaultyServer) -> np.ndarray:
    array = sdoml.open_channel(f"{server.url}/sdomlv2.zarr", 2012, "171A")
    return np.concatenate([part.value for part in array.read(range(N), np.copy)])


def test_a_remote_store_equals_one_on_disk(server: FaultyServer) -> None:
    header = sdoml.read_header(f"{server.url}/sdomlv2.zarr", 2012, "171A")
    assert len(header) == N
    np.testing.assert_array_equal(read(server), IMAGES)
    array = sdoml.open_channel(f"{server.url}/sdomlv2.zarr", 2012, "171A")
    (part,) = array.read([5], np.copy)
    assert part.source.url == server.url + CHUNK
    assert part.source.sha256 == file_sha256(server.folder / CHUNK[1:])
    server.requested.clear()
    read(server)
    assert [path for path in server.requested if path.endswith(".0.0")].count(CHUNK) == 1


def test_a_temporary_fault_changes_nothing(server: FaultyServer, fault: str | int) -> None:
    server.faults[CHUNK] = [fault, fault]
    np.testing.assert_array_equal(read(server), IMAGES)
    assert server.requested.count(CHUNK) == 3


def test_a_permanent_fault_is_named_with_its_url(
    server: FaultyServer, fault: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = sdoml.open_channel(f"{server.url}/sdomlv2.zarr", 2012, "171A")
    server.faults[CHUNK] = [fault] * 20
    monkeypatch.setattr(zarr_store, "LIMIT_S", 0.2)
    with pytest.raises(InputError, match=f"{server.url}{CHUNK}: no valid answer in 5 attempts"):
        list(array.read([5], np.copy))


@pytest.mark.parametrize("name", [".zarray", ".zattrs"])
def test_temporary_faults_of_the_metadata_change_nothing(
    server: FaultyServer, fault: str | int, name: str
) -> None:
    server.faults[f"/sdomlv2.zarr/2012/171A/{name}"] = [fault, fault]
    header = sdoml.read_header(f"{server.url}/sdomlv2.zarr", 2012, "171A")
    assert len(header) == N


def test_frames_of_a_chunk_not_on_the_server_are_nan(
    server: FaultyServer, caplog: pytest.LogCaptureFixture
) -> None:
    (server.folder / CHUNK[1:]).unlink()
    images = read(server)
    assert np.isnan(images[4:8]).all()
    np.testing.assert_array_equal(images[:4], IMAGES[:4])
    assert f"{server.url}{CHUNK}: no such chunk" in caplog.text


def test_a_store_that_is_not_found_is_named(server: FaultyServer) -> None:
    with pytest.raises(InputError, match=f"{server.url}/nowhere.zarr"):
        sdoml.read_header(f"{server.url}/nowhere.zarr", 2012, "171A")


def test_memory_holds_few_chunks(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zarr_chunks, "REMOTE_CHUNKS", 1)
    array = sdoml.open_channel(f"{server.url}/sdomlv2.zarr", 2012, "171A")
    processed: list[int] = []
    parts = array.read(range(N), lambda frames: processed.append(len(frames)))
    next(parts)
    assert len(processed) <= 2, "the third chunk waits until the first is taken"
    parts.close()  # type: ignore[attr-defined]


@pytest.fixture(params=["s3", "gs"])
def bucket(
    request: pytest.FixtureRequest, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Yield the URL of the store in an object store that needs no account."""
    (server.folder / "archive").mkdir()
    (server.folder / "sdomlv2.zarr").rename(server.folder / "archive" / "sdomlv2.zarr")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    yield f"{request.param}://archive/sdomlv2.zarr"
    # File systems are cached with the address of this test's server.
    fsspec.get_filesystem_class(request.param).clear_instance_cache()


def path_of(bucket: str, key: str) -> str:
    """Return the path at which the client of a bucket requests an object."""
    if bucket.startswith("s3"):
        return f"/archive/sdomlv2.zarr/{key}"
    return "/download/storage/v1/b/archive/o/" + quote(f"sdomlv2.zarr/{key}", safe="")


def test_a_store_in_a_bucket_equals_one_on_disk(server: FaultyServer, bucket: str) -> None:
    assert sdoml.years(bucket) == [2012]
    assert len(sdoml.read_header(bucket, 2012, "171A")) == N
    array = sdoml.open_channel(bucket, 2012, "171A")
    parts = list(array.read(range(N), np.copy))
    np.testing.assert_array_equal(np.concatenate([part.value for part in parts]), IMAGES)
    assert parts[1].source.url == f"{bucket}/2012/171A/1.0.0"
    assert server.requested.count(path_of(bucket, "2012/171A/1.0.0")) == 1
    with pytest.raises(InputError, match=f"{bucket}: holds no year 2013, only 2012"):
        sdoml.read_header(bucket, 2013, "171A")


def test_faults_of_a_bucket_are_temporary_or_named(
    server: FaultyServer, bucket: str, fault: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = sdoml.open_channel(bucket, 2012, "171A")
    chunk = path_of(bucket, "2012/171A/1.0.0")
    server.faults[chunk] = [fault, fault]
    parts = list(array.read(range(N), np.copy))
    np.testing.assert_array_equal(np.concatenate([part.value for part in parts]), IMAGES)
    # The client library makes several attempts within each of ours.
    monkeypatch.setattr(retry, "ATTEMPTS", 2)
    monkeypatch.setattr(zarr_store, "LIMIT_S", 0.2)
    server.faults[chunk] = [fault] * 40
    with pytest.raises(InputError, match=f"{bucket}/2012/171A/1.0.0: no valid answer"):
        list(array.read([5], np.copy))


def test_frames_of_a_chunk_not_in_the_bucket_are_nan(server: FaultyServer, bucket: str) -> None:
    (server.folder / "archive/sdomlv2.zarr/2012/171A/1.0.0").unlink()
    array = sdoml.open_channel(bucket, 2012, "171A")
    images = np.concatenate([part.value for part in array.read(range(N), np.copy)])
    assert np.isnan(images[4:8]).all()


@pytest.mark.parametrize("remote", [False, True])
def test_an_internal_error_is_not_reported_as_a_damaged_chunk(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch, remote: bool
) -> None:
    def fail(*args: object) -> None:
        raise TypeError("a mistake in the code")

    monkeypatch.setattr(zarr_chunks, "_decode", fail)
    store = f"{server.url}/sdomlv2.zarr" if remote else server.folder / "sdomlv2.zarr"
    array = sdoml.open_channel(store, 2012, "171A")
    with pytest.raises(TypeError, match="a mistake in the code"):
        list(array.read([5], np.copy))
