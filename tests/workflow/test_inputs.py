"""Files that a configuration names are checked before the first job."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from heliosynth.config.loading import resolve
from heliosynth.errors import InputError
from heliosynth.workflow.inputs import check_inputs
from helpers.configurations import merged


def refusal(*overlays: str, **changes: Any) -> str:
    with pytest.raises(InputError) as caught:
        check_inputs(resolve(merged(*overlays, **changes)))
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def archive(folder: Path, width: int | None = None) -> Path:
    """Write the files of an archive that planning looks at."""
    array = folder / "aia/sdomlv2.zarr/2012/171A"
    names = [array / ".zarray", folder / "goes/a.csv", folder / "hek/b.csv"]
    for path in names:
        path.parent.mkdir(parents=True)
        path.write_text("content")
    if width is not None:
        names[0].write_text(json.dumps({"shape": [5, width, width]}))
    return folder


def test_weights_of_clip_must_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name, reason in (("none", "not found"), (".", "is a folder"), ("empty", "is empty")):
        evaluation = {"encoders": ["clip"], "clip_weights": str(tmp_path / name)}
        message = refusal(evaluation=evaluation)
        assert message.startswith("evaluation.clip_weights: ")
        assert reason in message
        assert "null to download them" in message
    unused = {"encoders": ["efficientnet_lite0"], "clip_weights": "nowhere"}
    check_inputs(resolve(merged(evaluation=unused)))


def test_level1_tables_must_be_files_where_they_are_used(tmp_path: Path) -> None:
    store = archive(tmp_path / "store", width=512)
    tables = {"degradation": "nowhere.txt", "pointing": "nowhere.ecsv"}
    check_inputs(resolve(merged("archive.yaml", archive=str(store), level1=tables)))
    image = tmp_path / "files/aia/level1/aia.lev1.2012-07-12T160001Z.171.fits"
    for path in (image, tmp_path / "files/goes/a.csv", tmp_path / "files/hek/b.csv"):
        path.parent.mkdir(parents=True)
        path.write_text("content")
    files = {"archive": str(tmp_path / "files")}
    assert "level1.degradation: nowhere.txt not found" in refusal(
        "archive.yaml", **files, level1=tables
    )
    (tmp_path / "table.txt").write_text("content")
    tables["degradation"] = str(tmp_path / "table.txt")
    assert "level1.pointing: nowhere.ecsv not found" in refusal(
        "archive.yaml", **files, level1=tables
    )


def test_images_are_no_larger_than_the_frames(tmp_path: Path) -> None:
    small = archive(tmp_path / "small", width=48)
    message = refusal("archive.yaml", archive=str(small))
    assert message.startswith("dataset.image_size_px: 64 is more than the 48 pixels")
    for width in (64, None):  # None: metadata that later rules refuse
        enough = archive(tmp_path / f"enough{width}", width)
        check_inputs(resolve(merged("archive.yaml", archive=str(enough))))


def test_a_year_of_the_future_is_refused() -> None:
    year = datetime.datetime.now(datetime.UTC).year
    assert f"{year + 1} is in the future" in refusal(
        "paper.yaml", online={"years": [2012, year + 1]}
    )
    check_inputs(resolve(merged("paper.yaml", online={"years": [2012, year]})))


def test_a_local_store_of_source_online_must_exist(tmp_path: Path) -> None:
    store = {"aia_store": str(tmp_path / "store.zarr")}
    assert refusal("paper.yaml", online=store).startswith("online.aia_store: ")
    (tmp_path / "store.zarr").mkdir()
    check_inputs(resolve(merged("paper.yaml", online=store)))
