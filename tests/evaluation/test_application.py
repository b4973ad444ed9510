"""A DeiT with and without generated images."""

import csv

import numpy as np
import pytest

from heliosynth.config.evaluation import ApplicationConfig
from heliosynth.dataset.store import (
    NO_TIME,
    Description,
    GeneratedImages,
    LabelledImages,
    write_dataset,
    write_samples,
)
from heliosynth.errors import InputError
from heliosynth.evaluation.application import (
    OVERALL,
    Accuracy,
    chosen,
    compare,
    filled_classes,
    joined,
    summarise,
)
from heliosynth.io.files import read_json
from helpers.scripts import load

script = load("application")

SETTINGS = ApplicationConfig(
    model="ddpm_discrete",
    patch_px=4,
    embedding_dim=24,
    depth=2,
    heads=2,
    epochs=6,
    batch_size=16,
    learning_rate=3e-3,
    generated_per_class=30,
    repeats=2,
)
TRAINED = (1, 2, 4)


def labelled(classes, seed):
    """Give images that are brighter for higher classes."""
    classes = np.asarray(classes, dtype=np.int8)
    noise = np.random.default_rng(seed).standard_normal((len(classes), 1, 8, 8))
    level = np.linspace(-0.8, 0.8, 5)[classes][:, None, None, None]
    return LabelledImages(
        images=(level + 0.1 * noise).clip(-1, 1).astype(np.float32),
        goes_class=classes,
        log10_flux=(classes - 7.5).astype(np.float32),
        time=np.arange(len(classes), dtype=np.int64),
    )


def generated(classes, balanced):
    images = labelled(classes, seed=9)
    balanced = np.asarray(balanced, dtype=bool)
    return GeneratedImages(
        images=images.images,
        goes_class=images.goes_class,
        log10_flux=images.log10_flux,
        time=np.full(len(images), NO_TIME),
        seed=np.arange(len(images)),
        population=~balanced,
        balanced=balanced,
    )


@pytest.fixture
def splits():
    """Class X has two training images; A is scarce, M is absent."""
    return {
        "train": labelled([0] + [1] * 60 + [2] * 30 + [4] * 2, seed=0),
        "val": labelled([1], seed=1),
        "test": labelled([0] + [1] * 10 + [2] * 6 + [4] * 6, seed=2),
    }


@pytest.fixture
def samples():
    return generated([1] * 40 + [2] * 40 + [4] * 40, ([True] * 30 + [False] * 10) * 3)


def test_generated_images_raise_the_accuracy_of_a_class_that_had_almost_none(splits, samples):
    rows = compare(splits, samples, TRAINED, SETTINGS, seed=0)
    summary = summarise(rows, TRAINED, SETTINGS.generated_per_class)
    without, with_ = (summary[arm]["X"]["value"] for arm in ("real_only", "with_generated"))
    assert with_ > without + 0.2
    assert summary["generated"] == {"X": 30}


def test_only_the_rare_classes_that_were_trained_are_filled():
    assert filled_classes((0, 1, 2, 3, 4)) == [0, 3, 4]
    assert filled_classes((1, 2, 3)) == [3]


def test_the_balanced_images_are_taken_first():
    samples = generated([4] * 4, [False, True, False, True])
    np.testing.assert_array_equal(chosen(samples, [4], 3).seed, [1, 3, 0])


def test_too_few_generated_images_are_named(splits, samples):
    greedy = SETTINGS.model_copy(update={"generated_per_class": 41})
    with pytest.raises(InputError, match="41 images of class X are asked for, 40 were"):
        compare(splits, samples, TRAINED, greedy, seed=0)


def test_a_test_split_without_a_trained_class_is_refused(splits, samples):
    splits["test"] = labelled([0], seed=0)
    with pytest.raises(InputError, match="no test image"):
        compare(splits, samples, TRAINED, SETTINGS, seed=0)


def test_joined_sets_keep_order_and_labels(splits):
    both = joined(splits["val"], splits["test"])
    np.testing.assert_array_equal(both.goes_class[1:], splits["test"].goes_class)
    np.testing.assert_array_equal(both.images[:1], splits["val"].images)


def test_the_summary_gives_mean_spread_and_n_and_null_for_absent_classes():
    rows = [
        Accuracy(arm, repeat, name, accuracy, 4)
        for arm in ("real_only", "with_generated")
        for repeat, accuracy in enumerate((0.25, 0.75))
        for name in ("M", OVERALL)
    ]
    summary = summarise(rows, (1, 3), generated_per_class=7)
    assert summary["real_only"]["M"] == {"value": 0.5, "std": pytest.approx(0.125**0.5), "n": 4}
    assert summary["with_generated"]["A"] is None
    assert summary["generated"] == {"M": 7}


def test_the_door_writes_both_products(tmp_path, splits, samples):
    description = Description("171A", 5.0, 3500.0, TRAINED, "noise", {})
    write_dataset(tmp_path / "dataset.h5", splits, description)
    write_samples(tmp_path / "samples.h5", samples, description)
    quick = SETTINGS.model_copy(update={"epochs": 1})
    outputs = tmp_path / "accuracy.csv", tmp_path / "summary.json"
    script.main(
        [
            *("--dataset", str(tmp_path / "dataset.h5")),
            *("--samples", str(tmp_path / "samples.h5")),
            *("--settings", quick.model_dump_json(), "--seed", "0"),
            *("--accuracy", str(outputs[0]), "--summary", str(outputs[1])),
        ]
    )
    with outputs[0].open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["arm", "repeat", "goes_class", "accuracy", "n"]
    assert len(rows) == 2 * 2 * 4
    assert {row["goes_class"] for row in rows} == {"B", "C", "X", OVERALL}
    summary = read_json(outputs[1])
    assert summary["real_only"]["X"]["n"] == 6
    assert summary["real_only"]["M"] is None
    assert summary["with_generated"][OVERALL]["n"] == 22
