"""Images from trained models."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from heliosynth.config.evaluation import FluxResponseConfig
from heliosynth.config.models import PriorSamplingConfig, SamplingConfig
from heliosynth.dataset.store import (
    NO_TIME,
    Description,
    GeneratedImages,
    read_description,
    read_split,
    write_samples,
)
from heliosynth.diffusion import samplers
from heliosynth.diffusion.denoiser import Guided
from heliosynth.diffusion.noise import SampleNoise
from heliosynth.errors import InputError
from heliosynth.goes_class import NAMES, of_flux
from heliosynth.io.provenance import file_sha256, stamp
from heliosynth.sampling.plan import Seeds, image_seeds, plan_prior, plan_samples
from heliosynth.seeds import derive_seed
from heliosynth.training.objectives import AutoencodingObjective, DenoisingObjective
from heliosynth.training.trained_model import TrainedModel, load_model

Images = npt.NDArray[np.float32]
Fluxes = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Draw = Callable[[Places, SampleNoise], tuple[torch.Tensor, torch.Tensor]]
"""Gives the images (n, 1, H, W) and fluxes (n,) of those to generate at some places."""

CPU_BATCH = 16
"""Images at a time on a CPU, never fewer. PyTorch and the libraries below it choose how to compute
by the size of the batch, and other ways round otherwise; of one size, an image is the same to the
bit whatever its batch, and more at a time gain nothing."""


def generate(
    model: TrainedModel,
    goes_class: npt.NDArray[np.int8],
    seeds: Seeds,
    settings: PriorSamplingConfig,
) -> tuple[Images, Fluxes]:
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
    objective = model.objective
    device = _device(objective)
    if isinstance(objective, AutoencodingObjective):
        return _in_batches(seeds, settings, device, lambda _, noise: _decoded(objective, noise))
    if not isinstance(settings, SamplingConfig):
        raise InputError(f"{model.name}: `sampling` lacks sampler, steps and guidance")

    def draw(places: Places, noise: SampleNoise) -> tuple[torch.Tensor, torch.Tensor]:
        asked = torch.from_numpy(goes_class[places].astype(np.int64)).to(device)
        condition, log10_flux = objective.encoder.draw(asked, noise)
        return _denoised(objective, model.image_size, condition, noise, settings), log10_flux

    return _in_batches(seeds, settings, device, draw)


def generate_at_fluxes(
    model: TrainedModel, log10_flux: Fluxes, seeds: Seeds, settings: SamplingConfig
) -> Images:
    """Generate images at given fluxes; what each one is depends on its flux and seed alone.

    Parameters
    ----------
    model
        A trained model whose condition is the X-ray flux.
    log10_flux
        (N,) fluxes asked for, log₁₀ W m⁻².
    seeds
        (N,) one seed an image; images of one seed start from the same noise.
    settings
        Section ``sampling`` of the row.

    Returns
    -------
    (N, 1, H, W) in [−1, 1].

    Raises
    ------
    InputError
        If the model is not conditioned on the flux.
    """
    objective = _of_flux(model)
    device = _device(objective)

    def draw(places: Places, noise: SampleNoise) -> tuple[torch.Tensor, torch.Tensor]:
        flux = torch.from_numpy(log10_flux[places]).to(device)
        goes_class = torch.from_numpy(of_flux(10.0 ** log10_flux[places])).to(device)
        condition = objective.encoder.encode(goes_class, flux)
        return _denoised(objective, model.image_size, condition, noise, settings), flux

    images, _ = _in_batches(seeds, settings, device, draw)
    return images


def generate_samples(
    folder: Path | str,
    dataset: Path | str,
    settings: SamplingConfig | PriorSamplingConfig,
    seed: int,
    output: Path | str,
    shard: int = 0,
) -> None:
    """Generate the images of a model, or a shard of them, and write them as a file of samples.

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
    shard
        Which of ``settings.shards`` parts, from 0.

    Raises
    ------
    InputError
        If a product cannot be read, or a class is asked for that was not trained.
    """
    model = load_model(folder, "cuda" if torch.cuda.is_available() else "cpu")
    if isinstance(settings, SamplingConfig) and isinstance(model.objective, DenoisingObjective):
        classes = read_split(dataset, "train").goes_class
        trained = model.trained_classes
        plan = plan_samples(classes, trained, settings.population, settings.per_class)
    else:
        plan = plan_prior(settings.population)
    plan = plan.shard(shard, settings.shards)
    seeds = image_seeds(seed, model.name, plan)
    images, log10_flux = generate(model, plan.goes_class, seeds, settings)
    samples = GeneratedImages(
        images=images,
        goes_class=plan.goes_class,
        log10_flux=log10_flux,
        time=np.full(len(plan), NO_TIME, np.int64),
        seed=seeds,
        population=plan.population,
        balanced=plan.balanced,
    )
    write_samples(output, samples, _described(folder, dataset, model, settings, seed))


def generate_flux_response(
    folder: Path | str,
    dataset: Path | str,
    sampling: SamplingConfig,
    settings: FluxResponseConfig,
    seed: int,
    output: Path | str,
) -> None:
    """Generate images at a grid of fluxes and write ``samples/flux_response/<model>.h5``.

    The grid is even in log₁₀ from the lowest to the highest training flux, and every flux has
    the same seeds, so that the response is seen image by image.

    Parameters
    ----------
    folder
        ``models/<model>``.
    dataset
        ``dataset.h5``, for what the images are.
    sampling
        Section ``sampling`` of the row.
    settings
        Section ``evaluation.flux_response``.
    seed
        Seed of the run.
    output
        File to write.

    Raises
    ------
    InputError
        If a product cannot be read, or the model is not conditioned on the flux.
    """
    model = load_model(folder, "cuda" if torch.cuda.is_available() else "cpu")
    lowest, highest = _of_flux(model).encoder.flux_range
    grid = np.linspace(lowest, highest, settings.fluxes, dtype=np.float32)
    own = [derive_seed(seed, model.name, "flux_response", n) for n in range(settings.images)]
    log10_flux, seeds = np.repeat(grid, settings.images), np.tile(np.array(own), settings.fluxes)
    samples = GeneratedImages(
        images=generate_at_fluxes(model, log10_flux, seeds, sampling),
        goes_class=of_flux(10.0**log10_flux),
        log10_flux=log10_flux,
        time=np.full(len(seeds), NO_TIME, np.int64),
        seed=seeds,
        population=np.zeros(len(seeds), bool),
        balanced=np.zeros(len(seeds), bool),
    )
    write_samples(output, samples, _described(folder, dataset, model, sampling, seed))


def read_sampling(text: str) -> SamplingConfig | PriorSamplingConfig:
    """Read a section ``sampling`` from JSON."""
    kind = SamplingConfig if "sampler" in json.loads(text) else PriorSamplingConfig
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


def _of_flux(model: TrainedModel) -> DenoisingObjective:
    objective = model.objective
    if not isinstance(objective, DenoisingObjective):
        raise InputError(f"{model.name}: has no condition, so it cannot be asked for a flux")
    if objective.encoder.settings.kind != "xray_flux":
        raise InputError(
            f"{model.name}: its condition is the class, so it cannot be asked for a flux; "
            "name a model whose condition is xray_flux"
        )
    return objective


def _described(
    folder: Path | str,
    dataset: Path | str,
    model: TrainedModel,
    sampling: PriorSamplingConfig,
    seed: int,
) -> Description:
    """Say of generated images what the dataset says of its own, and how they were made."""
    description = read_description(dataset)
    provenance = stamp(
        model=model.name,
        weights_sha256=file_sha256(Path(folder) / "weights.safetensors"),
        sampling=sampling.model_dump(mode="json"),
        seed=seed,
        dataset=dict(description.provenance),
    )
    return replace(description, provenance=provenance)


def _in_batches(
    seeds: Seeds, settings: PriorSamplingConfig, device: torch.device, draw: Draw
) -> tuple[Images, Fluxes]:
    images, fluxes = [], []
    on_cpu = device.type == "cpu"
    size = CPU_BATCH if on_cpu else settings.batch_size
    with tqdm(total=len(seeds), unit=" images", mininterval=2) as bar:
        for first in range(0, len(seeds), size):
            places = np.arange(first, min(first + size, len(seeds)))
            # Copies of its last image fill up the last batch.
            filled = np.minimum(np.arange(first, first + size), places[-1]) if on_cpu else places
            drawn, flux = draw(filled, SampleNoise(seeds[filled].tolist()))
            images.append(drawn[: len(places)].clamp(-1, 1).float().cpu().numpy())
            fluxes.append(flux[: len(places)].float().cpu().numpy())
            bar.update(len(places))
    return np.concatenate(images), np.concatenate(fluxes)


def _device(objective: torch.nn.Module) -> torch.device:
    return next(objective.parameters()).device


def _denoised(
    objective: DenoisingObjective,
    image_size: int,
    condition: torch.Tensor,
    noise: SampleNoise,
    settings: SamplingConfig,
) -> torch.Tensor:
    device = _device(objective)
    sigmas = objective.denoiser.sigmas(settings.steps).to(device)
    x = sigmas[0] * noise.normal(1, image_size, image_size).to(device)
    sampler: samplers.Sampler = getattr(samplers, settings.sampler)
    guided = Guided(objective.denoiser, settings.guidance)
    # Steps show only where a batch takes long enough to wonder.
    progress = partial(tqdm, unit=" steps", mininterval=2, delay=5, leave=False)
    return sampler(guided, x, sigmas, condition.to(device), noise, progress=progress)


@torch.no_grad()
def _decoded(
    objective: AutoencodingObjective, noise: SampleNoise
) -> tuple[torch.Tensor, torch.Tensor]:
    latent = noise.normal(objective.cevae.latent_dim).to(_device(objective))
    drawn = objective.cevae.sample(latent)
    return drawn, torch.full((len(noise),), torch.nan)
