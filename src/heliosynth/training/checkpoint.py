"""Checkpoints of a training: written atomically, rejected when corrupt.

A checkpoint is one safetensors file (weights, EMA, best weights, optimiser) whose header holds
the counters and the history as JSON, and the SHA-256 of all of it. The newest two are kept, so
that a corrupt one costs only the steps since the previous one.
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
from tqdm import tqdm

from heliosynth.errors import InputError
from heliosynth.io.durable import make_folder
from heliosynth.io.provenance import digest
from heliosynth.training.weights import read_weights, write_weights

Tensors = dict[str, torch.Tensor]
OptimiserState = dict[int, Tensors]
"""``optimiser.state_dict()["state"]``: tensors by index of the parameter and name."""
KEPT = 2


@dataclass(frozen=True)
class Counters:
    """How far a training is.

    Attributes
    ----------
    step
        Optimiser steps taken. The random numbers of a step are a function of the seed and of
        its number, so this is also the state of the random number generators.
    seconds
        Training time so far, s.
    spent
        Part of it that counts towards the time budget, s: since the budget last ran out.
    loss_sum, loss_steps
        Sum and number of the training losses since the last row of the history.
    best_step, best_loss
        Step and value of the lowest validation loss; None before the first validation.
    history
        One row per validation.
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
    """Everything that an exact resume needs.

    Attributes
    ----------
    weights, ema
        State of the objective, and of its EMA.
    best
        EMA at the lowest validation loss; empty before the first validation.
    optimiser
        State of the optimiser; its settings are those of the training.
    counters
        How far the training is.
    """

    weights: Tensors
    ema: Tensors
    best: Tensors
    optimiser: OptimiserState
    counters: Counters


class CheckpointFolder:
    """The folder with the checkpoints of one training.

    Parameters
    ----------
    root
        Folder of all checkpoints.
    identity
        What the training is a function of (settings, data, seed), as JSON. Its hash names the
        folder, so that a checkpoint is never used for another training.
    """

    def __init__(self, root: Path | str, identity: Mapping[str, Any]) -> None:
        self.path = make_folder(Path(root) / digest(identity)[:16])

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint atomically, then delete all but it and the one before it."""
        path = self.path / f"{checkpoint.counters.step:010d}.safetensors"
        parts = {
            "weights": checkpoint.weights,
            "average": checkpoint.ema,
            "best": checkpoint.best,
            "optimiser": _flatten(checkpoint.optimiser),
        }
        tensors = {
            f"{part}/{name}": tensor
            for part, named in parts.items()
            for name, tensor in named.items()
        }
        write_weights(path, tensors, {"counters": json.dumps(asdict(checkpoint.counters))})
        files = self._files()
        # Those of later steps were rejected as corrupt.
        kept = files[files.index(path) :][:KEPT]
        for superseded in set(files) - set(kept):
            superseded.unlink()

    def load(self) -> Checkpoint | None:
        """Read the newest checkpoint that is not corrupt; None if there is none.

        The temporary files of a killed training are deleted.
        """
        for leftover in self.path.glob(".unfinished-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        for path in self._files():
            checkpoint = _read(path)
            if checkpoint is not None:
                return checkpoint
            tqdm.write(f"{path}: corrupt; using the previous checkpoint")
        return None

    def finish(self) -> None:
        """Delete all but the last checkpoint, when the training is complete."""
        for old in self._files()[1:]:
            old.unlink()

    def _files(self) -> list[Path]:
        """List the checkpoints, newest first."""
        files = (p for p in self.path.iterdir() if re.fullmatch(r"\d{10}\.safetensors", p.name))
        return sorted(files, reverse=True)


def _flatten(state: OptimiserState) -> Tensors:
    return {
        f"{parameter}.{name}": tensor
        for parameter, tensors in state.items()
        for name, tensor in tensors.items()
    }


def _unflatten(tensors: Tensors) -> OptimiserState:
    state: OptimiserState = {}
    for key, tensor in tensors.items():
        parameter, name = key.split(".", 1)
        state.setdefault(int(parameter), {})[name] = tensor
    return state


def _read(path: Path) -> Checkpoint | None:
    """Read a checkpoint; None if it is corrupt."""
    parts: dict[str, Tensors] = {"weights": {}, "average": {}, "best": {}, "optimiser": {}}
    try:
        tensors, header = read_weights(path)
    except InputError:
        return None
    for key, tensor in tensors.items():
        part, name = key.split("/", 1)
        parts[part][name] = tensor
    counters = json.loads(header["counters"])
    counters["history"] = tuple(counters["history"])
    return Checkpoint(
        weights=parts["weights"],
        ema=parts["average"],
        best=parts["best"],
        optimiser=_unflatten(parts["optimiser"]),
        counters=Counters(**counters),
    )
