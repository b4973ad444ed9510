"""Index of frames: rejections, splits, image rows and counts."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pandera.errors
import pytest

from heliosynth.catalogue import index, labels, schemas
from heliosynth.config.dataset import DatasetConfig
from heliosynth.errors import InputError
from heliosynth.frames import quality
from heliosynth.io import tables
from helpers.observations import make_flares, make_frames, make_xrs
from helpers.suns import make_suns

HOUR_S = 3600


def settings(**changes):
    values = {
        "channel": "171A",
        "image_size_px": 32,
        "labels": {"rule": "max_within", "window_minutes": 360},
        "split": {"block_days": 4, "gap_hours": 6, "validation": 0.2, "test": 0.2},
        "classes": ["B", "C", "M"],
        "minimum_frames": 10,
        **changes,
    }
    return DatasetConfig.model_validate(values)


@pytest.fixture
def labelled():
    """Sixty days of hourly frames with a C or M flare every other day."""
    days = np.arange(0, 60, 2)
    peaks = days * 24 * HOUR_S + 7 * HOUR_S
    classes = ["M1.0" if day % 3 == 0 else "C2.0" for day in days]
    frames = make_frames(np.arange(0, 60 * 24) * HOUR_S)
    frames.loc[5, "quality"] = 1
    return labels.label_frames(
        frames, make_xrs(3e-7, days=62), make_flares(peaks, classes), settings().labels
    )


@pytest.fixture
def measured(labelled):
    """Store rows and quality measures of good frames, by year."""
    rows = np.sort(labelled.loc[labelled["selected"], "store_row"].to_numpy())
    frame = quality.measure(make_suns(1, 32))
    values = {name: np.repeat(value, len(rows), axis=0) for name, value in frame.items()}
    values["digest"] = np.arange(len(rows))
    values["lost_pixels"] = np.zeros(len(rows), dtype=np.int64)
    return {2012: rows}, {2012: values}


def test_every_frame_is_counted(labelled, measured):
    rows, measures = measured
    measures[2012]["limb_x"] = measures[2012]["limb_x"].copy()
    measures[2012]["limb_x"][100] = 0.3
    table, summary = index.build_index(labelled, rows, measures, settings(), quality.rejections)
    index.SCHEMA.validate(table)
    assert len(table) == summary["frames"] == 1440
    assert summary["selected"] == 1439
    assert summary["refused"] == {
        quality.OFF_POINTING: 1,
        f"{schemas.QUALITY_FLAG}: no flat field (bit 0)": 1,
    }
    assert sum(summary["splits"].values()) == 1440
    rejected = table[table["split"] == index.REFUSED]
    assert rejected["store_row"].tolist() == [5, rows[2012][100]]
    classes = pd.DataFrame(summary["classes"])
    assert classes.loc["train"].sum() == summary["splits"]["train"]
    assert summary["trained_classes"] == ["B", "C", "M"]
    assert summary["scarce_classes"] == {}
    assert sum(block["frames"] + block["gap"] for block in summary["split_blocks"]) == 1438
    assert summary["disagreement"]["measured"] == 30
    # The light curve of the fixture is constant, so no flare is measured at its class.
    assert summary["disagreement"]["other_class_measured"] == 30
    used = table[table["split"] == "test"]
    for name in ("B", "C", "M"):
        of_class = used[used["goes_class"] == name]
        flares = set(of_class["flare"]) - {""}
        assert summary["flares_by_class"][name]["test"] == len(flares)
        assert summary["days_by_class"][name]["test"] == of_class["time"].dt.date.nunique()
    assert summary["flares_by_class"]["B"] == {"train": 0, "val": 0, "test": 0}
    json.dumps(summary, allow_nan=False)


def test_no_usable_frame_is_an_error_with_the_reasons(labelled, measured):
    rows, measures = measured
    with pytest.raises(InputError) as error:
        index.build_index(
            labelled, rows, measures, settings(), lambda m: np.full(len(m["time"]), "blank", object)
        )
    assert "none of 1440 frames can be used: 1439 blank, 1 quality flag" in str(error.value)


def test_image_rows_point_to_the_averaged_frames(labelled, measured):
    rows, measures = measured
    shuffled = labelled.sample(frac=1, random_state=0)
    table, _ = index.build_index(shuffled, rows, measures, settings(), quality.rejections)
    assert table["time"].is_monotonic_increasing
    selected = table[table["selected"]]
    assert (rows[2012][selected["image_row"]] == selected["store_row"]).all()
    assert (table.loc[~table["selected"], "image_row"] == -1).all()


def test_a_scarce_class_is_an_error_that_names_it(labelled, measured):
    with pytest.raises(InputError, match=r"class M has \d+ training frames .* = 150"):
        index.build_index(labelled, *measured, settings(minimum_frames=150), quality.rejections)


def test_an_empty_class_is_an_error_that_names_it(labelled, measured):
    with pytest.raises(InputError, match="class X is empty after labelling"):
        index.build_index(
            labelled, *measured, settings(classes=["B", "C", "M", "X"]), quality.rejections
        )


def test_scarce_classes_are_reported_by_name(labelled, measured):
    reporting = settings(classes=["A", "B", "C", "M", "X"], scarce_classes="report")
    table, summary = index.build_index(labelled, *measured, reporting, quality.rejections)
    assert summary["scarce_classes"] == {"A": 0, "X": 0}
    assert summary["trained_classes"] == ["B", "C", "M"]
    assert summary["classes"]["X"] == {"train": 0, "val": 0, "test": 0}
    assert len(table) == 1440


def test_frames_of_a_scarce_class_keep_their_label_and_split(labelled, measured):
    reporting = settings(minimum_frames=150, scarce_classes="report")
    table, summary = index.build_index(labelled, *measured, reporting, quality.rejections)
    n_train = ((table["goes_class"] == "M") & (table["split"] == "train")).sum()
    assert summary["scarce_classes"] == {"M": n_train}
    assert n_train > 0


def test_fewer_than_two_trained_classes_are_an_error(labelled, measured):
    reporting = settings(minimum_frames=500, scarce_classes="report")
    with pytest.raises(InputError, match="fewer than two classes"):
        index.build_index(labelled, *measured, reporting, quality.rejections)


def test_missing_images_are_an_error(labelled, measured):
    rows, measures = measured
    with pytest.raises(InputError, match="lack 1 of 1439"):
        index.build_index(
            labelled, {2012: rows[2012][1:]}, measures, settings(), quality.rejections
        )
    with pytest.raises(InputError, match="averaged frames of 2012 not found"):
        index.build_index(labelled, {}, {}, settings(), quality.rejections)


def test_the_index_is_read_as_it_was_written(labelled, measured, tmp_path):
    table, _ = index.build_index(labelled, *measured, settings(), quality.rejections)
    tables.write(tmp_path / "index.csv", table, index.SCHEMA)
    read = tables.read(tmp_path / "index.csv", index.SCHEMA)
    pd.testing.assert_frame_equal(read, table, check_dtype=False)
    index.SCHEMA.validate(read)


def test_an_index_that_breaks_its_schema_is_not_written(labelled, measured, tmp_path):
    table, _ = index.build_index(labelled, *measured, settings(), quality.rejections)
    table.loc[5, "split"] = "train"
    with pytest.raises(
        pandera.errors.SchemaError, match="if and only if it is `selected` and not `refused`"
    ):
        tables.write(tmp_path / "index.csv", table, index.SCHEMA)
    assert not (tmp_path / "index.csv").exists()
