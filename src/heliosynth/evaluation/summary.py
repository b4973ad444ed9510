"""Summary of every model's metrics: ``metrics/summary.json`` and ``.csv``."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from heliosynth.config.evaluation import ENCODERS
from heliosynth.errors import InputError
from heliosynth.evaluation.estimate import EstimateJson
from heliosynth.evaluation.metrics import OTHER_KEYS, metric_names
from heliosynth.io.files import atomic_file, read_json_product

NUMBERS = tuple(EstimateJson.__annotations__)
"""Numbers of a metric, in the order of the columns."""

Row = Mapping[str, EstimateJson | None]


def summarise(paths: Sequence[Path | str]) -> dict[str, Row]:
    """Gather ``metrics/<name>.json`` files by model: every metric, null where it does not apply.

    Raises
    ------
    InputError
        If a file is not a metrics file, contains a metric that is not in the registry, or lacks
        one of the registry or of another file; names the file and the metric.
    """
    summary: dict[str, Row] = {}
    for path in map(Path, paths):
        name, row = read_metrics(path)
        summary[name] = row
        first = next(iter(summary.values()))
        for metric in sorted(set(first) ^ set(row)):
            raise InputError(f"{path}: metric {metric!r} is not in all files; measure all again")
    return summary


def read_metrics(path: Path | str) -> tuple[str, Row]:
    """Read the metrics of ``metrics/<name>.json``.

    Returns
    -------
    name : str
        The model, or ``real``.
    row : dict
        Every metric by name, None where it does not apply.

    Raises
    ------
    InputError
        If the file is not a metrics file, or its metrics are not those of the registry.
    """
    content = read_json_product(path)
    try:
        name, encoders = str(content["name"]), list(content["about"]["encoders"])
    except (LookupError, TypeError) as error:
        raise InputError(f"{path}: not a file of metrics ({error!r}); measure again") from error
    row = {key: value for key, value in content.items() if key not in OTHER_KEYS}
    _check(path, row, metric_names([name for name in encoders if name in ENCODERS]))
    return name, row


def _check(path: Path | str, row: Mapping[str, Any], expected: Sequence[str]) -> None:
    for metric in row:
        if metric not in expected:
            raise InputError(
                f"{path}: metric {metric!r} not found in the registry; add a row to METRICS in "
                "heliosynth/evaluation/metrics.py, or measure again"
            )
    for metric in expected:
        if metric not in row:
            raise InputError(f"{path}: metric {metric!r} is missing; measure again")


def write_csv(path: Path | str, summary: Mapping[str, Row]) -> None:
    """Write a summary atomically, one line per model and metric, empty where it does not apply."""
    with (
        atomic_file(path) as unfinished,
        unfinished.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("model", "metric", *NUMBERS))
        for model, row in summary.items():
            for metric, entry in row.items():
                numbers = entry.values() if entry else [""] * len(NUMBERS)
                writer.writerow((model, metric, *numbers))
