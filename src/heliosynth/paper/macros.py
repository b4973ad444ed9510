r"""The LaTeX macros of the paper: every number and every statement that depends on the run.

The prose of ``main.tex`` holds macros in place of numbers, so it is valid for any run. A number
that a run does not have is an en dash. Alternatives in the prose are chosen by conditionals, such
as ``\ifsimulated``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from heliosynth import goes_class
from heliosynth.arrays import SPLITS
from heliosynth.config.evaluation import ENCODERS, REAL
from heliosynth.config.models import (
    SAMPLERS,
    CevaeConfig,
    ClassConditionConfig,
    DdpmConfig,
    PreconditionedConfig,
)
from heliosynth.evaluation.metrics import METRICS, metric_name
from heliosynth.io.files import write_text
from heliosynth.paper import latex, statements
from heliosynth.results.run import Run

PRODUCTS = (
    "config.json",
    "dataset/dataset.h5",
    "dataset/likeness.json",
    "dataset/summary.json",
    "models/{model}/training.json",
    "metrics/summary.json",
    "metrics/flux_response/{flux_model}.json",
    "metrics/memorisation.json",
    "application/summary.json",
)
"""Products that the macros are computed from, with placeholders as in the registry of figures."""

Macros = dict[str, str]

_ARMS = {"real_only": "Without", "with_generated": "With"}


def write_macros(run: Run, output: Path | str) -> None:
    """Write the macros and conditionals of a run."""
    conditions = conditionals(run)
    lines = ["% Written from the products of the run; do not edit."]
    lines += [rf"\newif\if{name}" for name in conditions]
    lines += [rf"\{name}{'true' if holds else 'false'}" for name, holds in conditions.items()]
    lines += [rf"\newcommand{{\{name}}}{{{value}}}" for name, value in macros(run).items()]
    write_text(output, "\n".join(lines) + "\n")


def conditionals(run: Run) -> dict[str, bool]:
    """Return the conditions on which the prose depends."""
    diffusion = statements.diffusion_configs(run).values()
    trainings = [run.json(f"models/{name}/training.json") for name in run.models]
    return {
        "simulated": run.origin == "simulated",
        "preconditioned": isinstance(_described(run).denoiser, PreconditionedConfig),
        "clipencoder": "clip" in run.configuration.evaluation.encoders,
        "stoppedearly": any(training.get("stopped_early") for training in trainings),
        "fluxcondition": bool(run.flux_models),
        "embeddingcondition": any(
            isinstance(config.condition, ClassConditionConfig) and config.condition.embedding_of
            for config in diffusion
        ),
    }


def macros(run: Run) -> Macros:
    """Return the LaTeX of every macro by its name."""
    sections: list[Callable[[Run], Macros]] = [
        _run,
        _dataset,
        _labels,
        _likeness,
        _settings,
        _models,
        _trainings,
        _metrics,
        _statements,
        _flux_response,
        _application,
    ]
    return {name: text for section in sections for name, text in section(run).items()}


def camel(name: str) -> str:
    """Return a name as part of a macro's name, letters only: ``DdpmDiscrete``."""
    digits = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
    spelt = "".join(digits[int(c)] if c in "0123456789" else c for c in name)
    words = "".join(c if c.isascii() and c.isalpha() else " " for c in spelt).split()
    return "".join(word[0].upper() + word[1:] for word in words)


def _run(run: Run) -> Macros:
    configuration = run.configuration
    size = configuration.dataset.image_size_px
    channel = configuration.dataset.channel.removesuffix("A")
    return {
        "runname": latex.escape(configuration.run),
        "observations": latex.escape(configuration.observations),
        "origin": run.origin,
        "seed": str(configuration.seed),
        "channel": rf"{channel}\,\AA",
        "imagesize": rf"{size}$\times${size}",
        "minimumdn": latex.plain(run.description.minimum_dn),
        "maximumdn": latex.plain(run.description.maximum_dn),
        "simulationstart": configuration.simulation.start.isoformat(),
        "simulationdays": latex.integer(configuration.simulation.days),
        "simulationcadence": latex.integer(configuration.simulation.cadence_minutes),
        "softwareversions": _versions(run),
    }


def _versions(run: Run) -> str:
    """List the versions of the software that made the dataset."""
    versions: Mapping[str, str] = run.description.provenance.get("versions", {})
    return latex.listing([latex.escape(f"{name} {version}") for name, version in versions.items()])


def _dataset(run: Run) -> Macros:
    summary = run.summary
    counts: Mapping[str, Mapping[str, int]] = summary["classes"]
    frames = {split: sum(int(row.get(split, 0)) for row in counts.values()) for split in SPLITS}
    numbers = {
        "framesfound": latex.integer(summary["frames"]),
        "framesselected": latex.integer(summary["selected"]),
        "framesrejected": latex.integer(sum(summary["refused"].values())),
        "framesused": latex.integer(sum(frames.values())),
        "framestraining": latex.integer(frames["train"]),
        "framesvalidation": latex.integer(frames["val"]),
        "framestest": latex.integer(frames["test"]),
        "framesgap": latex.integer(summary["splits"]["gap"]),
        "sharedflares": latex.integer(summary["flares_in_train_and_held_out"]),
        "trainedclasses": latex.listing(list(summary["trained_classes"])),
        "underrepresented": statements.underrepresented(run),
    }
    by_class = {
        f"framestraining{name}": latex.integer(counts.get(name, {}).get("train"))
        for name in goes_class.NAMES
    }
    return numbers | by_class


def _labels(run: Run) -> Macros:
    dataset = run.configuration.dataset
    return {
        "labelrule": statements.label_rule(run),
        "blockdays": latex.plain(dataset.split.block_days),
        "gaphours": latex.plain(dataset.split.gap_hours),
        "validationshare": latex.plain(100 * dataset.split.validation),
        "testshare": latex.plain(100 * dataset.split.test),
        "minimumframes": str(dataset.minimum_frames),
    }


def _likeness(run: Run) -> Macros:
    # Imported only when needed: the list of products is read while planning, without pandas.
    from heliosynth.dataset import likeness

    found = run.json("dataset/likeness.json")["nearest_training_frame"] or {}
    shares = {
        "rotationshare": found.get("share_one_rotation_away"),
        "rotationchance": found.get("share_by_chance"),
    }
    low, high = likeness.ROTATION_LAGS_DAYS
    return {
        "rotationdays": f"{latex.plain(low)}--{latex.plain(high)}",
        **{n: latex.DASH if v is None else f"{100 * v:.0f}" for n, v in shares.items()},
    }


def _settings(run: Run) -> Macros:
    # Imported late, so that planning the DAG, which reads PRODUCTS, does not import torch.
    from heliosynth.models import network_description

    config, cevae = _described(run), _baseline(run)
    evaluation = run.configuration.evaluation
    return {
        "networkdescription": network_description(config.network),
        "sampler": SAMPLERS[config.sampling.sampler],
        "samplersteps": latex.integer(config.sampling.steps),
        "guidance": latex.plain(config.sampling.guidance),
        "labeldropout": latex.plain(100 * config.label_dropout),
        "emadecay": latex.plain(config.training.ema_decay),
        "batchsize": str(config.training.batch_size),
        "learningrate": latex.plain(config.training.learning_rate),
        "embeddingdim": str(config.network.embedding_dim),
        "population": latex.integer(config.sampling.population),
        "perclass": latex.integer(config.sampling.per_class),
        "latentdim": str(cevae.latent_dim),
        "cevaebeta": latex.plain(cevae.beta),
        "contextfraction": latex.plain(cevae.context_fraction),
        "clusters": str(evaluation.clusters),
        "repeats": str(evaluation.repeats),
        "evaluationblockdays": latex.plain(evaluation.block_days),
        "encoder": latex.escape(ENCODERS[evaluation.encoders[0]]),
        "encoders": latex.listing([latex.escape(ENCODERS[name]) for name in evaluation.encoders]),
    }


def _models(run: Run) -> Macros:
    first, *others = run.diffusion_models
    return {
        "describedmodel": statements.prose(run.presentation.described_model),
        "fluxmodels": latex.listing([statements.prose(name) for name in run.flux_models]),
        "conditiontitles": statements.condition_titles(run),
        "conditions": statements.conditions(run),
        "classgridsentences": "".join(map(statements.class_grid_sentence, [first, *others])),
        "classgrid": statements.class_grid(first),
        "furtherclassgrids": "".join(map(statements.class_grid, others)),
        "nearestpairs": "".join(map(statements.nearest_pairs, run.models)),
        "copyshares": statements.copy_shares(run.json("metrics/memorisation.json"), run.origin),
    }


def _trainings(run: Run) -> Macros:
    numbers: Macros = {}
    for model in run.models:
        training = run.json(f"models/{model}/training.json")
        numbers[f"parameters{camel(model)}"] = latex.integer(training.get("parameters"))
        numbers[f"imagesseen{camel(model)}"] = latex.integer(training.get("images"))
        numbers[f"trainingtime{camel(model)}"] = latex.duration(training.get("seconds"))
    return numbers


def _metrics(run: Run) -> Macros:
    encoder = run.configuration.evaluation.encoders[0]
    values: Macros = {}
    for key in METRICS:
        name, macro = metric_name(key, encoder), _metric_macro(key)
        estimates = {model: run.metrics[model][name] or {} for model in [*run.models, REAL]}
        for model, estimate in estimates.items():
            value = latex.measurement(estimate.get("value"), estimate.get("std"))
            values[f"{macro}{camel(model)}"] = value
        described = run.presentation.described_model
        values[f"described{macro}"] = values[f"{macro}{camel(described)}"]
        values[f"{macro}images"] = latex.integer(estimates[described].get("n"))
    return values


def _metric_macro(key: str) -> str:
    return METRICS[key].macro or camel(key).lower()


def _statements(run: Run) -> Macros:
    encoder = run.configuration.evaluation.encoders[0]
    return {
        f"{_metric_macro(key)}statement": statements.best_model(
            run.metrics, metric_name(key, encoder), run.origin
        )
        for key in METRICS
    }


def _flux_response(run: Run) -> Macros:
    settings = run.configuration.evaluation.flux_response
    responses = {
        model: run.json(f"metrics/flux_response/{model}.json") for model in run.flux_models
    }
    # The threshold is set by the training images alone, so it is the same for all models.
    first: Mapping[str, Any] = next(iter(responses.values()), {"about": {}})
    quantile = first["about"].get("bright_quantile")
    return {
        "fluxresponsefluxes": str(settings.fluxes),
        "fluxresponseimages": str(settings.images),
        "fluxresponsequantile": latex.DASH if quantile is None else latex.plain(100 * quantile),
        "fluxresponsethreshold": latex.integer(first.get("threshold_dn")),
        "fluxresponsestatement": " ".join(
            statements.flux_response(model, response, run.origin)
            for model, response in responses.items()
        ),
    }


def _application(run: Run) -> Macros:
    summary = run.json("application/summary.json")
    settings = run.configuration.application
    accuracies = {
        f"accuracy{word}{camel(name)}": latex.measurement(
            estimate.get("value"), estimate.get("std")
        )
        for arm, word in _ARMS.items()
        for name in (*goes_class.NAMES, "overall")
        for estimate in [summary[arm].get(name) or {}]
    }
    return {
        "applicationmodel": statements.prose(settings.model),
        "applicationrepeats": str(settings.repeats),
        "filledclasses": latex.listing(list(summary["generated"])) or latex.DASH,
        "generatedperclass": latex.integer(settings.generated_per_class),
        **accuracies,
    }


def _described(run: Run) -> DdpmConfig:
    """Return the config of the model whose network and settings the prose describes."""
    return statements.diffusion_configs(run)[run.presentation.described_model]


def _baseline(run: Run) -> CevaeConfig:
    """Return the config of the first ceVAE; every run has one."""
    configs = run.configuration.models.values()
    return next(config for config in configs if isinstance(config, CevaeConfig))
