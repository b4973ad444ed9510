"""Every model's metrics in one table: ``metrics/summary.json`` and ``.csv``."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from heliosynth.errors import InputError
from heliosynth.evaluation.estimate import EstimateJson
from heliosynth.io.files import atomic_file, read_json

METRICS = ("cluster_error", "cluster_distance", "cluster_std", "f1", "precision", "recall")
FAMILIES = ("fid_", "kid_")
"""What the names of metrics that need an encoder begin with; the encoder's name follows."""

Summary = dict[str, dict[str, EstimateJson | None]]


def summarise(paths: Sequence[Path | str]) -> Summary:
    """Gather ``metrics/<name>.json`` files by model: every metric, null where it does not apply.

    Raises
    ------
    InputError
        If a file lacks a metric that another one has.
    """
    summary: Summary = {}
    for path in map(Path, paths):
        content = read_json(path)
        metrics = {key: value for key, value in content.items() if _is_metric(key)}
        summary[content["name"]] = metrics
        first = next(iter(summary.values()))
        for missing in set(METRICS) | set(first) ^ set(metrics):
            if missing not in metrics or missing not in first:
                raise InputError(f"{path}: metric {missing!r} is not in all files; measure again")
    return summary


def write_csv(path: Path | str, summary: Mapping[str, Mapping[str, EstimateJson | None]]) -> None:
    """Write a summary whole, one line a model and metric; empty where it does not apply."""
    with (
        atomic_file(path) as unfinished,
        unfinished.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("model", "metric", "value", "std", "n"))
        for model, metrics in summary.items():
            for metric, found in metrics.items():
                numbers = (found["value"], found["std"], found["n"]) if found else ("", "", "")
                writer.writerow((model, metric, *numbers))


def _is_metric(name: str) -> bool:
    return name in METRICS or name.startswith(FAMILIES)
