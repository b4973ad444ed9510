"""Products of the tiny configuration, from raw inputs to the paper."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from heliosynth.config.evaluation import CONTROLS, REAL
from helpers.project import TINY

# One worker of pytest-xdist makes the run, early, while the others go on with other tests.
pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("finished")]

MODELS = ("cevae", "ddpm_discrete", "ddpm_continuous", "ddpm_cevae")
METRICS = (
    "cluster_error",
    "cluster_distance",
    "cluster_std",
    "fid_efficientnet_lite0",
    "kid_efficientnet_lite0",
    "f1",
    "precision",
    "recall",
)
CONTRACT = [
    "config.json",
    "dataset/index.csv",
    "dataset/dataset.h5",
    "dataset/summary.json",
    *(
        f"models/{model}/{name}"
        for model in MODELS
        for name in ("config.json", "weights.safetensors", "history.csv", "training.json")
    ),
    *(f"samples/{model}.h5" for model in MODELS),
    *(f"samples/{name}.h5" for name in CONTROLS),
    *(f"metrics/{name}.json" for name in (*MODELS, *CONTROLS, REAL, "summary")),
    "metrics/summary.csv",
    "samples/flux_response/ddpm_continuous.h5",
    "metrics/flux_response/ddpm_continuous.json",
    "metrics/flux_response/ddpm_continuous.csv",
    "metrics/memorisation.json",
    "metrics/memorisation.csv",
    "figures/flux_response.pdf",
    "application/accuracy.csv",
    "application/summary.json",
    "figures/class_distribution.pdf",
    "figures/class_distribution.png",
    "tables/metrics.tex",
    "tables/metrics.csv",
    "paper.pdf",
    "report.zip",
]


def test_every_product_of_the_contract_exists(finished: Path) -> None:
    results = finished / "results" / "tiny"
    assert [name for name in CONTRACT if not (results / name).is_file()] == []
    assert (results / "paper.pdf").read_bytes().startswith(b"%PDF")


def test_no_temporary_file_is_left(finished: Path) -> None:
    left = [
        path for root in ("results", "resources") for path in (finished / root).rglob(".unfin*")
    ]
    assert left == []


def test_nothing_is_written_next_to_the_sources_of_the_paper(finished: Path) -> None:
    assert sorted(path.name for path in (finished / "paper").iterdir()) == ["main.tex", "refs.bib"]


def test_the_dataset_has_the_names_and_types_of_the_contract(finished: Path) -> None:
    with h5py.File(finished / "results/tiny/dataset/dataset.h5") as file:
        times = {}
        for split in ("train", "val", "test"):
            images = file[split]["images"]
            n = len(images)
            assert n > 0
            assert images.shape == (n, 1, 16, 16)
            assert -1 <= np.min(images) <= np.max(images) <= 1
            assert file[split]["goes_class"].dtype == np.int8
            assert file[split]["log10_flux"].dtype == np.float32
            times[split] = set(file[split]["time"][()].tolist())
        assert times["train"].isdisjoint(times["test"] | times["val"])


def test_generated_images_have_a_requested_label_and_a_seed(finished: Path) -> None:
    summary = json.loads((finished / "results/tiny/dataset/summary.json").read_text())
    trained = {"ABCMX".index(letter) for letter in summary["trained_classes"]}
    for model in MODELS[1:]:
        with h5py.File(finished / f"results/tiny/samples/{model}.h5") as file:
            assert set(file["goes_class"][()].tolist()) == trained
            assert len(np.unique(file["seed"][()])) == len(file["images"])
            assert np.isfinite(file["images"][()]).all()


def test_every_metric_of_the_summary_has_value_std_and_n(finished: Path) -> None:
    summary = json.loads((finished / "results/tiny/metrics/summary.json").read_text())
    assert set(summary) == {REAL, *CONTROLS, *MODELS}
    for name, metrics in summary.items():
        assert set(metrics) == set(METRICS)
        for metric, estimate in metrics.items():
            without_label = name == "cevae" and metric in ("f1", "precision", "recall")
            assert (estimate is None) == without_label
            if estimate is not None:
                assert set(estimate) == {"value", "std", "n", "low", "high"}
                assert estimate["std"] >= 0
                assert estimate["n"] > 1


def test_a_second_run_does_nothing(finished: Path, snakemake) -> None:
    result = snakemake(finished, *TINY)
    assert result.returncode == 0
    assert "Nothing to be done" in result.stderr
    assert result.stderr.splitlines()[-2:] == [
        "paper:  results/tiny/paper.pdf",
        "report: results/tiny/report.zip",
    ]
