"""Metrics of real and generated images, by the library and by the scripts."""

import csv
import json

import h5py
import numpy as np
import pytest

from heliosynth.config.evaluation import ClassifierConfig, EvaluationConfig
from heliosynth.errors import InputError
from heliosynth.evaluation import classification, clusters
from heliosynth.evaluation.classification import TrainedClassifier, write_classifier
from heliosynth.evaluation.features import EncodedBy, write_features
from heliosynth.evaluation.measure import Measurement
from heliosynth.evaluation.metrics import metric_names
from heliosynth.io.files import read_json
from heliosynth.models.classifier import build_classifier
from helpers.scripts import load

CLASSIFIER = ClassifierConfig(epochs=8, batch_size=8, learning_rate=5e-3, width=4)
SETTINGS = EvaluationConfig(
    encoders=["efficientnet_lite0"],
    clusters=3,
    kmeans=2,
    repeats=20,
    block_days=1,
    classifier=CLASSIFIER,
)
NAMES = [
    "cluster_error",
    "cluster_distance",
    "cluster_std",
    "fid_efficientnet_lite0",
    "kid_efficientnet_lite0",
    "f1",
    "precision",
    "recall",
]
ENCODED_BY = EncodedBy("efficientnet_lite0", "noise", "0", 1)


@pytest.fixture
def encode(tmp_path):
    """Return a function that runs the script ``features.py`` on images."""

    def run(images):
        output = tmp_path / "features" / images.name
        arguments = ["--images", images, "--encoder", "efficientnet_lite0", "--output", output]
        load("features").main([*map(str, arguments)])
        return output

    return run


@pytest.fixture
def run_metrics(dataset, encode, tmp_path):
    """Train the classifier; return a function that runs the script ``metrics.py``."""
    real, classifier = encode(dataset), tmp_path / "classifier.safetensors"
    arguments = ["--dataset", dataset, "--settings", CLASSIFIER.model_dump_json(), "--seed", 0]
    load("classifier").main([*map(str, arguments), "--output", str(classifier)])

    def run(*samples):
        names = ["real", *(path.stem for path in samples)]
        outputs = [tmp_path / "metrics" / f"{name}.json" for name in names]
        arguments = ["--dataset", dataset, "--features", real, "--population", 14]
        arguments += ["--samples", *samples, "--generated-features", *map(encode, samples)]
        arguments += ["--classifier", classifier, "--settings", SETTINGS.model_dump_json()]
        load("metrics").main([*map(str, [*arguments, "--seed", 1, "--output", *outputs])])
        return outputs

    return run


@pytest.fixture
def metrics(run_metrics, samples, unlabelled_samples):
    """The metrics of real images, of a model with classes and of one without, as files."""
    return run_metrics(samples, unlabelled_samples)


def test_the_scripts_measure_and_summarise(metrics, tmp_path):
    check_details(*map(read_json, metrics))
    outputs = tmp_path / "summary.json", tmp_path / "summary.csv"
    load("metrics_summary").main(
        [
            *("--metrics", *map(str, metrics)),
            *("--output-json", str(outputs[0]), "--output-csv", str(outputs[1])),
        ]
    )
    summary = read_json(outputs[0])
    assert list(summary) == ["real", "model", "cevae"]
    row_n = {"real": 6, "model": 14, "cevae": 14}
    for model, row in summary.items():
        assert list(row) == NAMES == metric_names(SETTINGS.encoders)
        for name in ("cluster_error", "fid_efficientnet_lite0", "kid_efficientnet_lite0"):
            assert set(row[name]) == {"value", "std", "n", "low", "high"}
            assert row[name]["n"] == row_n[model]
    assert summary["cevae"]["f1"] is None
    assert summary["model"]["f1"]["n"] == 12
    assert summary["real"]["f1"]["n"] == 10
    fid = {model: row["fid_efficientnet_lite0"]["value"] for model, row in summary.items()}
    assert fid["cevae"] > fid["model"]
    with outputs[1].open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 3 * len(NAMES)
    assert [r["value"] for r in rows if (r["model"], r["metric"]) == ("cevae", "f1")] == [""]


def check_details(real, ddpm, cevae):
    assert real["about"]["classes_without_an_image"] == ["M"]
    assert real["about"]["distinct_images"] == 6
    assert real["about"]["blocks_of_time"] == 3
    assert real["about"]["reference"] == {"split": "train", "classes": ["B", "C", "M"], "n": 42}
    assert set(ddpm["f1_by_class"]) == {"B", "C", "M"}
    assert real["f1_by_class"]["M"] is None
    assert np.sum(ddpm["confusion"]["asked_by_judged"]) == 12
    assert (cevae["confusion"], cevae["f1_by_class"]) == (None, None)
    encoder = ddpm["about"]["encoders"]["efficientnet_lite0"]
    assert len(encoder["weights_sha256"]) == 64
    assert "128 px" in encoder["description"]


@pytest.fixture
def real(dataset, tmp_path):
    """Arguments that measure the test split, with random features and an untrained classifier."""
    rng = np.random.default_rng(0)
    groups = {"train": 43, "val": 12, "test": 11}
    features = {name: rng.standard_normal((n, 5)).astype(np.float32) for name, n in groups.items()}
    write_features(tmp_path / "real.h5", features, ENCODED_BY)
    classifier = tmp_path / "untrained.safetensors"
    network = build_classifier(CLASSIFIER, 3)
    write_classifier(classifier, TrainedClassifier(network, CLASSIFIER, (1, 2, 3), epoch=0.0))
    return {
        "dataset": dataset,
        "features": [tmp_path / "real.h5"],
        "classifier": classifier,
        "settings": SETTINGS,
        "seed": 0,
    }


@pytest.fixture
def generated(samples, tmp_path):
    """A model's images, and random features of them."""
    values = np.random.default_rng(1).standard_normal((26, 5)).astype(np.float32)
    path = tmp_path / "generated.h5"
    write_features(path, {"generated": values}, ENCODED_BY)
    return samples, [path]


def test_part_of_a_population_is_measured(real, generated):
    metrics = Measurement.read(**real, population=7).of_samples(*generated)
    assert metrics["cluster_error"]["n"] == 7
    assert metrics["about"]["distinct_images"] == 7


def test_equal_seeds_give_equal_metrics(real):
    first, again = (Measurement.read(**{**real, "seed": 4}).of_test_split() for _ in range(2))
    assert json.dumps(first) == json.dumps(again)


def test_all_sets_share_the_clusters_and_a_set_one_scoring(real, generated, monkeypatch):
    calls = []
    for module, name in (
        (clusters.Clusters, "fit"),
        (clusters, "cluster_metrics"),
        (classification, "macro_scores"),
    ):
        function = getattr(module, name)

        def counted(*args, function=function, name=name, **settings):
            calls.append(name)
            return function(*args, **settings)

        monkeypatch.setattr(module, name, counted)
    measurement = Measurement.read(**real)
    for _ in range(2):
        measurement.of_samples(*generated)
    assert calls == ["fit"] * SETTINGS.kmeans + ["cluster_metrics", "macro_scores"] * 2


def test_a_too_small_population_is_rejected(real, generated):
    measurement = Measurement.read(**real, population=15)
    with pytest.raises(InputError, match=r"sampling\.population"):
        measurement.of_samples(*generated)
    assert measurement.of_samples(*generated, is_control=True)["cluster_error"]["n"] == 14


def test_features_of_other_images_are_rejected(real, generated):
    with h5py.File(generated[1][0], "a") as file:
        del file["generated/features"]
        file["generated/features"] = np.zeros((3, 5), np.float32)
    with pytest.raises(InputError, match="3 features of 'generated' for 26 images"):
        Measurement.read(**real).of_samples(*generated)


def test_features_of_other_weights_are_rejected(real, generated):
    with h5py.File(generated[1][0], "a") as file:
        file.attrs["weights_sha256"] = "1"
    with pytest.raises(InputError, match="other encoder weights"):
        Measurement.read(**real).of_samples(*generated)


def test_an_encoder_without_features_is_named(real):
    settings = SETTINGS.model_copy(update={"encoders": ["efficientnet_lite0", "clip"]})
    with pytest.raises(InputError, match="clip features of 'train' not found"):
        Measurement.read(**{**real, "settings": settings})


def test_a_test_split_in_one_block_of_time_is_rejected(real):
    settings = SETTINGS.model_copy(update={"block_days": 1000})
    with pytest.raises(InputError, match=r"one block of 1000 days.*shorten evaluation\.block_days"):
        Measurement.read(**{**real, "settings": settings}).of_test_split()
