"""The downstream task: a DeiT with and without generated images."""

import csv

import numpy as np
import pytest

from factories.labelled import generated_images, labelled_images
from factories.training import deit_config
from heliosynth.dataset.store import Description, write_dataset, write_samples
from heliosynth.errors import InputError
from heliosynth.evaluation.application import (
    OVERALL,
    Accuracy,
    compare,
    concatenate,
    filled_classes,
    select_generated,
    summarise,
)
from heliosynth.io.files import read_json
from helpers.scripts import load

script = load("application")

SETTINGS = deit_config(epochs=6)
TRAINED = (1, 2, 4)
SIZE_PX = 8


@pytest.fixture
def splits():
    """Splits with two training images of class X; A is not trained, M is absent."""
    return {
        "train": labelled_images([0] + [1] * 60 + [2] * 30 + [4] * 2, 0, SIZE_PX),
        "val": labelled_images([1], 1, SIZE_PX),
        "test": labelled_images([0] + [1] * 10 + [2] * 6 + [4] * 6, 2, SIZE_PX),
    }


@pytest.fixture
def samples():
    """Thirty balanced images and ten of the population of each trained class."""
    population = ([False] * 30 + [True] * 10) * 3
    return generated_images([1] * 40 + [2] * 40 + [4] * 40, population, 9, SIZE_PX)


def test_generated_images_raise_the_accuracy_of_a_rare_class(splits, samples):
    rows = compare(splits, samples, TRAINED, SETTINGS, seed=0)
    summary = summarise(rows, TRAINED, SETTINGS.generated_per_class)
    before, after = (summary[arm]["X"]["value"] for arm in ("real_only", "with_generated"))
    assert after > before + 0.2
    assert summary["generated"] == {"X": 30}


def test_only_trained_rare_classes_are_filled():
    assert filled_classes((0, 1, 2, 3, 4)) == [0, 3, 4]
    assert filled_classes((1, 2, 3)) == [3]


def test_balanced_images_are_selected_first():
    samples = generated_images([4] * 4, [True, False, True, False])
    np.testing.assert_array_equal(select_generated(samples, [4], 3).seed, [1, 3, 0])


def test_too_few_generated_images_are_named(splits, samples):
    settings = SETTINGS.model_copy(update={"generated_per_class": 41})
    with pytest.raises(InputError, match="41 images of class X are requested, but 40 were"):
        compare(splits, samples, TRAINED, settings, seed=0)


def test_a_test_split_without_a_trained_class_is_rejected(splits, samples):
    splits["test"] = labelled_images([0], 0, SIZE_PX)
    with pytest.raises(InputError, match="no test image"):
        compare(splits, samples, TRAINED, SETTINGS, seed=0)


def test_concatenated_sets_keep_order_and_labels(splits):
    both = concatenate(splits["val"], splits["test"])
    np.testing.assert_array_equal(both.goes_class[1:], splits["test"].goes_class)
    np.testing.assert_array_equal(both.images[:1], splits["val"].images)


def test_summary_has_null_for_absent_classes():
    rows = [
        Accuracy(arm, repeat, name, accuracy, 4)
        for arm in ("real_only", "with_generated")
        for repeat, accuracy in enumerate((0.25, 0.75))
        for name in ("M", OVERALL)
    ]
    summary = summarise(rows, (1, 3), generated_per_class=7)
    # Two trainings: the error is that of their mean, and the interval covers all accuracies.
    expected = {"value": 0.5, "std": 0.25, "n": 4, "low": 0.0, "high": 1.0}
    assert summary["real_only"]["M"] == pytest.approx(expected)
    assert summary["with_generated"]["A"] is None
    assert summary["generated"] == {"M": 7}


def test_the_script_writes_both_products(tmp_path, splits, samples):
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
