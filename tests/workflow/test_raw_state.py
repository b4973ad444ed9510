"""States of raw inputs change with the files that readers take, and with nothing else."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from factories.archive import write_archive, write_frames
from heliosynth.config.loading import resolve
from heliosynth.errors import InputError
from heliosynth.sources.manifest import describe, write_manifest
from heliosynth.workflow import raw_state
from heliosynth.workflow.plan import Plan
from heliosynth.workflow.raw_state import UNCHANGED, channel_state, files_state, metadata_state
from helpers.configurations import merged

States = dict[str, Any]
Edit = Callable[[Path], None]


def states(folder: Path) -> States:
    """Return the states of an archive."""
    plan = Plan(resolve(merged("archive.yaml", archive=str(folder))))
    raw = plan.raw_states
    return {
        "flares": raw.flares, "xrs": raw.xrs, "frames": raw.frames, "images": raw.images,
        "compared": raw.compared,
    }  # fmt: skip


def append(*names: str) -> Edit:
    """Return an edit that appends to files, or creates them."""

    def edit(folder: Path) -> None:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("ab") as stream:
                stream.write(b" ")

    return edit


def rename(old: str, new: str) -> Edit:
    return lambda folder: (folder / old).rename(folder / new) and None


def remove(name: str) -> Edit:
    return lambda folder: (folder / name).unlink()


def replace_by_older(name: str) -> Edit:
    """Return an edit that puts an older file of the same size in the place of a file."""

    def edit(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content.replace(b"2012", b"2011"))
        os.utime(folder / name, (1e9, 1e9))

    return edit


def touch(name: str) -> Edit:
    return lambda folder: (folder / name).touch()


ARRAY = "aia/sdomlv2.zarr/2012/171A"
FOREIGN = (
    ".DS_Store", "hek/.DS_Store", "hek/._2012.csv", "hek/2012.csv~", "hek/notes.txt",
    "hek/old/2010.csv", "goes/2012.nc", "goes/.nfs0001", "goes/2012.csv.gz", "README.md",
    f"{ARRAY}/.DS_Store", f"{ARRAY}/0.0.0.partial", f"{ARRAY}/.0.0.0.swp", f"{ARRAY}/x/0.0.0",
    "aia/sdomlv2.zarr/2012/.zgroup", "aia/sdomlv2.zarr/2012/193A/0.0.0",
    "aia/sdomlv2.zarr/2012.bak/171A/0.0.0", "aia/level1.bak/aia.fits",
)  # fmt: skip
EDITS = {
    "a flare is edited": (append("hek/2012.csv"), {"flares"}),
    "a flare list is added": (append("hek/2013.csv"), {"flares"}),
    "a flare list in upper case is added": (append("hek/2013.CSV"), {"flares"}),
    "a flare list is renamed": (rename("hek/2012.csv", "hek/2014.csv"), {"flares"}),
    "a flare list is replaced": (replace_by_older("hek/2012.csv"), {"flares"}),
    "a light curve is edited": (append("goes/2012.csv"), {"xrs"}),
    "a light curve is replaced": (replace_by_older("goes/2012.csv"), {"xrs"}),
    "a light curve is added": (append("goes/2011.csv"), {"xrs"}),
    "keywords are edited": (append(f"{ARRAY}/.zattrs"), {"frames", "images", "compared"}),
    "a chunk is edited": (append(f"{ARRAY}/1.0.0"), {"images", "compared"}),
    "a chunk is removed": (remove(f"{ARRAY}/1.0.0"), {"images", "compared"}),
    "a chunk is touched": (touch(f"{ARRAY}/1.0.0"), {"images", "compared"}),
    "a chunk is added": (append(f"{ARRAY}/9.0.0"), {"images", "compared"}),
    "a table is touched": (touch("hek/2012.csv"), set()),
    "other files are added": (append(*FOREIGN), set()),
}


@pytest.mark.parametrize(("edit", "changed"), EDITS.values(), ids=EDITS.keys())
def test_only_the_state_of_what_is_read_changes(
    tmp_path: Path, edit: Edit, changed: set[str]
) -> None:
    write_archive(tmp_path)
    before = states(tmp_path)
    edit(tmp_path)
    after = states(tmp_path)
    assert {name for name, state in after.items() if state != before[name]} == changed


def test_a_new_year_changes_no_other_year(tmp_path: Path) -> None:
    write_archive(tmp_path)
    before = states(tmp_path)
    write_frames(tmp_path, 2013)
    after = states(tmp_path)
    assert set(after["frames"]) == {2012, 2013}
    assert after["images"][2012] == before["images"][2012]
    assert after["frames"][2012] == before["frames"][2012]
    assert after["compared"] == before["compared"]


def test_a_copy_of_an_archive_has_the_same_states(tmp_path: Path) -> None:
    write_archive(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two {year} $x")
    assert states(tmp_path / "one") == states(tmp_path / "two {year} $x")
    links = tmp_path / "links"
    links.mkdir()
    for part in ("aia", "goes", "hek"):
        (links / part).symlink_to(tmp_path / "one" / part)
    assert states(links) == states(tmp_path / "one")


def test_large_files_are_compared_by_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("content")
    monkeypatch.setattr(raw_state, "HASHED_BYTES", 3)
    before = files_state([tmp_path / "a.csv"])
    assert files_state([tmp_path / "a.csv"]) == before
    os.utime(tmp_path / "a.csv", ns=(1, 1))
    assert files_state([tmp_path / "a.csv"]) != before


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.csv: cannot be read .*; restore it"):
        files_state([tmp_path / "gone.csv"])
    with pytest.raises(InputError, match=r"2012/171A/: no such folder"):
        channel_state(tmp_path, 2012, "171A")
    with pytest.raises(InputError, match=r"2012/171A: holds no Zarr array"):
        metadata_state(tmp_path, 2012, "171A")


# Raw inputs that rules make have a manifest.


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the simulated raw inputs of a run, in a folder of resources."""
    monkeypatch.chdir(tmp_path)
    folder = write_archive(tmp_path / "resources/quickstart/simulated")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    write_manifest(folder, (describe(path, "simulated", folder.parent) for path in files))
    return folder


def made_states() -> States:
    raw = Plan(resolve(merged())).raw_states
    return {"flares": raw.flares, "xrs": raw.xrs, **raw.frames, "images": raw.images[2012]}


def test_raw_inputs_to_be_made_are_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert set(made_states().values()) == {UNCHANGED}


def test_raw_inputs_as_they_were_made_are_unchanged(made: Path) -> None:
    assert set(made_states().values()) == {UNCHANGED}
    append(*FOREIGN[:1], "hek/.snakemake_timestamp", f"{ARRAY}/.DS_Store")(made)
    assert set(made_states().values()) == {UNCHANGED}


def test_a_touched_or_copied_product_is_unchanged(made: Path) -> None:
    for path in made.rglob("*"):
        path.touch()
    assert set(made_states().values()) == {UNCHANGED}


@pytest.mark.parametrize(
    ("edit", "changed"),
    [
        (append("hek/2012.csv"), {"flares"}),
        (append("hek/2013.csv"), {"flares"}),
        (remove("hek/2012.csv"), {"flares"}),
        (replace_by_older("goes/2012.csv"), set()),
        (append("goes/2012.csv"), {"xrs"}),
        (append(f"{ARRAY}/.zattrs"), {2012, "images"}),
        (append(f"{ARRAY}/1.0.0"), {"images"}),
        (remove(f"{ARRAY}/1.0.0"), {"images"}),
    ],
)
def test_an_edited_product_changes_its_own_state(made: Path, edit: Edit, changed: set[str]) -> None:
    edit(made)
    assert {name for name, state in made_states().items() if state != UNCHANGED} == changed


def test_a_store_whose_chunks_are_not_listed_is_compared_by_time(
    made: Path, tmp_path: Path
) -> None:
    manifest = made.with_name("simulated.manifest.json")
    manifest.write_text('{"files": []}')
    assert set(made_states().values()) == {UNCHANGED}
    newer = manifest.stat().st_mtime_ns + 10**9
    os.utime(made / ARRAY / "0.0.0", ns=(newer, newer))
    states = made_states()
    assert states.pop("images") != UNCHANGED
    assert set(states.values()) == {UNCHANGED}
