"""Checks across sections: what a later stage would refuse, or would do wrongly without a word."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from heliosynth.config.evaluation import CONTROLS, REAL
from heliosynth.config.models import (
    CevaeConfig,
    ClassConditionConfig,
    DdpmConfig,
    ModernUnetConfig,
    PreconditionedConfig,
    StudyUnetConfig,
    VariancePreservingConfig,
)
from heliosynth.config.observations import SIMULATED_CHANNEL
from heliosynth.config.schema import RunConfig

RESERVED_NAMES = ("summary", REAL, *CONTROLS)
"""Names of files in ``metrics/`` that are not models."""
LEAST_POPULATION = 10
"""Smallest set of images to measure: of n images a bootstrap resample has only copies of one in
n^(1−n) of all cases, and its spread is then not defined. With 10 that is one in 10⁹."""
STUDY_HEADS = 4
"""Attention heads of the U-Net of the study, which divide its widths."""
LARGEST_LOG_SIGMA = 30.0
"""Largest ln σ of a schedule: e³⁰ squared still fits single precision."""
MINUTES_PER_DAY = 1440


class Problem(NamedTuple):
    """A setting that does not suit others: its key, what is wrong, and what to do."""

    path: tuple[str, ...]
    message: str


Problems = Iterator[Problem]


def problems(configuration: RunConfig) -> Problems:
    """Yield what no section can check alone, the first problem first."""
    for check in (_source, _dataset, _simulation, _models, _evaluation, _application):
        yield from check(configuration)


def _source(configuration: RunConfig) -> Problems:
    source = configuration.source
    if source == "archive" and configuration.archive is None:
        yield Problem(
            ("archive",), "missing: source is `archive`, so `archive` must name a directory; set it"
        )
    if source == "simulated" and configuration.dataset.channel != SIMULATED_CHANNEL:
        yield Problem(
            ("dataset", "channel"),
            f"{configuration.dataset.channel} is not simulated, {SIMULATED_CHANNEL} only; set it "
            f"to {SIMULATED_CHANNEL}, or `source` to archive or online",
        )
    if source == "online" and configuration.online is None:
        yield Problem(
            ("online",),
            "missing: source is `online`, so the section `online` is needed; see config/paper.yaml",
        )
    if configuration.online is not None:
        yield from _unique(("online", "years"), configuration.online.years)
        yield from _unique(("online", "xrs_satellites"), configuration.online.xrs_satellites)


def _dataset(configuration: RunConfig) -> Problems:
    dataset = configuration.dataset
    yield from _unique(("dataset", "classes"), dataset.classes)
    if dataset.split.test == 0:
        yield Problem(
            ("dataset", "split", "test"),
            "should be greater than 0, since the metrics need real images of a test split (got: 0)",
        )


def _simulation(configuration: RunConfig) -> Problems:
    """Compare the length of a simulated observation with what the dataset asks for."""
    if configuration.source != "simulated":
        return
    simulation, dataset = configuration.simulation, configuration.dataset
    if simulation.size_px < dataset.image_size_px:
        yield Problem(
            ("dataset", "image_size_px"),
            f"{dataset.image_size_px} is more than the {simulation.size_px} pixels of a simulated "
            "frame; lower it, or raise simulation.size_px",
        )
    frames = math.ceil(simulation.days * MINUTES_PER_DAY / simulation.cadence_minutes)
    split = dataset.split
    days = (frames - 1) * simulation.cadence_minutes / MINUTES_PER_DAY
    blocks = min(frames, math.floor(days / split.block_days) + 1)
    shares = 3 if split.validation > 0 else 2
    if blocks < shares or days * 24 <= (shares - 1) * split.gap_hours:
        yield Problem(
            ("dataset", "split"),
            f"{simulation.days} simulated days in blocks of {split.block_days:g} days with gaps of "
            f"{split.gap_hours:g} hours cannot fill {shares} splits; shorten "
            "block_days or gap_hours, or raise simulation.days",
        )
    needed = len(dataset.classes) if dataset.scarce_classes == "refuse" else 2
    if dataset.minimum_frames * needed > frames:
        yield Problem(
            ("dataset", "minimum_frames"),
            f"{dataset.minimum_frames} frames of each of {needed} classes are more than the "
            f"{frames} frames that are simulated; lower it, or raise simulation.days",
        )
    if configuration.evaluation.clusters >= frames:
        yield Problem(
            ("evaluation", "clusters"),
            f"{configuration.evaluation.clusters} clusters need more images than the {frames} "
            "frames that are simulated; choose fewer clusters, or raise simulation.days",
        )


def _models(configuration: RunConfig) -> Problems:
    spelt: dict[str, str] = {}
    for name, model in configuration.models.items():
        if name in RESERVED_NAMES:
            yield Problem(("models", name), "this name is reserved; rename the row")
        letters = "".join(character for character in name if character.isalnum()).lower()
        if letters in spelt:
            yield Problem(
                ("models", name),
                f"differs from models.{spelt[letters]} only in case, - or _, which names of files "
                "and macros do not keep apart; rename one",
            )
        spelt[letters] = name
        if configuration.dataset.image_size_px % model.size_multiple:
            yield Problem(
                ("dataset", "image_size_px"),
                f"{configuration.dataset.image_size_px} must be a multiple of "
                f"{model.size_multiple} for models.{name}; change it, or the stages of that model",
            )
        yield from _training(name, model)
        if isinstance(model, DdpmConfig):
            yield from _ddpm(name, model, configuration)
    if not any(isinstance(model, CevaeConfig) for model in configuration.models.values()):
        yield Problem(
            ("models",), "no row is a cevae, which the embedding map needs; add one, or keep it"
        )


def _training(name: str, model: DdpmConfig | CevaeConfig) -> Problems:
    path, training = ("models", name, "training"), model.training
    if training.ema_decay == 1:
        yield Problem(
            (*path, "ema_decay"),
            "should be less than 1, or the averaged weights never leave their random start "
            "(got: 1.0)",
        )
    if training.images is not None and training.warmup_images > training.images:
        yield Problem(
            (*path, "warmup_images"),
            f"{training.warmup_images} is more than the {training.images} images of the whole "
            "training, so the learning rate is never reached; lower it",
        )
    if model.sampling.population < LEAST_POPULATION:
        yield Problem(
            ("models", name, "sampling", "population"),
            f"should be at least {LEAST_POPULATION}, or the spread of the metrics is not defined "
            f"(got: {model.sampling.population})",
        )


def _ddpm(name: str, model: DdpmConfig, configuration: RunConfig) -> Problems:
    path, condition, sampling = ("models", name), model.condition, model.sampling
    if isinstance(condition, ClassConditionConfig) and condition.embedding_of is not None:
        models = configuration.models
        if not isinstance(models.get(condition.embedding_of), CevaeConfig):
            known = ", ".join(n for n, m in models.items() if isinstance(m, CevaeConfig)) or "none"
            yield Problem(
                (*path, "condition", "embedding_of"),
                f"{condition.embedding_of!r} is not a cevae of `models` ({known}); name one, or "
                "set null",
            )
    if model.label_dropout == 1:
        yield Problem(
            (*path, "label_dropout"),
            "should be less than 1, or the model never sees a label (got: 1.0)",
        )
    if sampling.guidance > 0 and model.label_dropout == 0:
        yield Problem(
            (*path, "sampling", "guidance"),
            f"{sampling.guidance:g} needs a model that was also trained without labels; set "
            "label_dropout above 0, or guidance to 0",
        )
    yield from _network(path, model)
    yield from _noise(path, model)


def _network(path: tuple[str, ...], model: DdpmConfig) -> Problems:
    network, path = model.network, (*path, "network")
    if isinstance(network, StudyUnetConfig):
        for width in network.widths[1:]:
            if width % STUDY_HEADS:
                yield Problem(
                    (*path, "widths"),
                    f"all but the first must be multiples of the {STUDY_HEADS} attention heads "
                    f"(got: {network.widths})",
                )
        if network.widths[0] % STUDY_HEADS:
            yield Problem(
                (*path, "widths"),
                f"must be multiples of the {STUDY_HEADS} attention heads (got: {network.widths})",
            )
        if network.embedding_dim % 2:
            yield Problem(
                (*path, "embedding_dim"),
                f"must be even, for sines and cosines (got: {network.embedding_dim})",
            )
    if isinstance(network, ModernUnetConfig):
        if network.embedding_dim < 2:
            yield Problem(
                (*path, "embedding_dim"), "should be at least 2, for a sine and a cosine (got: 1)"
            )
        if network.attention_levels > len(network.multipliers):
            yield Problem(
                (*path, "attention_levels"),
                f"{network.attention_levels} is more than the {len(network.multipliers)} levels "
                "of `multipliers`; lower it",
            )


def _noise(path: tuple[str, ...], model: DdpmConfig) -> Problems:
    denoiser, sampling = model.denoiser, model.sampling
    if isinstance(denoiser, PreconditionedConfig):
        if denoiser.sigma_min >= denoiser.sigma_max:
            yield Problem(
                (*path, "denoiser", "sigma_min"),
                f"{denoiser.sigma_min:g} must be less than sigma_max = {denoiser.sigma_max:g}; "
                "lower it",
            )
        return
    if sampling.steps > denoiser.noise_steps:
        yield Problem(
            (*path, "sampling", "steps"),
            f"{sampling.steps} is more than the schedule's denoiser.noise_steps = "
            f"{denoiser.noise_steps}; set at most {denoiser.noise_steps}",
        )
    if denoiser.beta_first > denoiser.beta_last:
        yield Problem(
            (*path, "denoiser", "beta_first"),
            f"{denoiser.beta_first:g} must not exceed beta_last = {denoiser.beta_last:g}; lower it",
        )
    if _log_sigma(denoiser) > LARGEST_LOG_SIGMA:
        yield Problem(
            (*path, "denoiser", "beta_last"),
            f"{denoiser.beta_last:g} over {denoiser.noise_steps} steps leaves nothing of the "
            "image, beyond single precision; lower it, or noise_steps",
        )


def _log_sigma(denoiser: VariancePreservingConfig) -> float:
    """Return about ln σ of the last step, −½ Σ ln(1 − β_t)."""
    first, last, steps = denoiser.beta_first, denoiser.beta_last, denoiser.noise_steps
    betas = (first + (last - first) * step / 8 for step in range(9))
    return -0.5 * steps * sum(math.log1p(-beta) for beta in betas) / 9


def _evaluation(configuration: RunConfig) -> Problems:
    evaluation, split = configuration.evaluation, configuration.dataset.split
    yield from _unique(("evaluation", "encoders"), evaluation.encoders)
    if evaluation.block_days > split.block_days:
        yield Problem(
            ("evaluation", "block_days"),
            f"{evaluation.block_days:g} is more than dataset.split.block_days = "
            f"{split.block_days:g}, so that a split can be a single block without a spread; "
            "shorten it, to about half of that or less",
        )


def _application(configuration: RunConfig) -> Problems:
    application, path = configuration.application, ("application",)
    model = configuration.models.get(application.model)
    if not isinstance(model, DdpmConfig):
        names = [n for n, m in configuration.models.items() if isinstance(m, DdpmConfig)]
        yield Problem(
            (*path, "model"),
            f"{application.model!r} is not a ddpm of `models`; name one of "
            f"{', '.join(names) or 'them after adding one'}",
        )
        return
    size = configuration.dataset.image_size_px
    if size % application.patch_px:
        yield Problem(
            (*path, "patch_px"),
            f"patches of {application.patch_px} px do not tile an image of {size} px; choose a "
            "divisor of dataset.image_size_px",
        )
    if application.embedding_dim % application.heads:
        yield Problem(
            (*path, "embedding_dim"),
            f"{application.embedding_dim} is not a multiple of application.heads = "
            f"{application.heads}; change one of them",
        )
    if application.generated_per_class > model.sampling.per_class:
        yield Problem(
            (*path, "generated_per_class"),
            f"{application.generated_per_class} is more than sampling.per_class = "
            f"{model.sampling.per_class} of models.{application.model}; lower it, or raise that",
        )


def _unique(path: tuple[str, ...], values: Sequence[object]) -> Problems:
    for value, count in Counter(values).items():
        if count > 1:
            yield Problem(path, f"{value} is listed {count} times; list it once")
