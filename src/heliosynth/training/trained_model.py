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

CONFIG_FILE, WEIGHTS_FILE = "config.json", "weights.safetensors"
HISTORY_FILE, REPORT_FILE = "history.csv", "training.json"

_MODEL_CONFIG: TypeAdapter[DdpmConfig | CevaeConfig] = TypeAdapter(ModelConfig)
# Training does not depend on the sampling, so its settings can be left out.
_NO_SAMPLING: dict[str, dict[str, Any]] = {
    "ddpm": {"sampler": "heun", "steps": 1, "guidance": 0, "per_class": 1, "population": 1},
    "cevae": {"population": 1},
}


@dataclass(frozen=True)
class TrainedModel:
    """A model of the study with its weights.

    Attributes
    ----------
    name
        Name of the model.
    config
        Its model config; the settings of the sampling are placeholders.
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
    config: DdpmConfig | CevaeConfig
    image_size: int
    trained_classes: tuple[int, ...]
    embedding_dim: int
    objective: DenoisingObjective | AutoencodingObjective


def read_model_config(text: str) -> DdpmConfig | CevaeConfig:
    """Read a model config from JSON; ``sampling`` can be left out."""
    content = json.loads(text)
    unused = _NO_SAMPLING.get(content.get("kind"), {})
    return _MODEL_CONFIG.validate_python({"sampling": unused, **content})


def write_model(
    folder: Path | str, model: TrainedModel, result: TrainingResult, provenance: Mapping[str, Any]
) -> None:
    """Write the four files of a trained model, each atomically, ``training.json`` last.

    Parameters
    ----------
    folder
        ``models/<model>``.
    model
        The model; its weights are taken from the result.
    result
        The outcome of its training.
    provenance
        Further entries of ``training.json``.
    """
    folder = Path(folder)
    configuration = {
        "name": model.name,
        "row": model.config.model_dump(mode="json", exclude={"sampling"}),
        "image_size_px": model.image_size,
        "trained_classes": [goes_class.NAMES[c] for c in model.trained_classes],
        "embedding_dim": model.embedding_dim,
        "condition_dim": getattr(getattr(model.objective, "encoder", None), "dim", 0),
    }
    write_json(folder / CONFIG_FILE, configuration)
    write_weights(folder / WEIGHTS_FILE, result.weights)
    with (
        atomic_file(folder / HISTORY_FILE) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.DictWriter(stream, HISTORY_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(result.history)
    write_json(folder / REPORT_FILE, _report(model, result, provenance))


def load_model(folder: Path | str, device: torch.device | str = "cpu") -> TrainedModel:
    """Rebuild a trained model from ``config.json`` and ``weights.safetensors``.

    Raises
    ------
    InputError
        If a file is missing, or the weights do not fit the configuration.
    """
    folder = Path(folder)
    try:
        configuration = read_json(folder / CONFIG_FILE)
        config = read_model_config(json.dumps(configuration["row"]))
        size, embedding_dim = configuration["image_size_px"], configuration["embedding_dim"]
        classes = tuple(goes_class.NAMES.index(name) for name in configuration["trained_classes"])
        name = configuration["name"]
    except (OSError, LookupError, TypeError, AttributeError, ValueError) as error:
        reason = repr(error)[:200]
        raise InputError(
            f"{folder / CONFIG_FILE}: not a trained model ({reason}); retrain"
        ) from error
    weights, _ = read_weights(folder / WEIGHTS_FILE)
    objective = build_objective(config, size, embedding_dim).to(device)
    try:
        objective.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(f"{folder}: the weights do not fit {CONFIG_FILE}; retrain") from error
    objective.requires_grad_(False).eval()
    return TrainedModel(name, config, size, classes, embedding_dim, objective)


def _report(
    model: TrainedModel, result: TrainingResult, provenance: Mapping[str, Any]
) -> Mapping[str, Any]:
    kept = "lowest validation loss" if result.best_loss is not None else "last of the training"
    return stamp(
        ended=result.stop_reason,
        stopped_early=result.stop_reason == "time budget",
        images=result.images,
        planned_images=result.planned_images,
        seconds=round(result.seconds, 2),
        images_per_second=round(result.images / max(result.seconds, 1e-9), 2),
        parameters=sum(p.numel() for p in model.objective.parameters()),
        weights={
            "kind": "moving average",
            "kept": kept,
            "images": result.best_images,
            "validation_loss": result.best_loss,
        },
        **provenance,
    )
