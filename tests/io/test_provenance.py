"""Only whole files under a final name."""

import hashlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from heliosynth.io import files, provenance

WRITE = """
import sys, time
from heliosynth.io.files import atomic_file
with atomic_file(sys.argv[1]) as unfinished:
    unfinished.touch()
    time.sleep(60)
"""


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "product.json"
    with pytest.raises(RuntimeError), files.atomic_file(path) as unfinished:
        unfinished.write_text("half")
        raise RuntimeError
    assert not path.exists()
    assert list(path.parent.iterdir()) == []


def test_a_failed_write_leaves_the_old_product(tmp_path: Path) -> None:
    path = tmp_path / "product.json"
    files.write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(path, {"a": float("nan")})
    assert files.read_json(path) == {"a": 1}


def test_a_folder_appears_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    for name in ("first", "second"):
        with files.atomic_directory(folder) as unfinished:
            (unfinished / name).touch()
            assert not (folder / name).exists()
    assert [path.name for path in folder.iterdir()] == ["second"]
    with pytest.raises(RuntimeError), files.atomic_directory(folder):
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def test_what_a_killed_writer_left_of_a_product_is_cleared_and_what_another_is_at_is_not(
    tmp_path: Path,
) -> None:
    for name in ("a.h5", "b.h5"):
        with subprocess.Popen([sys.executable, "-c", WRITE, tmp_path / name]) as writer:
            while not list(tmp_path.glob(f".unfinished-{name}-*/{name}")):
                assert writer.poll() is None
                time.sleep(0.01)
            writer.kill()
    assert len(list(tmp_path.iterdir())) == 2
    with files.atomic_file(tmp_path / "a.h5") as first:
        first.touch()
        with files.atomic_file(tmp_path / "a.h5") as second:
            second.write_text("second")
        assert first.exists()
        first.write_text("first")
    assert (tmp_path / "a.h5").read_text() == "first"
    assert sorted(path.name[:16] for path in tmp_path.iterdir()) == [".unfinished-b.h5", "a.h5"]
    with files.atomic_directory(tmp_path / "b.h5"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.h5", "b.h5"]


def test_digests_do_not_depend_on_the_order_of_keys(tmp_path: Path) -> None:
    assert provenance.digest({"a": 1, "b": 2}) == provenance.digest({"b": 2, "a": 1})
    assert provenance.digest({"a": 1}) != provenance.digest({"a": 2})
    (tmp_path / "f").write_bytes(b"abc")
    assert provenance.file_sha256(tmp_path / "f") == hashlib.sha256(b"abc").hexdigest()


def test_a_stamp_names_the_versions() -> None:
    stamp = provenance.stamp(seed=3)
    assert stamp["seed"] == 3
    assert {"heliosynth", "python", "torch"} <= set(stamp["versions"])
