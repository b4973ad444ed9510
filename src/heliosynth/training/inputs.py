"""Inputs of a model's training: splits, conditions, and the ceVAE behind an embedding."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from heliosynth.config.models import CevaeConfig, ClassConditionConfig, DdpmConfig
from heliosynth.dataset.store import LabelledImages, read_description, read_split
from heliosynth.errors import InputError
from heliosynth.io.provenance import file_sha256
from heliosynth.models.cevae import Cevae
from heliosynth.training.data import FLIPS, ConditionedImages, mirror
from heliosynth.training.objectives import AutoencodingObjective, DenoisingObjective
from heliosynth.training.trained_model import WEIGHTS_FILE, load_model

VALIDATION_IMAGES = 512
"""Most validation images, evenly spaced in time."""
EMBEDDING_BATCH = 256


@dataclass(frozen=True)
class ModelInputs:
    """What a model is trained on.

    Attributes
    ----------
    classes
        Numbers of the classes with enough training images.
    training, validation
        The images of those classes; at most :data:`VALIDATION_IMAGES` for validation.
    autoencoder
        The ceVAE whose embedding is part of the condition, if any.
    autoencoder_sha256
        Checksum of its weights file, if any.
    """

    classes: tuple[int, ...]
    training: LabelledImages
    validation: LabelledImages
    autoencoder: Cevae | None = None
    autoencoder_sha256: str | None = None

    @property
    def image_size(self) -> int:
        """Height and width of the images, pixels."""
        return int(self.training.images.shape[-1])

    @property
    def embedding_dim(self) -> int:
        """Length of the ceVAE embedding in the condition, 0 without one."""
        return self.autoencoder.latent_dim if self.autoencoder else 0

    def identity(self) -> dict[str, Any]:
        """Return the checksums of the inputs, by name."""
        return {
            "images_sha256": _images_sha256(self.training, self.validation),
            "embedding_model_sha256": self.autoencoder_sha256,
        }


def read_inputs(
    dataset: Path | str,
    name: str,
    config: DdpmConfig | CevaeConfig,
    embedding_model: Path | str | None,
    device: torch.device,
) -> ModelInputs:
    """Read the training and validation images of a model, and the ceVAE that it needs.

    Parameters
    ----------
    dataset
        ``dataset.h5``.
    name, config
        The model.
    embedding_model
        Folder of the ceVAE whose embedding is part of the condition, if any.
    device
        Where the ceVAE computes.

    Raises
    ------
    InputError
        If there are no training images, or the embedding model is missing or not a ceVAE.
    """
    classes = read_description(dataset).trained_classes
    training = read_split(dataset, "train").of_classes(classes)
    if not len(training):
        raise InputError(
            f"{dataset}: no training images of a class with enough frames; lower "
            "dataset.minimum_frames or add observations"
        )
    validation = _thin_out(read_split(dataset, "val").of_classes(classes), VALIDATION_IMAGES)
    condition = config.condition if isinstance(config, DdpmConfig) else None
    if not isinstance(condition, ClassConditionConfig) or condition.embedding_of is None:
        return ModelInputs(classes, training, validation)
    if embedding_model is None:
        raise InputError(
            f"{name}: its condition needs the folder of {condition.embedding_of}; pass it as "
            "--embedding-model"
        )
    objective = load_model(embedding_model, device).objective
    if not isinstance(objective, AutoencodingObjective):
        raise InputError(
            f"{embedding_model}: not a ceVAE; set models.{name}.condition.embedding_of to one"
        )
    checksum = file_sha256(Path(embedding_model) / WEIGHTS_FILE)
    return ModelInputs(classes, training, validation, objective.cevae, checksum)


@torch.no_grad()
def embed_flips(
    autoencoder: Cevae | None, images: LabelledImages, device: torch.device
) -> Tensor | None:
    """Embed the mirrored forms of images.

    Returns
    -------
    (FLIPS, N, E), or None without an autoencoder.
    """
    if autoencoder is None:
        return None
    pixels = torch.from_numpy(images.images)
    embeddings = []
    for flip in range(FLIPS):
        mirrored = mirror(pixels, torch.full((len(pixels),), flip))
        parts = [
            autoencoder.embed(part.to(device)).cpu()
            for part in torch.split(mirrored, EMBEDDING_BATCH)
        ]
        embeddings.append(torch.cat(parts) if parts else torch.zeros(0, autoencoder.latent_dim))
    return torch.stack(embeddings)


def flip_labels(
    images: LabelledImages, embeddings: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return what the encoder of conditions is fitted to; with embeddings, all mirrored forms.

    Parameters
    ----------
    images
        The N training images.
    embeddings
        (FLIPS, N, E) from :func:`embed_flips`.

    Returns
    -------
    goes_class : (M,)
    log10_flux : (M,)
    embedding : (M, E) or None
        M is FLIPS · N with embeddings, else N.
    """
    goes_class, log10_flux = _labels(images)
    if embeddings is None:
        return goes_class, log10_flux, None
    return goes_class.repeat(FLIPS), log10_flux.repeat(FLIPS), embeddings.flatten(end_dim=1)


def encode_conditions(
    objective: DenoisingObjective | AutoencodingObjective,
    images: LabelledImages,
    embeddings: Tensor | None,
) -> ConditionedImages:
    """Return images with the conditions of their mirrored forms.

    Parameters
    ----------
    objective
        Its encoder is fitted.
    images
        N images.
    embeddings
        (FLIPS, N, E) from :func:`embed_flips`.
    """
    pixels = torch.from_numpy(images.images)
    if not isinstance(objective, DenoisingObjective):
        return ConditionedImages(pixels, torch.zeros(1, len(pixels), 0).expand(FLIPS, -1, -1))
    labels, encoder = _labels(images), objective.encoder
    if embeddings is None:
        return ConditionedImages(pixels, encoder.encode(*labels).expand(FLIPS, -1, -1))
    return ConditionedImages(pixels, torch.stack([encoder.encode(*labels, e) for e in embeddings]))


def _labels(images: LabelledImages) -> tuple[Tensor, Tensor]:
    """Return GOES class (N,) and log₁₀ flux (N,)."""
    return torch.from_numpy(images.goes_class.astype(np.int64)), torch.from_numpy(images.log10_flux)


def _thin_out(images: LabelledImages, most: int) -> LabelledImages:
    index = np.linspace(0, len(images) - 1, min(len(images), most)).round().astype(np.int64)
    return images.take(index)


def _images_sha256(*splits: LabelledImages) -> str:
    total = hashlib.sha256()
    for split in splits:
        for field in fields(split):
            total.update(np.ascontiguousarray(getattr(split, field.name)).tobytes())
    return total.hexdigest()
