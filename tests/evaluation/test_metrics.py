"""The registry of metrics."""

import inspect

import pytest

from heliosynth import registry
from heliosynth.config.evaluation import ENCODERS
from heliosynth.errors import InputError
from heliosynth.evaluation.metrics import (
    METRICS,
    OTHER_KEYS,
    find_metric,
    metric_names,
    metric_title,
    metrics_in_order,
    split_name,
)


@pytest.mark.parametrize("key", METRICS)
def test_a_metric_function_takes_what_its_row_declares(key):
    function = registry.resolve(METRICS[key].function)
    expected = ["comparison", "encoder"] if METRICS[key].per_encoder else ["comparison"]
    assert list(inspect.signature(function).parameters) == expected


def test_metrics_are_listed_encoder_by_encoder():
    names = metric_names(["clip", "efficientnet_lite0"])
    assert names[3:7] == [
        "fid_clip",
        "kid_clip",
        "fid_efficientnet_lite0",
        "kid_efficientnet_lite0",
    ]
    assert not set(names) & set(OTHER_KEYS)
    for name in names:
        key, encoder = split_name(name)
        assert name == (key if encoder is None else f"{key}_{encoder}")


def test_every_encoder_has_a_title():
    assert metric_title("fid_clip") == "FID (CLIP)"
    assert all(ENCODERS[name] in metric_title(f"kid_{name}") for name in ENCODERS)
    assert metric_title("f1") == "F1"


@pytest.mark.parametrize("name", ["density", "fid", "fid_inception", "f1_clip", "about"])
def test_an_unknown_metric_is_named(name):
    with pytest.raises(InputError, match=f"metric '{name}' not found"):
        find_metric(name)


def test_the_direction_follows_from_ideal_and_bounds():
    directions = {name: find_metric(name).direction for name in metric_names(["clip"])}
    assert directions == {
        "cluster_error": "lower",
        "cluster_distance": "target",
        "cluster_std": "target",
        "fid_clip": "lower",
        "kid_clip": "lower",
        "f1": "higher",
        "precision": "higher",
        "recall": "higher",
    }


def test_metrics_are_sorted_as_registered():
    names = ["recall", "kid_clip", "fid_efficientnet_lite0", "fid_clip", "cluster_std"]
    expected = ["cluster_std", "fid_clip", "fid_efficientnet_lite0", "kid_clip", "recall"]
    assert metrics_in_order([*names, "recall"]) == expected
