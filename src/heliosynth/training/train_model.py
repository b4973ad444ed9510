"""One row of the study, from the dataset to the trained model."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch

from heliosynth.config.models import CevaeConfig, DdpmConfig
from heliosynth.errors import OutOfTimeError
from heliosynth.io.provenance import file_sha256
from heliosynth.seeds import derive_seed
from heliosynth.training.checkpoint import StateFolder
from heliosynth.training.data import sampling_weights
from heliosynth.training.distributed import Processes
from heliosynth.training.inputs import autoencoder as load_autoencoder
from heliosynth.training.inputs import conditioned, images_sha256, splits
from heliosynth.training.lock import exclusive
from heliosynth.training.objectives import build_objective
from heliosynth.training.trained_model import TrainedModel, write_model
from heliosynth.training.trainer import train


def train_model(
    dataset: Path | str,
    name: str,
    row: DdpmConfig | CevaeConfig,
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
    classes, training, validation = splits(dataset)
    autoencoder = load_autoencoder(name, row, embedding_model, device)
    dim = autoencoder.latent_dim if autoencoder else 0
    image_size = training.images.shape[-1]
    model_seed = derive_seed(seed, name)
    torch.manual_seed(model_seed)
    objective = build_objective(row, image_size, dim)
    about: dict[str, Any] = {
        "model": name,
        "row": _settings_that_count(row),
        "seed": seed,
        "images_sha256": images_sha256(training, validation),
        "embedding_model_sha256": _weights_sha256(embedding_model) if embedding_model else None,
        "code": code,
    }
    # The training split comes first: it is what the encoder of conditions is fitted to.
    fitted = conditioned(objective, training, autoencoder, device, training=True)
    held_out = conditioned(objective, validation, autoencoder, device, training=False)
    folder = StateFolder(state, about)
    with exclusive(folder.path, name, processes, deadline):
        outcome = train(
            objective.to(device),
            fitted,
            sampling_weights(training.goes_class, row.training.class_balance),
            held_out,
            row.training,
            model_seed,
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


def _weights_sha256(folder: Path | str) -> str:
    return file_sha256(Path(folder) / "weights.safetensors")


def _settings_that_count(row: DdpmConfig | CevaeConfig) -> dict[str, Any]:
    """Give what the weights depend on: not when states are kept, the time allowed, or who helps."""
    beside = {"training": {"time_budget_minutes", "checkpoints", "gpus"}, "sampling": True}
    return row.model_dump(mode="json", exclude=beside)  # type: ignore[arg-type]
