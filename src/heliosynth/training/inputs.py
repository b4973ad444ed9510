"""What a model is trained on: splits, conditions, and the autoencoder behind an embedding."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch

from heliosynth.config.models import CevaeConfig, ClassConditionConfig, DdpmConfig
from heliosynth.dataset.store import LabelledImages, read_description, read_split
from heliosynth.errors import InputError
from heliosynth.models.cevae import Cevae
from heliosynth.training.data import FLIPS, Images, mirrored
from heliosynth.training.objectives import AutoencodingObjective, DenoisingObjective
from heliosynth.training.trained_model import load_model

VALIDATION_IMAGES = 512
"""Validation images at most, evenly spaced in time."""
EMBEDDING_BATCH = 256


def splits(dataset: Path | str) -> tuple[tuple[int, ...], LabelledImages, LabelledImages]:
    """Give the trained classes, the training images, and some validation images, of them."""
    classes = read_description(dataset).trained_classes
    training = read_split(dataset, "train").of_classes(classes)
    if not len(training):
        raise InputError(f"{dataset}: no training image of a class with enough frames")
    validation = read_split(dataset, "val").of_classes(classes)
    return classes, training, _evenly(validation, VALIDATION_IMAGES)


def autoencoder(
    name: str, row: DdpmConfig | CevaeConfig, folder: Path | str | None, device: torch.device
) -> Cevae | None:
    """Load the ceVAE whose embedding is part of a row's condition, if any."""
    condition = row.condition if isinstance(row, DdpmConfig) else None
    if not isinstance(condition, ClassConditionConfig) or condition.embedding_of is None:
        return None
    if folder is None:
        raise InputError(f"{name}: its condition needs the folder of {condition.embedding_of}")
    objective = load_model(folder, device).objective
    if not isinstance(objective, AutoencodingObjective):
        raise InputError(f"{folder}: holds no ceVAE, so it gives {name} no embedding")
    return objective.cevae


def conditioned(
    objective: DenoisingObjective | AutoencodingObjective,
    split: LabelledImages,
    autoencoder: Cevae | None,
    device: torch.device,
    *,
    training: bool,
) -> Images:
    """Put a split in memory with the conditions of its images and of their mirrored forms.

    The training split is what the encoder of conditions is fitted to.
    """
    pixels = torch.from_numpy(split.images)
    if not isinstance(objective, DenoisingObjective):
        return Images(pixels, torch.zeros(1, len(pixels), 0).expand(FLIPS, -1, -1)).to(device)
    goes_class = torch.from_numpy(split.goes_class.astype(np.int64))
    log10_flux = torch.from_numpy(split.log10_flux)
    embeddings: list[torch.Tensor | None] = [None] * FLIPS
    if autoencoder is not None:
        embeddings = [_embed(autoencoder, _all_mirrored(pixels, f), device) for f in range(FLIPS)]
    if training:
        together = (
            None if autoencoder is None else torch.cat([e for e in embeddings if e is not None])
        )
        copies = 1 if together is None else FLIPS
        objective.encoder.fit(goes_class.repeat(copies), log10_flux.repeat(copies), together)
    encoded = [objective.encoder.encode(goes_class, log10_flux, e) for e in embeddings]
    return Images(pixels, torch.stack(encoded)).to(device)


@torch.no_grad()
def _embed(autoencoder: Cevae, pixels: torch.Tensor, device: torch.device) -> torch.Tensor:
    parts = [
        autoencoder.embed(part.to(device)).cpu() for part in torch.split(pixels, EMBEDDING_BATCH)
    ]
    return torch.cat(parts) if parts else torch.zeros(0, autoencoder.latent_dim)


def _all_mirrored(pixels: torch.Tensor, flip: int) -> torch.Tensor:
    return mirrored(pixels, torch.full((len(pixels),), flip))


def _evenly(split: LabelledImages, most: int) -> LabelledImages:
    rows = np.linspace(0, len(split) - 1, min(len(split), most)).round().astype(np.int64)
    return split.take(rows)


def images_sha256(*splits: LabelledImages) -> str:
    hashed = hashlib.sha256()
    for split in splits:
        for field in fields(split):
            hashed.update(np.ascontiguousarray(getattr(split, field.name)).tobytes())
    return hashed.hexdigest()
