"""The judge learns what can be learnt, and its scores are the field's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

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

SETTINGS = ClassifierConfig(epochs=15, batch_size=8, learning_rate=3e-3, width=4)


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(0)
    asked = rng.integers(1, 5, 200).astype(np.int8)
    judged = np.where(rng.uniform(size=200) < 0.6, asked, rng.integers(1, 4, 200)).astype(np.int8)
    return asked, judged


def test_class_scores_agree_with_scikit_learn(pairs):
    asked, judged = pairs
    found = class_scores(confusion_matrix(asked, judged, [1, 2, 3, 4]))
    wanted = precision_recall_fscore_support(asked, judged, labels=[1, 2, 3, 4], zero_division=0)
    np.testing.assert_allclose(found, np.stack(wanted[:3]))


def test_macro_scores_agree_with_scikit_learn(pairs):
    scores = macro_scores(*pairs, classes=[1, 2, 3, 4], repeats=20, seed=0)
    precision, recall, f1, _ = precision_recall_fscore_support(
        *pairs, average="macro", zero_division=0
    )
    assert scores.f1.value == pytest.approx(f1)
    assert scores.precision.value == pytest.approx(precision)
    assert scores.recall.value == pytest.approx(recall)
    assert scores.f1.n == 200
    assert 0 < scores.f1.std < 0.1
    assert scores.confusion.sum() == 200


def test_a_class_that_was_not_asked_for_is_left_out_of_the_mean():
    asked, judged = np.int8([1, 1, 2, 2]), np.int8([1, 1, 2, 3])
    scores = macro_scores(asked, judged, classes=[1, 2, 3], repeats=3, seed=0)
    assert scores.f1_by_class[3] is None
    assert scores.f1.value == pytest.approx((1 + 2 / 3) / 2)
    assert scores.f1_by_class[2].n == 2


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(1, 20))
def test_balanced_rows_hold_every_class_as_often(classes, most):
    classes = np.array(classes, dtype=np.int8)
    rows = balanced_rows(classes, most)
    counts = np.unique(classes[rows], return_counts=True)[1]
    assert len(counts) == len(np.unique(classes))
    assert set(counts) == {min(most, np.bincount(classes).max())}


def test_the_judge_tells_classes_apart_and_comes_back_from_disk(tmp_path, make_labelled):
    training = make_labelled([1] * 40 + [2] * 20 + [4] * 8)
    validation = make_labelled([1] * 8 + [2] * 4 + [4] * 2, seed=1)
    judge = train_classifier(training, validation, (1, 2, 4), SETTINGS, seed=0)
    test = make_labelled([4, 2, 1, 1, 2, 4] * 4, seed=2)
    answers = judge.judge(test.images)
    assert np.mean(answers == test.goes_class) > 0.9
    assert 0 < judge.epoch <= 15.5
    write_classifier(tmp_path / "judge.safetensors", judge)
    again = read_classifier(tmp_path / "judge.safetensors")
    np.testing.assert_array_equal(again.judge(test.images), answers)
    assert (again.classes, again.settings, again.epoch) == ((1, 2, 4), SETTINGS, judge.epoch)


def test_equal_seeds_train_equal_judges(make_labelled):
    settings_ = SETTINGS.model_copy(update={"epochs": 1})
    split = make_labelled([1] * 8 + [2] * 8)
    first, again = (train_classifier(split, split, (1, 2), settings_, seed=3) for _ in range(2))
    for name, tensor in first.network.state_dict().items():
        np.testing.assert_array_equal(tensor, again.network.state_dict()[name])


def test_a_judge_is_trained_without_validation_images(make_labelled):
    settings_ = SETTINGS.model_copy(update={"epochs": 1})
    judge = train_classifier(
        make_labelled([1, 2] * 8), make_labelled([]), (1, 2), settings_, seed=0
    )
    assert judge.epoch == 1


def test_a_class_without_a_training_image_is_named(make_labelled):
    with pytest.raises(InputError, match="class X"):
        train_classifier(make_labelled([1, 2]), make_labelled([1]), (1, 2, 4), SETTINGS, seed=0)


def test_a_file_that_is_no_judge_is_named(tmp_path):
    path = tmp_path / "judge.safetensors"
    path.write_text("nothing")
    with pytest.raises(InputError, match=r"judge\.safetensors: .*train it again"):
        read_classifier(path)
