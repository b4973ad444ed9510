"""Physical statistics and curves with invented values."""

from pathlib import Path
from typing import Any

import numpy as np

from heliosynth.config.evaluation import CONTROLS, REAL
from heliosynth.config.schema import RunConfig
from heliosynth.evaluation.estimate import NOT_NEGATIVE, Estimate
from heliosynth.evaluation.physics_curves import CURVES
from heliosynth.evaluation.statistics import STATISTICS
from heliosynth.io.files import write_json

NULL_MEDIAN, NULL_Q95 = 0.3, 0.6


def write_physics(results: Path, configuration: RunConfig) -> None:
    """Write ``metrics/physics.json``, in which models are outside the null, and the curves."""
    rng = np.random.default_rng(5)
    rows = [REAL, *configuration.models, *CONTROLS]
    report: dict[str, dict[str, Any]] = {row: {} for row in rows}
    for row in rows:
        for key, statistic in STATISTICS.items():
            factor = 0.5 if row == REAL else 2.0
            report[row][key] = _entry(factor * NULL_Q95 * rng.uniform(0.8, 1.2))
            if statistic.kind == "share":
                report[row][key] |= {"value": 0.0, "low": 0.0, "null_q95": 0.0}
    # A statistic of a model that is not defined.
    report[rows[1]]["active_latitude"] = None
    write_json(results / "metrics/physics.json", report)
    curves = {key: _curve(key, rows, rng) for key in CURVES}
    write_json(results / "metrics/physics_curves.json", {"curves": curves, "about": {}})


def _entry(value: float) -> dict[str, Any]:
    estimate = Estimate.of(value, 0.1 * value, 240, bounds=NOT_NEGATIVE).to_json()
    scale = {"null_median": NULL_MEDIAN, "null_q95": NULL_Q95}
    return {**estimate, **scale, "mean": 1.0, "reference_mean": 1.1, "reference_std": 0.2}


def _curve(key: str, rows: list[str], rng: np.random.Generator) -> dict[str, Any]:
    x = np.arange(1, 20)
    level = 2 + np.sin(x / 4)
    lines = {row: (level * rng.uniform(0.8, 1.2)).tolist() for row in rows}
    # A ring without a pixel.
    lines[rows[0]][3] = None
    return {
        "x": x.tolist(),
        "x_label": CURVES[key].x_label,
        "y_label": CURVES[key].y_label,
        "reference": level.tolist(),
        "null_low": (0.9 * level).tolist(),
        "null_high": (1.1 * level).tolist(),
        "rows": lines,
    }
