"""A tiny dataset and tiny model configs, for trainings that take seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from heliosynth.arrays import SPLITS
from heliosynth.config.evaluation import ApplicationConfig
from heliosynth.config.models import CevaeConfig, DdpmConfig
from heliosynth.dataset.store import Description, LabelledImages, write_dataset
from heliosynth.training.trained_model import read_model_config

COUNTS = (23, 9, 9)
"""Images of each split."""
TRAINED_CLASSES = (1, 2, 3, 4)
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
CLASS_CONDITION = {"kind": "goes_class"}


def write_discs(path: Path) -> Path:
    """Write a dataset of 16 × 16 px discs that are brighter in higher classes; return its path.

    Class A is not trained.
    """
    rng = np.random.default_rng(7)
    y, x = np.mgrid[-1:1:16j, -1:1:16j]
    splits = {}
    for split, count in zip(SPLITS, COUNTS, strict=True):
        goes_class = np.sort(rng.permutation(np.arange(count) % 5)).astype(np.int8)
        images = np.where(x**2 + y**2 < 0.8, goes_class[:, None, None] / 5, -1.0)
        images = images + 0.05 * rng.standard_normal(images.shape)
        splits[split] = LabelledImages(
            images=images[:, None].clip(-1, 1).astype(np.float32),
            goes_class=goes_class,
            log10_flux=(goes_class - 7.5 + rng.uniform(-0.3, 0.3, count)).astype(np.float32),
            time=1_325_376_000 + 3600 * np.arange(count),
        )
    write_dataset(path, splits, Description("171A", 5.0, 3500.0, TRAINED_CLASSES, "discs", {}))
    return path


def ddpm_config(
    condition: Mapping[str, str] = CLASS_CONDITION, label_dropout: float = 0.2, **training: Any
) -> DdpmConfig:
    """Return a tiny diffusion model; keywords change its training."""
    content = {
        "kind": "ddpm",
        "condition": condition,
        "network": NETWORK,
        "denoiser": DENOISER,
        "label_dropout": label_dropout,
        "training": {**TRAINING, **training},
    }
    config = read_model_config(json.dumps(content))
    assert isinstance(config, DdpmConfig)
    return config


def cevae_config(**training: Any) -> CevaeConfig:
    """Return a tiny ceVAE; keywords change its training."""
    content = {
        "kind": "cevae",
        "latent_dim": 6,
        "widths": [4, 8],
        "beta": 0.01,
        "context_fraction": 0.5,
        "training": {**TRAINING, **training},
    }
    config = read_model_config(json.dumps(content))
    assert isinstance(config, CevaeConfig)
    return config


def deit_config(**changes: Any) -> ApplicationConfig:
    """Return the settings of a tiny DeiT; keywords change them."""
    content = {
        "model": "ddpm_discrete",
        "patch_px": 4,
        "embedding_dim": 24,
        "depth": 2,
        "heads": 2,
        "epochs": 1,
        "batch_size": 16,
        "learning_rate": 3e-3,
        "generated_per_class": 30,
        "repeats": 2,
    }
    return ApplicationConfig.model_validate({**content, **changes})
