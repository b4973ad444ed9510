"""Locations of raw inputs for each source of the configuration."""

import subprocess
import sys
from pathlib import Path

import pytest

from heliosynth.config.loading import resolve
from heliosynth.config.schema import RunConfig
from heliosynth.errors import InputError
from heliosynth.sources import locations
from heliosynth.sources.locations import LOCATIONS, RawInputs, check, raw_inputs
from helpers.configurations import merged

LEVEL1 = "aia/level1/aia.lev1_euv_12s.2012-07-12T160001Z.171.image_lev1.fits"


def located(*overlays: str, **changes: object) -> RawInputs:
    """Return the raw inputs of the default configuration with overlays and changes."""
    return raw_inputs(resolve(merged(*overlays, **changes)), "resources/run")


def archived(folder: Path, **changes: object) -> RunConfig:
    """Return the configuration of a run on an archive."""
    return resolve(merged("archive.yaml", archive=str(folder), **changes))


def make_files(folder: Path, *names: str) -> None:
    """Make small files: these, a light curve and a flare list."""
    for name in (*names, "goes/a.csv", "hek/b.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("content")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    stores = [f"aia/sdomlv2.zarr/{group}/.zarray" for group in ("2013/171A", "2011/193A")]
    make_files(tmp_path, *stores)
    return tmp_path


def test_simulated_inputs_have_the_layout_of_an_archive() -> None:
    inputs = located()
    folder = "resources/run/simulated"
    assert inputs.aia_store == f"{folder}/aia/sdomlv2.zarr"
    assert (inputs.xrs_files, inputs.flare_files) == ([f"{folder}/goes"], [f"{folder}/hek"])
    depends_on = (inputs.aia_depends_on, inputs.xrs_depends_on, inputs.flare_depends_on)
    assert depends_on == ([folder],) * 3
    assert inputs.manifests == [f"{folder}.manifest.json"]
    assert not inputs.store_is_remote


def test_a_simulation_over_new_year_has_two_years() -> None:
    assert located(simulation={"start": "2012-12-31", "days": 60}).years == [2012, 2013]


def test_years_of_an_archive_are_those_with_the_channel(archive: Path) -> None:
    inputs = raw_inputs(archived(archive), "resources/run")
    assert inputs.years == [2013]
    assert inputs.aia_store == f"{archive}/aia/sdomlv2.zarr"
    assert inputs.aia_depends_on == inputs.xrs_depends_on == inputs.flare_depends_on == []
    assert inputs.manifests == []
    assert inputs.level1_folder is None


def test_a_missing_archive_is_an_error(archive: Path) -> None:
    with pytest.raises(InputError, match="no such directory"):
        check(archived(archive / "nowhere"))


def test_an_archive_without_the_channel_is_an_error(archive: Path) -> None:
    with pytest.raises(InputError, match=r"304A.*171A"):
        check(archived(archive, dataset={"channel": "304A"}))


def test_an_archive_is_checked_for_every_source(archive: Path) -> None:
    with pytest.raises(InputError, match="no such directory"):
        check(resolve(merged(archive=str(archive / "nowhere"))))


def test_level1_files_need_calibration_tables(tmp_path: Path) -> None:
    make_files(tmp_path, LEVEL1)
    with pytest.raises(InputError, match="level-1 files need the section `level1`"):
        check(archived(tmp_path))


def test_level1_files_are_calibrated_into_a_store_first(tmp_path: Path) -> None:
    make_files(tmp_path, LEVEL1)
    tables = {"degradation": "aia_V10_response_table.txt"}
    inputs = raw_inputs(archived(tmp_path, level1=tables), "resources/run")
    assert inputs.years == [2012]
    assert inputs.level1_folder == f"{tmp_path}/aia/level1"
    assert inputs.aia_store == "resources/run/level1.zarr"
    assert inputs.aia_depends_on == [inputs.aia_store]
    assert inputs.manifests == ["resources/run/level1.zarr.manifest.json"]


def test_online_inputs_are_fetched_year_by_year() -> None:
    inputs = located("paper.yaml")
    assert inputs.aia_store.startswith("s3://")
    assert inputs.store_is_remote
    assert inputs.aia_depends_on == []
    assert inputs.xrs_files == inputs.xrs_depends_on
    assert inputs.xrs_files[0] == "resources/run/goes/2010"
    assert inputs.flare_files[-1] == "resources/run/hek/2020.json"
    assert len(inputs.manifests) == 2 * len(inputs.years)
    assert inputs.manifests[0] == "resources/run/goes/2010.manifest.json"


def test_a_source_without_a_location_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    others = {name: function for name, function in LOCATIONS.items() if name != "online"}
    monkeypatch.setattr(locations, "LOCATIONS", others)
    with pytest.raises(InputError, match="'online' has no row"):
        check(resolve(merged()))


def test_locations_import_no_library_that_reads_files() -> None:
    code = (
        "import sys, heliosynth.sources.locations;"
        "print(sorted({'fsspec', 'h5py', 'sunpy', 'torch', 'zarr'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    assert result.stdout.strip() == "[]"
