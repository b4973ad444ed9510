"""Counts of floating point operations and network calls of the jobs of a run.

The networks of the workflow are run on fake tensors, so that counting is equally cheap at 4096
pixels and at 32.
"""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from benchmarks.floors import flop_counter
from heliosynth.config.models import CevaeConfig, DdpmConfig, SamplingConfig
from heliosynth.config.schema import RunConfig
from heliosynth.evaluation import encoders
from heliosynth.models.classifier import build_classifier
from heliosynth.models.deit import build_deit
from heliosynth.sampling.generate import CPU_BATCH
from heliosynth.training.inputs import VALIDATION_IMAGES
from heliosynth.training.objectives import AutoencodingObjective, build_objective

Batch = Callable[[int], Tensor]
"""Function that runs a network on a batch of n inputs."""
CONDITION_DIM = 6


@dataclass(frozen=True)
class Work:
    """Floating point operations and network calls.

    Attributes
    ----------
    step_flops, steps
        Operations of training steps, and their number.
    pass_flops, passes
        Operations of batches without gradients, and their number.
    feature_flops
        Operations of the feature encoders, whose depthwise convolutions run at a lower rate.
    """

    step_flops: float = 0.0
    steps: float = 0.0
    pass_flops: float = 0.0
    passes: float = 0.0
    feature_flops: float = 0.0

    def __add__(self, other: Work) -> Work:
        a, b = vars(self), vars(other)
        return Work(**{name: a[name] + b[name] for name in a})

    @property
    def flops(self) -> float:
        """All operations."""
        return self.step_flops + self.pass_flops + self.feature_flops


@dataclass(frozen=True)
class Images:
    """Numbers of labelled images: per class in the training split, and in the other splits."""

    training: Mapping[str, int]
    validation: int
    test: int

    @property
    def trained(self) -> int:
        return sum(self.training.values())


def parts(configuration: RunConfig, images: Images) -> dict[str, Work]:
    """Return the work of the jobs of a run, by the names of their Snakemake benchmark files."""
    with FakeTensorMode():
        models = _of_models(configuration, images)
    features = _of_features(configuration, images)
    # timm reads values of tensors when it builds a network, so its networks move to `meta` later.
    return {**models, **features, **_of_classifiers(configuration, images)}


def generated(config: DdpmConfig | CevaeConfig, images: Images) -> int:
    """Return the number of images of a model: its population, and the rest of the balanced set."""
    population = config.sampling.population
    if not isinstance(config.sampling, SamplingConfig):
        return population
    shares = (population * count / images.trained for count in images.training.values())
    return sum(max(round(share), config.sampling.per_class) for share in shares)


def _of_models(configuration: RunConfig, images: Images) -> dict[str, Work]:
    work = {}
    grid = configuration.evaluation.flux_response
    for name, config in configuration.models.items():
        model = _Model(config, configuration)
        settings = config.training
        seen = settings.images or (settings.epochs or 0) * images.trained
        validated = settings.validations * min(images.validation, VALIDATION_IMAGES)
        work[f"train_{name}"] = _fit(model.loss, seen, settings.batch_size, validated)
        work[f"sample_{name}"] = model.sampling(generated(config, images))
        if name in configuration.flux_models:
            work[f"sample_flux_response_{name}"] = model.sampling(grid.fluxes * grid.images)
    return work


def _of_features(configuration: RunConfig, images: Images) -> dict[str, Work]:
    total = sum(generated(config, images) for config in configuration.models.values())
    number = images.trained + images.validation + images.test + total
    return {
        f"features_{name}": Work(feature_flops=number * encoder_flops(name))
        for name in configuration.evaluation.encoders
    }


def _of_classifiers(configuration: RunConfig, images: Images) -> dict[str, Work]:
    classes, size = len(images.training), configuration.dataset.image_size_px
    classifier, deit = configuration.evaluation.classifier, configuration.application
    arms = 2 * deit.repeats
    return {
        "classifier": _fit(
            _on_images(build_classifier(classifier, classes), size),
            classifier.epochs * images.trained,
            classifier.batch_size,
            classifier.epochs * images.validation,
        ),
        "application": _fit(
            _on_images(build_deit(deit, size, classes), size),
            arms * deit.epochs * images.trained,
            deit.batch_size,
            arms * images.test,
        ),
    }


class _Model:
    """A model of the configuration, built on fake tensors."""

    def __init__(self, config: DdpmConfig | CevaeConfig, configuration: RunConfig) -> None:
        self.config, self.size = config, configuration.dataset.image_size_px
        embedding_of = getattr(getattr(config, "condition", None), "embedding_of", None)
        embedding = getattr(configuration.models.get(embedding_of), "latent_dim", 0)
        self.objective = build_objective(config, self.size, embedding)
        encoder = getattr(self.objective, "encoder", None)
        self.condition_dim = encoder.dim if encoder else 0

    def loss(self, batch: int) -> Tensor:
        images = torch.empty(batch, 1, self.size, self.size)
        noise = self.objective.sample_noise(images.shape, torch.Generator())
        return self.objective.loss(images, torch.empty(batch, self.condition_dim), noise)

    def sampling(self, number: int) -> Work:
        settings, objective = self.config.sampling, self.objective
        if isinstance(objective, AutoencodingObjective):
            width = objective.cevae.latent_dim
            return _passes(
                lambda n: objective.cevae.sample(torch.empty(n, width)), number, CPU_BATCH
            )
        if not isinstance(settings, SamplingConfig):
            raise TypeError(f"{settings}: not the settings of a diffusion sampler")
        evaluations = 2 * settings.steps - 1 if settings.sampler == "heun" else settings.steps
        # Guidance evaluates the conditional and the unconditional half in one batch.
        halves = 2 if settings.guidance > 0 else 1
        single = _passes(self.loss, number, CPU_BATCH)
        return Work(
            pass_flops=evaluations * halves * single.pass_flops, passes=evaluations * single.passes
        )


def _encoder(name: str) -> Batch:
    if name == "clip":
        import open_clip

        settings = open_clip.get_model_config(encoders.CLIP_ARCHITECTURE)
        clip, width = open_clip.CLIP(**settings), encoders.CLIP_SIZE_PX
        return lambda n: clip.encode_image(torch.empty(n, 3, width, width))
    network, size = encoders.efficientnet_lite0_network(), encoders.EFFICIENTNET_SIZE_PX
    return lambda n: network(torch.empty(n, 3, size, size))


def _on_images(network: nn.Module, size: int) -> Batch:
    on_meta = network.to("meta")
    return lambda n: on_meta(torch.empty(n, 1, size, size, device="meta"))


def _fit(run: Batch, seen: float, batch: int, validated: float) -> Work:
    """Return the work of a training with ``seen`` training and ``validated`` validation images."""
    steps = math.ceil(seen / batch)
    step = Work(step_flops=steps * _flops(run, batch, backward=True), steps=steps)
    return step + _passes(run, validated, batch)


def _passes(run: Batch, number: float, batch: int) -> Work:
    return Work(pass_flops=number * _flops(run, batch) / batch, passes=math.ceil(number / batch))


def _flops(run: Batch, batch: int, backward: bool = False) -> float:
    with flop_counter() as counter, torch.set_grad_enabled(backward):
        result = run(batch)
        if backward:
            result.sum().backward()
    return counter.get_total_flops()


def flops_of(network: nn.Module, batch: int, size: int) -> Work:
    """Return the operations of one step and of one pass of a diffusion model's network."""
    on_meta = copy.deepcopy(network).to("meta")

    def run(number: int) -> Tensor:
        x = torch.empty(number, 1, size, size, device="meta")
        label = torch.empty(number, device="meta")
        result: Tensor = on_meta(x, label, torch.empty(number, CONDITION_DIM, device="meta"))
        return result

    return Work(step_flops=_flops(run, batch, backward=True), pass_flops=_flops(run, batch))


@functools.cache
def encoder_flops(name: str) -> float:
    """Return the operations of a feature encoder for one image."""
    with FakeTensorMode():
        return _flops(_encoder(name), 1)


def parameters(config: DdpmConfig | CevaeConfig, configuration: RunConfig) -> int:
    """Return the number of weights of a model."""
    with FakeTensorMode():
        return sum(p.numel() for p in _Model(config, configuration).objective.parameters())
