from pathlib import Path

import pytest

from heliosynth.errors import InputError
from heliosynth.sources.archive import locate


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    (tmp_path / "aia" / "sdomlv2.zarr").mkdir(parents=True)
    for name in ("goes/b.nc", "goes/a.nc", "hek/flares.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_finds_every_provider(layout: Path) -> None:
    found = locate(layout)
    assert found.aia_store == layout / "aia" / "sdomlv2.zarr"
    assert [path.name for path in found.xrs_files] == ["a.nc", "b.nc"]
    assert [path.name for path in found.flare_files] == ["flares.json"]


def test_csv_light_curves_go_before_netcdf(layout: Path) -> None:
    (layout / "goes" / "goes15.csv").touch()
    assert [path.name for path in locate(layout).xrs_files] == ["goes15.csv"]


@pytest.mark.parametrize(
    ("lost", "named"),
    [("aia/sdomlv2.zarr", "aia"), ("goes/*", "goes"), ("hek/*", "hek")],
)
def test_a_missing_part_is_named(layout: Path, lost: str, named: str) -> None:
    for path in layout.glob(lost):
        path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(InputError, match=str(layout / named)):
        locate(layout)


def test_two_stores_are_refused(layout: Path) -> None:
    (layout / "aia" / "other.zarr").mkdir()
    with pytest.raises(InputError, match="one Zarr store"):
        locate(layout)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: no such directory"):
        locate(tmp_path / "nowhere")


@pytest.mark.archive
def test_real_archive(archive: Path) -> None:
    found = locate(archive)
    assert found.aia_store.is_dir()
    assert all(path.is_file() for path in [*found.xrs_files, *found.flare_files])
