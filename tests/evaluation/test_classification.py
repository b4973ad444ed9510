"""Training of the classifier, and its scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from factories.labelled import labelled_images
from heliosynth.config.evaluation import ClassifierConfig
from heliosynth.errors import InputError
from heliosynth.evaluation.classification import (
    balanced_rows,
    class_scores,
    confusion_matrix,
    macro_scores,
    read_classifier,
    train_classifier,
    write_classifier,
)
from heliosynth.evaluation.comparison import Predictions
from heliosynth.models.classifier import build_classifier
from heliosynth.training.weights import write_weights

SETTINGS = ClassifierConfig(epochs=15, batch_size=8, learning_rate=3e-3, width=4)


@pytest.fixture(scope="module")
def pairs():
    """Requested and predicted classes, of which more than 60 % agree."""
    rng = np.random.default_rng(0)
    requested = rng.integers(1, 5, 200).astype(np.int8)
    correct = rng.uniform(size=200) < 0.6
    return requested, np.where(correct, requested, rng.integers(1, 4, 200)).astype(np.int8)


def equal_weights(requested):
    """Return weights (N,) with which every class counts equally."""
    return 1 / np.bincount(requested)[requested]


def test_class_scores_agree_with_scikit_learn(pairs):
    labels = [1, 2, 3, 4]
    scores = class_scores(confusion_matrix(*pairs, labels))
    expected = precision_recall_fscore_support(
        *pairs, labels=labels, zero_division=0, sample_weight=equal_weights(pairs[0])
    )
    np.testing.assert_allclose(scores, np.stack(expected[:3]))


def test_macro_scores_agree_with_scikit_learn(pairs):
    scores = macro_scores(Predictions(*pairs, (1, 2, 3, 4)), repeats=20, seed=0)
    precision, recall, f1, _ = precision_recall_fscore_support(
        *pairs, average="macro", zero_division=0, sample_weight=equal_weights(pairs[0])
    )
    assert scores.f1.value == pytest.approx(f1)
    assert scores.precision.value == pytest.approx(precision)
    assert scores.recall.value == pytest.approx(recall)
    assert scores.f1.n == 200
    assert 0 < scores.f1.std < 0.1
    assert scores.confusion.sum() == 200


def test_the_mean_leaves_out_classes_that_were_not_requested():
    requested, predicted = np.int8([1, 1, 2, 2]), np.int8([1, 1, 2, 3])
    scores = macro_scores(Predictions(requested, predicted, (1, 2, 3)), repeats=3, seed=0)
    assert scores.f1_by_class[3] is None
    assert scores.f1.value == pytest.approx((1 + 2 / 3) / 2)
    assert scores.f1_by_class[2].n == 2


def test_scores_do_not_depend_on_the_prevalence(pairs):
    requested, predicted = pairs
    often = np.concatenate([np.arange(200), np.flatnonzero(requested == 1).repeat(5)])
    one, other = (
        macro_scores(Predictions(requested[rows], predicted[rows], (1, 2, 3, 4)), 3, seed=0)
        for rows in (np.arange(200), often)
    )
    assert other.f1.value == pytest.approx(one.f1.value)
    assert other.precision.value == pytest.approx(one.precision.value)


def test_real_images_are_resampled_by_blocks(pairs):
    requested, predicted = (labels.repeat(10) for labels in pairs)
    blocks = np.arange(200).repeat(10)
    alone, in_blocks = (
        macro_scores(Predictions(requested, predicted, (1, 2, 3, 4), units), 200, seed=0)
        for units in (None, blocks)
    )
    assert in_blocks.f1.value == alone.f1.value
    # Ten equal frames are one Sun, so the error is √10 times larger.
    assert 2 < in_blocks.f1.std / alone.f1.std < 5


def test_a_resample_without_a_class_leaves_it_out():
    requested, predicted = np.int8([1, 1, 2, 2]), np.int8([1, 1, 2, 2])
    blocks = np.array([0, 0, 1, 1])
    scores = macro_scores(Predictions(requested, predicted, (1, 2), blocks), 50, seed=0)
    assert (scores.f1.low, scores.f1.value, scores.f1.high) == (1, 1, 1)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(1, 20))
def test_balanced_rows_have_equal_class_counts(classes, most):
    classes = np.array(classes, dtype=np.int8)
    rows = balanced_rows(classes, most)
    counts = np.unique(classes[rows], return_counts=True)[1]
    assert len(counts) == len(np.unique(classes))
    assert set(counts) == {min(most, np.bincount(classes).max())}


def test_a_trained_classifier_is_read_as_written(tmp_path):
    training = labelled_images([1] * 40 + [2] * 20 + [4] * 8)
    validation = labelled_images([1] * 8 + [2] * 4 + [4] * 2, seed=1)
    classifier = train_classifier(training, validation, (1, 2, 4), SETTINGS, seed=0)
    test = labelled_images([4, 2, 1, 1, 2, 4] * 4, seed=2)
    predicted = classifier.predict(test.images)
    assert np.mean(predicted == test.goes_class) > 0.9
    assert 0 < classifier.epoch <= 15.5
    write_classifier(tmp_path / "classifier.safetensors", classifier)
    again = read_classifier(tmp_path / "classifier.safetensors")
    np.testing.assert_array_equal(again.predict(test.images), predicted)
    assert (again.classes, again.settings, again.epoch) == ((1, 2, 4), SETTINGS, classifier.epoch)


def test_equal_seeds_train_equal_classifiers():
    short = SETTINGS.model_copy(update={"epochs": 1})
    split = labelled_images([1] * 8 + [2] * 8)
    first, again = (train_classifier(split, split, (1, 2), short, seed=3) for _ in range(2))
    for name, tensor in first.network.state_dict().items():
        np.testing.assert_array_equal(tensor, again.network.state_dict()[name])


def test_the_last_epoch_is_kept_without_validation_images():
    short = SETTINGS.model_copy(update={"epochs": 1})
    classifier = train_classifier(
        labelled_images([1, 2] * 8), labelled_images([]), (1, 2), short, seed=0
    )
    assert classifier.epoch == 1


def test_a_class_without_a_training_image_is_named():
    with pytest.raises(InputError, match="class X"):
        train_classifier(labelled_images([1, 2]), labelled_images([1]), (1, 2, 4), SETTINGS, seed=0)


def test_a_file_that_is_not_a_classifier_is_named(tmp_path):
    path = tmp_path / "classifier.safetensors"
    path.write_text("nothing")
    with pytest.raises(InputError, match=r"classifier\.safetensors: "):
        read_classifier(path)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({}, "KeyError"),
        ({"settings": "{}", "classes": "[1, 2]", "epoch": "1"}, "epochs"),
        ({"settings": SETTINGS.model_dump_json(), "classes": "3", "epoch": "1"}, "tuple"),
        ({"settings": SETTINGS.model_dump_json(), "classes": "[1]", "epoch": "1"}, "head"),
    ],
)
def test_weights_that_are_not_a_classifier_are_named(tmp_path, header, message):
    path = tmp_path / "classifier.safetensors"
    write_weights(path, build_classifier(SETTINGS, 2).state_dict(), header)
    with pytest.raises(InputError, match=rf"not a trained classifier \(.*{message}") as caught:
        read_classifier(path)
    assert caught.value.__cause__ is not None
