"""Only whole files under a final name."""

import hashlib
from pathlib import Path

import pytest

from heliosynth import provenance


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "product.json"
    with pytest.raises(RuntimeError), provenance.whole_file(path) as unfinished:
        unfinished.write_text("half")
        raise RuntimeError
    assert not path.exists()
    assert list(path.parent.iterdir()) == []


def test_a_failed_write_leaves_the_old_product(tmp_path: Path) -> None:
    path = tmp_path / "product.json"
    provenance.write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="JSON"):
        provenance.write_json(path, {"a": float("nan")})
    assert provenance.read_json(path) == {"a": 1}


def test_a_folder_appears_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    for name in ("first", "second"):
        with provenance.whole_directory(folder) as unfinished:
            (unfinished / name).touch()
            assert not (folder / name).exists()
    assert [path.name for path in folder.iterdir()] == ["second"]
    with pytest.raises(RuntimeError), provenance.whole_directory(folder):
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def test_digests_do_not_depend_on_the_order_of_keys(tmp_path: Path) -> None:
    assert provenance.digest({"a": 1, "b": 2}) == provenance.digest({"b": 2, "a": 1})
    assert provenance.digest({"a": 1}) != provenance.digest({"a": 2})
    (tmp_path / "f").write_bytes(b"abc")
    assert provenance.file_sha256(tmp_path / "f") == hashlib.sha256(b"abc").hexdigest()


def test_a_stamp_names_the_versions() -> None:
    stamp = provenance.stamp(seed=3)
    assert stamp["seed"] == 3
    assert {"heliosynth", "python", "torch"} <= set(stamp["versions"])
