"""A trained model on disk: ``models/<model>/`` with its configuration, weights and history."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter

from heliosynth import goes_class
from heliosynth.config.models import CevaeConfig, DdpmConfig, ModelConfig
from heliosynth.errors import InputError
from heliosynth.io.files import atomic_file, read_json, write_json
from heliosynth.io.provenance import stamp
from heliosynth.training.objectives import (
    AutoencodingObjective,
    DenoisingObjective,
    build_objective,
)
from heliosynth.training.trainer import HISTORY_COLUMNS, TrainingResult
from heliosynth.training.weights import read_weights, write_weights

_ROW: TypeAdapter[DdpmConfig | CevaeConfig] = TypeAdapter(ModelConfig)
# Training does not depend on how a model is sampled, so its door may leave the section out.
_NO_SAMPLING: dict[str, dict[str, Any]] = {
    "ddpm": {"sampler": "heun", "steps": 1, "guidance": 0, "per_class": 1, "population": 1},
    "cevae": {"population": 1},
}


@dataclass(frozen=True)
class TrainedModel:
    """A row of the study with its weights.

    Attributes
    ----------
    name
        Name of the row.
    row
        Its settings; those of its sampling do not count.
    image_size
        Height and width of its images, pixels.
    trained_classes
        Numbers of the classes that it was trained on.
    embedding_dim
        Length of the ceVAE embedding in its condition, 0 without one.
    objective
        The weights, in evaluation mode.
    """

    name: str
    row: DdpmConfig | CevaeConfig
    image_size: int
    trained_classes: tuple[int, ...]
    embedding_dim: int
    objective: DenoisingObjective | AutoencodingObjective


def read_model_config(text: str) -> DdpmConfig | CevaeConfig:
    """Read a row of the study from JSON; ``sampling`` may be left out."""
    content = json.loads(text)
    unused = _NO_SAMPLING.get(content.get("kind"), {})
    return _ROW.validate_python({"sampling": unused, **content})


def write_model(
    folder: Path | str, model: TrainedModel, outcome: TrainingResult, about: dict[str, Any]
) -> None:
    """Write the four files of a trained model, each whole, ``training.json`` last.

    Parameters
    ----------
    folder
        ``models/<model>``.
    model
        The row; its weights are those of the outcome.
    outcome
        What the training gave.
    about
        What else ``training.json`` should say.
    """
    folder = Path(folder)
    configuration = {
        "name": model.name,
        "row": model.row.model_dump(mode="json", exclude={"sampling"}),
        "image_size_px": model.image_size,
        "trained_classes": [goes_class.NAMES[c] for c in model.trained_classes],
        "embedding_dim": model.embedding_dim,
        "condition_dim": getattr(getattr(model.objective, "encoder", None), "dim", 0),
    }
    write_json(folder / "config.json", configuration)
    write_weights(folder / "weights.safetensors", outcome.weights)
    with (
        atomic_file(folder / "history.csv") as unfinished,
        unfinished.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.DictWriter(stream, HISTORY_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(outcome.history)
    write_json(folder / "training.json", _report(model, outcome, about))


def load_model(folder: Path | str, device: torch.device | str = "cpu") -> TrainedModel:
    """Rebuild a trained model from ``config.json`` and ``weights.safetensors``.

    Raises
    ------
    InputError
        If a file is missing, or the weights are not those of the configuration.
    """
    folder = Path(folder)
    try:
        configuration = read_json(folder / "config.json")
        row = read_model_config(json.dumps(configuration["row"]))
        size, embedding_dim = configuration["image_size_px"], configuration["embedding_dim"]
        classes = tuple(goes_class.NAMES.index(name) for name in configuration["trained_classes"])
        name = configuration["name"]
    except (OSError, LookupError, TypeError, AttributeError, ValueError) as error:
        reason = repr(error)[:200]
        raise InputError(
            f"{folder}/config.json: of no trained model ({reason}); train it again"
        ) from None
    weights, _ = read_weights(folder / "weights.safetensors")
    objective = build_objective(row, size, embedding_dim).to(device)
    try:
        objective.load_state_dict(weights)
    except RuntimeError:
        raise InputError(
            f"{folder}: the weights do not fit config.json; train the model again"
        ) from None
    objective.requires_grad_(False).eval()
    return TrainedModel(name, row, size, classes, embedding_dim, objective)


def _report(
    model: TrainedModel, outcome: TrainingResult, about: dict[str, Any]
) -> Mapping[str, Any]:
    kept = "lowest validation loss" if outcome.kept_loss is not None else "last of the training"
    return stamp(
        ended=outcome.ended,
        stopped_early=outcome.ended == "time budget",
        images=outcome.images,
        planned_images=outcome.planned_images,
        seconds=round(outcome.seconds, 2),
        images_per_second=round(outcome.images / max(outcome.seconds, 1e-9), 2),
        parameters=sum(p.numel() for p in model.objective.parameters()),
        weights={
            "kind": "moving average",
            "kept": kept,
            "images": outcome.kept_images,
            "validation_loss": outcome.kept_loss,
        },
        **about,
    )
