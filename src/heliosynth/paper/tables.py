"""Tables of the paper: each as a LaTeX ``tabular`` and a CSV of the same numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heliosynth.arrays import SPLITS
from heliosynth.config.models import SAMPLERS, DdpmConfig
from heliosynth.errors import InputError
from heliosynth.evaluation.metrics import find_metric, metric_title, metrics_in_order
from heliosynth.evaluation.statistics import STATISTICS
from heliosynth.evaluation.summary import NUMBERS
from heliosynth.io.files import write_text
from heliosynth.paper import latex
from heliosynth.results.names import model_title, models_in_order
from heliosynth.results.published import PUBLISHED, published
from heliosynth.results.run import Run


@dataclass(frozen=True)
class Content:
    """The content of a table: its LaTeX, and the rows of its CSV, header first."""

    tex: str
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Table:
    """A row of the registry of tables.

    Attributes
    ----------
    products
        Paths below ``results/<run>/``; placeholders as in the registry of figures.
    content
        The function that computes it from the products of a run.
    """

    products: tuple[str, ...]
    content: Callable[[Run], Content]


def write_table(name: str, run: Run, tex: Path | str, csv_path: Path | str) -> None:
    """Write a table as LaTeX and CSV.

    Raises
    ------
    InputError
        If there is no such table, or a product is missing.
    """
    if name not in TABLES:
        raise InputError(f"{name!r}: unknown table; choose one of {', '.join(TABLES)}")
    content = TABLES[name].content(run)
    write_text(tex, content.tex)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(content.rows)
    write_text(csv_path, text.getvalue())


def metrics(run: Run) -> Content:
    """Compare the metrics of this run with the published ones (Ramunno et al. 2024)."""
    summary = run.metrics
    models = models_in_order(set(summary) | set(PUBLISHED))
    measured = {name for row in summary.values() for name in row}
    rows: list[list[object]] = [["metric", "model", *NUMBERS, "published_value", "published_std"]]
    groups = []
    for metric in metrics_in_order(measured | {name for row in PUBLISHED.values() for name in row}):
        estimates = {model: summary.get(model, {}).get(metric) or {} for model in models}
        for model, estimate in estimates.items():
            numbers = [estimate.get(key) for key in NUMBERS]
            rows.append([metric, model, *numbers, *published(model, metric)])
        groups.append(_metric_rows(metric, estimates if metric in measured else {}, models))
    header = ["metric", *(latex.escape(model_title(model)) for model in models), "$n$"]
    return Content(latex.tabular("l" + "r" * len(models) + "r", header, groups), rows)


def _metric_rows(
    metric: str, estimates: Mapping[str, Mapping[str, Any]], models: Sequence[str]
) -> list[list[str]]:
    """Return the line of this run, if it has the metric, and that of the published values."""
    title = f"{latex.escape(metric_title(metric))} {_direction(metric)}"
    lines = []
    if estimates:
        counts = [int(estimate["n"]) for estimate in estimates.values() if estimate.get("n")]
        cells = [latex.measurement(e.get("value"), e.get("std")) for e in estimates.values()]
        lines.append([title, *cells, _span(counts)])
    published_values = [PUBLISHED.get(model, {}).get(metric) for model in models]
    if any(published_values):
        cells = [latex.as_printed(text) for text in published_values]
        lines.append([r"\quad published" if lines else f"{title}, published", *cells, ""])
    return lines


def _direction(metric: str) -> str:
    """Return an arrow towards better values, or the ideal value."""
    row = find_metric(metric)
    arrows = {"lower": r"$\downarrow$", "higher": r"$\uparrow$"}
    return arrows.get(row.direction, rf"($\to {latex.plain(row.ideal)}$)")


def _span(counts: Sequence[int]) -> str:
    """Return the lowest and the highest of some counts."""
    if not counts:
        return ""
    low, high = latex.integer(min(counts)), latex.integer(max(counts))
    return low if low == high else f"{low}--{high}"


def physics(run: Run) -> Content:
    """Compare the physical statistics of every row with those of training weeks."""
    report = run.json("metrics/physics.json")
    models = models_in_order(report)
    columns = ["value", "low", "high", "n", "null_median", "null_q95"]
    columns += ["mean", "reference_mean", "reference_std"]
    rows: list[list[object]] = [["statistic", "unit", "row", *columns]]
    lines = []
    for key, statistic in STATISTICS.items():
        entries = {model: report[model].get(key) or {} for model in models}
        for model, entry in entries.items():
            rows.append([key, statistic.unit, model, *[entry.get(name) for name in columns]])
        scale = next((entry for entry in entries.values() if entry), {})
        limits = [_two_decimals(scale.get(name)) for name in ("null_median", "null_q95")]
        cells = [_effect(entry) for entry in entries.values()]
        lines.append([latex.escape(statistic.title), *limits, *cells])
    header = ["statistic", "median", r"95\,\%", *(latex.escape(model_title(m)) for m in models)]
    return Content(latex.tabular("lrr" + "r" * len(models), header, [lines]), rows)


def _effect(entry: Mapping[str, Any]) -> str:
    """Return a value, with a star where it is above the 95 % quantile of training weeks."""
    quantile = entry.get("null_q95")
    is_outside = quantile is not None and entry["value"] > quantile
    return _two_decimals(entry.get("value")) + ("$^*$" if is_outside else "")


def _two_decimals(value: float | None) -> str:
    return latex.DASH if value is None else f"{value:.2f}"


def dataset(run: Run) -> Content:
    """Count the frames, flares and days per class and split, and the frames that are not used."""
    summary = run.summary
    scarce = summary["scarce_classes"]
    classes = list(summary["classes"])
    totals = [sum(summary["classes"][name][split] for name in classes) for split in SPLITS]
    unused = {
        "between splits (gap)": int(summary["splits"]["gap"]),
        "without a label or of another class": int(summary["splits"]["none"]),
    }
    unused |= {f"rejected: {reason}": int(n) for reason, n in summary["refused"].items()}
    counted = {
        name: [summary[key][name][split] for key in COUNTED for split in SPLITS] for name in classes
    }
    rows: list[list[object]] = [["class", *_count_columns(), "trained"]]
    rows += [[name, *counted[name], name not in scarce] for name in classes]
    rows.append(["all", *totals, *[""] * (len(SPLITS) * 2 + 1)])
    rows += [[reason, n, *[""] * (len(SPLITS) * 3)] for reason, n in unused.items()]
    groups = [
        [[_class_title(name, scarce), *_count_cells(summary, name)] for name in classes],
        [["all", *map(latex.integer, totals)]],
        [
            [rf"\multicolumn{{3}}{{l}}{{{latex.escape(reason)}}}", latex.integer(n)]
            for reason, n in unused.items()
        ],
    ]
    return Content(latex.tabular("lrrr", ["class", "training", "validation", "test"], groups), rows)


COUNTED: Mapping[str, str] = {"classes": "", "flares_by_class": "flares", "days_by_class": "days"}
"""The counts per class and split of the summary, and how their columns end."""


def _count_columns() -> list[str]:
    return [f"{split}_{end}" if end else split for end in COUNTED.values() for split in SPLITS]


def _class_title(name: str, scarce: Mapping[str, int]) -> str:
    """Return a class, marked if it is not trained on."""
    return rf"{name}$^*$" if name in scarce else name


def _count_cells(summary: Mapping[str, Any], name: str) -> list[str]:
    """Return per split the frames of a class and, in brackets, its flares and days."""
    return [
        f"{latex.integer(summary['classes'][name][split])} "
        f"({latex.integer(summary['flares_by_class'][name][split])}, "
        f"{latex.integer(summary['days_by_class'][name][split])})"
        for split in SPLITS
    ]


def models(run: Run) -> Content:
    """Describe every model: its network, training and sampling."""
    # Imported late, so that planning the DAG, which reads TABLES, does not import torch.
    from heliosynth.models import network_title

    columns = ["network", "parameters", "images", "seconds", "sampler", "steps", "guidance"]
    rows: list[list[object]] = [["model", *columns]]
    lines = []
    for name, config in run.configuration.models.items():
        training = run.json(f"models/{name}/training.json")
        size, images, seconds = (training.get(k) for k in ("parameters", "images", "seconds"))
        network, sampler = "convolutional VAE", "prior"
        steps: int | None = None
        guidance: float | None = None
        if isinstance(config, DdpmConfig):
            network, sampler = network_title(config.network), SAMPLERS[config.sampling.sampler]
            steps, guidance = config.sampling.steps, config.sampling.guidance
        rows.append([name, network, size, images, seconds, sampler, steps, guidance])
        lines.append(
            [
                latex.escape(model_title(name)),
                network,
                latex.integer(size),
                latex.integer(images),
                latex.duration(seconds),
                sampler,
                latex.integer(steps),
                latex.DASH if guidance is None else latex.plain(guidance),
            ]
        )
    header = ["model", "network", "parameters", "images seen", "training"]
    header += ["sampler", "steps", "guidance $w$"]
    return Content(latex.tabular("llrrrlrr", header, [lines]), rows)


def application(run: Run) -> Content:
    """Compare the accuracy with and without generated images."""
    summary = run.json("application/summary.json")
    without, with_generated = summary["real_only"], summary["with_generated"]
    added = summary["generated"]
    rows: list[list[object]] = [
        ["class", "n_test", "generated", "real_only", "std", "with_generated", "std"]
    ]
    lines = []
    for name in without:
        before, after = without[name] or {}, with_generated[name] or {}
        numbers = [before.get("value"), before.get("std"), after.get("value"), after.get("std")]
        rows.append([name, before.get("n"), added.get(name, 0), *numbers])
        lines.append(
            [
                "all" if name == "overall" else name,
                latex.integer(before.get("n")),
                latex.integer(sum(added.values()) if name == "overall" else added.get(name, 0)),
                latex.measurement(*numbers[:2]),
                latex.measurement(*numbers[2:]),
            ]
        )
    header = ["class", "$n$ test", "generated", "without", "with"]
    return Content(latex.tabular("lrrrr", header, [lines[:-1], lines[-1:]]), rows)


TABLES: Mapping[str, Table] = {
    "metrics": Table(("metrics/summary.json",), metrics),
    "physics": Table(("metrics/physics.json",), physics),
    "dataset": Table(("dataset/summary.json",), dataset),
    "models": Table(("config.json", "models/{model}/training.json"), models),
    "application": Table(("application/summary.json",), application),
}
"""Every table by name."""
