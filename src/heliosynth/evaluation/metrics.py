"""Registry of metrics.

A metric is one function and one row of :data:`METRICS`. The function takes a
:class:`heliosynth.evaluation.comparison.Comparison` (and the name of an encoder, for metrics that
are measured with each encoder) and returns an Estimate, or None where the metric does not apply.
Measurement, summary, tables, figures and prose read the rows. The module imports no metric, so
that the rows can be checked when the workflow is planned.

The name of a metric is its key, followed by the encoder if it is measured per encoder:
``fid_clip``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from heliosynth.config.evaluation import ENCODERS
from heliosynth.errors import InputError

Direction = Literal["lower", "higher", "target"]


@dataclass(frozen=True)
class Metric:
    """A row of the registry.

    Attributes
    ----------
    title
        Name in tables and figures.
    ideal
        Value that a perfect model reaches.
    function
        Reference to the function, ``package.module:name``.
    per_encoder
        Whether it is measured with each encoder.
    bounded
        Whether all values are between 0 and 1.
    macro
        Name in the paper's macros, letters only; empty derives it from the key.
    """

    title: str
    ideal: float
    function: str
    per_encoder: bool = False
    bounded: bool = False
    macro: str = ""

    @property
    def direction(self) -> Direction:
        """Whether lower values are better, higher ones, or those closest to the ideal."""
        if self.ideal == 0:
            return "lower"
        return "higher" if self.bounded and self.ideal == 1 else "target"


METRICS: Mapping[str, Metric] = {
    "cluster_error": Metric(
        "cluster error", 0.0, "heliosynth.evaluation.clusters:measure_cluster_error"
    ),
    "cluster_distance": Metric(
        "cluster distance", 1.0, "heliosynth.evaluation.clusters:measure_cluster_distance"
    ),
    "cluster_std": Metric("cluster std", 1.0, "heliosynth.evaluation.clusters:measure_cluster_std"),
    "fid": Metric("FID", 0.0, "heliosynth.evaluation.frechet:measure_fid", per_encoder=True),
    "kid": Metric(
        "KID", 0.0, "heliosynth.evaluation.kernel_distance:measure_kid", per_encoder=True
    ),
    "f1": Metric(
        "F1", 1.0, "heliosynth.evaluation.classification:measure_f1", bounded=True, macro="fscore"
    ),
    "precision": Metric(
        "precision", 1.0, "heliosynth.evaluation.classification:measure_precision", bounded=True
    ),
    "recall": Metric(
        "recall", 1.0, "heliosynth.evaluation.classification:measure_recall", bounded=True
    ),
}
"""Every metric by its key, in the order of the tables."""

OTHER_KEYS = ("name", "f1_by_class", "confusion", "about")
"""Keys of ``metrics/<name>.json`` that are not metrics."""


def metric_name(key: str, encoder: str) -> str:
    """Return the name of a metric in the products, followed by the encoder if it has one."""
    return f"{key}_{encoder}" if METRICS[key].per_encoder else key


def metric_names(encoders: Sequence[str]) -> list[str]:
    """Return the names of all metrics, in the order of ``metrics/<name>.json``.

    Consecutive metrics with an encoder are listed encoder by encoder.
    """
    names: list[str] = []
    for per_encoder, group in itertools.groupby(METRICS, lambda key: METRICS[key].per_encoder):
        keys = list(group)
        for encoder in encoders if per_encoder else ("",):
            names += [metric_name(key, encoder) for key in keys]
    return names


def split_name(name: str) -> tuple[str, str | None]:
    """Split ``fid_clip`` into the key and the encoder, which is None for other metrics.

    Raises
    ------
    InputError
        If the registry has no such metric.
    """
    for key, metric in METRICS.items():
        if not metric.per_encoder and name == key:
            return key, None
        encoder = name.removeprefix(f"{key}_")
        if metric.per_encoder and encoder != name and encoder in ENCODERS:
            return key, encoder
    raise InputError(
        f"metric {name!r} not found in the registry; add a row to heliosynth.evaluation.metrics"
    )


def find_metric(name: str) -> Metric:
    """Return the row of the metric with a name such as ``fid_clip``."""
    return METRICS[split_name(name)[0]]


def metric_title(name: str) -> str:
    """Return the title of a metric, with its encoder in brackets."""
    key, encoder = split_name(name)
    title = METRICS[key].title
    return title if encoder is None else f"{title} ({ENCODERS[encoder]})"


def metrics_in_order(names: Iterable[str]) -> list[str]:
    """Sort the names of metrics in the order of the registry, encoders by name."""
    keys = list(METRICS)
    return sorted(set(names), key=lambda name: (keys.index(split_name(name)[0]), name))
