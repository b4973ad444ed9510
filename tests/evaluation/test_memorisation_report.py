"""The report of near copies: rows, keys, and images that it cannot measure."""

import json

import numpy as np
import pytest

from heliosynth.arrays import SPLITS
from heliosynth.dataset.store import (
    NO_TIME,
    UNKNOWN_CLASS,
    Description,
    GeneratedImages,
    LabelledImages,
    read_split,
    write_dataset,
    write_samples,
)
from heliosynth.errors import InputError
from heliosynth.evaluation import memorisation_report
from heliosynth.evaluation.memorisation_report import MATCHES, measure_memorisation
from heliosynth.io import tables
from helpers.rotating_sun import rotating_suns
from helpers.scripts import load

DESCRIPTION = Description("171A", 5.0, 3500.0, (1, 2, 3), "a simulated Sun", {})
SHARE = {"copy_share", "copy_share_low", "copy_share_high", "n", "expected", "low", "high"}
REST = {"correlation", "both", "by_class", "power", "false_alarm", "thresholds", "reason", "about"}
SPLIT_DAYS = {"train": (0, 84), "test": (90, 98), "val": (98, 98)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset of 84 training days, and samples: a tenth copies, mirrored, of the training images.

    Class A is not trained on, class M has no generated image.
    """
    folder = tmp_path_factory.mktemp("memorisation")
    images, time = rotating_suns(days=98, per_day=3, size_px=32)
    classes = np.where(np.arange(len(time)) % 7 == 0, 0, 1 + np.arange(len(time)) % 3)
    splits = {}
    for split in SPLITS:
        start, end = SPLIT_DAYS[split]
        rows = np.flatnonzero((time >= start * 86_400) & (time < end * 86_400))
        flux = np.full(len(rows), -6, np.float32)
        labels = classes[rows].astype(np.int8)
        splits[split] = LabelledImages(images[rows, None], labels, flux, time[rows])
    write_dataset(folder / "dataset.h5", splits, DESCRIPTION)
    strangers = splits["test"].images[np.arange(60) % len(splits["test"])].copy()
    strangers[::10] = splits["train"].of_classes([1, 2, 3]).images[:6, :, :, ::-1]
    write_samples(folder / "model.h5", generated(strangers), DESCRIPTION)
    return folder


def generated(images, goes_class=None):
    count = len(images)
    labels = np.arange(count) % 2 + 1 if goes_class is None else np.full(count, goes_class)
    return GeneratedImages(
        images=images,
        goes_class=labels.astype(np.int8),
        log10_flux=np.full(count, -6, np.float32),
        time=np.full(count, NO_TIME),
        seed=np.arange(count),
        population=np.arange(count) < 40,
        balanced=np.arange(count) >= 20,
    )


def measure(folder, block_days=7.0, **samples):
    return measure_memorisation(
        dataset=folder / "dataset.h5", samples=samples, block_days=block_days, seed=1
    )


def test_every_set_has_its_share_and_its_scale(folder):
    report, _ = measure(folder, model=folder / "model.h5")
    assert list(report) == ["real", "model"]
    for entry in report.values():
        assert set(entry) == SHARE | REST
        assert set(entry["both"]) == set(entry["correlation"]) == SHARE
        assert 0 < entry["expected"] < entry["high"] < 0.2
        assert entry["copy_share_low"] <= entry["copy_share"] <= entry["copy_share_high"]
        assert entry["reason"] is None
    model = report["model"]
    # Four copies among the 40 images of the population.
    assert model["both"]["copy_share"] == 4 / 40
    assert model["copy_share"] >= 4 / 40
    assert model["n"] == 40
    assert report["real"]["copy_share"] < 0.1


def test_classes_count_all_their_images(folder):
    by_class = measure(folder, model=folder / "model.h5")[0]["model"]["by_class"]
    assert list(by_class) == ["B", "C", "M"]
    assert by_class["M"] is None
    assert by_class["B"]["n"] == by_class["C"]["n"] == 30
    # The copies have even rows.
    assert by_class["B"]["copy_share"] >= 6 / 30
    assert set(by_class["B"]) == SHARE


def test_table_names_the_nearest_training_image(folder):
    _, table = measure(folder, model=folder / "model.h5")
    copies = table[(table["set"] == "model") & (table["row"] % 10 == 0)]
    assert (copies["ratio"] == 0).all()
    assert copies["near_copy"].all()
    assert set(copies["mirroring"]) == {"east-west"}
    train = read_split(folder / "dataset.h5", "train")
    expected = np.flatnonzero(train.goes_class > 0)[:6]
    np.testing.assert_array_equal(copies["training_row"], expected)
    seconds = copies["training_time"].to_numpy("datetime64[s]").astype(np.int64)
    np.testing.assert_array_equal(seconds, train.time[expected])


def test_population_is_thinned_evenly(folder, monkeypatch):
    monkeypatch.setattr(memorisation_report, "LARGEST_SET", 10)
    report, table = measure(folder, model=folder / "model.h5")
    assert report["model"]["n"] == 10
    rows = table.loc[(table["set"] == "model") & table["population"], "row"].to_numpy()
    assert (rows[0], rows[-1]) == (0, 39)
    assert np.diff(rows).min() >= 4


def test_images_without_a_class_have_a_share_only(folder, tmp_path):
    images = read_split(folder / "dataset.h5", "test").images
    write_samples(tmp_path / "cevae.h5", generated(images, UNKNOWN_CLASS), DESCRIPTION)
    entry = measure(folder, cevae=tmp_path / "cevae.h5")[0]["cevae"]
    assert set(entry["by_class"].values()) == {None}
    assert entry["copy_share"] is not None


def test_a_single_week_has_no_share_but_a_reason(folder):
    report, table = measure(folder, block_days=100.0, model=folder / "model.h5")
    assert table.empty
    MATCHES.validate(table)
    for entry in report.values():
        assert set(entry) == SHARE | REST
        assert entry["copy_share"] is entry["expected"] is entry["both"] is None
        assert "of the same days" in entry["reason"]


def test_images_of_another_size_are_rejected(folder, tmp_path):
    small = np.zeros((4, 1, 16, 16), np.float32)
    write_samples(tmp_path / "small.h5", generated(small), DESCRIPTION)
    with pytest.raises(InputError, match=r"small\.h5: images of 16 pixels, not 32"):
        measure(folder, small=tmp_path / "small.h5")


def test_script_writes_the_products(folder, tmp_path):
    options = ["--dataset", str(folder / "dataset.h5"), "--samples", str(folder / "model.h5")]
    files = ["--output-json", str(tmp_path / "m.json"), "--output-csv", str(tmp_path / "m.csv")]
    load("memorisation").main([*options, "--block-days", "7", "--seed", "1", *files])
    report, table = measure(folder, model=folder / "model.h5")
    assert json.loads((tmp_path / "m.json").read_text()) == json.loads(json.dumps(report))
    assert tables.read(tmp_path / "m.csv", MATCHES)["row"].equals(table["row"])
