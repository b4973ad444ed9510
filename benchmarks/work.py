"""What the parts of a run compute: floating point operations and calls of networks, counted.

The networks are the workflow's own, run on tensors that hold nothing, so that counting costs
as little at 4096 pixels as at 32.
"""

from __future__ import annotations

import copy
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
from heliosynth.models.classifier import build_classifier, build_deit
from heliosynth.sampling.generate import CPU_BATCH
from heliosynth.training.inputs import VALIDATION_IMAGES
from heliosynth.training.objectives import AutoencodingObjective, build_objective

Batch = Callable[[int], Tensor]
"""Runs a network on a batch of so many inputs."""
CONDITION_DIM = 6


@dataclass(frozen=True)
class Work:
    """Floating point operations and calls of networks.

    Attributes
    ----------
    step_flops, steps
        Of training steps, and their number.
    pass_flops, passes
        Of batches without gradients, and their number.
    feature_flops
        Of the encoders of features, whose convolutions are thin, so that a machine does fewer
        operations of them a second.
    """

    step_flops: float = 0.0
    steps: float = 0.0
    pass_flops: float = 0.0
    passes: float = 0.0
    feature_flops: float = 0.0

    def __add__(self, other: Work) -> Work:
        mine, others = vars(self), vars(other)
        return Work(**{name: mine[name] + others[name] for name in mine})

    @property
    def flops(self) -> float:
        """All operations."""
        return self.step_flops + self.pass_flops + self.feature_flops


@dataclass(frozen=True)
class Images:
    """Numbers of labelled images: of a class in the training split, and in the other splits."""

    training: Mapping[str, int]
    validation: int
    test: int

    @property
    def trained(self) -> int:
        return sum(self.training.values())


def parts(configuration: RunConfig, images: Images) -> dict[str, Work]:
    """Give the work of the jobs of a run that compute, by the names of their time sheets."""
    with FakeTensorMode():
        given = _of_models(configuration, images)
        features = _of_features(configuration, images)
    # timm reads numbers from tensors as it builds, so its networks are emptied once built.
    return {**given, **features, **_of_classifiers(configuration, images)}


def generated(row: DdpmConfig | CevaeConfig, images: Images) -> int:
    """Count the images of a row: its population, and what the balanced set has beyond it."""
    population = row.sampling.population
    if not isinstance(row.sampling, SamplingConfig):
        return population
    shares = (population * count / images.trained for count in images.training.values())
    return sum(max(round(share), row.sampling.per_class) for share in shares)


def _of_models(configuration: RunConfig, images: Images) -> dict[str, Work]:
    work = {}
    grid = configuration.evaluation.flux_response
    for name, row in configuration.models.items():
        one = _Row(row, configuration)
        settings = row.training
        seen = settings.images or (settings.epochs or 0) * images.trained
        validated = settings.validations * min(images.validation, VALIDATION_IMAGES)
        work[f"train_{name}"] = _fit(one.loss, seen, settings.batch_size, validated)
        work[f"sample_{name}"] = one.sampling(generated(row, images))
        if name in configuration.flux_models:
            work[f"sample_flux_response_{name}"] = one.sampling(grid.fluxes * grid.images)
    return work


def _of_features(configuration: RunConfig, images: Images) -> dict[str, Work]:
    made = sum(generated(row, images) for row in configuration.models.values())
    number = images.trained + images.validation + images.test + made
    return {
        f"features_{name}": Work(feature_flops=number * _flops(_encoder(name), 1))
        for name in configuration.evaluation.encoders
    }


def _of_classifiers(configuration: RunConfig, images: Images) -> dict[str, Work]:
    classes, size = len(images.training), configuration.dataset.image_size_px
    judge, deit = configuration.evaluation.classifier, configuration.application
    arms = 2 * deit.repeats
    return {
        "classifier": _fit(
            _on_images(build_classifier(judge, classes), size),
            judge.epochs * images.trained,
            judge.batch_size,
            judge.epochs * images.validation,
        ),
        "application": _fit(
            _on_images(build_deit(deit, size, classes), size),
            arms * deit.epochs * images.trained,
            deit.batch_size,
            arms * images.test,
        ),
    }


class _Row:
    """A row of the models, built without weights."""

    def __init__(self, row: DdpmConfig | CevaeConfig, configuration: RunConfig) -> None:
        self.row, self.size = row, configuration.dataset.image_size_px
        embedding_of = getattr(getattr(row, "condition", None), "embedding_of", None)
        embedding = getattr(configuration.models.get(embedding_of), "latent_dim", 0)
        self.objective = build_objective(row, self.size, embedding)
        encoder = getattr(self.objective, "encoder", None)
        self.condition_dim = encoder.dim if encoder else 0

    def loss(self, batch: int) -> Tensor:
        images = torch.empty(batch, 1, self.size, self.size)
        drawn = self.objective.draw(images.shape, torch.Generator())
        return self.objective.loss(images, torch.empty(batch, self.condition_dim), drawn)

    def sampling(self, number: int) -> Work:
        settings, objective = self.row.sampling, self.objective
        if isinstance(objective, AutoencodingObjective):
            width = objective.cevae.latent_dim
            return _passes(
                lambda n: objective.cevae.sample(torch.empty(n, width)), number, CPU_BATCH
            )
        if not isinstance(settings, SamplingConfig):
            raise TypeError(f"{settings} has no sampler")
        evaluations = 2 * settings.steps - 1 if settings.sampler == "heun" else settings.steps
        # Guidance asks for both halves in one batch.
        halves = 2 if settings.guidance > 0 else 1
        one = _passes(self.loss, number, CPU_BATCH)
        return Work(
            pass_flops=evaluations * halves * one.pass_flops, passes=evaluations * one.passes
        )


def _encoder(name: str) -> Batch:
    if name == "clip":
        import open_clip

        settings = open_clip.get_model_config(encoders.CLIP_ARCHITECTURE)
        clip, width = open_clip.CLIP(**settings), encoders.CLIP_SIZE_PX
        return lambda n: clip.encode_image(torch.empty(n, 3, width, width))
    network, size = encoders.efficientnet_lite0(), encoders.EFFICIENTNET_SIZE_PX
    return lambda n: network(torch.empty(n, 3, size, size))


def _on_images(network: nn.Module, size: int) -> Batch:
    empty = network.to("meta")
    return lambda n: empty(torch.empty(n, 1, size, size, device="meta"))


def _fit(run: Batch, seen: float, batch: int, validated: float) -> Work:
    """Give the work of a training that sees so many images, and others to be validated."""
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
    """Count the operations of one step and of one pass of a diffusion model's network."""
    empty = copy.deepcopy(network).to("meta")

    def run(number: int) -> Tensor:
        x = torch.empty(number, 1, size, size, device="meta")
        label = torch.empty(number, device="meta")
        result: Tensor = empty(x, label, torch.empty(number, CONDITION_DIM, device="meta"))
        return result

    return Work(step_flops=_flops(run, batch, backward=True), pass_flops=_flops(run, batch))


def encoder_flops(name: str) -> float:
    """Count the operations of an encoder of features for one image."""
    with FakeTensorMode():
        return _flops(_encoder(name), 1)


def parameters(row: DdpmConfig | CevaeConfig, configuration: RunConfig) -> int:
    """Count the weights of a row."""
    with FakeTensorMode():
        return sum(p.numel() for p in _Row(row, configuration).objective.parameters())
