r"""Every number in the paper's prose, as a LaTeX macro in ``tables/numbers.tex``.

The prose names macros only, so that it holds for any run. A number that a run does not have is
an en dash. Statements that follow from the numbers (the best model, the scarce classes) are
macros too; choices in the prose hang on conditionals, such as ``\ifsimulated``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from heliosynth import goes_class
from heliosynth.config.evaluation import ENCODERS
from heliosynth.config.models import SAMPLERS, DdpmConfig, PreconditionedConfig
from heliosynth.evaluation.metrics import METRICS, find_metric, metric_name, metric_title
from heliosynth.io.files import write_text
from heliosynth.paper import latex
from heliosynth.results.names import MODELS, in_prose
from heliosynth.results.run import Run

PRODUCTS = (
    "config.json",
    "dataset/dataset.h5",
    "dataset/summary.json",
    "models/{model}/training.json",
    "metrics/summary.json",
    "metrics/flux_response/{flux_model}.json",
    "application/summary.json",
)
"""What the numbers are read from; ``{model}`` and ``{flux_model}`` as in the figures."""

Macros = dict[str, str]

_ARMS = {"real_only": "Without", "with_generated": "With"}


def write_macros(products: Run, output: Path | str) -> None:
    """Write the macros and conditionals of a run."""
    conditions = conditionals(products)
    lines = ["% Written from the products of the run; do not edit."]
    lines += [rf"\newif\if{name}" for name in conditions]
    lines += [rf"\{name}{'true' if holds else 'false'}" for name, holds in conditions.items()]
    lines += [rf"\newcommand{{\{name}}}{{{value}}}" for name, value in macros(products).items()]
    write_text(output, "\n".join(lines) + "\n")


def conditionals(products: Run) -> dict[str, bool]:
    """Give what the prose must tell apart."""
    configuration, row = products.configuration, _typical(products)
    return {
        "simulated": configuration.source == "simulated",
        "scarceclasses": bool(products.summary["scarce_classes"]),
        "preconditioned": isinstance(row.denoiser, PreconditionedConfig),
        "clipencoder": "clip" in configuration.evaluation.encoders,
        "stoppedearly": any(
            products.json(f"models/{name}/training.json").get("stopped_early")
            for name in products.models
        ),
    }


def macros(products: Run) -> Macros:
    """Give every macro with the LaTeX that it stands for."""
    makers: list[Callable[[Run], Macros]] = [
        _run,
        _dataset,
        _labels,
        _settings,
        _trainings,
        _metrics,
        _statements,
        _flux_response,
        _application,
    ]
    found: Macros = {}
    for maker in makers:
        found |= maker(products)
    return found


def camel(name: str) -> str:
    """Make the part of a macro's name that stands for ``ddpm_discrete``: ``DdpmDiscrete``."""
    digits = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
    spelt = "".join(digits[int(c)] if c in "0123456789" else c for c in name)
    words = "".join(c if c.isascii() and c.isalpha() else " " for c in spelt).split()
    return "".join(word[0].upper() + word[1:] for word in words)


def _run(products: Run) -> Macros:
    configuration = products.configuration
    size = configuration.dataset.image_size_px
    channel = configuration.dataset.channel.removesuffix("A")
    return {
        "runname": latex.escape(configuration.run),
        "observations": latex.escape(configuration.observations),
        "seed": str(configuration.seed),
        "channel": rf"{channel}\,\AA",
        "imagesize": rf"{size}$\times${size}",
        "minimumdn": latex.plain(products.description.minimum_dn),
        "maximumdn": latex.plain(products.description.maximum_dn),
        "simulationstart": configuration.simulation.start.isoformat(),
        "simulationdays": latex.integer(configuration.simulation.days),
        "simulationcadence": latex.integer(configuration.simulation.cadence_minutes),
        "softwareversions": _versions(products),
    }


def _versions(products: Run) -> str:
    """List the versions that the products were made with."""
    made_with: Mapping[str, str] = products.description.provenance.get("versions", {})
    return latex.listing([latex.escape(f"{name} {version}") for name, version in made_with.items()])


def _dataset(products: Run) -> Macros:
    summary = products.summary
    counts: Mapping[str, Mapping[str, int]] = summary["classes"]
    splits = {
        split: sum(int(row.get(split, 0)) for row in counts.values())
        for split in ("train", "val", "test")
    }
    found = {
        "framesfound": latex.integer(summary["frames"]),
        "framesselected": latex.integer(summary["selected"]),
        "framesrefused": latex.integer(sum(summary["refused"].values())),
        "framesused": latex.integer(sum(splits.values())),
        "framestraining": latex.integer(splits["train"]),
        "framesvalidation": latex.integer(splits["val"]),
        "framestest": latex.integer(splits["test"]),
        "framesgap": latex.integer(summary.get("splits", {}).get("gap")),
        "sharedflares": latex.integer(summary.get("flares_in_train_and_held_out")),
        "trainedclasses": latex.listing(list(summary["trained_classes"])),
        "scarcesentence": _scarce_sentence(products),
    }
    for name in goes_class.NAMES:
        found[f"framestraining{name}"] = latex.integer(counts.get(name, {}).get("train"))
    return found


def _scarce_sentence(products: Run) -> str:
    scarce: Mapping[str, int] = products.summary["scarce_classes"]
    least = products.configuration.dataset.minimum_frames
    if not scarce:
        return f"Every class has at least {least} training frames."
    named = latex.listing([f"{name} ({n})" for name, n in scarce.items()])
    one = len(scarce) == 1
    return (
        f"{'Class' if one else 'Classes'} {named} {'has' if one else 'have'} too few training "
        f"frames, fewer than {least}: {'it is' if one else 'they are'} reported, but neither "
        "trained on nor sampled."
    )


def _labels(products: Run) -> Macros:
    dataset = products.configuration.dataset
    window = latex.plain(dataset.labels.window_minutes)
    rules = {
        "nearest_peak": f"takes the class of the nearest flare peak within {window}\\,min",
        "max_within": f"takes the class of the largest flare within $\\pm${window}\\,min",
    }
    without = {
        "background": ", and that of the background flux where there is none",
        "leave_out": "; frames without one are left out",
    }
    return {
        "labelrule": rules[dataset.labels.rule] + without[dataset.labels.without_flare],
        "blockdays": latex.plain(dataset.split.block_days),
        "gaphours": latex.plain(dataset.split.gap_hours),
        "validationshare": latex.plain(100 * dataset.split.validation),
        "testshare": latex.plain(100 * dataset.split.test),
        "minimumframes": str(dataset.minimum_frames),
    }


def _settings(products: Run) -> Macros:
    # Imported late, so that planning the DAG, which reads PRODUCTS, does not import torch.
    from heliosynth.models import network_description

    configuration, row = products.configuration, _typical(products)
    evaluation = configuration.evaluation
    cevae = next((m for m in configuration.models.values() if m.kind == "cevae"), None)
    return {
        "networkdescription": network_description(row.network),
        "sampler": SAMPLERS[row.sampling.sampler],
        "samplersteps": latex.integer(row.sampling.steps),
        "guidance": latex.plain(row.sampling.guidance),
        "labeldropout": latex.plain(100 * row.label_dropout),
        "emadecay": latex.plain(row.training.ema_decay),
        "batchsize": str(row.training.batch_size),
        "learningrate": latex.plain(row.training.learning_rate),
        "embeddingdim": str(row.network.embedding_dim),
        "population": latex.integer(row.sampling.population),
        "perclass": latex.integer(row.sampling.per_class),
        "latentdim": str(cevae.latent_dim) if cevae else latex.DASH,
        "cevaebeta": latex.plain(cevae.beta) if cevae else latex.DASH,
        "contextfraction": latex.plain(cevae.context_fraction) if cevae else latex.DASH,
        "clusters": str(evaluation.clusters),
        "repeats": str(evaluation.repeats),
        "encoder": latex.escape(ENCODERS[evaluation.encoders[0]]),
        "encoders": latex.listing([latex.escape(ENCODERS[name]) for name in evaluation.encoders]),
    }


def _trainings(products: Run) -> Macros:
    found: Macros = {}
    for model in [*MODELS, *products.models]:
        if model == "real":
            continue
        there = model in products.models
        training = products.json(f"models/{model}/training.json") if there else {}
        found[f"parameters{camel(model)}"] = latex.integer(training.get("parameters"))
        found[f"imagesseen{camel(model)}"] = latex.integer(training.get("images"))
        found[f"trainingtime{camel(model)}"] = latex.duration(training.get("seconds"))
    return found


def _metrics(products: Run) -> Macros:
    encoder = products.configuration.evaluation.encoders[0]
    found: Macros = {}
    for model in [*MODELS, *products.models]:
        row = products.metrics.get(model, {})
        for key in METRICS:
            entry = row.get(metric_name(key, encoder)) or {}
            value = latex.measurement(entry.get("value"), entry.get("std"))
            found[f"{_metric_macro(key)}{camel(model)}"] = value
    typical = products.metrics.get(_typical_name(products), {})
    for key in METRICS:
        entry = typical.get(metric_name(key, encoder)) or {}
        found[f"{_metric_macro(key)}images"] = latex.integer(entry.get("n"))
    return found


def _metric_macro(key: str) -> str:
    return METRICS[key].macro or camel(key).lower()


def _statements(products: Run) -> Macros:
    encoder = products.configuration.evaluation.encoders[0]
    return {
        f"{_metric_macro(key)}statement": best_statement(
            products.metrics, metric_name(key, encoder)
        )
        for key in METRICS
    }


def best_statement(summary: Mapping[str, Mapping[str, Any]], metric: str) -> str:
    """Say which model is nearest to the ideal of a metric, and what real images reach."""
    title = latex.escape(metric_title(metric))
    measured = {name: entry for name, row in summary.items() if (entry := row.get(metric))}
    models = {name: entry for name, entry in measured.items() if name != "real"}
    if not models:
        return f"No model has a {title}."
    row = find_metric(metric)
    best = min(models, key=lambda name: abs(models[name]["value"] - row.ideal))
    subjects = {"lower": f"lowest {title}", "higher": f"highest {title}"}
    subject = subjects.get(row.direction, f"{title} closest to {latex.plain(row.ideal)}")
    value = latex.measurement(models[best]["value"], models[best].get("std"))
    text = f"The {subject} is that of {latex.escape(in_prose(best))}, {value}"
    if (real := measured.get("real")) is None:
        return f"{text}."
    return (
        f"{text}; held-out real images reach {latex.measurement(real['value'], real.get('std'))}."
    )


def _flux_response(products: Run) -> Macros:
    settings = products.configuration.evaluation.flux_response
    found = [
        (model, products.json(f"metrics/flux_response/{model}.json"))
        for model in products.flux_models
    ]
    about = found[0][1] if found else {"about": {}}
    quantile = about["about"].get("bright_quantile")
    return {
        "fluxresponsefluxes": str(settings.fluxes),
        "fluxresponseimages": str(settings.images),
        "fluxresponsequantile": latex.DASH if quantile is None else latex.plain(100 * quantile),
        "fluxresponsethreshold": latex.integer(about.get("threshold_dn")),
        "fluxresponsestatement": " ".join(flux_statement(model, each) for model, each in found),
    }


def flux_statement(model: str, response: Mapping[str, Any]) -> str:
    """Say how the bright area of a model's images follows the flux, and that of true frames."""

    def written(entry: Mapping[str, Any]) -> str:
        value = latex.measurement(entry["value"], entry["std"])
        return f"{value} ($n = {latex.integer(entry['n'])}$)"

    of = {name: written(entry) for name, entry in response["correlation"].items()}
    return (
        f"The rank correlation of {latex.escape(in_prose(model))} is {of['grid']} over the grid, "
        f"{written(response['correlation_within_seeds'])} on average within the images of one "
        f"seed, and {of['population']} over images with the fluxes of the training split; that of "
        f"the true frames is {of['train']} in the training and {of['test']} in the test split."
    )


def _application(products: Run) -> Macros:
    summary = products.json("application/summary.json")
    settings = products.configuration.application
    found = {
        "applicationmodel": latex.escape(in_prose(settings.model)),
        "applicationrepeats": str(settings.repeats),
        "filledclasses": latex.listing(list(summary["generated"])) or latex.DASH,
        "generatedperclass": latex.integer(settings.generated_per_class),
    }
    for arm, word in _ARMS.items():
        for name in (*goes_class.NAMES, "overall"):
            entry = summary[arm].get(name) or {}
            value = latex.measurement(entry.get("value"), entry.get("std"))
            found[f"accuracy{word}{camel(name)}"] = value
    return found


def _typical_name(products: Run) -> str:
    """Give the row that the prose describes: the study's first, else the first there is."""
    names = products.diffusion_models
    return "ddpm_discrete" if "ddpm_discrete" in names else names[0]


def _typical(products: Run) -> DdpmConfig:
    row = products.configuration.models[_typical_name(products)]
    if not isinstance(row, DdpmConfig):  # `diffusion_models` gives no other
        raise TypeError(f"{row.kind} is no diffusion model")
    return row
