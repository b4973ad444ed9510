"""Weights on disk: a safetensors file with the SHA-256 of its contents in the header."""

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

HEADER_KEY, CHECKSUM_KEY = "about", "sha256"


def write_weights(
    path: Path | str, weights: Mapping[str, torch.Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Write weights atomically, with metadata in their header.

    Parameters
    ----------
    path
        The safetensors file.
    weights
        Tensors by name.
    metadata
        Text by name; the checksum covers it, too.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    header = dict(metadata or {})
    header[CHECKSUM_KEY] = _checksum(tensors, header)
    with atomic_file(path) as temporary:
        # One JSON text, since safetensors writes several entries in any order.
        save_file(tensors, temporary, {HEADER_KEY: json.dumps(header, sort_keys=True)})


def read_weights(path: Path | str) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Read weights and their metadata.

    Raises
    ------
    InputError
        If the file cannot be read, or its checksum does not match.
    """
    try:
        with safe_open(path, "pt") as file:
            header = dict(json.loads((file.metadata() or {})[HEADER_KEY]))
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, LookupError, ValueError, TypeError, RuntimeError) as error:
        raise InputError(f"{path}: not readable as weights ({error}); retrain") from error
    if header.pop(CHECKSUM_KEY, None) != _checksum(weights, header):
        raise InputError(f"{path}: checksum mismatch; retrain")
    return weights, header


def _checksum(weights: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> str:
    total = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name, tensor in sorted(weights.items()):
        total.update(f"{name} {tensor.dtype} {(*tensor.shape,)}".encode())
        # A view as bytes, since NumPy lacks some of torch's types.
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()
