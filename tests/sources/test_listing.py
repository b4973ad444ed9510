"""Listing of input folders that hold more than input files."""

import os
from pathlib import Path

import pytest

from heliosynth.errors import InputError
from heliosynth.sources import archive, listing
from heliosynth.sources.listing import list_files

INVISIBLE = [
    ".DS_Store", "._2012.csv", ".nfs00000001", ".~lock.2012.csv#", ".2012.csv.swp", "2012.csv~",
    "#2012.csv#", "~$2012.csv", "2012.csv.bak", "2012.csv.orig", "Thumbs.db", "desktop.ini",
    "Icon\r", ".snakemake_timestamp",
]  # fmt: skip
"""Names of files that nobody wants to hear of."""


def write(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text("content")


def read_names(folder: Path, *suffixes: str) -> list[str]:
    return [path.name for path in list_files(folder, suffixes).files]


@pytest.mark.parametrize("name", INVISIBLE)
def test_hidden_files_and_backups_are_left_alone(tmp_path: Path, name: str) -> None:
    write(tmp_path, "2012.csv", name)
    found = list_files(tmp_path, [".csv"])
    assert [path.name for path in found.files] == ["2012.csv"]
    assert found.left_out == {}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("2013.csv.gz", "compressed"),
        ("2013.CSV.ZIP", "compressed"),
        ("2013.csv.part", "unfinished download"),
        ("README.csv", "documentation"),
        ("Readme.md", "documentation"),
        ("notes.txt", "of another kind"),
        ("csv", "of another kind"),
        ("goes.fits", "fetch NOAA's netCDF"),
        ("GOES.FITS", "fetch NOAA's netCDF"),
    ],
)
def test_other_files_are_counted_with_a_reason(tmp_path: Path, name: str, reason: str) -> None:
    write(tmp_path, "2012.csv", name)
    found = archive.list_xrs(tmp_path)
    assert [path.name for path in found.files] == ["2012.csv"]
    ((stated, count),) = found.report().left_out.items()
    assert reason in stated
    assert count == 1
    assert found.report().examples == {stated: str(tmp_path / name)}


def test_folders_are_counted_whatever_their_name(tmp_path: Path) -> None:
    write(tmp_path, "2012.csv")
    for name in ("x.csv", "2013"):
        (tmp_path / name).mkdir()
    found = list_files(tmp_path, [".csv"])
    assert [path.name for path in found.files] == ["2012.csv"]
    assert {path.name for path in found.left_out} == {"x.csv", "2013"}


def test_what_is_no_file_is_counted(tmp_path: Path) -> None:
    write(tmp_path, "2012.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    assert list_files(tmp_path, [".csv"]).left_out == {tmp_path / "pipe.csv": "not a regular file"}


def test_suffixes_in_upper_case_are_read(tmp_path: Path) -> None:
    write(tmp_path, "A.CSV", "b.Json", "c.csv", "copy of c.csv", "c (1).csv")
    names = ["A.CSV", "b.Json", "c (1).csv", "c.csv", "copy of c.csv"]
    assert read_names(tmp_path, ".csv", ".json") == names
    assert [path.name for path in archive.flare_files(tmp_path)] == names


def test_links_are_read(tmp_path: Path) -> None:
    write(tmp_path / "real", "2012.csv")
    (tmp_path / "links").mkdir()
    (tmp_path / "links/2013.csv").symlink_to(tmp_path / "real/2012.csv")
    assert read_names(tmp_path / "links", ".csv") == ["2013.csv"]
    (tmp_path / "link").symlink_to(tmp_path / "links")
    assert read_names(tmp_path / "link", ".csv") == ["2013.csv"]


def test_a_link_to_nothing_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "2013.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(
        InputError, match=r"2013\.csv: link to a file that is missing.*; restore it"
    ):
        list_files(tmp_path, [".csv"])


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "2013.csv").touch()
    with pytest.raises(InputError, match=r"2013\.csv: empty \(0 bytes\).*delete it"):
        list_files(tmp_path, [".csv"])


def test_an_unreadable_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "2013.csv")
    monkeypatch.setattr(listing.os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match=r"2013\.csv: without permission.*chmod"):
        list_files(tmp_path, [".csv"])


def test_a_folder_that_cannot_be_listed_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(listing.os, "scandir", deny)
    with pytest.raises(InputError, match=r"cannot be listed \(Permission denied\); make it"):
        list_files(tmp_path, [".csv"])


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: no such folder"):
        list_files(tmp_path / "nowhere", [".csv"])


def test_a_folder_without_a_file_to_read_says_what_it_holds(tmp_path: Path) -> None:
    write(tmp_path, "2012.csv.gz", "notes.txt", ".DS_Store")
    with pytest.raises(
        InputError, match=r"only 2012\.csv\.gz \(compressed; .*\), notes\.txt \(of another kind\)"
    ):
        archive.list_flares(tmp_path)


def test_of_many_images_a_bad_one_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "a.fits")
    (tmp_path / "b.fits").touch()
    (tmp_path / "c.FITS").symlink_to(tmp_path / "gone")
    found = archive.list_level1(tmp_path)
    assert [path.name for path in found.files] == ["a.fits"]
    assert list(found.left_out.values()) == ["empty (0 bytes)", "link to a file that is missing"]
