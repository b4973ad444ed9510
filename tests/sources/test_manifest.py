"""Manifests: entries, checks of files against them, and checksums by path."""

import hashlib
import json
from pathlib import Path

import pytest

from heliosynth.errors import InputError
from heliosynth.sources import manifest


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """A folder of two files, with its manifest."""
    folder = tmp_path / "goes" / "2012"
    folder.mkdir(parents=True)
    for name in ("a.nc", "b.nc"):
        (folder / name).write_text(name)
    files = [
        manifest.describe(path, f"https://server/{path.name}", folder.parent)
        for path in sorted(folder.iterdir())
    ]
    manifest.write_manifest(folder, files)
    return folder


def test_a_manifest_is_next_to_its_product(product: Path) -> None:
    content = json.loads((product.parent / "2012.manifest.json").read_text())
    first = content["files"][0]
    assert (first["path"], first["url"]) == ("2012/a.nc", "https://server/a.nc")
    assert (first["size_bytes"], len(first["sha256"])) == (4, 64)
    assert first["time"].endswith("+00:00")
    assert content["versions"]["heliosynth"]
    assert manifest.manifest_path("hek/2012.json") == Path("hek/2012.manifest.json")


def test_unchanged_files_pass(product: Path) -> None:
    assert manifest.verify([manifest.manifest_path(product)]) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.unlink(), "b.nc is gone"),
        (lambda path: path.write_text("b.n"), "b.nc has 3 bytes, not 4"),
        (lambda path: path.write_text("B.nc"), "b.nc has other content"),
    ],
)
def test_a_changed_file_is_named(product: Path, change: object, message: str) -> None:
    change(product / "b.nc")  # type: ignore[operator]
    with pytest.raises(InputError, match=f"1 raw file changed since fetching: .*{message}"):
        manifest.verify([manifest.manifest_path(product)])


@pytest.mark.parametrize("text", ["<html>", "[]", '{"files": 1}', '{"files": [{"path": "a"}]}'])
def test_a_broken_manifest_is_named(product: Path, text: str) -> None:
    manifest.manifest_path(product).write_text(text)
    with pytest.raises(InputError, match=r"2012\.manifest\.json: not a manifest"):
        manifest.verify([manifest.manifest_path(product)])


def test_a_chunk_read_from_disk_is_checked_by_its_size(tmp_path: Path) -> None:
    chunk = tmp_path / "0.0.0"
    chunk.write_bytes(b"frames")
    chunks = [
        manifest.RawFile("", str(chunk), manifest.utc_now(), 6, ""),
        manifest.RawFile("", str(tmp_path / "1.0.0"), manifest.utc_now(), 0, ""),
        manifest.RawFile("", "s3://bucket/2.0.0", manifest.utc_now(), 6, "0" * 64),
    ]
    manifest.write_manifest(tmp_path / "2012.h5", chunks)
    path = manifest.manifest_path(tmp_path / "2012.h5")
    assert manifest.find_changes(path) == []
    chunk.write_bytes(b"frame")
    assert manifest.find_changes(path) == [f"{chunk} has 5 bytes, not 6"]


def test_checksums_are_found_next_to_a_folder_or_its_parents(product: Path) -> None:
    sha256 = manifest.checksums(product)
    assert sorted(sha256) == ["a.nc", "b.nc"]
    assert sha256["a.nc"] == hashlib.sha256(b"a.nc").hexdigest()
    (product / "deeper").mkdir()
    assert manifest.checksums(product / "deeper") == {}
    assert manifest.checksums(product.parent.parent) == {}
