"""HDF5 files with checksums."""

import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heliosynth.errors import InputError
from heliosynth.io import hdf5

KIND = "HDF5 of numbers"
VALUES = np.arange(12.0).reshape(4, 3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with an array, a group and attributes."""
    path = tmp_path / "numbers.h5"
    with hdf5.open_write(path) as file:
        file.attrs.update(count=3, share=0.5, name="numbers", parts=[1, 2], about='{"a": 1}')
        hdf5.create_dataset(file, "group/values", np.float64, VALUES.shape)[...] = VALUES
        file["sources"] = '["first"]'
    return path


def test_values_are_read_as_they_were_written(path: Path) -> None:
    with hdf5.open_read(path, KIND) as file:
        assert "group" in file
        assert "other" not in file
        assert file.names("group") == ["values"]
        assert file.shape("group/values") == (4, 3)
        assert np.array_equal(file.array("group/values"), VALUES)
        assert np.array_equal(file.array("group/values", slice(1, 3)), VALUES[1:3])
        assert np.array_equal(file.array("group/values", np.array([0, 3])), VALUES[[0, 3]])
        assert file.json_dataset("sources") == ["first"]
        assert (file.integer("count"), file.integers("parts")) == (3, (1, 2))
        assert (file.number("share"), file.text("name")) == (0.5, "numbers")
        assert file.json("about") == {"a": 1}


@pytest.mark.parametrize(
    "read",
    [
        lambda file: file.array("group"),
        lambda file: file.array("other"),
        lambda file: file.names("group/values"),
        lambda file: file.shape("group"),
        lambda file: file.integer("name"),
        lambda file: file.integer("absent"),
        lambda file: file.json("name"),
        lambda file: file.json_dataset("group/values"),
    ],
)
def test_wrong_content_is_an_error_that_names_the_file(
    path: Path, read: Callable[[hdf5.Reader], Any]
) -> None:
    with (
        hdf5.open_read(path, KIND) as file,
        pytest.raises(InputError, match=r"numbers\.h5: cannot be read as HDF5 of numbers"),
    ):
        read(file)


@pytest.mark.parametrize("content", [b"", b"no HDF5", b"\x89HDF\r\n\x1a\n"])
def test_a_file_that_is_not_hdf5_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "numbers.h5"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"numbers\.h5: .*; rebuild it") as caught:
        hdf5.open_read(path, KIND)
    assert isinstance(caught.value.__cause__, OSError)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.h5: cannot be read as HDF5 of numbers"):
        hdf5.open_read(tmp_path / "nowhere.h5", KIND)


def test_a_changed_bit_of_an_array_is_an_error(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(VALUES[2].tobytes())] ^= 1
    path.write_bytes(content)
    with (
        hdf5.open_read(path, KIND) as file,
        pytest.raises(InputError, match=r"numbers\.h5: .*; rebuild it"),
    ):
        file.array("group/values")


@pytest.mark.parametrize("error", [TypeError, ValueError, KeyError, OSError, RuntimeError])
def test_errors_of_the_caller_keep_their_type(path: Path, error: type[Exception]) -> None:
    with pytest.raises(error) as caught, hdf5.open_read(path, KIND) as file:
        file.array("group/values")
        raise error("of the caller")
    assert type(caught.value) is error


def test_errors_of_a_writing_caller_keep_their_type(tmp_path: Path) -> None:
    with pytest.raises(TypeError), hdf5.open_write(tmp_path / "numbers.h5") as file:
        file.attrs["sum"] = 1 + "1"  # type: ignore[operator]
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_files() -> Iterator[None]:
    """Limit the size of files that can be written."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_files")
def test_a_write_error_is_raised_after_hdf5_closed_the_file(tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, match="File too large"),
        hdf5.open_write(tmp_path / "numbers.h5") as file,
    ):
        file["values"] = np.zeros(4096)
    assert list(tmp_path.iterdir()) == []
