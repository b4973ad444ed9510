"""Atomic writes of files and folders."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from heliosynth.errors import InputError
from heliosynth.io import files

WRITER = """
import sys, time
from heliosynth.io.files import atomic_file
with atomic_file(sys.argv[1]) as unfinished:
    unfinished.touch()
    time.sleep(600)
"""


class RustError(Exception):
    """An error of a Rust library, which holds the system's error only as text."""


def test_a_failed_write_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "product.json"
    with pytest.raises(RuntimeError), files.atomic_file(path) as unfinished:
        unfinished.write_text("half")
        raise RuntimeError
    assert not path.exists()
    assert list(path.parent.iterdir()) == []


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "product.json"
    files.write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(path, {"a": float("nan")})
    assert files.read_json(path) == {"a": 1}


def test_a_new_folder_replaces_the_old_one_atomically(tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    for name in ("first", "second"):
        with files.atomic_directory(folder) as unfinished:
            (unfinished / name).touch()
            assert not (folder / name).exists()
    assert [path.name for path in folder.iterdir()] == ["second"]
    with pytest.raises(RuntimeError), files.atomic_directory(folder):
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def test_leftovers_of_killed_writers_are_deleted(tmp_path: Path) -> None:
    for name in ("a.h5", "b.h5"):
        with subprocess.Popen([sys.executable, "-c", WRITER, tmp_path / name]) as writer:
            while not list(tmp_path.glob(f".unfinished-{name}-*/{name}")):
                assert writer.poll() is None
                time.sleep(0.01)
            writer.kill()
    assert len(list(tmp_path.iterdir())) == 2
    # A new writer deletes what is left of its own product, and only that.
    with files.atomic_file(tmp_path / "a.h5") as unfinished:
        unfinished.touch()
    assert sorted(path.name[:16] for path in tmp_path.iterdir()) == [".unfinished-b.h5", "a.h5"]
    with files.atomic_directory(tmp_path / "b.h5"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.h5", "b.h5"]


def test_files_of_a_running_writer_are_not_deleted(tmp_path: Path) -> None:
    with files.atomic_file(tmp_path / "a.h5") as first:
        first.touch()
        with files.atomic_file(tmp_path / "a.h5") as second:
            second.write_text("second")
        assert first.exists()
        first.write_text("first")
    assert (tmp_path / "a.h5").read_text() == "first"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, "full"), "No space left on device"),
        (OSError(errno.EROFS, "read-only"), "Read-only file system"),
        (RustError('Os { code: 28, message: "No space left on device" }'), "No space left"),
    ],
)
def test_disk_errors_name_the_product(tmp_path: Path, error: Exception, reason: str) -> None:
    message = rf"a\.h5: cannot be written \({reason}.*; fix this and rerun"
    with (
        pytest.raises(InputError, match=message) as caught,
        files.atomic_file(tmp_path / "a.h5"),
    ):
        raise error
    assert caught.value.__cause__ is error


def test_a_missing_permission_names_the_product(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match=r"a\.h5: cannot be written \(Permission denied\)"),
        files.atomic_file(tmp_path / "a.h5") as unfinished,
    ):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(unfinished))


def test_disk_errors_in_a_folder_name_the_folder(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match=rf"^{tmp_path}/raw: cannot be written \(No space left"),
        files.atomic_directory(tmp_path / "raw") as folder,
        files.atomic_file(folder / "a.json"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    "error",
    [
        TypeError("No space left on device"),
        ValueError("Permission denied"),
        PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/elsewhere/input.h5"),
        FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "input.h5"),
    ],
)
def test_other_errors_of_the_block_keep_their_type(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)) as caught, files.atomic_file(tmp_path / "a.h5"):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("content", [b'{"a": 1', b"", b"\xff"])
def test_a_damaged_json_product_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "summary.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"summary\.json: cannot be read as JSON .* rebuild it"):
        files.read_json_product(path)


def test_a_missing_json_product_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.json: cannot be read as JSON"):
        files.read_json_product(tmp_path / "absent.json")
