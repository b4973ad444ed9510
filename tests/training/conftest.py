"""A tiny dataset and tiny rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from heliosynth.config.models import CevaeConfig, DdpmConfig
from heliosynth.dataset.store import SPLITS, Description, LabelledImages, write_dataset
from heliosynth.training.trained_model import read_model_config

TRAINING = {
    "images": 64,
    "batch_size": 8,
    "learning_rate": 1e-3,
    "ema_decay": 0.9,
    "warmup_images": 16,
    "decay": "cosine",
    "gradient_clip": 1.0,
    "class_balance": 0.5,
    "flips": True,
    "validations": 4,
    "checkpoints": 4,
}
NETWORK = {
    "kind": "modern_unet",
    "patch_px": 2,
    "width": 8,
    "multipliers": [1, 2],
    "blocks": 1,
    "attention_levels": 1,
    "embedding_dim": 16,
}
DENOISER = {
    "kind": "preconditioned",
    "sigma_data": 0.5,
    "log_sigma_mean": -0.8,
    "log_sigma_std": 1.4,
    "sigma_min": 0.01,
    "sigma_max": 20.0,
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Compute on one thread: tiny tensors gain nothing from more, and sums round alike."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Write 16 × 16 discs whose brightness goes with the class; class A is scarce."""
    path = tmp_path / "dataset.h5"
    rng = np.random.default_rng(7)
    y, x = np.mgrid[-1:1:16j, -1:1:16j]
    splits = {}
    for split, count in zip(SPLITS, (23, 9, 9), strict=True):
        goes_class = np.sort(rng.permutation(np.arange(count) % 5)).astype(np.int8)
        images = np.where(x**2 + y**2 < 0.8, goes_class[:, None, None] / 5, -1.0)
        images = images + 0.05 * rng.standard_normal(images.shape)
        flux = (goes_class - 7.5 + rng.uniform(-0.3, 0.3, count)).astype(np.float32)
        time = 1_325_376_000 + 3600 * np.arange(count)
        splits[split] = LabelledImages(
            images[:, None].clip(-1, 1).astype(np.float32), goes_class, flux, time
        )
    about = Description("171A", 5.0, 3500.0, (1, 2, 3, 4), "discs", {})
    write_dataset(path, splits, about)
    return path


@pytest.fixture
def ddpm_row() -> Callable[..., DdpmConfig]:
    """Make a tiny diffusion row; keywords change its training."""

    def make(condition: dict[str, str] | None = None, **training: object) -> DdpmConfig:
        row = read_model_config(
            json.dumps(
                {
                    "kind": "ddpm",
                    "condition": condition or {"kind": "goes_class"},
                    "network": NETWORK,
                    "denoiser": DENOISER,
                    "label_dropout": 0.2,
                    "training": {**TRAINING, **training},
                }
            )
        )
        assert isinstance(row, DdpmConfig)
        return row

    return make


@pytest.fixture
def cevae_row() -> Callable[..., CevaeConfig]:
    """Make a tiny ceVAE row; keywords change its training."""

    def make(**training: object) -> CevaeConfig:
        row = read_model_config(
            json.dumps(
                {
                    "kind": "cevae",
                    "latent_dim": 6,
                    "widths": [4, 8],
                    "beta": 0.01,
                    "context_fraction": 0.5,
                    "training": {**TRAINING, **training},
                }
            )
        )
        assert isinstance(row, CevaeConfig)
        return row

    return make
