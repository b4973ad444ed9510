"""The state of a training: one object, written whole, refused when torn.

A checkpoint is one safetensors file (weights, moving average, best weights, optimiser) whose
header carries the counters and the history as JSON, and a file with its SHA-256 beside it.
Two are held, so that a torn one costs no more than the steps since the one before.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from tqdm import tqdm

from heliosynth.io.files import atomic_file, write_text
from heliosynth.io.provenance import digest, file_sha256

Tensors = dict[str, torch.Tensor]
HELD = 2


@dataclass(frozen=True)
class Counters:
    """Where a training is, and what it has seen.

    Attributes
    ----------
    step
        Optimiser steps taken. The random draws of a step are a function of the seed and of
        this number, so it is also the state of the random numbers.
    seconds
        Training time so far, s.
    spent
        Part of it that counts towards the time budget, s: what came after the last stop for it.
    loss_sum, loss_steps
        Sum and number of the training losses since the last row of the history.
    best_step, best_loss
        Step and value of the lowest validation loss; None before the first validation.
    history
        One row a validation.
    """

    step: int
    seconds: float
    spent: float
    loss_sum: float
    loss_steps: int
    best_step: int | None
    best_loss: float | None
    history: tuple[Mapping[str, float | None], ...]


@dataclass(frozen=True)
class Checkpoint:
    """Everything a training needs to go on to the bit."""

    weights: Tensors
    average: Tensors
    best: Tensors
    optimiser: Tensors
    counters: Counters


class StateFolder:
    """The folder of one training's checkpoints.

    Parameters
    ----------
    root
        Folder of the training states of a model.
    about
        What the training is a function of (settings, data, seed), as JSON. Its hash names the
        folder, so that a state is never carried over to another training.
    """

    def __init__(self, root: Path | str, about: Mapping[str, Any]) -> None:
        self.path = Path(root) / digest(about)[:16]
        self.path.mkdir(parents=True, exist_ok=True)

    def write(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint whole, then drop all but the newest two."""
        path = self.path / f"{checkpoint.counters.step:010d}.safetensors"
        tensors = {
            f"{part}/{name}": tensor.detach().cpu().contiguous()
            for part in ("weights", "average", "best", "optimiser")
            for name, tensor in getattr(checkpoint, part).items()
        }
        with atomic_file(path) as unfinished:
            save_file(tensors, unfinished, {"counters": json.dumps(asdict(checkpoint.counters))})
            checksum = file_sha256(unfinished)
        write_text(_checksum_path(path), checksum)
        for old in self._files()[HELD:]:
            _checksum_path(old).unlink(missing_ok=True)
            old.unlink()

    def read(self) -> Checkpoint | None:
        """Read the newest checkpoint that is whole; None where there is none.

        What a killed training left half-written is cleared.
        """
        for leftover in self.path.glob(".unfinished-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        for path in self._files():
            checkpoint = _read(path)
            if checkpoint is not None:
                return checkpoint
            tqdm.write(f"{path}: torn, so the checkpoint before it is taken")
        return None

    def finish(self) -> None:
        """Keep only the last checkpoint: the mark of a training that has ended."""
        for old in self._files()[1:]:
            _checksum_path(old).unlink(missing_ok=True)
            old.unlink()

    def _files(self) -> list[Path]:
        """List the checkpoints, newest first."""
        named = (p for p in self.path.iterdir() if re.fullmatch(r"\d{10}\.safetensors", p.name))
        return sorted(named, reverse=True)


def flatten_optimiser(optimiser: torch.optim.Optimizer) -> Tensors:
    """Give the tensors of an optimiser's state, named by parameter and kind."""
    return {
        f"{parameter}.{kind}": value
        for parameter, values in optimiser.state_dict()["state"].items()
        for kind, value in values.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Put back what :func:`flatten_optimiser` gave."""
    state: dict[int, Tensors] = {}
    for name, value in tensors.items():
        parameter, kind = name.split(".", 1)
        state.setdefault(int(parameter), {})[kind] = value
    optimiser.load_state_dict(
        {"state": state, "param_groups": optimiser.state_dict()["param_groups"]}
    )


def _checksum_path(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _read(path: Path) -> Checkpoint | None:
    checksum = _checksum_path(path)
    if not checksum.is_file() or checksum.read_text(encoding="utf-8") != file_sha256(path):
        return None
    parts: dict[str, Tensors] = {"weights": {}, "average": {}, "best": {}, "optimiser": {}}
    try:
        with safe_open(path, "pt") as file:
            counters = json.loads(file.metadata()["counters"])
            for key in file.keys():  # noqa: SIM118  (the file itself cannot be iterated)
                part, name = key.split("/", 1)
                parts[part][name] = file.get_tensor(key)
    except (SafetensorError, KeyError, TypeError, ValueError):
        return None
    counters["history"] = tuple(counters["history"])
    return Checkpoint(**parts, counters=Counters(**counters))
