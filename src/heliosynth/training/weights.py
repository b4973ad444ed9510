"""Weights on disk: one safetensors file that carries the SHA-256 of all that is in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from heliosynth.errors import InputError
from heliosynth.io.files import atomic_file

HEADER, SUM = "about", "sha256"


def write_weights(
    path: Path | str, weights: Mapping[str, torch.Tensor], about: Mapping[str, str] | None = None
) -> None:
    """Write weights whole, and in their header what there is to say about them."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    header = dict(about or {})
    header[SUM] = _sha256(tensors, header)
    with atomic_file(path) as unfinished:
        # As one text, since safetensors writes several in any order.
        save_file(tensors, unfinished, {HEADER: json.dumps(header, sort_keys=True)})


def read_weights(path: Path | str) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Read weights and what is said about them.

    Raises
    ------
    InputError
        If the file cannot be read, or any of it changed since it was written.
    """
    try:
        with safe_open(path, "pt") as file:
            about = dict(json.loads((file.metadata() or {})[HEADER]))
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, LookupError, ValueError, TypeError, RuntimeError) as error:
        raise InputError(f"{path}: cannot be read as weights ({error}); train it again") from None
    if about.pop(SUM, None) != _sha256(weights, about):
        raise InputError(f"{path}: is not what was written, a part of it changed; train it again")
    return weights, about


def _sha256(weights: Mapping[str, torch.Tensor], about: Mapping[str, str]) -> str:
    total = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name, tensor in sorted(weights.items()):
        total.update(f"{name} {tensor.dtype} {(*tensor.shape,)}".encode())
        # A view as bytes, since NumPy lacks some of torch's types.
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()
