"""One row of the study, from the dataset to the trained model."""

from __future__ import annotations

import hashlib
import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from heliosynth.config.schema import Cevae as CevaeSettings
from heliosynth.config.schema import ClassCondition, Ddpm
from heliosynth.dataset.store import LabelledImages, read_description, read_split
from heliosynth.errors import InputError, OutOfTimeError
from heliosynth.models.cevae import Cevae
from heliosynth.provenance import file_sha256
from heliosynth.training.checkpoint import StateFolder
from heliosynth.training.data import FLIPS, Images, draw_weights, mirrored
from heliosynth.training.loop import train
from heliosynth.training.objectives import (
    AutoencodingObjective,
    DenoisingObjective,
    build_objective,
)
from heliosynth.training.processes import Processes
from heliosynth.training.product import TrainedModel, load_model, write_model
from heliosynth.training.turns import its_turn

VALIDATION_IMAGES = 512
"""Validation images at most, evenly spaced in time."""
EMBEDDING_BATCH = 256


def train_model(
    dataset: Path | str,
    name: str,
    row: Ddpm | CevaeSettings,
    seed: int,
    state: Path | str,
    output: Path | str,
    embedding_model: Path | str | None = None,
    code: str = "",
    processes: Processes | None = None,
    deadline: float = math.inf,
) -> None:
    """Train a row of the study and write ``models/<model>/``.

    Parameters
    ----------
    dataset
        ``dataset.h5``.
    name
        Name of the row.
    row
        Its settings.
    seed
        Seed of the run; each row has its own, made of this and its name.
    state
        Folder of the states that a training is resumed from.
    output
        ``models/<model>``.
    embedding_model
        Folder of the ceVAE whose embedding is part of the condition, if any.
    code
        Hash of the code, so that a state of other code is not resumed.
    processes
        Those that train together, of which the first writes; this one alone if None.
    deadline
        When to keep the state and stop though the training is not done, s of
        ``time.monotonic``.

    Raises
    ------
    InputError
        If there are no training images, or the embedding model is missing or no ceVAE.
    OutOfTimeError
        If the deadline passed first; nothing is written but the state.
    """
    processes = processes or Processes(
        device=torch.device("cuda" if torch.cuda.is_available() else "cpu")
    )
    device = processes.device
    classes, training, validation = _splits(dataset)
    autoencoder = _autoencoder(name, row, embedding_model, device)
    dim = autoencoder.latent_dim if autoencoder else 0
    image_size = training.images.shape[-1]
    own_seed = _own_seed(seed, name)
    torch.manual_seed(own_seed)
    objective = build_objective(row, image_size, dim)
    about: dict[str, Any] = {
        "model": name,
        "row": _settings_that_count(row),
        "seed": seed,
        "images_sha256": _images_sha256(training, validation),
        "embedding_model_sha256": _weights_sha256(embedding_model) if embedding_model else None,
        "code": code,
    }
    # The training split comes first: it is what the encoder of conditions is fitted to.
    fitted = _conditioned(objective, training, autoencoder, device, training=True)
    held_out = _conditioned(objective, validation, autoencoder, device, training=False)
    folder = StateFolder(state, about)
    with its_turn(folder.path, name, processes, deadline):
        outcome = train(
            objective.to(device),
            fitted,
            draw_weights(training.goes_class, row.training.class_balance),
            held_out,
            row.training,
            own_seed,
            folder,
            processes,
            deadline,
        )
        if not processes.first:
            return
        if outcome.ended == "deadline":
            raise OutOfTimeError(
                f"{name}: time is up after {outcome.images} of {outcome.planned_images} images; "
                "the state is kept, submit again"
            )
        model = TrainedModel(name, row, image_size, classes, dim, objective)
        about |= {"device": device.type, "training_images": len(training)}
        write_model(output, model, outcome, about)


def _splits(dataset: Path | str) -> tuple[tuple[int, ...], LabelledImages, LabelledImages]:
    """Give the trained classes, the training images, and some validation images, of them."""
    classes = read_description(dataset).trained_classes
    training = read_split(dataset, "train").of_classes(classes)
    if not len(training):
        raise InputError(f"{dataset}: no training image of a class with enough frames")
    validation = read_split(dataset, "val").of_classes(classes)
    return classes, training, _evenly(validation, VALIDATION_IMAGES)


def _autoencoder(
    name: str, row: Ddpm | CevaeSettings, folder: Path | str | None, device: torch.device
) -> Cevae | None:
    """Load the ceVAE whose embedding is part of a row's condition, if any."""
    condition = row.condition if isinstance(row, Ddpm) else None
    if not isinstance(condition, ClassCondition) or condition.embedding_of is None:
        return None
    if folder is None:
        raise InputError(f"{name}: its condition needs the folder of {condition.embedding_of}")
    objective = load_model(folder, device).objective
    if not isinstance(objective, AutoencodingObjective):
        raise InputError(f"{folder}: holds no ceVAE, so it gives {name} no embedding")
    return objective.cevae


def _conditioned(
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


def _own_seed(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:8], "big") >> 1


def _weights_sha256(folder: Path | str) -> str:
    return file_sha256(Path(folder) / "weights.safetensors")


def _images_sha256(*splits: LabelledImages) -> str:
    hashed = hashlib.sha256()
    for split in splits:
        for field in fields(split):
            hashed.update(np.ascontiguousarray(getattr(split, field.name)).tobytes())
    return hashed.hexdigest()


def _settings_that_count(row: Ddpm | CevaeSettings) -> dict[str, Any]:
    """Give what the weights depend on: not when states are kept, the time allowed, or who helps."""
    beside = {"training": {"time_budget_minutes", "checkpoints", "gpus"}, "sampling": True}
    return row.model_dump(mode="json", exclude=beside)  # type: ignore[arg-type]
