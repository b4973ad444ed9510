"""Sentences and figures of the paper that depend on the models and results of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

from heliosynth.config.evaluation import CONTROLS, COPYCAT, REAL
from heliosynth.config.models import DdpmConfig
from heliosynth.evaluation.metrics import find_metric, metric_title
from heliosynth.paper import latex
from heliosynth.results.names import in_prose
from heliosynth.results.run import Run


def prose(model: str) -> str:
    """Return the name of a model within a sentence, LaTeX."""
    return latex.escape(in_prose(model))


def diffusion_configs(run: Run) -> dict[str, DdpmConfig]:
    """Return the configs of the diffusion models by name."""
    configs = run.configuration.models
    return {name: c for name, c in configs.items() if isinstance(c, DdpmConfig)}


def label_rule(run: Run) -> str:
    """Return how a frame is labelled, to follow "each frame"."""
    labels = run.configuration.dataset.labels
    window = latex.plain(labels.window_minutes)
    rules = {
        "nearest_peak": f"takes the class of the nearest flare peak within {window}\\,min",
        "max_within": f"takes the class of the largest flare within $\\pm${window}\\,min",
    }
    without_flare = {
        "background": ", or that of the background flux if there is none",
        "leave_out": "; frames without one are left out",
    }
    return rules[labels.rule] + without_flare[labels.without_flare]


def underrepresented(run: Run) -> str:
    """Return the sentence on the classes with too few training frames."""
    scarce: Mapping[str, int] = run.summary["scarce_classes"]
    minimum = run.configuration.dataset.minimum_frames
    if not scarce:
        return f"Every class has at least {minimum} training frames."
    classes = latex.listing([f"{name} ({n})" for name, n in scarce.items()])
    subject, pronoun = (f"Class {classes} is", "it is")
    if len(scarce) > 1:
        subject, pronoun = (f"Classes {classes} are", "they are")
    return (
        f"{subject} under-represented, with fewer than {minimum} training frames: {pronoun} "
        "counted, but neither trained on nor sampled."
    )


def condition_titles(run: Run) -> str:
    """Return what the diffusion models are conditioned on, each condition once."""
    titles = {f"the {config.condition.title}": None for config in diffusion_configs(run).values()}
    return latex.listing(list(titles))


def conditions(run: Run) -> str:
    """Return the sentence on the condition of each diffusion model."""
    parts = [
        f"{'that' if index else 'The condition'} of {prose(name)} is the {config.condition.title}"
        for index, (name, config) in enumerate(diffusion_configs(run).items())
    ]
    return f"{latex.listing(parts)}."


def best_model(summary: Mapping[str, Mapping[str, Any]], metric: str, origin: str = "real") -> str:
    """Return the sentence on the best model by a metric, on the test split and the copycat.

    Models that no test tells apart from the best are named with it.

    Parameters
    ----------
    summary
        ``metrics/summary.json``.
    metric
        Name of the metric.
    origin
        What the images of the dataset are: ``real`` or ``simulated``.
    """
    title = latex.escape(metric_title(metric))
    estimates = {name: entry for name, row in summary.items() if (entry := row.get(metric))}
    models = {name: entry for name, entry in estimates.items() if name not in (*CONTROLS, REAL)}
    if not models:
        return f"No model has a value of {title}."
    row = find_metric(metric)

    def distance(name: str) -> float:
        return abs(float(estimates[name]["value"]) - row.ideal)

    best = min(models, key=distance)
    subjects = {"lower": f"lowest {title}", "higher": f"highest {title}"}
    subject = subjects.get(row.direction, f"{title} closest to {latex.plain(row.ideal)}")
    sentence = f"The {subject} is that of {prose(best)}, {_value(models[best])}"
    tests = (len(models) - 1) * len(summary[best])
    equal = [
        prose(name)
        for name in models
        if name != best and not _differ(distance(name) - distance(best), models, name, best, tests)
    ]
    if equal:
        sentence += f", from which {latex.listing(equal)} {_are(equal)} not told apart"
    if REAL in estimates:
        sentence += f"; that of the {origin} test split is {_value(estimates[REAL])}"
    if COPYCAT in estimates and distance(COPYCAT) < distance(best):
        sentence += f". Copies of training images rank first, with {_value(estimates[COPYCAT])}"
    return f"{sentence}."


def _differ(
    difference: float, estimates: Mapping[str, Mapping[str, Any]], one: str, other: str, tests: int
) -> bool:
    """Return whether two estimates differ at 5 % in a normal test, by Bonferroni over tests."""
    error = math.hypot(*(float(estimates[name]["std"]) for name in (one, other)))
    return abs(difference) > NormalDist().inv_cdf(1 - 0.05 / (2 * tests)) * error


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def flux_response(model: str, response: Mapping[str, Any], origin: str = "real") -> str:
    """Return the sentence on how the bright area of a model's images follows the flux.

    Parameters
    ----------
    model
        Name of the model.
    response
        ``metrics/flux_response/<model>.json``.
    origin
        What the images of the dataset are: ``real`` or ``simulated``.
    """
    values = {name: _value_and_n(entry) for name, entry in response["correlation"].items()}
    within = _value_and_n(response["correlation_within_seeds"])
    return (
        f"The rank correlation of {prose(model)} is {values['grid']} over the grid, {within} on "
        f"average within the images of one seed, and {values['population']} over images with the "
        f"fluxes of the training split; that of {origin} frames is {values['train']} in the "
        f"training split and {values['test']} in the test split."
    )


def class_grid(model: str) -> str:
    r"""Return the figure of a model's class grid; ``\gridcaption`` ends its caption."""
    return rf"\pagefigure{{class_grid_{model}}}{{Images of {prose(model)}. \gridcaption}}"


def class_grid_sentence(model: str) -> str:
    """Return the sentence that refers to a model's class grid, where that figure exists."""
    figure = f"class_grid_{model}"
    sentence = rf"Figure~\ref{{fig:{figure}}} shows images of {prose(model)}."
    return rf"\seefigure{{{figure}}}{{{sentence} }}"


def nearest_pairs(model: str) -> str:
    r"""Return the figure of a model's nearest pairs; ``\paircaption`` ends its caption."""
    return rf"\pagefigure{{nearest_pairs_{model}}}{{Images of {prose(model)}. \paircaption}}"


def copy_shares(report: Mapping[str, Any], origin: str = "real") -> str:
    """Return the sentence on the share of near copies of each model, and of other weeks.

    Parameters
    ----------
    report
        ``metrics/memorisation.json``.
    origin
        What the images of the dataset are: ``real`` or ``simulated``.
    """
    real = report[REAL]
    if real["reason"]:
        return f"The share of near copies is not measured: {latex.escape(real['reason'])}."
    shares = {prose(name): entry["copy_share"] for name, entry in report.items() if name != REAL}
    shares[f"the {origin} test split"] = real["copy_share"]
    parts = [f"{_percent(share)} of {name}" for name, share in shares.items() if share is not None]
    scale = ""
    if real["high"] is not None:
        low, high = _percent(real["low"]), _percent(real["high"])
        scale = rf" ({low} to {high} in 95\,\% of random sets of weeks)"
    return (
        f"Near copies are {latex.listing(parts)}; in training weeks that were left out they are "
        f"{_percent(real['expected'])}{scale}."
    )


def _percent(share: float) -> str:
    return rf"{100 * share:.1f}\,\%"


def _value(entry: Mapping[str, Any]) -> str:
    return latex.measurement(entry["value"], entry.get("std"))


def _value_and_n(entry: Mapping[str, Any]) -> str:
    return f"{_value(entry)} ($n = {latex.integer(entry['n'])}$)"
