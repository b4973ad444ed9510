"""Generation of images by trained models."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from heliosynth.arrays import Classes, Floats32, Images, Integers
from heliosynth.config.models import PriorSamplingConfig, SamplingConfig
from heliosynth.dataset.store import (
    NO_TIME,
    Description,
    GeneratedImages,
    LazySplit,
    read_description,
    write_samples,
)
from heliosynth.diffusion import samplers
from heliosynth.diffusion.denoiser import Guided
from heliosynth.diffusion.noise import SampleNoise
from heliosynth.errors import InputError
from heliosynth.goes_class import NAMES, of_flux
from heliosynth.io.provenance import file_sha256, stamp
from heliosynth.jobs.device import default_device
from heliosynth.sampling.plan import image_seeds, plan_prior, plan_samples
from heliosynth.seeds import derive_seed
from heliosynth.training.objectives import AutoencodingObjective, DenoisingObjective
from heliosynth.training.trained_model import TrainedModel, load_model

BatchGenerator = Callable[[Integers, SampleNoise], tuple[Tensor, Tensor]]
"""Function that returns the images (n, 1, H, W) with indices (n,), and their fluxes (n,)."""

CPU_BATCH = 16
"""Batch size on a CPU, also of the last batch. PyTorch and its libraries choose algorithms by batch
size, and these round differently; with a fixed size an image is bit-identical whatever its batch,
and larger batches are not faster."""


def generate(
    model: TrainedModel, goes_class: Classes, seeds: Integers, config: PriorSamplingConfig
) -> tuple[Images, Floats32]:
    """Generate images; each one depends on its class and seed, not on its batch.

    Parameters
    ----------
    model
        A trained model.
    goes_class
        (N,) requested classes; −1 for a model without labels.
    seeds
        (N,) one seed per image.
    config
        Section ``sampling`` of the model.

    Returns
    -------
    images
        (N, 1, H, W) in [−1, 1].
    log10_flux
        (N,) flux drawn for each image, log₁₀ W m⁻²; NaN without labels.

    Raises
    ------
    InputError
        If the model was not trained on a requested class.
    """
    _check_trained(model, goes_class)
    objective = model.objective
    device = _device(objective)
    if isinstance(objective, AutoencodingObjective):
        return _in_batches(seeds, config, device, lambda _, noise: _decode(objective, noise))
    if not isinstance(config, SamplingConfig):
        raise InputError(
            f"{model.name}: `sampling` lacks sampler, steps and guidance; choose a preset that has "
            "them"
        )

    def generate_batch(indices: Integers, noise: SampleNoise) -> tuple[Tensor, Tensor]:
        classes = torch.from_numpy(goes_class[indices].astype(np.int64)).to(device)
        condition, log10_flux = objective.encoder.sample(classes, noise)
        return _denoise(objective, model.image_size, condition, noise, config), log10_flux

    return _in_batches(seeds, config, device, generate_batch)


def generate_at_fluxes(
    model: TrainedModel, log10_flux: Floats32, seeds: Integers, config: SamplingConfig
) -> Images:
    """Generate images at given fluxes; each one depends only on its flux and seed.

    Parameters
    ----------
    model
        A trained model whose condition is the X-ray flux.
    log10_flux
        (N,) requested fluxes, log₁₀ W m⁻².
    seeds
        (N,) one seed per image; images with the same seed start from the same noise.
    config
        Section ``sampling`` of the model.

    Returns
    -------
    (N, 1, H, W) in [−1, 1].

    Raises
    ------
    InputError
        If the model is not conditioned on the flux.
    """
    objective = _flux_objective(model)
    device = _device(objective)

    def generate_batch(indices: Integers, noise: SampleNoise) -> tuple[Tensor, Tensor]:
        flux = torch.from_numpy(log10_flux[indices]).to(device)
        goes_class = torch.from_numpy(of_flux(10.0 ** log10_flux[indices])).to(device)
        condition = objective.encoder.encode(goes_class, flux)
        return _denoise(objective, model.image_size, condition, noise, config), flux

    images, _ = _in_batches(seeds, config, device, generate_batch)
    return images


def generate_samples(
    folder: Path | str,
    dataset: Path | str,
    config: PriorSamplingConfig,
    *,
    seed: int,
    output: Path | str,
    shard: int = 0,
) -> None:
    """Generate the images of a model, or a shard of them, and write them.

    Parameters
    ----------
    folder
        ``models/<model>``.
    dataset
        ``dataset.h5``: its training split determines the class mix.
    config
        Section ``sampling`` of the model.
    seed
        Seed of the run.
    output
        ``samples/<model>.h5``, or a shard of it.
    shard
        Index of the shard, below ``config.shards``.

    Raises
    ------
    InputError
        If a product cannot be read, or the model was not trained on a requested class.
    """
    model = load_model(folder, default_device())
    if isinstance(config, SamplingConfig) and isinstance(model.objective, DenoisingObjective):
        classes = LazySplit(dataset, "train").labels.goes_class
        plan = plan_samples(classes, model.trained_classes, config.population, config.per_class)
    else:
        plan = plan_prior(config.population)
    plan = plan.shard(shard, config.shards)
    seeds = image_seeds(seed, model.name, plan)
    images, log10_flux = generate(model, plan.goes_class, seeds, config)
    samples = GeneratedImages(
        images=images,
        goes_class=plan.goes_class,
        log10_flux=log10_flux,
        time=np.full(len(plan), NO_TIME, np.int64),
        seed=seeds,
        population=plan.population,
        balanced=plan.balanced,
    )
    write_samples(output, samples, _describe(folder, dataset, model, config, seed))


def generate_flux_response(
    folder: Path | str,
    dataset: Path | str,
    config: SamplingConfig,
    *,
    fluxes: int,
    images: int,
    seed: int,
    output: Path | str,
) -> None:
    """Generate images on a grid of fluxes and write ``samples/flux_response/<model>.h5``.

    The grid is evenly spaced in log₁₀ from the lowest to the highest training flux, and all fluxes
    have the same seeds, so that the response of individual images can be followed.

    Parameters
    ----------
    folder
        ``models/<model>``.
    dataset
        ``dataset.h5``, for channel and scaling.
    config
        Section ``sampling`` of the model.
    fluxes
        Number of fluxes of the grid.
    images
        Number of images per flux.
    seed
        Seed of the run.
    output
        File to write.

    Raises
    ------
    InputError
        If a product cannot be read, or the model is not conditioned on the flux.
    """
    model = load_model(folder, default_device())
    lowest, highest = _flux_objective(model).encoder.flux_range
    grid = np.linspace(lowest, highest, fluxes, dtype=np.float32)
    grid_seeds = [derive_seed(seed, model.name, "flux_response", n) for n in range(images)]
    log10_flux, seeds = np.repeat(grid, images), np.tile(np.array(grid_seeds), fluxes)
    samples = GeneratedImages(
        images=generate_at_fluxes(model, log10_flux, seeds, config),
        goes_class=of_flux(10.0**log10_flux),
        log10_flux=log10_flux,
        time=np.full(len(seeds), NO_TIME, np.int64),
        seed=seeds,
        population=np.zeros(len(seeds), bool),
        balanced=np.zeros(len(seeds), bool),
    )
    write_samples(output, samples, _describe(folder, dataset, model, config, seed))


def read_sampling(text: str) -> PriorSamplingConfig:
    """Parse a section ``sampling`` from JSON, of a diffusion model or of a ceVAE."""
    kind = SamplingConfig if "sampler" in json.loads(text) else PriorSamplingConfig
    return kind.model_validate_json(text)


def _check_trained(model: TrainedModel, goes_class: Classes) -> None:
    """Raise an error if a model with labels was not trained on one of the classes."""
    if isinstance(model.objective, AutoencodingObjective):
        return
    untrained = sorted(set(goes_class.tolist()) - set(model.trained_classes))
    if untrained:
        requested = ", ".join(NAMES[c] if c in range(len(NAMES)) else str(c) for c in untrained)
        trained = ", ".join(NAMES[c] for c in model.trained_classes)
        raise InputError(
            f"{model.name}: was not trained on class {requested}, so it cannot be sampled; "
            f"request one of {trained}"
        )


def _flux_objective(model: TrainedModel) -> DenoisingObjective:
    """Return the objective of a model; raise an error if its condition is not the flux."""
    objective = model.objective
    if not isinstance(objective, DenoisingObjective):
        raise InputError(
            f"{model.name}: has no condition, so it cannot be sampled at a flux; "
            "name a model whose condition is xray_flux"
        )
    if objective.encoder.config.kind != "xray_flux":
        raise InputError(
            f"{model.name}: its condition is the class, so it cannot be sampled at a flux; "
            "name a model whose condition is xray_flux"
        )
    return objective


def _describe(
    folder: Path | str,
    dataset: Path | str,
    model: TrainedModel,
    config: PriorSamplingConfig,
    seed: int,
) -> Description:
    """Return the description of the dataset with the provenance of generated images."""
    description = read_description(dataset)
    provenance = stamp(
        model=model.name,
        weights_sha256=file_sha256(Path(folder) / "weights.safetensors"),
        sampling=config.model_dump(mode="json"),
        seed=seed,
        dataset=dict(description.provenance),
    )
    return replace(description, provenance=provenance)


def _in_batches(
    seeds: Integers,
    config: PriorSamplingConfig,
    device: torch.device,
    generate_batch: BatchGenerator,
) -> tuple[Images, Floats32]:
    images, fluxes = [], []
    on_cpu = device.type == "cpu"
    size = CPU_BATCH if on_cpu else config.batch_size
    with tqdm(total=len(seeds), unit=" images", mininterval=2) as bar:
        for first in range(0, len(seeds), size):
            indices = np.arange(first, min(first + size, len(seeds)))
            # On a CPU the last batch is padded with copies of its last image.
            padded = np.minimum(np.arange(first, first + size), indices[-1]) if on_cpu else indices
            batch, flux = generate_batch(padded, SampleNoise(seeds[padded].tolist()))
            images.append(batch[: len(indices)].clamp(-1, 1).float().cpu().numpy())
            fluxes.append(flux[: len(indices)].float().cpu().numpy())
            bar.update(len(indices))
    return np.concatenate(images), np.concatenate(fluxes)


def _device(objective: torch.nn.Module) -> torch.device:
    return next(objective.parameters()).device


def _denoise(
    objective: DenoisingObjective,
    image_size: int,
    condition: Tensor,
    noise: SampleNoise,
    config: SamplingConfig,
) -> Tensor:
    """Return images (N, 1, H, W) sampled by the denoiser, with guidance."""
    device = _device(objective)
    sigmas = objective.denoiser.sigmas(config.steps).to(device)
    x = sigmas[0] * noise.normal(1, image_size, image_size).to(device)
    sampler: samplers.Sampler = getattr(samplers, config.sampler)
    guided = Guided(objective.denoiser, config.guidance)
    # The bar of the steps appears only if a batch takes longer than 5 s.
    progress = partial(tqdm, unit=" steps", mininterval=2, delay=5, leave=False)
    return sampler(guided, x, sigmas, condition.to(device), noise, progress=progress)


@torch.no_grad()
def _decode(objective: AutoencodingObjective, noise: SampleNoise) -> tuple[Tensor, Tensor]:
    """Return images (N, 1, H, W) decoded from random latents, and fluxes (N,) of NaN."""
    latent = noise.normal(objective.cevae.latent_dim).to(_device(objective))
    images = objective.cevae.sample(latent)
    return images, torch.full((len(noise),), torch.nan)
