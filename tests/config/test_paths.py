"""Paths in any spelling are one path, and any name that a file system allows is a path."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from heliosynth.config.paths import FolderPath, StoreAddress, local_path

NAMES = [
    "a b", " a", "it's", 'say "x"', "$HOME", "$(x)", "`x`", "a&b", "a;b", "#a", "50%", "a@b",
    "{year}", "{{x}}", "[ab]", "a*", "a?", "back\\slash", "~", "~x", "a=b", "a,b", "(a)", "-a",
    "--", "é", "e\u0301", "太陽", "🌞", "two\nlines", "tab\t", "a:b", "s3:x", "...", "x" * 255,
]  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder, next to which the home folder is."""
    for name in ("here", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "here"


def test_spellings_of_a_folder_outside_are_one(here: Path) -> None:
    folder = here.parent / "home/raw"
    folder.mkdir()
    (here / "link").symlink_to(folder)
    (here.parent / "home2").symlink_to(here.parent / "home")
    spellings = [
        str(folder), f"{folder}/", f"{folder}//", f"{folder}/.", "~/raw", "~/raw/", "$HOME/raw",
        "../home/raw", "./../home/raw", "link", "./link/", f"{here}/link/../raw",
        f"{here.parent}/home2/raw", f"file://{folder}", f"//{folder}",
    ]  # fmt: skip
    assert {spelling: local_path(spelling) for spelling in spellings} == dict.fromkeys(
        spellings, str(folder)
    )


def test_spellings_of_a_folder_inside_are_one(here: Path) -> None:
    (here / "data/raw").mkdir(parents=True)
    spellings = ["data/raw", "./data/raw", "data//raw/", "data/../data/raw", f"{here}/data/raw"]
    assert {local_path(spelling) for spelling in spellings} == {"data/raw"}
    assert local_path(".") == "."


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_kept_and_found_again(here: Path, name: str) -> None:
    for folder in (here, here.parent):
        path = folder / name
        path.mkdir()
        kept = TypeAdapter(FolderPath).validate_python(str(path))
        assert Path(kept).samefile(path)
        assert local_path(kept) == kept
        assert not kept.startswith(("-", "~"))


@settings(max_examples=200)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_a_spelling_is_that_of_itself(text: str) -> None:
    try:
        spelled = local_path(text)
    except ValueError:
        return
    assert local_path(spelled) == spelled


def test_another_case_is_that_of_the_folder_where_it_is_ignored(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "Archive").mkdir()
    assert local_path("aRCHIVE") == "aRCHIVE"
    samefile = Path.samefile
    monkeypatch.setattr(
        Path,
        "samefile",
        lambda one, other: str(one).lower() == str(other).lower() or samefile(one, other),
    )
    assert local_path("aRCHIVE") == "Archive"
    assert local_path("Archive") == "Archive"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "must not be empty"),
        (" ", "must not be empty"),
        ("a\0b", "null characters"),
        ("x" * 256, "longer than 255 bytes"),
        ("é" * 128, "longer than 255 bytes"),
        ("caf\udce9", "must be UTF-8"),
        ("https://example.org/raw", "is a URL"),
        ("file://elsewhere/raw", "names the host elsewhere"),
    ],
)
def test_what_is_no_path_is_refused_with_its_reason(path: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        TypeAdapter(FolderPath).validate_python(path)


def test_the_address_of_a_store_on_disk_is_a_path(here: Path) -> None:
    address = TypeAdapter(StoreAddress)
    assert address.validate_python("./store/") == "store"
    assert address.validate_python("S3://bucket/store.zarr/") == "s3://bucket/store.zarr"
    with pytest.raises(ValidationError, match="not an encrypted protocol"):
        address.validate_python("ftp://example.org/store")
