"""From the doors to the summary: the contract of metrics/."""

import csv
import json

import h5py
import numpy as np
import pytest

from heliosynth.config.evaluation import ClassifierConfig, EvaluationConfig
from heliosynth.errors import InputError
from heliosynth.evaluation.classification import TrainedClassifier, write_classifier
from heliosynth.evaluation.measure import measure
from heliosynth.evaluation.summary import summarise
from heliosynth.io.files import read_json, write_json
from heliosynth.models.classifier import build_classifier
from helpers.scripts import load

classifier = load("classifier")
features = load("features")
metrics = load("metrics")
metrics_summary = load("metrics_summary")

JUDGE = ClassifierConfig(epochs=8, batch_size=8, learning_rate=5e-3, width=4)
SETTINGS = EvaluationConfig(
    encoders=["efficientnet_lite0"], clusters=3, repeats=3, classifier=JUDGE
)
NAMES = {
    "cluster_error",
    "cluster_distance",
    "cluster_std",
    "fid_efficientnet_lite0",
    "kid_efficientnet_lite0",
    "f1",
    "precision",
    "recall",
}


@pytest.fixture
def encode(tmp_path):
    """Run the features script on images, and give the file that it writes."""

    def run(images):
        output = tmp_path / "features" / images.name
        arguments = ["--images", images, "--encoder", "efficientnet_lite0", "--clip-weights", ""]
        features.main([*map(str, arguments), "--output", str(output)])
        return output

    return run


@pytest.fixture
def judge(tmp_path):
    """Write a judge that was never trained."""
    output = tmp_path / "untrained.safetensors"
    write_classifier(
        output, TrainedClassifier(build_classifier(JUDGE, 3), JUDGE, (1, 2, 3), epoch=0.0)
    )
    return output


@pytest.fixture
def run_metrics(dataset, encode, tmp_path):
    """Run the classifier script, then the metrics script for a row, and give what it writes."""
    real, judge = encode(dataset), tmp_path / "classifier.safetensors"
    arguments = ["--dataset", dataset, "--settings", JUDGE.model_dump_json(), "--seed", 0]
    classifier.main([*map(str, arguments), "--output", str(judge)])

    def run(name, *more):
        output = tmp_path / "metrics" / f"{name}.json"
        arguments = ["--name", name, "--dataset", dataset, "--features", real, *more]
        arguments += ["--classifier", judge, "--settings", SETTINGS.model_dump_json()]
        metrics.main([*map(str, arguments), "--seed", "1", "--output", str(output)])
        return output

    return run


def test_all_rows_end_in_one_summary(run_metrics, encode, samples, unlabelled_samples, tmp_path):
    def of(path):
        return ("--samples", path, "--generated-features", encode(path))

    files = [
        run_metrics("real", "--population", 14),
        run_metrics("ddpm_discrete", *of(samples)),
        run_metrics("cevae", *of(unlabelled_samples)),
    ]
    outputs = tmp_path / "summary.json", tmp_path / "summary.csv"
    metrics_summary.main(
        [
            *("--metrics", *map(str, files)),
            *("--output-json", str(outputs[0]), "--output-csv", str(outputs[1])),
        ]
    )
    summary = read_json(outputs[0])
    assert list(summary) == ["real", "ddpm_discrete", "cevae"]
    for row in summary.values():
        assert set(row) == NAMES
        for name in ("cluster_error", "fid_efficientnet_lite0", "kid_efficientnet_lite0"):
            assert set(row[name]) == {"value", "std", "n"}
            assert row[name]["n"] == 14
    assert summary["cevae"]["f1"] is None
    assert summary["ddpm_discrete"]["f1"]["n"] == 12
    assert summary["real"]["f1"]["n"] == 10
    fid = {model: row["fid_efficientnet_lite0"]["value"] for model, row in summary.items()}
    assert fid["cevae"] > fid["ddpm_discrete"]
    with outputs[1].open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 3 * len(NAMES)
    assert [r["value"] for r in rows if (r["model"], r["metric"]) == ("cevae", "f1")] == [""]
    _check_what_is_said_beside_the_metrics(files)


def _check_what_is_said_beside_the_metrics(files):
    real, ddpm, cevae = map(read_json, files)
    assert real["about"]["classes_without_an_image"] == ["M"]
    assert real["about"]["classes_drawn_with_replacement"] == ["B", "C"]
    assert real["about"]["distinct_images"] <= 10
    assert real["about"]["reference"] == {"split": "train", "classes": ["B", "C", "M"], "n": 42}
    assert set(ddpm["f1_by_class"]) == {"B", "C", "M"}
    assert real["f1_by_class"]["M"] is None
    assert np.sum(ddpm["confusion"]["asked_by_judged"]) == 12
    assert (cevae["confusion"], cevae["f1_by_class"]) == (None, None)
    encoder = ddpm["about"]["encoders"]["efficientnet_lite0"]
    assert len(encoder["weights_sha256"]) == 64
    assert "128 px" in encoder["description"]


@pytest.fixture
def written(dataset, samples, tmp_path):
    """Write random features of the dataset and the samples, without an encoder."""
    rng = np.random.default_rng(0)
    attributes = {
        "encoder": "efficientnet_lite0",
        "description": "noise",
        "weights_sha256": "0",
        "size_px": 1,
    }
    for name, groups in (
        ("real", {"train": 43, "val": 12, "test": 11}),
        ("generated", {"generated": 26}),
    ):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file.attrs.update(attributes)
            for group, n in groups.items():
                file[f"{group}/features"] = rng.standard_normal((n, 5)).astype(np.float32)
    return tmp_path / "real.h5", tmp_path / "generated.h5"


def test_a_part_of_the_population_keeps_its_class_mix(dataset, samples, written, judge):
    real, generated = written
    found = measure(dataset, [real], judge, SETTINGS, 0, samples, [generated], population=7)
    assert found["cluster_error"]["n"] == 7
    assert found["about"]["distinct_images"] == 7


def test_equal_seeds_give_equal_metrics(dataset, written, judge):
    first, again = (measure(dataset, written[:1], judge, SETTINGS, 4) for _ in range(2))
    assert json.dumps(first) == json.dumps(again)


def test_a_population_that_is_too_small_is_refused(dataset, samples, written, judge):
    real, generated = written
    with pytest.raises(InputError, match=r"sampling\.population"):
        measure(dataset, [real], judge, SETTINGS, 0, samples, [generated], population=15)


def test_features_of_other_images_are_refused(dataset, samples, written, judge):
    real, generated = written
    with h5py.File(generated, "a") as file:
        del file["generated/features"]
        file["generated/features"] = np.zeros((3, 5), np.float32)
    with pytest.raises(InputError, match="3 features of 'generated' for 26 images"):
        measure(dataset, [real], judge, SETTINGS, 0, samples, [generated])


def test_features_of_other_weights_are_refused(dataset, samples, written, judge):
    real, generated = written
    with h5py.File(generated, "a") as file:
        file.attrs["weights_sha256"] = "1"
    with pytest.raises(InputError, match="other weights"):
        measure(dataset, [real], judge, SETTINGS, 0, samples, [generated])


def test_an_encoder_without_features_is_named(dataset, written, judge):
    both = SETTINGS.model_copy(update={"encoders": ["efficientnet_lite0", "clip"]})
    with pytest.raises(InputError, match="no clip features"):
        measure(dataset, written[:1], judge, both, 0)


def test_a_metric_that_one_file_lacks_is_named(tmp_path):
    row = dict.fromkeys(NAMES)
    write_json(tmp_path / "a.json", {"name": "a", **row})
    write_json(tmp_path / "b.json", {"name": "b", **row, "fid_clip": None})
    with pytest.raises(InputError, match="fid_clip"):
        summarise([tmp_path / "a.json", tmp_path / "b.json"])
