"""Metrics, flux response, embedding map and downstream task, with invented values."""

from pathlib import Path
from typing import Any

import numpy as np

from heliosynth import goes_class
from heliosynth.config.evaluation import CONTROLS, ENCODERS, REAL
from heliosynth.config.schema import RunConfig
from heliosynth.dataset.store import read_description, read_split
from heliosynth.evaluation import application
from heliosynth.evaluation.embedding_map import write_map
from heliosynth.evaluation.estimate import Estimate
from heliosynth.evaluation.flux_response import FLUX_RESPONSE, measure_flux_response
from heliosynth.evaluation.memorisation_report import MATCHES, measure_memorisation
from heliosynth.evaluation.metrics import find_metric, metric_names
from heliosynth.evaluation.summary import summarise, write_csv
from heliosynth.io import tables
from heliosynth.io.files import write_json
from heliosynth.io.provenance import stamp

WITHOUT_CLASSES = "cevae"
"""The kind of model whose images have no class and no classification scores."""


def write_metrics(results: Path, configuration: RunConfig) -> None:
    """Write ``metrics/<name>.json`` of every model and of real images, and their summary."""
    rng = np.random.default_rng(3)
    encoders = configuration.evaluation.encoders
    kinds = {name: config.kind for name, config in configuration.models.items()}
    paths = []
    for name in [*kinds, *CONTROLS, REAL]:
        content: dict[str, Any] = {"name": name}
        for metric in metric_names(encoders):
            classified = find_metric(metric).bounded
            applies = not (classified and kinds.get(name) == WITHOUT_CLASSES)
            content[metric] = metric_value(rng, metric, name) if applies else None
        content |= {"f1_by_class": None, "confusion": None}
        content["about"] = stamp(encoders={encoder: ENCODERS[encoder] for encoder in encoders})
        paths.append(results / f"metrics/{name}.json")
        write_json(paths[-1], content)
    summary = summarise(paths)
    write_json(results / "metrics/summary.json", summary)
    write_csv(results / "metrics/summary.csv", summary)


def metric_value(rng: np.random.Generator, name: str, model: str) -> Any:
    """Return an estimate near the ideal of a metric for real images, further from it for models."""
    metric = find_metric(name)
    error = {"cevae": 0.8, "real": 0.01}.get(model, float(rng.uniform(0.2, 0.3)))
    value = metric.ideal - error if metric.ideal else error
    return Estimate.of(value, 0.06 * abs(value), 160 if metric.bounded else 240).to_json()


def write_flux_responses(results: Path, configuration: RunConfig) -> None:
    """Measure the flux response of every model that is conditioned on the flux."""
    for name in configuration.flux_models:
        response, images = measure_flux_response(
            dataset=results / "dataset/dataset.h5",
            grid=results / f"samples/flux_response/{name}.h5",
            samples=results / f"samples/{name}.h5",
            repeats=configuration.evaluation.repeats,
            block_days=configuration.evaluation.block_days,
            seed=configuration.seed,
        )
        folder = results / "metrics/flux_response"
        write_json(folder / f"{name}.json", {"name": name, **response})
        tables.write(folder / f"{name}.csv", images, FLUX_RESPONSE)


def write_memorisation(results: Path, configuration: RunConfig) -> None:
    """Measure the share of near copies in the images of every model."""
    report, images = measure_memorisation(
        dataset=results / "dataset/dataset.h5",
        samples={name: results / f"samples/{name}.h5" for name in configuration.models},
        block_days=configuration.evaluation.block_days,
        seed=configuration.seed,
    )
    write_json(results / "metrics/memorisation.json", report)
    tables.write(results / "metrics/memorisation.csv", images, MATCHES)


def write_embedding_map(results: Path) -> None:
    """Write a map of the training images with one cluster per class."""
    rng = np.random.default_rng(4)
    images = read_split(results / "dataset/dataset.h5", "train")
    centres = np.stack([images.goes_class, -images.goes_class / 2], axis=1)
    points = centres + rng.normal(0, 1.2, centres.shape)
    write_map(results / "metrics/cevae_embedding.csv", points, images)


def write_application(results: Path, configuration: RunConfig) -> None:
    """Write accuracies that are higher with generated images."""
    settings = configuration.application
    test = read_split(results / "dataset/dataset.h5", "test")
    classes = read_description(results / "dataset/dataset.h5").trained_classes
    rows = [
        application.Accuracy(arm, repeat, name, 0.4 + 0.05 * (rank + 2 * better) + 0.02 * repeat, n)
        for better, arm in enumerate(application.ARMS)
        for repeat in range(settings.repeats)
        for rank, (name, n) in enumerate(_test_images(test.goes_class, classes))
    ]
    application.write_accuracy(results / "application/accuracy.csv", rows)
    summary = application.summarise(rows, classes, settings.generated_per_class)
    write_json(results / "application/summary.json", summary)


def _test_images(numbers: np.ndarray, classes: tuple[int, ...]) -> list[tuple[str, int]]:
    counts = [(goes_class.NAMES[c], int(np.count_nonzero(numbers == c))) for c in classes]
    return [*counts, (application.OVERALL, sum(n for _, n in counts))]
