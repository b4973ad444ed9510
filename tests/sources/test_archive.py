"""Layout of an archive: files of every provider, years, and errors that name what is missing."""

import shutil
from pathlib import Path

import pytest

from heliosynth.errors import InputError
from heliosynth.sources.archive import locate, xrs_files, years


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """An archive of empty files."""
    arrays = [f"aia/sdomlv2.zarr/{name}/.zarray" for name in ("2013/171A", "2012/171A", "2012/94A")]
    for name in ("goes/b.nc", "goes/a.nc", "hek/flares.json", *arrays):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_the_files_of_every_provider_are_located(layout: Path) -> None:
    paths = locate(layout)
    assert paths.aia_store == layout / "aia" / "sdomlv2.zarr"
    assert [path.name for path in paths.xrs_files] == ["a.nc", "b.nc"]
    assert [path.name for path in paths.flare_files] == ["flares.json"]


def test_csv_light_curves_are_preferred_to_netcdf(layout: Path) -> None:
    (layout / "goes" / "goes15.csv").touch()
    assert [path.name for path in locate(layout).xrs_files] == ["goes15.csv"]


@pytest.mark.parametrize("part", ["aia/sdomlv2.zarr", "goes", "hek"])
def test_a_missing_part_is_named(layout: Path, part: str) -> None:
    shutil.rmtree(layout / part)
    with pytest.raises(InputError, match=f"{layout / part}: "):
        locate(layout)


def test_level1_files_replace_a_store(layout: Path) -> None:
    shutil.rmtree(layout / "aia" / "sdomlv2.zarr")
    folder = layout / "aia" / "level1"
    folder.mkdir()
    paths = locate(layout)
    assert (paths.aia_store, paths.level1) == (None, folder)
    with pytest.raises(InputError, match="holds no FITS file with a date in its name"):
        years(paths, "171A")
    (folder / "aia.lev1_euv_12s.2013-07-12T160001Z.171.image_lev1.fits").touch()
    (folder / "aia_lev1_171a_2012_07_12t16_00_00_34z_image_lev1.fits").touch()
    assert years(paths, "171A") == [2012, 2013]


def test_years_are_those_with_the_channel(layout: Path) -> None:
    assert years(locate(layout), "171A") == [2012, 2013]
    assert years(locate(layout), "94A") == [2012]
    with pytest.raises(InputError, match=r"sdomlv2.zarr: holds no channel 193A, only 171A, 94A"):
        years(locate(layout), "193A")


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
