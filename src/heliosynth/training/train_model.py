"""Training of one model, from the dataset to the trained model."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch

from heliosynth.config.models import CevaeConfig, DdpmConfig
from heliosynth.errors import OutOfTimeError
from heliosynth.jobs.device import default_device
from heliosynth.seeds import derive_seed
from heliosynth.training.checkpoint import CheckpointFolder
from heliosynth.training.data import sampling_weights
from heliosynth.training.distributed import DistributedContext
from heliosynth.training.inputs import embed_flips, encode_conditions, flip_labels, read_inputs
from heliosynth.training.lock import exclusive
from heliosynth.training.objectives import DenoisingObjective, build_objective
from heliosynth.training.trained_model import TrainedModel, write_model
from heliosynth.training.trainer import Trainer


def train_model(
    dataset: Path | str,
    name: str,
    config: DdpmConfig | CevaeConfig,
    seed: int,
    *,
    checkpoints: Path | str,
    output: Path | str,
    embedding_model: Path | str | None = None,
    code: str = "",
    distributed: DistributedContext | None = None,
    deadline: float = math.inf,
) -> None:
    """Train a model and write ``models/<model>/``.

    Parameters
    ----------
    dataset
        ``dataset.h5``.
    name
        Name of the model.
    config
        Its model config.
    seed
        Seed of the run; the seed of each model is derived from it and the name.
    checkpoints
        Folder of the checkpoints from which a training resumes.
    output
        ``models/<model>``.
    embedding_model
        Folder of the ceVAE whose embedding is part of the condition, if any.
    code
        Hash of the code, so that a checkpoint of other code is not used.
    distributed
        The ranks that train together, of which the main one writes; a single rank if None.
    deadline
        When to save and stop though the training is not complete, s of ``time.monotonic``.

    Raises
    ------
    InputError
        If there are no training images, or the embedding model is missing or not a ceVAE.
    OutOfTimeError
        If the deadline came first; only the checkpoint is written.
    """
    distributed = distributed or DistributedContext(device=default_device())
    device = distributed.device
    inputs = read_inputs(dataset, name, config, embedding_model, device)
    model_seed = derive_seed(seed, name)
    torch.manual_seed(model_seed)
    objective = build_objective(config, inputs.image_size, inputs.embedding_dim)
    identity = {
        "model": name,
        "row": _training_settings(config),
        "seed": seed,
        **inputs.identity(),
        "code": code,
    }

    embeddings = embed_flips(inputs.autoencoder, inputs.training, device)
    if isinstance(objective, DenoisingObjective):
        objective.encoder.fit(*flip_labels(inputs.training, embeddings))
    training = encode_conditions(objective, inputs.training, embeddings)
    embeddings = embed_flips(inputs.autoencoder, inputs.validation, device)
    validation = encode_conditions(objective, inputs.validation, embeddings)

    folder = CheckpointFolder(checkpoints, identity)
    with exclusive(folder.path, name, distributed, deadline):
        result = Trainer(
            objective=objective.to(device),
            images=training.to(device),
            sampling_weights=sampling_weights(
                inputs.training.goes_class, config.training.class_balance
            ),
            validation=validation.to(device),
            settings=config.training,
            seed=model_seed,
            checkpoints=folder,
            distributed=distributed,
            deadline=deadline,
        ).fit()
        if not distributed.is_main:
            return
        if result.stop_reason == "deadline":
            raise OutOfTimeError(
                f"{name}: time limit reached after {result.images} of {result.planned_images} "
                "images; the checkpoint is saved, resubmit to continue"
            )
        model = TrainedModel(
            name, config, inputs.image_size, inputs.classes, inputs.embedding_dim, objective
        )
        provenance = identity | {"device": device.type, "training_images": len(inputs.training)}
        write_model(output, model, result, provenance)


def _training_settings(config: DdpmConfig | CevaeConfig) -> dict[str, Any]:
    """Return the settings on which the weights depend.

    These are not the checkpoints, the time budget and the number of GPUs, nor the sampling.
    """
    excluded = {"training": {"time_budget_minutes", "checkpoints", "gpus"}, "sampling": True}
    return config.model_dump(mode="json", exclude=excluded)  # type: ignore[arg-type]
