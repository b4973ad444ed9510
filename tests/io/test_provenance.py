"""Versions and checksums of products."""

import hashlib
from pathlib import Path

from heliosynth.io import provenance


def test_digests_do_not_depend_on_the_order_of_keys() -> None:
    assert provenance.digest({"a": 1, "b": 2}) == provenance.digest({"b": 2, "a": 1})
    assert provenance.digest({"a": 1}) != provenance.digest({"a": 2})


def test_the_digest_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert provenance.file_sha256(tmp_path / "f") == hashlib.sha256(b"abc").hexdigest()


def test_a_stamp_holds_versions() -> None:
    stamp = provenance.stamp(seed=3)
    assert stamp["seed"] == 3
    assert {"heliosynth", "python", "torch"} <= set(stamp["versions"])
