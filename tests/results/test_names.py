"""Names of models, and the published values."""

import pytest

from heliosynth.evaluation.metrics import find_metric
from heliosynth.results.names import MODELS, in_prose, model_title, models_in_order
from heliosynth.results.published import PUBLISHED, published


def test_models_of_the_study_come_first_and_the_benchmark_last():
    models = ["real", "phase_random", "z", "copycat", "ddpm_cevae", "a", "cevae"]
    in_order = ["cevae", "ddpm_cevae", "a", "z", "copycat", "phase_random", "real"]
    assert models_in_order(models) == in_order


def test_a_model_that_is_not_of_the_study_keeps_its_name():
    assert (model_title("cevae"), in_prose("cevae")) == ("ceVAE", "the ceVAE")
    assert (model_title("mine"), in_prose("mine")) == ("mine", "the model mine")


def test_published_values_have_registered_metrics_and_models():
    assert set(PUBLISHED) <= set(MODELS)
    for model, row in PUBLISHED.items():
        for metric in row:
            assert find_metric(metric).title
            assert published(model, metric)[0] is not None


@pytest.mark.parametrize(
    ("model", "metric", "expected"),
    [
        ("cevae", "cluster_error", (7.948, 0.914)),
        ("cevae", "fid_clip", (5.05, None)),
        ("cevae", "f1", (None, None)),
        ("mine", "f1", (None, None)),
    ],
)
def test_a_published_value_can_lack_its_standard_deviation(model, metric, expected):
    assert published(model, metric) == expected
