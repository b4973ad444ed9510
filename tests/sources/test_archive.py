"""Layout of an archive: files of every provider, years, and errors that name what is missing."""

import shutil
from pathlib import Path

import pytest

from heliosynth.errors import InputError
from heliosynth.sources.archive import channel_files, list_xrs, locate, xrs_files, years


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """An archive of empty files."""
    arrays = [f"aia/sdomlv2.zarr/{name}/.zarray" for name in ("2013/171A", "2012/171A", "2012/94A")]
    for name in ("goes/b.nc", "goes/a.nc", "hek/flares.json", *arrays):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("content")
    return tmp_path


def test_the_files_of_every_provider_are_located(layout: Path) -> None:
    paths = locate(layout)
    assert paths.aia_store == layout / "aia" / "sdomlv2.zarr"
    assert [path.name for path in paths.xrs_files] == ["a.nc", "b.nc"]
    assert [path.name for path in paths.flare_files] == ["flares.json"]


def test_csv_light_curves_are_preferred_to_netcdf(layout: Path) -> None:
    (layout / "goes" / "goes15.csv").write_text("content")
    assert [path.name for path in locate(layout).xrs_files] == ["goes15.csv"]
    report = list_xrs(layout / "goes").report()
    assert report.left_out == {"file: netCDF next to CSV, which is read instead": 2}
    assert report.examples == {
        "file: netCDF next to CSV, which is read instead": f"{layout}/goes/a.nc"
    }


@pytest.mark.parametrize("part", ["aia/sdomlv2.zarr", "goes", "hek"])
def test_a_missing_part_is_named(layout: Path, part: str) -> None:
    shutil.rmtree(layout / part)
    with pytest.raises(InputError, match=f"{layout / part}: "):
        locate(layout)


def test_a_store_and_level1_files_are_not_both_read(layout: Path) -> None:
    (layout / "aia" / "level1").mkdir()
    with pytest.raises(InputError, match=r"level1: level-1 files next to the store .*sdomlv2.zarr"):
        locate(layout)


def test_level1_files_replace_a_store(layout: Path) -> None:
    shutil.rmtree(layout / "aia" / "sdomlv2.zarr")
    folder = layout / "aia" / "level1"
    folder.mkdir()
    paths = locate(layout)
    assert (paths.aia_store, paths.level1) == (None, folder)
    with pytest.raises(InputError, match=r"holds no FITS file \(\*.fits\); add one"):
        years(paths, "171A")
    (folder / "sun.fits").write_text("content")
    with pytest.raises(InputError, match="holds no FITS file with a date in its name"):
        years(paths, "171A")
    for name in (
        "aia.lev1_euv_12s.2013-07-12T160001Z.171.image_lev1.FITS",
        "aia_lev1_171a_2012_07_12t16_00_00_34z_image_lev1.fits",
        "._aia_lev1_171a_2011_07_12t16_00_00_34z_image_lev1.fits",
    ):
        (folder / name).write_text("content")
    assert years(paths, "171A") == [2012, 2013]


def test_years_are_those_with_the_channel(layout: Path) -> None:
    assert years(locate(layout), "171A") == [2012, 2013]
    assert years(locate(layout), "94A") == [2012]
    with pytest.raises(InputError, match=r"sdomlv2.zarr: holds no channel 193A, only 171A, 94A"):
        years(locate(layout), "193A")


def test_chunks_and_metadata_are_the_files_of_a_channel(layout: Path) -> None:
    array = layout / "aia/sdomlv2.zarr/2012/171A"
    taken = [".zarray", ".zattrs", "0.0.0", "12.0.0"]
    for name in (*taken, ".DS_Store", "0.0.0~", "0.0.0.partial", "._0.0.0", "notes.txt", ".nfs01"):
        (array / name).write_text("content")
    store = layout / "aia/sdomlv2.zarr"
    assert sorted(path for path, _ in channel_files(store, 2012, "171A")) == taken


@pytest.mark.parametrize("key", ["0/0/0", "c/0/0/0", "c.0.0.0"])
def test_chunks_in_folders_are_files_of_a_channel(layout: Path, key: str) -> None:
    array = layout / "aia/sdomlv2.zarr/2012/171A"
    (array / key).parent.mkdir(parents=True, exist_ok=True)
    (array / key).write_text("content")
    paths = [path for path, _ in channel_files(layout / "aia/sdomlv2.zarr", 2012, "171A")]
    assert sorted(paths) == sorted([".zarray", key])


def test_a_chunk_that_links_to_nothing_is_named(layout: Path) -> None:
    (layout / "aia/sdomlv2.zarr/2012/171A/3.0.0").symlink_to(layout / "gone")
    with pytest.raises(InputError, match=r"171A/3\.0\.0: cannot be found .* restore"):
        list(channel_files(layout / "aia/sdomlv2.zarr", 2012, "171A"))


def test_a_part_of_another_user_is_named(layout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", deny)
    with pytest.raises(InputError, match=r"cannot be reached \(Permission denied\); you need"):
        locate(layout)


def test_only_folders_named_as_years_are_years(layout: Path) -> None:
    for name in ("2012.bak", ".2014", "٢٠١٢", "2015 copy"):
        (layout / f"aia/sdomlv2.zarr/{name}/171A").mkdir(parents=True)
        (layout / f"aia/sdomlv2.zarr/{name}/171A/.zarray").write_text("content")
    (layout / "aia/sdomlv2.zarr/2016").write_text("a file")
    assert years(locate(layout), "171A") == [2012, 2013]


def test_the_path_of_a_file_is_returned_unchanged(layout: Path) -> None:
    assert xrs_files(layout / "goes" / "b.nc") == [layout / "goes" / "b.nc"]


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: no such directory"):
        locate(tmp_path / "nowhere")


@pytest.mark.archive
def test_the_real_archive_is_complete(archive: Path) -> None:
    paths = locate(archive)
    assert years(paths, "171A") == [2012]
    assert all(path.is_file() for path in [*paths.xrs_files, *paths.flare_files])
