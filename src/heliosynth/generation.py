"""Images from trained models: which, how many, and with which random numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from heliosynth.config.schema import PriorSampling, Sampling
from heliosynth.dataset.class_mix import apportion
from heliosynth.dataset.store import (
    NO_TIME,
    UNKNOWN_CLASS,
    GeneratedImages,
    read_description,
    read_split,
    write_samples,
)
from heliosynth.diffusion.denoiser import Guided
from heliosynth.diffusion.noise import SampleNoise
from heliosynth.diffusion.samplers import SAMPLERS
from heliosynth.errors import InputError
from heliosynth.goes_class import NAMES
from heliosynth.provenance import file_sha256, stamp
from heliosynth.training.objectives import AutoencodingObjective, DenoisingObjective
from heliosynth.training.product import TrainedModel, load_model

__all__ = [
    "SamplePlan",
    "generate",
    "generate_samples",
    "load_model",
    "plan_samples",
    "read_sampling",
]


@dataclass(frozen=True)
class SamplePlan:
    """Which images to generate; all arrays (N,).

    Attributes
    ----------
    goes_class
        The class asked for, −1 of a model without labels.
    number
        Place of the image among those of its class, from 0.
    population
        Images that together have the class mix of the training split.
    balanced
        Images that hold every class as often.
    """

    goes_class: npt.NDArray[np.int8]
    number: npt.NDArray[np.int64]
    population: npt.NDArray[np.bool_]
    balanced: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.goes_class)


def plan_samples(
    training_classes: npt.NDArray[np.int8],
    trained_classes: Iterable[int],
    population: int,
    per_class: int,
) -> SamplePlan:
    """Plan the images of a model with labels; an image may serve both sets.

    Parameters
    ----------
    training_classes
        (N,) class numbers of the training split.
    trained_classes
        Classes that the model was trained on; no other is asked for.
    population
        Images with the mix of the training split, by largest remainder.
    per_class
        Images of each class in the balanced set.

    Raises
    ------
    InputError
        If the training split has no image of a trained class.
    """
    classes = sorted(set(trained_classes))
    counts = np.array([np.count_nonzero(training_classes == c) for c in classes])
    if not counts.sum():
        raise InputError("the training split has no image of a trained class; nothing to sample")
    shares = apportion(counts, population)
    lengths = np.maximum(shares, per_class)
    number = np.concatenate([np.arange(n) for n in lengths]).astype(np.int64)
    return SamplePlan(
        goes_class=np.repeat(classes, lengths).astype(np.int8),
        number=number,
        population=number < np.repeat(shares, lengths),
        balanced=number < per_class,
    )


def plan_prior(population: int) -> SamplePlan:
    """Plan the images of a model without labels."""
    return SamplePlan(
        goes_class=np.full(population, UNKNOWN_CLASS, np.int8),
        number=np.arange(population),
        population=np.ones(population, bool),
        balanced=np.zeros(population, bool),
    )


def image_seeds(seed: int, model: str, plan: SamplePlan) -> npt.NDArray[np.int64]:
    """Give each image its own seed, a function of the run's seed, the model, class and number."""

    def of(goes_class: int, number: int) -> int:
        text = f"{seed}/{model}/{goes_class}/{number}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

    pairs = zip(plan.goes_class.tolist(), plan.number.tolist(), strict=True)
    return np.array([of(*pair) for pair in pairs], np.int64)


def generate(
    model: TrainedModel,
    goes_class: npt.NDArray[np.int8],
    seeds: npt.NDArray[np.int64],
    settings: PriorSampling,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Generate images; what each one is depends on its class and seed, not on its batch.

    Parameters
    ----------
    model
        A trained model.
    goes_class
        (N,) classes asked for; −1 of a model without labels.
    seeds
        (N,) one seed an image.
    settings
        Section ``sampling`` of the row.

    Returns
    -------
    images
        (N, 1, H, W) in [−1, 1].
    log10_flux
        (N,) the flux that each image was asked for, log₁₀ W m⁻²; NaN without labels.

    Raises
    ------
    InputError
        If a class is asked for that the model was not trained on.
    """
    _refuse_untrained(model, goes_class)
    images, fluxes = [], []
    with tqdm(total=len(seeds), unit=" images", mininterval=2) as bar:
        for first in range(0, len(seeds), settings.batch_size):
            part = slice(first, first + settings.batch_size)
            noise = SampleNoise(seeds[part].tolist())
            if isinstance(model.objective, DenoisingObjective):
                if not isinstance(settings, Sampling):
                    raise InputError(f"{model.name}: `sampling` lacks sampler, steps and guidance")
                drawn, flux = _denoised(
                    model.objective, model.image_size, goes_class[part], noise, settings
                )
            else:
                drawn, flux = _decoded(model.objective, noise)
            images.append(drawn.clamp(-1, 1).float().cpu().numpy())
            fluxes.append(flux.float().cpu().numpy())
            bar.update(len(drawn))
    return np.concatenate(images), np.concatenate(fluxes)


def generate_samples(
    folder: Path | str,
    dataset: Path | str,
    settings: Sampling | PriorSampling,
    seed: int,
    output: Path | str,
) -> None:
    """Generate the images of a model and write ``samples/<model>.h5``.

    Parameters
    ----------
    folder
        ``models/<model>``.
    dataset
        ``dataset.h5``: its training split sets the mix of classes.
    settings
        Section ``sampling`` of the row.
    seed
        Seed of the run.
    output
        File to write.

    Raises
    ------
    InputError
        If a product cannot be read, or a class is asked for that was not trained.
    """
    model = load_model(folder, "cuda" if torch.cuda.is_available() else "cpu")
    description = read_description(dataset)
    if isinstance(settings, Sampling) and isinstance(model.objective, DenoisingObjective):
        classes = read_split(dataset, "train").goes_class
        trained = model.trained_classes
        plan = plan_samples(classes, trained, settings.population, settings.per_class)
    else:
        plan = plan_prior(settings.population)
    seeds = image_seeds(seed, model.name, plan)
    images, log10_flux = generate(model, plan.goes_class, seeds, settings)
    provenance = stamp(
        model=model.name,
        weights_sha256=file_sha256(Path(folder) / "weights.safetensors"),
        sampling=settings.model_dump(mode="json"),
        seed=seed,
        dataset=dict(description.provenance),
    )
    samples = GeneratedImages(
        images=images,
        goes_class=plan.goes_class,
        log10_flux=log10_flux,
        time=np.full(len(plan), NO_TIME, np.int64),
        seed=seeds,
        population=plan.population,
        balanced=plan.balanced,
    )
    write_samples(output, samples, replace(description, provenance=provenance))


def read_sampling(text: str) -> Sampling | PriorSampling:
    """Read a section ``sampling`` from JSON."""
    kind = Sampling if "sampler" in json.loads(text) else PriorSampling
    return kind.model_validate_json(text)


def _refuse_untrained(model: TrainedModel, goes_class: npt.NDArray[np.int8]) -> None:
    if isinstance(model.objective, AutoencodingObjective):
        return
    untrained = sorted(set(goes_class.tolist()) - set(model.trained_classes))
    if untrained:
        asked = ", ".join(NAMES[c] if c in range(len(NAMES)) else str(c) for c in untrained)
        known = ", ".join(NAMES[c] for c in model.trained_classes)
        raise InputError(
            f"{model.name}: was not trained on class {asked}, so it cannot be sampled; "
            f"ask for one of {known}"
        )


def _denoised(
    objective: DenoisingObjective,
    image_size: int,
    goes_class: npt.NDArray[np.int8],
    noise: SampleNoise,
    settings: Sampling,
) -> tuple[torch.Tensor, torch.Tensor]:
    device = next(objective.denoiser.parameters()).device
    asked = torch.from_numpy(goes_class.astype(np.int64)).to(device)
    condition, log10_flux = objective.encoder.draw(asked, noise)
    sigmas = objective.denoiser.sigmas(settings.steps).to(device)
    x = sigmas[0] * noise.normal(1, image_size, image_size).to(device)
    sampler = SAMPLERS[settings.sampler]
    guided = Guided(objective.denoiser, settings.guidance)
    # Steps show only where a batch takes long enough to wonder.
    progress = partial(tqdm, unit=" steps", mininterval=2, delay=5, leave=False)
    images = sampler(guided, x, sigmas, condition.to(device), noise, progress=progress)
    return images, log10_flux


@torch.no_grad()
def _decoded(
    objective: AutoencodingObjective, noise: SampleNoise
) -> tuple[torch.Tensor, torch.Tensor]:
    device = next(objective.parameters()).device
    drawn = objective.cevae.sample(noise.normal(objective.cevae.latent_dim).to(device))
    return drawn, torch.full((len(noise),), torch.nan)
