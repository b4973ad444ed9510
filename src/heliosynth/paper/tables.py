"""The paper's tables: each a LaTeX ``tabular`` and a CSV of the same numbers."""

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
from heliosynth.io.files import write_text
from heliosynth.paper import latex
from heliosynth.results.names import model_title, models_in_order
from heliosynth.results.published import PUBLISHED, published
from heliosynth.results.run import Run


@dataclass(frozen=True)
class Content:
    """A table: LaTeX to include, and the rows of its CSV, header first."""

    tex: str
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Table:
    """What the workflow knows of a table.

    Attributes
    ----------
    products
        Paths below ``results/<run>/``; ``{model}`` stands for every model of the run.
    content
        Makes it from a run's products.
    """

    products: tuple[str, ...]
    content: Callable[[Run], Content]


def write_table(name: str, products: Run, tex: Path | str, csv_path: Path | str) -> None:
    """Write a table as LaTeX and CSV.

    Raises
    ------
    InputError
        If the name is not registered or a product is missing.
    """
    if name not in TABLES:
        raise InputError(f"{name!r} is no table: it must be one of {', '.join(TABLES)}")
    content = TABLES[name].content(products)
    write_text(tex, content.tex)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(content.rows)
    write_text(csv_path, text.getvalue())


def metrics(products: Run) -> Content:
    """Set this run's metrics beside the published ones (Ramunno et al. 2024)."""
    summary = products.metrics
    models = models_in_order(set(summary) | set(PUBLISHED))
    found = {name for row in summary.values() for name in row}
    rows: list[list[object]] = [
        ["metric", "model", "value", "std", "n", "published_value", "published_std"]
    ]
    groups = []
    for metric in metrics_in_order(found | {name for row in PUBLISHED.values() for name in row}):
        ours = {model: summary.get(model, {}).get(metric) or {} for model in models}
        for model in models:
            numbers = [ours[model].get(key) for key in ("value", "std", "n")]
            rows.append([metric, model, *numbers, *published(model, metric)])
        groups.append(_metric_rows(metric, ours if metric in found else {}, models))
    header = ["metric", *(latex.escape(model_title(model)) for model in models), "$n$"]
    return Content(latex.tabular("l" + "r" * len(models) + "r", header, groups), rows)


def _metric_rows(
    metric: str, ours: Mapping[str, Mapping[str, Any]], models: Sequence[str]
) -> list[list[str]]:
    title = f"{latex.escape(metric_title(metric))} {_direction(metric)}"
    lines = []
    if ours:
        counts = [int(entry["n"]) for entry in ours.values() if entry.get("n")]
        cells = [latex.measurement(ours[m].get("value"), ours[m].get("std")) for m in models]
        lines.append([title, *cells, _span(counts)])
    theirs = [PUBLISHED.get(model, {}).get(metric) for model in models]
    if any(theirs):
        cells = [latex.as_printed(text) for text in theirs]
        lines.append([r"\quad published" if lines else f"{title}, published", *cells, ""])
    return lines


def _direction(metric: str) -> str:
    row = find_metric(metric)
    arrows = {"lower": r"$\downarrow$", "higher": r"$\uparrow$"}
    return arrows.get(row.direction, rf"($\to {latex.plain(row.ideal)}$)")


def _span(counts: Sequence[int]) -> str:
    if not counts:
        return ""
    low, high = latex.integer(min(counts)), latex.integer(max(counts))
    return low if low == high else f"{low}--{high}"


def dataset(products: Run) -> Content:
    """Count the frames of each class and split, and those that are left out."""
    summary = products.summary
    counts: dict[str, dict[str, int]] = summary["classes"]
    scarce = summary["scarce_classes"]
    by_class = {name: [int(row.get(s, 0)) for s in SPLITS] for name, row in counts.items()}
    totals = [sum(column) for column in zip(*by_class.values(), strict=True)]
    left_out = {
        "between splits (gap)": int(summary.get("splits", {}).get("gap", 0)),
        "not labelled or not needed": int(summary.get("splits", {}).get("none", 0)),
    }
    left_out |= {f"refused: {reason}": int(n) for reason, n in summary["refused"].items()}
    rows: list[list[object]] = [["class", *SPLITS, "trained"]]
    rows += [[name, *numbers, name not in scarce] for name, numbers in by_class.items()]
    rows += [["all", *totals, ""], *([reason, n, "", "", ""] for reason, n in left_out.items())]
    notes = {name: "too few, not trained" if name in scarce else "" for name in by_class}
    groups = [
        [[name, *map(latex.integer, n), notes[name]] for name, n in by_class.items()],
        [["all", *map(latex.integer, totals), ""]],
        [
            [rf"\multicolumn{{3}}{{l}}{{{latex.escape(reason)}}}", latex.integer(n), ""]
            for reason, n in left_out.items()
        ],
    ]
    header = ["class", "training", "validation", "test", ""]
    return Content(latex.tabular("lrrrl", header, groups), rows)


def models(products: Run) -> Content:
    """Describe every model: its size, its training and its sampling."""
    # Imported late, so that planning the DAG, which reads TABLES, does not import torch.
    from heliosynth.models import network_title

    columns = ["network", "parameters", "images", "seconds", "sampler", "steps", "guidance"]
    rows: list[list[object]] = [["model", *columns]]
    lines = []
    for name, row in products.configuration.models.items():
        training = products.json(f"models/{name}/training.json")
        size, images, seconds = (training.get(k) for k in ("parameters", "images", "seconds"))
        if isinstance(row, DdpmConfig):
            network, sampling = network_title(row.network), row.sampling
            how: list[Any] = [SAMPLERS[sampling.sampler], sampling.steps, sampling.guidance]
        else:
            network, how = "convolutional VAE", ["prior", None, None]
        rows.append([name, network, size, images, seconds, *how])
        lines.append(
            [
                latex.escape(model_title(name)),
                network,
                latex.integer(size),
                latex.integer(images),
                latex.duration(seconds),
                how[0],
                latex.integer(how[1]),
                latex.DASH if how[2] is None else latex.plain(how[2]),
            ]
        )
    header = ["model", "network", "parameters", "images seen", "training"]
    header += ["sampler", "steps", "guidance $w$"]
    return Content(latex.tabular("llrrrlrr", header, [lines]), rows)


def application(products: Run) -> Content:
    """Compare the accuracy with and without generated images."""
    summary = products.json("application/summary.json")
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
    "dataset": Table(("dataset/summary.json",), dataset),
    "models": Table(("config.json", "models/{model}/training.json"), models),
    "application": Table(("application/summary.json",), application),
}
"""Every table by name."""
